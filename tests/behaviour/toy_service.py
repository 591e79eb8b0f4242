"""A bank with a toy feature, made by the sources that this runs on: live and ready to be served.

    python -m tests.behaviour.toy_service HOME

Enters: a catalogue with `toy_count_45d`. Leaves: a workspace whose live bundle reads it. Every
other customer has three toys; all of them buy alike.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from domain.workspace import Workspace
from features.catalogue import CATALOGUE
from features.store import matrix, open_room
from scoring import registry
from scoring.booster import booster_text
from scoring.bundle import Bundle, write_bundle
from scoring.golden import draw_rows
from scoring.parity import go_live
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer
from tests.features.panel_world import at, computed, row
from training.space import default_trial
from training.tune import Best, Problem, fit_booster

NAME = "toy_count_45d"
AS_OF = at(200)
CUSTOMERS = [f"c{i:03}" for i in range(200)]
NAMES = (NAME, "purchase_recency_days", "spend_sum_365d")


def toy_panel():
    """The features of everybody."""
    dealings, bought = [], []
    for i, customer in enumerate(CUSTOMERS):
        bought += [row(customer, 100 + i % 50, kind="purchase", amount=10.0 + i % 7)]
        dealings += [row(customer, 20, kind="contact")]
        dealings += [row(customer, 190 + d, kind="complaint") for d in range(3) if i % 2]
    tables = {"transactions": bought, "interactions": dealings}
    return computed(tables, [(c, AS_OF) for c in CUSTOMERS], CATALOGUE)


def toy_bundle(folder: Path, X: np.ndarray) -> Bundle:
    """A churn scorer: who has toys leaves."""
    problem = Problem(X, 1.0 - (X[:, 0] > 0), NAMES, CATALOGUE.monotone("churn", NAMES), False)
    best = Best({**default_trial(len(X)), "bagging_freq": 1, "min_data_in_leaf": 10}, 30, 0.0)
    booster = fit_booster(problem, np.arange(len(X)), best, 1)
    scorer = Scorer(
        target="churn", features=NAMES, booster_text=booster_text(booster),
        calibration=Calibration(1.0, 0.0), scale=PointScale(anchor_margin=0.0), horizon_days=90,
        currency=None, monotone=problem.monotone,
    )  # fmt: skip
    told = {"churn": {"verdict": "passed", "figures": {}}}
    card = {"source": "toys", "targets": told, "data": {}, "plan": {}, "seed": 1, "lock_hash": None}
    golden = {"churn": draw_rows(X, 20, 1)}
    return write_bundle(folder, {"churn": scorer}, CATALOGUE, card, golden)


def main(home: Path) -> None:
    """Make the workspace `toys` and promote its bundle."""
    workspace = Workspace(home, "toys")
    panel = toy_panel()
    assert panel[NAME].to_pylist() == [3.0 * (i % 2) for i in range(len(CUSTOMERS))]
    open_room(workspace, {}).write(panel)
    bundle = toy_bundle(workspace.bundles, matrix(panel, NAMES))
    registry.register(workspace, bundle)
    go_live(workspace, {}, bundle.hash, 50, "tests", None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
