"""One line of a theme, followed to the reason of a decision made from what is served online."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from domain.decision import Purpose
from domain.policy import default_policy
from features import accounts, credit, people, spending
from features.catalogue import Catalogue
from features.declare import Rule, Take, Theme, count
from features.repo import build
from features.store import FeatureRoom, matrix
from scoring.booster import booster_text
from scoring.bundle import write_bundle
from scoring.golden import draw_rows
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer
from serving.decide import Judge, Known, decide
from tests.features.panel_world import at, computed, row
from training.tune import Best, Problem, default_trial, fit_booster

NAME = "toy_count_45d"
AS_OF = at(200)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CUSTOMERS = [f"c{i:03}" for i in range(200)]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    toy = Theme("toys", max_age_days=400, owner="tests")
    toy.windowed(
        "toy_count_{w}d", Take("count", "interactions", ("complaint",)), (45,),
        count("近{w}天玩具数", "Toys in the past {w} days"), Rule(churn=-1),
    )  # fmt: skip
    themes = (*spending.THEMES, *accounts.THEMES, *credit.THEMES, *people.THEMES)
    return Catalogue((*themes, toy))


def panel_of(catalogue: Catalogue):
    """Every other customer has three toys; all of them buy alike."""
    dealings, bought = [], []
    for i, customer in enumerate(CUSTOMERS):
        bought += [row(customer, 100 + i % 50, kind="purchase", amount=10.0 + i % 7)]
        dealings += [row(customer, 20, kind="contact")]
        dealings += [row(customer, 190 + d, kind="complaint") for d in range(3) if i % 2]
    tables = {"transactions": bought, "interactions": dealings}
    return computed(tables, [(c, AS_OF) for c in CUSTOMERS], catalogue)


def test_a_feature_added_in_one_line_reaches_the_reason_of_a_served_decision(catalogue, tmp_path):
    panel = panel_of(catalogue)
    toys = panel[NAME].to_numpy()
    assert toys.tolist() == [3.0 * (i % 2) for i in range(len(CUSTOMERS))]
    views = {o.name: o for o in build(catalogue, tmp_path)}
    field = next(f for f in views["toys"].schema if f.name == NAME)
    assert (field.description, field.tags["zh"]) == ("Toys in the past 45 days", "近45天玩具数")

    names = (NAME, "purchase_recency_days", "spend_sum_365d")
    X = matrix(panel, names)
    problem = Problem(X, 1.0 - (toys > 0), names, catalogue.monotone("churn", names), False)
    best = Best({**default_trial(len(X)), "bagging_freq": 1, "min_data_in_leaf": 10}, 30, 0.0)
    booster = fit_booster(problem, np.arange(len(X)), best, 1)
    scorer = Scorer(
        target="churn", features=names, booster_text=booster_text(booster),
        calibration=Calibration(1.0, 0.0), scale=PointScale(anchor_margin=0.0), horizon_days=90,
        currency=None, monotone=problem.monotone,
    )  # fmt: skip
    told = {"churn": {"verdict": "passed", "figures": {}}}
    card = {"source": "toys", "targets": told, "data": {}, "plan": {}, "seed": 1, "lock_hash": None}
    golden = {"churn": draw_rows(X, 20, 1)}
    bundle = write_bundle(tmp_path / "bundles", {"churn": scorer}, catalogue, card, golden)

    room = FeatureRoom(tmp_path / "features", catalogue)
    room.write(panel)
    as_of, everybody = room.latest()
    room.materialise(as_of)
    assert not room.parity(everybody[:50], as_of, catalogue.names)
    judge = Judge(bundle, default_policy(), top=3, stale_days=100_000, catalogue=catalogue)
    chosen = CUSTOMERS[:2]
    rows = room.online(chosen, judge.names)
    decisions = decide(judge, Known(chosen, judge.names, rows.values, rows.as_of), Purpose.CRM, NOW)
    without, owning = ({r.feature: r for r in d.scores[0].reasons}[NAME] for d, _ in decisions)
    assert (without.value, owning.value) == (0.0, 3.0)
    assert without.points > 0 > owning.points
    assert without.en == f"Toys in the past 45 days: 0 (few), adds {without.points} points"
    assert owning.zh == f"近45天玩具数：3次（偏多），减{-owning.points}分"
    assert decisions[0][0].scores[0].points > decisions[1][0].scores[0].points
