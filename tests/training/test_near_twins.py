"""Persons whose values were touched or mostly changed are found, and strangers are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from training import near_twins as near
from training.near_twins import near_twins
from training.twins import codes_of


def book(rng: np.random.Generator, n: int, k: int = 10) -> np.ndarray:
    """Amounts of k kinds, of which each goes a little with the one before it."""
    z = rng.normal(size=(n, k))
    z[:, 1:] += 0.5 * z[:, :-1]
    return np.exp(7 + z).round(2)


def table_of(X: np.ndarray) -> pa.Table:
    return pa.table({f"c{i}": x for i, x in enumerate(X.T)})


@pytest.mark.parametrize("kind", ["jitter", "half of the columns changed"])
def test_touched_copies_are_found_and_nobody_else(kind):
    rng = np.random.default_rng(1)
    X = book(rng, 2000)
    of = rng.permutation(2000)[:60]
    again = X[of] * (1 + 0.01 * rng.normal(size=(60, 10)))
    if kind != "jitter":
        changed = rng.permuted(np.tile(np.arange(10) < 5, (60, 1)), axis=1)
        again = np.where(changed, book(rng, 60), X[of])
    sides = np.repeat([0, 1], [2000, 60])
    found = {
        tuple(p) for p in near_twins(codes_of(table_of(np.vstack([X, again]))), sides)[0].tolist()
    }
    true = {(int(o), 2000 + i) for i, o in enumerate(of)}
    assert len(found & true) >= (54 if kind == "jitter" else 35)
    assert len(found - true) <= 1


def test_a_percent_in_four_columns_is_found_and_of_strangers_in_many_small_tables_none():
    rng = np.random.default_rng(1)
    X = np.exp(7 + rng.normal(size=(4000, 4))).round(2)
    again = X[:400] * (1 + 0.005 * rng.normal(size=(400, 4)))
    sides = np.repeat([0, 1], [4000, 400])
    found = near_twins(codes_of(table_of(np.vstack([X, again]))), sides)[0]
    assert len(found) > 200
    assert (found[:, 1] - found[:, 0] == 4000).mean() > 0.9
    for seed in range(60):
        X = np.random.default_rng(seed).normal(size=(300, 4))
        assert len(near_twins(codes_of(table_of(X)), np.arange(300) % 3 // 2)[0]) == 0


@pytest.mark.parametrize("seed", range(4))
def test_strangers_are_nobodys_twins(seed):
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((2000, 10)) < 0.3, 0.0, book(rng, 2000))
    pairs, asked = near_twins(codes_of(table_of(X)), rng.integers(0, 2, 2000))
    assert len(pairs) == 0
    assert 900 < asked.size < 1100


def test_flags_and_few_columns_place_nobody():
    rng = np.random.default_rng(2)
    X = np.column_stack([book(rng, 500, 2), rng.integers(0, 4, (500, 6))])
    pairs, asked = near_twins(codes_of(table_of(np.vstack([X, X]))), np.repeat([0, 1], 500))
    assert (len(pairs), asked.size) == (0, 0)


def test_the_nearest_are_those_that_a_look_at_every_row_finds():
    rng = np.random.default_rng(3)
    places = rng.random((300, 4))
    asked = np.arange(0, 300, 7)
    found = near._nearest(places, asked).reshape(asked.size, -1, 2)[:, :, 1]
    for row, those in zip(asked, found, strict=True):
        apart = np.abs(places - places[row]).sum(axis=1)
        assert set(those.tolist()) == set(np.argsort(apart)[: near.NEIGHBOURS + 1].tolist())


def test_strangers_lie_as_close_as_a_gamma_distribution_says():
    """The sum over columns that know nothing of each other, for pairs drawn at random."""
    rng = np.random.default_rng(4)
    ranks, ties = near._ranks(codes_of(table_of(rng.random((4000, 6)))))
    a, b = rng.permutation(4000).reshape(2, -1)
    chance = stats.gamma.sf(-np.log(near._closeness(ranks, ties, a, b)).sum(axis=1), 6)
    assert stats.kstest(chance, "uniform").pvalue > 0.001
