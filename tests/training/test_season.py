"""The season of the calibration against a wave that was planted: what each month adds is known.

A bank with a strong season, its truth beside it. At each as_of the truth says the chance of leaving
with the season and without; on the log-odds of one scorer both come to a number a month.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.asof import from_micros
from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.ingest import ingest
from events.readers import SOURCES
from features.catalogue import CATALOGUE
from features.panel import compute
from features.store import matrix
from scoring.scorer import Scorer
from training.calibrate import log_odds_shift
from training.fit import Material, fit_scorer
from training.metrics import calibration_error
from training.space import default_trial
from training.splits import split
from training.targets import grids, labels
from training.tune import Best, Problem

BANK = BankConfig(customers=3000, months=54, season=4.0, until="2026-04-01", seed=3)
"""Its test dates, September and October, are those in which most buy again."""
NAMES = ("purchase_recency_days", "purchase_count_365d")


@dataclass(frozen=True)
class World:
    """The rows of the last year of training and of the test, with the truth of each; scorers."""

    material: Material
    leaves: np.ndarray
    leaves_flat: np.ndarray
    scorers: dict[str, Scorer]
    train: tuple[int, ...]
    test: tuple[int, ...]

    def asked(self, as_of: int, leaves: np.ndarray) -> float:
        """What must be added to the log-odds of the scorer to make a truth of them."""
        rows = self.material.as_of == as_of
        log_odds = self.scorers["none"].calibrated(self.material.problem.X[rows])
        return log_odds_shift(log_odds, 1 - leaves[rows])

    def learnt(self, season: str) -> np.ndarray:
        """What was learnt for the month of each training date."""
        monthly = self.scorers[season].calibration.monthly
        return np.array([monthly[from_micros(t).month - 1] for t in self.train])


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    root = tmp_path_factory.mktemp("season")
    write_bank(root / "raw", BANK)
    dataset, _ = ingest(SOURCES["bank"], root / "raw", root / "dataset")
    plan = dataset.plan.model_copy(update={"train_as_of": dataset.plan.train_as_of[-12:]})
    dataset = replace(dataset, plan=plan)
    train, test = grids(dataset)
    rows = labels(dataset, "churn", (*train, *test))
    who = rows["customer_id"].to_pylist()
    X = np.ascontiguousarray(matrix(compute(dataset, rows), NAMES))
    y, when = rows["y"].to_numpy(), rows["as_of"].cast(pa.int64()).to_numpy()
    problem = Problem(X, y, NAMES, CATALOGUE.monotone("churn", NAMES), is_amount=False)
    parts = split(rows, plan, plan.targets["churn"].horizon_days, min(test), 1)
    made = Material("churn", problem, who, when, parts, (), who)
    best = Best({**default_trial(5000), "bagging_freq": 1, "learning_rate": 0.1}, 60, 0.0)
    scorers = {
        season: fit_scorer(made, plan.model_copy(update={"season": season}), best, 1, None)
        for season in ("none", "year_before", "smooth")
    }
    truth = pq.read_table(root / "raw/truth/outlook").to_pandas()
    truth = truth.set_index(["customer_id", "as_of"])
    told = truth.loc[list(zip(who, rows["as_of"].to_pandas(), strict=True))]
    flat = told.p_churn_flat.to_numpy()
    return World(made, told.p_churn.to_numpy(), flat, scorers, train, test)


def test_each_month_learns_what_the_truth_asks_of_the_scorer(world):
    asked = [world.asked(t, world.leaves) for t in world.train]
    assert np.ptp(asked) > 0.8
    np.testing.assert_allclose(world.learnt("year_before"), asked, atol=0.16)


def test_what_is_learnt_rises_and_falls_with_the_wave_that_was_planted(world):
    """Features tell of the past months' season, so that a part of the wave is in the trees."""
    planted = np.array(
        [world.asked(t, world.leaves) - world.asked(t, world.leaves_flat) for t in world.train]
    )
    for season in ("year_before", "smooth"):
        learnt = world.learnt(season)
        assert np.corrcoef(planted, learnt)[0, 1] > 0.7
        for month in (planted.argmax(), planted.argmin()):
            assert learnt[month] == pytest.approx(planted[month], abs=0.25)
            assert abs(planted[month]) > 0.3


def test_in_the_same_months_of_the_next_year_chances_are_nearer_the_truth_with_it(world):
    for as_of in world.test:
        rows = world.material.as_of == as_of
        error = {
            name: calibration_error(
                world.leaves[rows], scorer.at(as_of).p_bad(world.material.problem.X[rows])
            )
            for name, scorer in world.scorers.items()
        }
        assert error["none"] > 0.04
        assert max(error["year_before"], error["smooth"]) < error["none"] - 0.01, error
