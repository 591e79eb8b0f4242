"""What splitting by person does to a figure, where one person stands there under several ids.

    python -m experiments.persons

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: lines on the terminal. The same
trees, not tuned, are fitted on the split by id and by person; resamples are of persons.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from domain.settings import DATA
from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from training import metrics
from training.draws import resample
from training.fit import Material
from training.learn import parts_to_judge
from training.matrix import labelled, material, write_features
from training.space import default_trial
from training.splits import Index
from training.tune import Best, fit_booster

SOURCE, SEED, TREES = "credit_card_approval", 1, 300
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
def main(data: str) -> None:
    """Fit on both splits, and print each part and the same rows beside each other."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home), SOURCE)
        dataset, _ = ingest(SOURCES[SOURCE], Path(data) / SOURCE, workspace.dataset)
        rows = labelled(dataset)[0]
        write_features(dataset, workspace, rows)
        by_id = dataset.plan.model_copy(update={"person_columns": ()})
        made = []
        for name, plan in (("by id", by_id), ("by person", dataset.plan)):
            own = replace(dataset, plan=plan)
            found = material(own, workspace, "credit", rows["credit"], SEED)
            made.append((name, found, parts_to_judge(found, own), _score(found)))
    (_, one, _, first), (_, two, _, second) = made
    for name, found, parts, score in made:
        for part, chosen in parts.items():
            _tell(f"{name}, {part}", _aucs(found, chosen, two, score))
    later = np.intersect1d(one.split.test_unseen, two.split.test_unseen)
    earlier = np.intersect1d(one.split.earlier_unseen, two.split.earlier_unseen)
    for part, chosen in (("later", later), ("all", np.concatenate([earlier, later]))):
        gap = _aucs(one, chosen, two, first) - _aucs(one, chosen, two, second)
        bad = int((one.problem.y[chosen] == 0).sum())
        _tell(f"by id less by person, {part}, {len(chosen)} rows, {bad} bad, unseen by both", gap)


def _score(made: Material) -> Floats:
    params = {**default_trial(made.split.fit.size), "bagging_freq": 1}
    booster = fit_booster(made.problem, made.split.fit, Best(params, TREES, 0.0), SEED)
    return np.asarray(booster.predict(made.problem.X, raw_score=True, num_threads=1))


def _aucs(made: Material, rows: Index, persons: Material, score: Floats) -> Floats:
    """The AUC of the rows, and of each resample of their persons."""
    measure = metrics.auc(made.problem.y[rows], score[rows])
    weights = resample([persons.customers[r] for r in rows], SEED)
    return np.array([measure(np.ones(rows.size)), *(measure(w) for w in weights)])


def _tell(name: str, found: Floats) -> None:
    low, high = np.nanquantile(found[1:], [0.025, 0.975])
    click.echo(f"{name}: {found[0]:.4f} [{low:.4f}, {high:.4f}]")


if __name__ == "__main__":
    main()
