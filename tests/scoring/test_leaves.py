"""The table of leaves reaches of every row exactly the leaves that LightGBM says."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from domain.errors import BundleError
from scoring.booster import booster_text
from scoring.leaves import read_leaves


def reached(leaves, X: np.ndarray) -> np.ndarray:
    """(n, l): whether every feature of a row lets a leaf be reached."""
    fits = np.ones((len(X), len(leaves.values)), bool)
    for feature, sides in leaves.sides.items():
        fits[:, sides.leaves] &= sides.reach(X[:, feature])
    return fits


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_a_row_reaches_one_leaf_of_each_tree_and_their_sum_is_lightgbm_s(kit, seed, missing):
    X = kit.rows(300, seed, missing)
    y = np.nan_to_num(X, nan=0.4) @ np.array([1.0, -0.7, 0.5, 0.1])
    booster = kit.train(X, y, objective="regression", rounds=9)
    leaves = read_leaves(booster_text(booster))
    asked = kit.rows(200, seed + 50, 0.3)
    asked[:20, 0] = 0.0
    fits = reached(leaves, asked)
    assert (np.add.reduceat(fits, leaves.starts, axis=1) == 1).all()
    raw = booster.predict(asked, raw_score=True, num_threads=1)
    assert fits @ leaves.values == pytest.approx(raw, abs=1e-12)
    numbers = booster.predict(asked, pred_leaf=True, num_threads=1)
    for t, (a, b) in enumerate(zip(leaves.starts, [*leaves.starts[1:], None], strict=True)):
        said = {(int(n), leaves.values[a:b][row].item())
                for n, row in zip(numbers[:, t], fits[:, a:b], strict=True)}  # fmt: skip
        assert len(said) == len({n for n, _ in said}), "a leaf of LightGBM is one of ours"


def test_values_of_one_cell_reach_the_same_leaves_and_a_cut_lies_below(kit):
    X = kit.rows(300, 1, 0.1)
    booster = kit.train(X, np.nan_to_num(X[:, 0]) ** 2, objective="regression", rounds=5)
    sides = read_leaves(booster_text(booster)).sides[0]
    cut = float(sides.cuts[1])
    above = np.nextafter(cut, np.inf)
    assert sides.cells(np.array([np.nan, cut, above])).tolist() == [-1, 1, 2]
    values = np.concatenate([sides.cuts, np.linspace(-3, 3, 400), [np.nan]])
    cells = sides.cells(values)
    for cell in np.unique(cells):
        assert len(np.unique(sides.reach(values[cells == cell]), axis=0)) == 1


def test_a_tree_of_one_leaf_asks_nothing():
    data = lgb.Dataset(np.zeros((50, 1)), np.ones(50), feature_name=["x"])
    booster = lgb.train({"objective": "regression", "verbose": -1, "num_threads": 1}, data, 2)
    leaves = read_leaves(booster_text(booster))
    assert leaves.sides == {}
    assert leaves.values.sum() == pytest.approx(1.0)


def test_splits_without_an_order_are_refused(kit):
    X = np.round(np.abs(kit.rows(300, 1, 0.0)) * 3)
    booster = kit.train(X, X[:, 0], objective="regression", zero_as_missing=True)
    with pytest.raises(BundleError, match="without an order"):
        read_leaves(booster_text(booster))
