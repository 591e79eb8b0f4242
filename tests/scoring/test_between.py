"""The parts of a move are Shapley values of the game of hybrid rows, by brute force."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import lightgbm as lgb
import numpy as np
import pytest

from domain.errors import BundleError
from scoring.between import between
from scoring.booster import booster_text
from tests.scoring.explain_world import NAMES, credit_scorer, rows


def enumerated(booster: lgb.Booster, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Every set of changed features takes the new values; LightGBM itself says what it is worth."""
    moved = [i for i in range(len(before)) if before[i] != after[i] and not (
        np.isnan(before[i]) and np.isnan(after[i]))]  # fmt: skip
    worth = {}
    for size in range(len(moved) + 1):
        for some in combinations(moved, size):
            x = before.copy()
            x[list(some)] = after[list(some)]
            worth[frozenset(some)] = float(booster.predict(x[None, :], raw_score=True)[0])
    out = np.zeros(len(before))
    k = len(moved)
    for some, value in worth.items():
        for i in moved:
            if i not in some:
                weight = factorial(len(some)) * factorial(k - len(some) - 1) / factorial(k)
                out[i] += weight * (worth[some | {i}] - value)
    return out


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_shapley_value_of_the_changed_features(seed):
    scorer = credit_scorer(seed=1 + seed % 3)
    before, after = rows(2, 50 + seed, missing=0.25)
    keep = np.random.default_rng(seed).random(len(NAMES)) < 0.4
    after[keep] = before[keep]
    found = between(scorer.booster_text, before, after)
    np.testing.assert_allclose(found, enumerated(scorer.booster, before, after), atol=1e-12)
    assert not found[keep].any()


def test_the_parts_add_up_to_the_difference_of_the_margins():
    scorer, X = credit_scorer(), rows(200, 8)
    margins = scorer.margin(X)
    for i in range(0, 200, 2):
        found = between(scorer.booster_text, X[i], X[i + 1])
        assert found.sum() == pytest.approx(margins[i + 1] - margins[i], abs=1e-11)


def test_the_way_back_is_the_same_with_the_other_sign_to_the_last_bit():
    scorer, X = credit_scorer(), rows(60, 9)
    for i in range(0, 60, 2):
        there = between(scorer.booster_text, X[i], X[i + 1])
        assert (there == -between(scorer.booster_text, X[i + 1], X[i])).all()
        assert not between(scorer.booster_text, X[i], X[i]).any()


def test_what_lightgbm_reads_as_zero_is_zero():
    scorer, x = credit_scorer(), rows(1, 10, missing=0.0)[0]
    tiny = np.where(x == 0, 1e-40, x)
    assert not between(scorer.booster_text, x, tiny).any()


def test_trees_without_a_split_move_nothing():
    X = rows(60, 1)
    data = lgb.Dataset(X, np.arange(60.0), feature_name=list(NAMES))
    flat = lgb.train({"min_data_in_leaf": 50, "verbose": -1, "objective": "regression"}, data, 2)
    assert not between(booster_text(flat), X[0], X[1]).any()


def test_a_split_without_an_order_is_refused():
    X = np.nan_to_num(rows(400, 1))
    data = lgb.Dataset(X, X[:, 5], feature_name=list(NAMES))
    odd = lgb.train({"zero_as_missing": True, "verbose": -1, "objective": "regression"}, data, 3)
    with pytest.raises(BundleError, match="without an order"):
        between(booster_text(odd), X[0], X[1])
