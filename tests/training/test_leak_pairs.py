"""Pairs, parts and levels that tell the outcome are found; honest columns have none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training import leak_pairs
from training.leak_pairs import Rows, levels, pairs, parts

N = 4000
RNG = np.random.default_rng(5)
Y = (RNG.random(N) < 0.2).astype(float)
HONEST = np.column_stack([RNG.normal(size=(N, 3)) + 0.5 * Y[:, None], RNG.integers(0, 9, (N, 2))])


def rows_of(*more: np.ndarray, categories: tuple[int, ...] = ()) -> Rows:
    """Honest columns h0 to h4 and some more, m0 and so on."""
    X = np.column_stack([HONEST, *more])
    names = [*(f"h{i}" for i in range(5)), *(f"m{i}" for i in range(len(more)))]
    alone = np.array([roc_auc_score(Y, x) for x in np.nan_to_num(X, nan=-1e9).T])
    return Rows(tuple(names), X, X, Y, np.maximum(alone, 1 - alone), categories)


def hidden_in(how: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    a = np.exp(rng.normal(8, 1, N))
    told = Y + 0.05 * rng.normal(size=N)
    flag = rng.integers(0, 2, N)
    return {
        "difference": (a, a - 500 * told),
        "sum": (a, 500 * told - a),
        "ratio": (a * np.exp(0.5 * told), a),
        "distance": (a, np.where(Y == 1, a, a + rng.choice([-1, 1], N) * 50)),
        "xor": (flag.astype(float), (flag ^ Y.astype(int)).astype(float)),
    }[how]


@pytest.mark.parametrize("how", ["difference", "sum", "ratio", "distance", "xor"])
def test_two_columns_that_are_the_outcome_together_are_found(how):
    rows = rows_of(*hidden_in(how, np.random.default_rng(1)))
    assert rows.alone.max() < 0.75
    found = [{f.name, f.other} for f in pairs(rows)]
    assert found == [{"m0", "m1"}]


def test_honest_columns_hide_no_outcome():
    noise = np.random.default_rng(2).normal(size=(N, 20))
    rows = rows_of(*noise.T, categories=(3, 4))
    assert [*pairs(rows), *parts(rows, {"as_of": np.arange(N) % 12.0}), *levels(rows)] == []


@pytest.mark.parametrize("by", ["column", "as_of", "slice"])
def test_a_leak_in_a_part_of_the_rows_is_found_and_the_part_is_named(by):
    rng = np.random.default_rng(3)
    branch = rng.integers(0, 10, N).astype(float)
    where = {"column": branch, "as_of": branch, "slice": branch + rng.random(N)}[by]
    leak = np.where(branch == 7 if by != "slice" else branch >= 7, Y, rng.normal(size=N))
    more = {"as_of": where} if by == "as_of" else {}
    rows = rows_of(leak, *([] if more else [where]))
    assert rows.alone.max() < 0.75
    (found,) = parts(rows, more)
    assert (found.name, found.other) == ("m0", "as_of" if more else "m1")
    assert found.how == {"column": "7", "as_of": "7"}.get(by, found.how)
    assert "to most" in found.how or by != "slice"


def test_a_mean_of_a_level_without_the_row_itself_ranks_every_level_the_other_way():
    level = np.random.default_rng(4).integers(0, 300, N)
    count, bad = np.bincount(level), np.bincount(level, weights=Y)
    others = (bad[level] - Y) / (count[level] - 1)
    rows = rows_of(others, level.astype(float), categories=(6,))
    assert [(f.name, f.other) for f in levels(rows)] == [("m0", "m1")]
    earlier = np.random.default_rng(5).random(300)[level]
    assert [*levels(rows_of(earlier, level.astype(float), categories=(6,)))] == []


def test_aucs_of_parts_are_those_of_another_library():
    rng = np.random.default_rng(6)
    values = np.where(rng.random(N) < 0.1, np.nan, rng.integers(0, 40, N) + Y)
    code = rng.integers(0, 5, N)
    right, good, bad = leak_pairs._in_parts(*leak_pairs._order(values), code, Y)
    for part in range(5):
        inside = code == part
        plain = roc_auc_score(Y[inside], np.nan_to_num(values[inside], nan=-1e9))
        assert right[part] / (good[part] * bad[part]) == pytest.approx(plain, abs=1e-12)


def test_aucs_of_pairs_are_those_of_another_library():
    X, y = HONEST[:300, 1:], Y[:300]
    found = leak_pairs._pair_aucs(np.ascontiguousarray(X), y)
    for j, i in combinations(range(X.shape[1]), 2):
        a, b = X[:, i], X[:, j]
        ratio = np.divide(a, b, out=np.full(len(a), -1e300), where=b != 0)
        for how, z in enumerate((a - b, np.abs(a - b), a + b, ratio)):
            plain = roc_auc_score(y, z)
            assert found[how, i, j] == pytest.approx(max(plain, 1 - plain), abs=1e-12)


def test_the_standard_error_of_an_auc_is_how_much_resamples_spread():
    rng = np.random.default_rng(7)
    drawn = []
    for _ in range(400):
        good, bad = rng.normal(1, 1, 60), rng.normal(0, 1, 80)
        drawn.append((good[:, None] > bad).mean())
    told = leak_pairs._standard_error(float(np.mean(drawn)), np.array([60.0]), np.array([80.0]))
    assert told[0] == pytest.approx(np.std(drawn), rel=0.15)
