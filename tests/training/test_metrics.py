"""Measures against scikit-learn, scipy and slow versions of themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, spearmanr
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, roc_auc_score

from training.metrics import (
    auc,
    average_precision,
    calibration_error,
    calibration_floor,
    calibration_table,
    distance,
    gains,
    gini,
    ks,
    mean,
    profit_curve,
    psi,
    ratio,
    spearman,
)

SEEDS = range(5)


def drawn(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a score with ties, and how often each row was drawn."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(size=n), 1)
    y = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)
    return y, score, rng.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_is_scikit_learns_with_ties_and_weights(seed):
    y, score, weight = drawn(seed)
    assert auc(y, score)(np.ones(len(y))) == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    expected = roc_auc_score(y, score, sample_weight=weight)
    assert auc(y, score)(weight) == pytest.approx(expected, abs=1e-12)


def test_auc_of_one_outcome_is_no_number():
    assert np.isnan(auc(np.ones(3), np.arange(3.0))(np.ones(3)))


@pytest.mark.parametrize("seed", SEEDS)
def test_spearman_is_scipys(seed):
    y, score, _ = drawn(seed)
    amount = np.maximum(0, score + y)
    expected = spearmanr(amount, score).statistic
    assert spearman(amount, score)(np.ones(len(y))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_of_spearman_are_rows_repeated_with_their_ranks_kept(seed):
    y, score, weight = drawn(seed)
    ranks = [np.argsort(np.argsort(v, kind="stable")).astype(float) for v in (y + score, score)]
    repeated = [np.repeat(r, weight.astype(int)) for r in ranks]
    assert spearman(*ranks)(weight) == pytest.approx(np.corrcoef(*repeated)[0, 1], abs=1e-12)


def test_spearman_of_a_constant_is_zero():
    assert spearman(np.arange(4.0), np.ones(4))(np.ones(4)) == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_ks_is_scipys(seed):
    y, score, _ = drawn(seed)
    expected = ks_2samp(score[y == 1], score[y == 0]).statistic
    assert ks(y, score)(np.ones(len(y))) == pytest.approx(expected, abs=1e-12)


def test_gini_is_one_for_the_truth_minus_one_for_its_reverse_and_near_zero_for_chance():
    y, even = np.random.default_rng(1).lognormal(3, 1, 4000), np.ones(4000)
    assert gini(y, np.log(y))(even) == pytest.approx(1)
    assert gini(y, -y)(even) == pytest.approx(-1, abs=0.01)
    assert abs(gini(y, np.random.default_rng(2).normal(size=4000))(even)) < 0.06


def slow_gini(y: np.ndarray, score: np.ndarray) -> float:
    """The mean share held by the first k rows, for every k, less a half; by that of the truth."""

    def area(by: np.ndarray) -> float:
        ranked = [v for _, v in sorted(zip(-by, y, strict=True), key=lambda pair: pair[0])]
        return sum(sum(ranked[: k + 1]) for k in range(len(y))) / sum(y) / len(y) - 0.5

    return area(score) / area(y)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [gini, ks, average_precision, distance, mean, ratio])
def test_a_weight_is_how_often_a_row_stands_there(kind, seed):
    y, score, weight = drawn(seed, 60)
    y = y * np.random.default_rng(seed).lognormal(0, 1, 60) if kind is gini else y
    twice = [np.repeat(v, weight.astype(int)) for v in (y, score)]
    even = np.ones(len(twice[0]))
    if kind is gini:
        assert gini(y, score)(weight) == pytest.approx(gini(*twice)(even))
        assert gini(y, score)(weight) == pytest.approx(slow_gini(*twice))
    elif kind is ks:
        told = ks_2samp(twice[1][twice[0] == 1], twice[1][twice[0] == 0]).statistic
        assert ks(y, score)(weight) == pytest.approx(told)
    elif kind is average_precision:
        told = average_precision_score(y, score, sample_weight=weight)
        assert average_precision(y, score)(weight) == pytest.approx(told)
    elif kind is mean:
        assert mean(score)(weight) == pytest.approx(twice[1].mean())
    elif kind is ratio:
        assert ratio(score, y)(weight) == pytest.approx(twice[1].sum() / twice[0].sum())
    else:
        p = 1 / (1 + np.exp(-score))
        parts = np.array_split(np.argsort(p, kind="stable"), 10)
        told = sum(abs(sum(weight[i] * (y[i] - p[i]) for i in part)) for part in parts)
        assert distance(y, p)(weight) == pytest.approx(told / weight.sum())


def test_a_resample_that_drew_one_outcome_only_has_no_figure():
    y, score = np.array([1.0, 0.0]), np.array([1.0, 2.0])
    for measure in (ks(y, score), average_precision(y, score), ratio(score, y)):
        assert np.isnan(measure(np.array([0.0, 2.0])))


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration_error_is_a_slow_count_over_ten_equal_groups(seed):
    y, score, _ = drawn(seed)
    p = 1 / (1 + np.exp(-2 * score - np.random.default_rng(seed).normal(size=len(score)) / 100))
    ranked = sorted(zip(p, y, strict=True))
    groups = [ranked[30 * g : 30 * (g + 1)] for g in range(10)]
    gaps = [abs(sum(p for p, _ in g) / 30 - sum(y for _, y in g) / 30) for g in groups]
    assert calibration_error(y, p) == pytest.approx(sum(gaps) / 10, abs=1e-12)
    seen, said = calibration_curve(y, p, n_bins=10, strategy="quantile")
    table = calibration_table(y, p)
    assert [a for a, _, _ in table] == pytest.approx(said)
    assert [b for _, b, _ in table] == pytest.approx(seen)


def test_fewer_rows_than_groups_make_fewer_groups():
    table = calibration_table(np.array([0.0, 1.0]), np.array([0.2, 0.9]))
    assert table == [(0.2, 0.0, 1), (0.9, 1.0, 1)]


def test_the_floor_is_what_chance_alone_shows_and_a_bias_stands_above_it():
    rng = np.random.default_rng(3)
    p = rng.uniform(0.05, 0.95, 3000)
    y = (rng.random(3000) < p).astype(float)
    floor = calibration_floor(p, seed=1)
    assert floor == calibration_floor(p, seed=1)
    assert 0.5 * floor < calibration_error(y, p) < 1.6 * floor
    assert calibration_error(y, np.clip(p + 0.1, 0, 1)) > 4 * floor


@pytest.mark.parametrize("first", [1, -1])
def test_gains_are_those_of_a_slow_loop(first):
    rng = np.random.default_rng(4)
    worth, score = rng.gamma(1.0, size=103), rng.normal(size=103)
    rows = sorted(zip(-first * score, worth, strict=True))
    found = gains(worth, score, first)
    assert sum(r["rows"] for r in found) == 103
    done, held = 0, 0.0
    for row in found:
        part = [w for _, w in rows[done : done + row["rows"]]]
        done += len(part)
        held += sum(part)
        assert row["mean"] == pytest.approx(sum(part) / len(part))
        assert row["lift"] == pytest.approx(row["mean"] / worth.mean())
        assert row["captured"] == pytest.approx(held / worth.sum())


def test_profit_of_a_share_is_the_sum_over_the_first_customers():
    rng = np.random.default_rng(5)
    gain, score = rng.normal(size=40), rng.normal(size=40)
    ordered = [g for _, g in sorted(zip(score, gain, strict=True))]
    for row in profit_curve(gain, score, -1):
        acted = ordered[: round(row["share"] * 40)]
        assert row["profit"] == pytest.approx(sum(acted) / 40)


def test_psi_is_the_published_sum_over_groups():
    """Three groups of 50, 30 and 20 that become 40, 30 and 30 per cent."""
    before = np.repeat([1.0, 2.0, 3.0], [50, 30, 20])
    after = np.repeat([1.0, 2.0, 3.0], [40, 30, 30])
    expected = (0.4 - 0.5) * np.log(0.4 / 0.5) + (0.3 - 0.2) * np.log(0.3 / 0.2)
    assert psi(before, after) == pytest.approx(expected)


def test_psi_sees_missing_values_as_a_group_of_their_own():
    before = np.concatenate([np.arange(90.0), np.full(10, np.nan)])
    assert psi(before, before) == 0.0
    assert psi(before, np.concatenate([np.arange(60.0), np.full(40, np.nan)])) > 0.25
    assert psi(np.full(10, np.nan), np.full(20, np.nan)) == 0.0


def test_psi_of_two_samples_of_one_law_is_near_its_floor():
    """Source: Yurdakul (2018): about (groups - 1) * (1/n + 1/m)."""
    rng = np.random.default_rng(6)
    found = [psi(rng.normal(size=400), rng.normal(size=600)) for _ in range(300)]
    assert np.mean(found) == pytest.approx(9 * (1 / 400 + 1 / 600), rel=0.15)
