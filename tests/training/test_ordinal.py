"""Proportional odds: derivatives against differences, thresholds against a slow likelihood."""

from __future__ import annotations

import math

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import spearmanr

from training.ordinal import fit_thresholds, gradient, loss, metric, objective


def slow_loss(margin, tier, thresholds) -> float:
    """The same, a row and a logistic function at a time."""
    total = 0.0
    ends = [-math.inf, *thresholds, math.inf]
    for f, k in zip(margin, tier, strict=True):
        upper = 1 / (1 + math.exp(f - ends[k + 1])) if k < len(thresholds) else 1.0
        lower = 1 / (1 + math.exp(f - ends[k])) if k else 0.0
        total -= math.log(upper - lower)
    return total / len(margin)


def drawn(n: int, thresholds: list[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Margins, and tiers drawn from the model itself: a latent logistic value cut in places."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(size=n)
    return margin, np.searchsorted(thresholds, margin + rng.logistic(size=n))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(-3, 3), min_size=2, max_size=4, unique=True))
def test_the_likelihood_is_the_slow_one_and_its_derivatives_are_finite_differences(seed, cuts):
    thresholds = np.sort(cuts) + 0.1 * np.arange(len(cuts))
    rng = np.random.default_rng(seed)
    margin, tier = rng.normal(size=12), rng.integers(0, len(cuts) + 1, 12)
    assert loss(margin, tier, thresholds) == pytest.approx(slow_loss(margin, tier, thresholds))
    first, second = gradient(margin, tier, thresholds)
    step = 1e-4

    def at(i: int, by: float) -> float:
        moved = margin.copy()
        moved[i] += by
        return 12 * slow_loss(moved, tier, thresholds)

    for i in range(12):
        low, here, high = at(i, -step), at(i, 0.0), at(i, step)
        assert first[i] == pytest.approx((high - low) / (2 * step), abs=1e-5)
        assert second[i] == pytest.approx((high - 2 * here + low) / step**2, abs=1e-4)
    assert (second >= 0).all()


@pytest.mark.parametrize("thresholds", [[-1.0, 0.5], [0.2, 1.1, 2.0]])
def test_thresholds_are_those_that_drew_the_tiers_and_the_most_likely(thresholds):
    margin, tier = drawn(4000, thresholds, 3)
    found = fit_thresholds(margin, tier)
    assert found == pytest.approx(thresholds, abs=0.15)
    few = slice(0, 300)
    least = minimize(
        lambda t: slow_loss(margin[few], tier[few], sorted(t)), thresholds, method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-9},
    )  # fmt: skip
    assert fit_thresholds(margin[few], tier[few]) == pytest.approx(np.sort(least.x), abs=2e-3)


def test_a_booster_of_this_objective_learns_the_latent_value_and_keeps_its_directions():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 3))
    latent = 2 * X[:, 0] - X[:, 1]
    tier = np.searchsorted([-0.5, 1.0], latent + rng.logistic(size=1500))
    params = {
        "objective": objective, "monotone_constraints": [1, -1, 0], "num_leaves": 6,
        "verbosity": -1, "num_threads": 1, "deterministic": True, "min_data_in_leaf": 20,
    }  # fmt: skip
    data = lgb.Dataset(X[:1000], tier[:1000], params={"verbosity": -1})
    booster = lgb.train(params, data, 60)
    margin = np.asarray(booster.predict(X[1000:], num_threads=1))
    assert spearmanr(margin, latent[1000:])[0] > 0.93
    held = lgb.Dataset(X[1000:], tier[1000:]).construct()
    name, value, higher = metric(margin, held)
    even = metric(np.zeros(500), held)[1]
    assert (name, higher) == ("ordinal", False)
    assert value < even - 0.1
