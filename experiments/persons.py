"""What splitting by person does to a figure, where one person stands there under several ids.

    python -m experiments.persons
    python -m experiments.persons --source taiwan_credit_default

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: lines on the terminal. Where columns
tell persons (`credit_card_approval`) the same trees, not tuned, are fitted on the split by id and
by person; resamples are of persons. Where only histories do (`taiwan_credit_default`) the unseen
stay who they are, and trees learn with the rows of their twins, without, or without as many others.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pyarrow as pa

from domain.settings import DATA
from domain.workspace import Workspace
from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from training import metrics
from training.draws import resample
from training.fit import Material
from training.leak_persons import same_histories
from training.learn import parts_to_judge
from training.matrix import labelled, material, write_features
from training.space import default_trial
from training.splits import Index
from training.tune import Best, fit_booster

TOLD, TWINS = "credit_card_approval", "taiwan_credit_default"
SEED, TREES, FITS = 1, 300, 5
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@click.command()
@click.option(
    "--data", default=lambda: DATA.read(os.environ), help="folder of the public data sets"
)
@click.option("--source", default=TOLD, type=click.Choice([TOLD, TWINS]), help="whose persons")
def main(data: str, source: str) -> None:
    """Fit on both splits, and print each part and the same rows beside each other."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home), source)
        dataset, _ = ingest(SOURCES[source], Path(data) / source, workspace.dataset)
        rows = labelled(dataset)[0]
        write_features(dataset, workspace, rows)
        (_by_person if source == TOLD else _without_twins)(dataset, workspace, rows["credit"])


def _by_person(dataset: Dataset, workspace: Workspace, rows: pa.Table) -> None:
    """Both splits, part by part, and the rows that neither model saw."""
    by_id = dataset.plan.model_copy(update={"person_columns": ()})
    made = []
    for name, plan in (("by id", by_id), ("by person", dataset.plan)):
        own = replace(dataset, plan=plan)
        found = material(own, workspace, "credit", rows, SEED)
        made.append((name, found, parts_to_judge(found, own), _score(found, found.split.fit)))
    (_, one, _, first), (_, two, _, second) = made
    for name, found, parts, score in made:
        for part, chosen in parts.items():
            _tell(f"{name}, {part}", _aucs(found, chosen, two.customers, score))
    later = np.intersect1d(one.split.test_unseen, two.split.test_unseen)
    earlier = np.intersect1d(one.split.earlier_unseen, two.split.earlier_unseen)
    for part, chosen in (("later", later), ("all", np.concatenate([earlier, later]))):
        gap = _aucs(one, chosen, two.customers, first) - _aucs(one, chosen, two.customers, second)
        bad = int((one.problem.y[chosen] == 0).sum())
        _tell(f"by id less by person, {part}, {len(chosen)} rows, {bad} bad, unseen by both", gap)


def _without_twins(dataset: Dataset, workspace: Workspace, rows: pa.Table) -> None:
    """The published test by trees that learnt from its twins, from none, or from fewer others."""
    made = material(dataset, workspace, "credit", rows, SEED)
    place = {c: i for i, c in enumerate(made.customers)}
    pairs = np.concatenate(same_histories(dataset, place))
    both = np.concatenate([pairs, pairs[:, ::-1]])
    fit, test = made.split.fit, made.split.test
    crossing = both[np.isin(both[:, 0], fit) & np.isin(both[:, 1], test)]
    learnt, theirs = np.unique(crossing[:, 0]), np.unique(crossing[:, 1])
    person = {b: a for a, b in np.sort(pairs, axis=1).tolist()}
    who = [made.customers[person.get(r, r)] for r in range(len(made.customers))]
    others = np.setdiff1d(fit, learnt)
    fewer = np.random.default_rng(SEED).choice(others, others.size - learnt.size, replace=False)
    scores = {
        "with the twins": _score(made, fit, FITS),
        "without them": _score(made, others, FITS),
        "without as many others": _score(made, np.sort([*fewer, *learnt]), FITS),
    }
    for part, chosen in (("the test", test), ("those who have a twin", theirs)):
        bad = int((made.problem.y[chosen] == 0).sum())
        click.echo(f"{part}, {chosen.size} rows, {bad} bad, {learnt.size} twins learnt from")
        found = {name: _aucs(made, chosen, who, score) for name, score in scores.items()}
        for name, aucs in found.items():
            _tell(f"  {name}", aucs)
        for name in ("without them", "without as many others"):
            _tell(f"  with the twins less {name}", found["with the twins"] - found[name])


def _score(made: Material, fit: Index, fits: int = 1) -> Floats:
    """The margin of every row, the mean of so many fits that differ in their seed."""
    best = Best({**default_trial(fit.size), "bagging_freq": 1}, TREES, 0.0)
    boosters = [fit_booster(made.problem, fit, best, SEED + k) for k in range(fits)]
    margins = [b.predict(made.problem.X, raw_score=True, num_threads=1) for b in boosters]
    return np.asarray(np.mean(margins, axis=0))


def _aucs(made: Material, rows: Index, persons: Sequence[str], score: Floats) -> Floats:
    """The AUC of the rows, and of each resample of their persons."""
    measure = metrics.auc(made.problem.y[rows], score[rows])
    weights = resample([persons[r] for r in rows], SEED)
    return np.array([measure(np.ones(rows.size)), *(measure(w) for w in weights)])


def _tell(name: str, found: Floats) -> None:
    low, high = np.nanquantile(found[1:], [0.025, 0.975])
    click.echo(f"{name}: {found[0]:.4f} [{low:.4f}, {high:.4f}]")


if __name__ == "__main__":
    main()
