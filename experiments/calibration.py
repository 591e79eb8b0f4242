"""Who calibrates: the customers that no tree saw alone, or all learning customers out of fold.

    python -m experiments.calibration

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: printed lines. Of the learning
customers of every good-or-bad target without folds some test, some times: the calibration error
there as a multiple of its floor, by both ways, the same trees throughout. Then the test, once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from domain.plan import StudyPlan
from domain.settings import DATA
from experiments.materials import PUBLIC, materials
from training import metrics
from training.baselines import Baselines
from training.fit import Material, crossed, evidence, fit_scorer
from training.space import default_trial
from training.splits import percents
from training.tune import Best

DRAWS = 4
TREES = 300
TESTED, CALIBRATES = 30, 41
"""Of a hundred learning customers: places below test, below calibrate, the others teach."""


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--source", "sources", multiple=True, default=PUBLIC, show_default=True)
def main(data: str, sources: tuple[str, ...]) -> None:
    """Print the calibration error of both ways as a multiple of its floor."""
    with tempfile.TemporaryDirectory() as home:
        for source in sources:
            for dataset, made in materials(source, Path(data), Path(home), seed=1):
                if not (made.problem.is_amount or made.split.folds):
                    within = [floors(m, dataset.plan) for m in parted(made)]
                    told(f"{source} {made.target}, learning rows", np.mean(within, axis=0))
                    told(f"{source} {made.target}, test", floors(made, dataset.plan))


def parted(made: Material) -> Iterator[Material]:
    """The material with its learning customers parted anew, the test left out."""
    learn = np.sort(np.concatenate([made.split.fit, made.split.calibration]))
    for draw in range(DRAWS):
        place = percents(f"calibration:{draw}", made.customers)[learn]
        split = replace(
            made.split,
            fit=learn[place >= CALIBRATES],
            calibration=learn[(place >= TESTED) & (place < CALIBRATES)],
            test=learn[place < TESTED],
        )
        yield replace(made, split=split)


def floors(made: Material, plan: StudyPlan) -> NDArray[np.float64]:
    """Errors over their floors on the test rows: calibrated by few, and by all."""
    best = Best({**default_trial(made.split.fit.size), "bagging_freq": 1}, TREES, 0.0)
    found = []
    for folded in (None, crossed(made, plan, best, 1)):
        scorer = fit_scorer(made, plan, best, 1, folded)
        said = evidence(made, scorer, made.split.test, Baselines({}, {}, made.problem.names))
        error = metrics.calibration_error(said.y, said.predicted)
        found.append(error / metrics.calibration_floor(said.predicted, 1))
    return np.array(found)


def told(name: str, ratios: NDArray[np.float64]) -> None:
    """One line."""
    print(f"{name}: by few {ratios[0]:.2f} times its floor, by all {ratios[1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
