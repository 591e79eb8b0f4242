"""What columns hold, and the two kernels side by side on tables made by hand."""

from __future__ import annotations

import math

import lightgbm as lgb
import numpy as np
import pytest

from scoring.lanes import aligned
from scoring.shap_kernels import (
    NEAR_ZERO,
    ROWS,
    Model,
    Room,
    add_blocks,
    add_row,
    map_rows,
    map_value,
    padded,
)  # fmt: skip
from scoring.tree_tables import CATEGORIES, MISSING_NAN, MISSING_NONE, MISSING_ZERO, read_tables

NO_WORDS = np.empty(0, dtype=np.int64)


@pytest.mark.parametrize(
    ("kind", "value", "low", "expected"),
    [
        (MISSING_NONE, math.nan, 0, 0.0),
        (MISSING_NONE, 1e-36, 0, 0.0),
        (MISSING_NONE, -2.5, 0, -2.5),
        (MISSING_NAN, math.nan, 1, -math.inf),
        (MISSING_NAN, math.nan, 0, math.nan),
        (MISSING_NAN, 0.0, 1, 0.0),
        (MISSING_ZERO, math.nan, 1, -math.inf),
        (MISSING_ZERO, 0.0, 0, math.nan),
        (MISSING_ZERO, NEAR_ZERO, 1, -math.inf),
        (MISSING_ZERO, 2 * NEAR_ZERO, 1, 2 * NEAR_ZERO),
        (MISSING_NAN, math.inf, 1, math.inf),
    ],
)
def test_a_column_sends_missing_and_zero_where_the_split_wants_them(kind, value, low, expected):
    found = map_value(value, kind, low, NO_WORDS)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_a_column_of_categories_is_zero_for_those_that_go_left() -> None:
    words = np.array([0b100, 1 << 31], dtype=np.int64)
    left = [v for v in (*range(-2, 70), 2.9, -0.5, math.nan, math.inf, -math.inf, 3e9)
            if map_value(float(v), CATEGORIES, 0, words) == 0.0]  # fmt: skip
    assert left == [2, 63, 2.9]


def test_lanes_beyond_the_last_row_repeat_it() -> None:
    X = np.arange(6.0).reshape(3, 2)
    columns = np.array([[1, MISSING_NAN, 0, 0, 0], [0, MISSING_NAN, 0, 0, 0]])
    out = np.empty((1, 2, 4))
    map_rows(X, columns, NO_WORDS, out)
    assert out.tolist() == [[[1, 3, 5, 5], [0, 2, 4, 4]]]


def test_both_kernels_give_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 6))
    booster = lgb.train(
        {"objective": "regression", "num_leaves": 12, "verbose": -1, "num_threads": 1},
        lgb.Dataset(X, X @ rng.normal(size=6)), 9,
    )  # fmt: skip
    t = read_tables(booster.model_to_string())
    model = Model(t.ints.reshape(-1), t.floats.reshape(-1), t.trees, t.terms)
    columns = np.array([(c.feature, c.kind, c.low, 0, 0) for c in t.columns])
    blocks, phi = aligned(2 * len(columns) * ROWS).reshape(2, -1, ROWS), np.zeros((2, 7, ROWS))
    map_rows(X[: 2 * ROWS], columns, NO_WORDS, blocks)
    splits, size = t.trees[:, 1].max(), 40 * padded(t.trees[:, 3].max()) * ROWS
    bits = np.empty(2 * splits + 1, dtype=np.int64)
    add_blocks(model, blocks, phi, Room(aligned(size), aligned(size), bits, aligned(size)))
    for row in range(2 * ROWS):
        alone, mapped = np.zeros(7), np.empty((1, len(columns), 1))
        map_rows(X[row : row + 1], columns, NO_WORDS, mapped)
        room = Room(aligned(size), aligned(size), np.empty(2 * splits + 1), aligned(size))
        add_row(model, mapped.reshape(-1), alone, room)
        assert alone.tobytes() == phi[row // ROWS, :, row % ROWS].tobytes()
