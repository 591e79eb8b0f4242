"""Tiers of amounts against slow loops."""

from __future__ import annotations

import math
import tomllib
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from domain.errors import InputError
from domain.policy import StepRule, default_policy
from scoring.points import PointScale
from training.tier_figures import (
    fragment,
    macro_f1,
    quadratic_kappa,
    suggested_bounds,
    table,
    tier_figures,
)

CUTS = default_policy().steps["value"]
SCALE = PointScale(anchor_margin=float(np.log(100.0)))


def tier(amount: float) -> int:
    """Low below half of 100, high from twice 100 on, to whole points."""
    points = round(500 + 50 * math.log2(amount / 100)) if amount else -1
    return 0 if points < 450 else 1 if points < 550 else 2


def drawn(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = 100 * np.exp(rng.normal(size=n)) * (rng.random(n) < 0.7)
    return y, 100 * np.exp(rng.normal(size=n))


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_those_of_slow_loops(seed):
    y, said = drawn(seed)
    points = SCALE.points(np.log(said))
    found = tier_figures(y, points, SCALE, CUTS)
    pairs = [(tier(a), tier(b)) for a, b in zip(y, said, strict=True)]
    table = [[sum(p == (a, b) for p in pairs) for b in range(3)] for a in range(3)]
    assert found["table"] == table
    assert found["high_for_low"] == pytest.approx(table[0][2] / 300)
    assert found["low_for_high"] == pytest.approx(table[2][0] / 300)
    f1 = []
    for k in range(3):
        hit = table[k][k]
        f1.append(2 * hit / (sum(table[k]) + sum(row[k] for row in table)))
    assert found["macro_f1"] == pytest.approx(sum(f1) / 3)
    seen = sum((a - b) ** 2 for a, b in pairs)
    chance = sum((a - b) ** 2 for a, _ in pairs for _, b in pairs) / 300
    assert found["quadratic_kappa"] == pytest.approx(1 - seen / chance)
    assert found["tiers"] == ["low", "mid", "high"]


def test_weighted_rows_are_rows_that_stand_there_so_often():
    rng = np.random.default_rng(3)
    truth, said = rng.integers(0, 4, 80), rng.integers(0, 3, 80)
    weight = rng.integers(0, 4, 80)
    counts = table(truth, said, 4)(weight.astype(float))
    twice = [np.repeat(v, weight) for v in (truth, said)]
    kappa = cohen_kappa_score(*twice, labels=range(4), weights="quadratic")
    assert quadratic_kappa(counts) == pytest.approx(kappa)
    f1 = f1_score(*twice, labels=range(4), average="macro", zero_division=0)
    assert macro_f1(counts) == pytest.approx(f1)


def test_the_truth_itself_agrees_wholly_and_nothing_is_lowest():
    y = np.array([0.0, 0.0, 60.0, 500.0])
    points = SCALE.points(np.log(np.array([1.0, 2.0, 60.0, 500.0])))
    found = tier_figures(y, points, SCALE, CUTS)
    assert found["quadratic_kappa"] == 1.0
    assert found["macro_f1"] == 1.0


def test_one_tier_for_everybody_has_no_kappa():
    found = tier_figures(np.full(5, 60.0), SCALE.points(np.full(5, np.log(60.0))), SCALE, CUTS)
    assert found["quadratic_kappa"] is None


@pytest.mark.parametrize("seed", range(4))
def test_no_pair_of_cuts_agrees_better_than_those_suggested(seed):
    """All pairs of places between forty customers, by scikit-learn."""
    y, said = drawn(seed, 40)
    points = SCALE.points(np.log(said))
    truth = [tier(a) for a in y]

    def worth(bounds):
        place = np.searchsorted(bounds, points, side="right")
        kappa = cohen_kappa_score(truth, place, labels=[0, 1, 2], weights="quadratic")
        f1 = f1_score(truth, place, labels=[0, 1, 2], average="macro", zero_division=0)
        return kappa + f1

    found = suggested_bounds(y, points, SCALE, CUTS)
    assert worth(found) == pytest.approx(max(map(worth, combinations(np.unique(points), 2))))
    told = tier_figures(y, points, SCALE, CUTS, found)
    assert told["macro_f1"] + told["quadratic_kappa"] == pytest.approx(worth(found))


def test_predictions_that_say_nothing_leave_the_cuts_of_the_policy():
    y, _ = drawn(1)
    assert suggested_bounds(y, np.full(300, 500), SCALE, CUTS) == CUTS.bounds


def test_the_fragment_is_the_policy_begun_at_other_points():
    read = tomllib.loads(fragment("value", CUTS, (431, 577)))["cuts"]["value"]
    steps = [StepRule.model_validate(step) for step in read]
    assert [s.from_points for s in steps] == [None, 431, 577]
    mine = [(s.name, s.zh, s.en) for s in steps]
    assert mine == [(s.name, s.zh, s.en) for s in CUTS.steps]
    with pytest.raises(InputError, match="2 tiers were suggested, the policy has 3"):
        fragment("value", CUTS, (431,))
