"""One target of a public data set, as every learner of the field meets it.

Enters: the folder of a data set. Leaves: its matrices with who learns and who is tested, and the
figures of scores on the tested rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.plan import StudyPlan
from domain.workspace import Workspace
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from training import metrics, segments
from training.draws import resample
from training.fit import Material, task
from training.learners import Floats, Task
from training.matrix import labelled, material, write_features
from training.splits import Index


@dataclass(frozen=True)
class Options:
    """Trials of each study, seconds of FLAML (None: as long as Tierline took), the seed."""

    trials: int
    flaml_seconds: float | None
    seed: int


@dataclass(frozen=True)
class Case:
    """One target: who learns and who is tested, several times where there are folds."""

    dataset: Dataset
    material: Material
    plan: StudyPlan
    pairs: tuple[tuple[Index, Index], ...]
    parts: tuple[NDArray[np.int64], ...]
    task: Callable[[Index], Task]

    @property
    def tested(self) -> Index:
        """Every row that is judged."""
        return np.unique(np.concatenate(self.parts))


@dataclass(frozen=True)
class Scored:
    """A learner's scores of all rows (0 where not tested) and what they cost.

    `curve`: seconds of learning and scores after each trial. `wall`: seconds on the clock, of
    Tierline those that the search of a pair took.
    """

    score: Floats
    seconds: float
    wall: float
    size: int | None
    explain_ms: float | None
    curve: tuple[tuple[float, Floats], ...] = ()


def cases(source: str, data: Path, home: Path, seed: int) -> Iterator[Case]:
    """Every target of a source that can be learnt, over features computed once."""
    workspace = Workspace(home, source)
    ingest(SOURCES[source], data, workspace.dataset)
    dataset = open_dataset(workspace.dataset)
    rows = labelled(dataset)[0]
    write_features(dataset, workspace, rows)
    fitted = segments.learn(dataset, workspace, seed).fitted
    for target, table in rows.items():
        made = material(dataset, workspace, target, table, seed)
        split = made.split
        learn = np.sort(np.concatenate([split.fit, split.calibration]))
        moments = made.as_of[split.test]
        parts = [split.test[moments == m] for m in np.unique(moments)]
        yield Case(
            dataset,
            made,
            dataset.plan,
            split.folds or ((learn, split.test),),
            (split.test,) if split.folds else tuple(parts),
            partial(task, made, fitted=fitted),
        )


def drawn(case: Case) -> Callable[..., Floats]:
    """A function from scores to their figure, and then the same on resamples of customers.

    A figure is the mean over the parts of the test.
    """
    made, tested = case.material, case.tested
    weights = resample([made.customers[r] for r in tested], 1)
    measure = metrics.spearman if made.problem.is_amount else metrics.auc

    def figures(score: Floats, resamples: int = len(weights)) -> Floats:
        total = np.zeros(1 + resamples)
        for part in case.parts:
            of = measure(made.problem.y[part], score[part])
            within = weights[:resamples, np.searchsorted(tested, part)]
            total += [of(np.ones(part.size)), *(of(w) for w in within)]
        return total / len(case.parts)

    return figures
