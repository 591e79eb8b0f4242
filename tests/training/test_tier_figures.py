"""Tiers of amounts against slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domain.policy import default_policy
from scoring.points import PointScale
from training.judge import resample
from training.tier_figures import tier_figures, tier_intervals

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


def test_the_truth_itself_agrees_wholly_and_nothing_is_lowest():
    y = np.array([0.0, 0.0, 60.0, 500.0])
    points = SCALE.points(np.log(np.array([1.0, 2.0, 60.0, 500.0])))
    found = tier_figures(y, points, SCALE, CUTS)
    assert found["quadratic_kappa"] == 1.0
    assert found["macro_f1"] == 1.0


def test_one_tier_for_everybody_has_no_kappa():
    found = tier_figures(np.full(5, 60.0), SCALE.points(np.full(5, np.log(60.0))), SCALE, CUTS)
    assert found["quadratic_kappa"] is None


def test_intervals_are_those_of_the_figures_of_rows_drawn_again():
    y, said = drawn(3, 90)
    points = SCALE.points(np.log(said))
    weights = resample([f"C{row // 2:02}" for row in range(90)], 4)
    found = tier_intervals(y, points, SCALE, CUTS, weights)
    again = []
    for weight in weights:
        rows = np.repeat(np.arange(90), weight.astype(int))
        again.append(tier_figures(y[rows], points[rows], SCALE, CUTS))
    for name in ("macro_f1", "quadratic_kappa", "high_for_low", "low_for_high"):
        ends = np.quantile([told[name] for told in again], [0.025, 0.975])
        assert found[name] == pytest.approx(ends, rel=1e-9), name
    assert len(found) == 4


def test_where_all_stand_in_one_tier_no_kappa_has_an_interval():
    points = SCALE.points(np.full(5, np.log(60.0)))
    found = tier_intervals(np.full(5, 60.0), points, SCALE, CUTS, np.ones((3, 5)))
    assert "quadratic_kappa" not in found
    assert found["macro_f1"] == [pytest.approx(1 / 3)] * 2
