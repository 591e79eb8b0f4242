"""What a feature tells of the outcome: by ranking, company, rare values, and means of outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.fit_world import material
from training import leak_values
from training.leak_pairs import Rows
from training.leak_values import (
    learning_rows,
    means_of_outcomes,
    rare_values,
    stands_out,
    too_lonely,
)
from training.limits import deviations, score_interval


def test_a_single_feature_ranks_as_another_library_says():
    made = material("churn", 3000, 5)
    rows = made.split.fit
    y, X = made.problem.y[rows], np.nan_to_num(made.problem.X[rows], nan=-1e9)
    for found, x in zip(learning_rows(made).alone, X.T, strict=True):
        plain = roc_auc_score(y, x)
        assert found >= max(plain, 1 - plain) - 1e-12
        assert found <= max(plain, 1 - plain) + 0.06


def test_a_few_rare_codes_among_common_ones_are_seen():
    rng = np.random.default_rng(1)
    y = (np.arange(4000) % 40 == 0).astype(float)
    code = np.where(y == 1, 2 * rng.integers(0, 8, 4000) + 1, 2 * rng.integers(0, 9, 4000))
    assert leak_values._auc(code.astype(float), y, rng.integers(0, 2, 4000)) > 0.98


def test_a_value_of_two_rows_names_a_person_and_no_outcome():
    rng = np.random.default_rng(1)
    twice = rng.permutation(np.repeat(np.arange(1500), 2))
    y = rng.integers(0, 2, 1500).astype(float)[twice]
    assert leak_values._auc(twice.astype(float), y, rng.integers(0, 2, 3000)) < 0.56


N = 4000


def rows_of(y: np.ndarray, *columns: np.ndarray) -> Rows:
    X = np.column_stack(columns)
    alone = np.array([roc_auc_score(y, x) for x in X.T])
    names = tuple(f"f{i}" for i in range(len(columns)))
    return Rows(names, X, X, y, np.maximum(alone, 1 - alone), ())


def test_the_outcome_with_noise_goes_with_nothing_and_an_honest_cause_does():
    """Two features of one cause are alike among customers of one outcome too."""
    rng = np.random.default_rng(1)
    cause = rng.normal(size=N)
    y = (rng.random(N) < 1 / (1 + np.exp(-3 * cause))).astype(float)
    honest = [cause + 0.3 * rng.normal(size=N), cause + 0.8 * rng.normal(size=N)]
    noisy = 1.5 * y + rng.normal(size=N)
    assert [*too_lonely(rows_of(y, *honest))] == []
    ((name, company),) = too_lonely(rows_of(y, *honest, noisy))
    assert name == "f2"
    assert company < 0.06


def test_a_feature_far_above_the_next_stands_out():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, N).astype(float)
    weak = [a * y + rng.normal(size=N) for a in (0.8, 0.9)]
    assert stands_out(rows_of(y, *weak)) is None
    name, ahead = stands_out(rows_of(y, *weak, 1.8 * y + rng.normal(size=N)))
    assert name == "f2"
    assert 0.1 < ahead < 0.3
    assert stands_out(rows_of(y, *(1.8 * y[:, None] + rng.normal(size=(N, 2))).T)) is None


@pytest.mark.parametrize(("filled", "low"), [(0.5, 0.95), (0.06, 0.90), (0.0, 0.0)])
def test_a_value_that_only_the_rarer_outcome_has_is_told_with_its_rows(filled, low):
    rng = np.random.default_rng(3)
    bad = rng.random(N) < 0.2
    fee = np.where(bad & (rng.random(N) < filled), 7.0, np.nan)
    found = [*rare_values(["fee", "other"], np.column_stack([fee, rng.normal(size=N)]), 1.0 - bad)]
    if not filled:
        assert found == []
        return
    ((name, value, share, count),) = found
    assert (name, value, count) == ("fee", "7 to 7", int((fee == 7).sum()))
    assert share >= low


def test_of_even_outcomes_no_value_is_rare():
    y = np.arange(N) % 2.0
    assert [*rare_values(["copy"], y[:, None], y)] == []


def test_the_end_of_an_interval_is_as_published():
    """Newcombe, 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    hits, rows = np.array([81.0, 15.0, 0.0, 1.0]), np.array([263, 148, 20, 29])
    found = np.subtract(*score_interval(hits / rows, rows, deviations()))
    assert found.round(4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]


def encoded(levels: int, *, own: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean outcome of each row's level: of these rows, or of others with the same chances."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, levels, N)
    chance = rng.uniform(0.1, 0.4, levels)
    y, others = ((rng.random(N) < chance[level]).astype(float) for _ in range(2))
    told = y if own else others
    mean = np.bincount(level, weights=told, minlength=levels) / np.bincount(level, minlength=levels)
    return mean[level], y


def test_means_of_these_very_outcomes_are_found_and_those_of_others_are_not():
    for seed in range(10):
        x, y = encoded(300, own=True, seed=seed)
        ((name, sigma),) = means_of_outcomes(["level"], x[:, None], y)
        assert name == "level"
        assert sigma > 5
        x, y = encoded(300, own=False, seed=seed)
        assert [*means_of_outcomes(["level"], x[:, None], y)] == []


def test_a_true_chance_is_missed_by_as_much_as_the_outcomes_vary(monkeypatch):
    """Of a feature that is the chance itself the figure is a standard normal number."""
    monkeypatch.setattr(leak_values, "LEAST_SIGMA", -np.inf)
    rng = np.random.default_rng(4)
    found = []
    for _ in range(150):
        p = rng.uniform(0.1, 0.5, 250)[rng.integers(0, 250, 2000)]
        y = (rng.random(2000) < p).astype(float)
        found += [s for _, s in means_of_outcomes(["p"], p[:, None], y)]
    assert abs(np.mean(found)) < 0.35
    assert 0.75 < np.std(found) < 1.25
