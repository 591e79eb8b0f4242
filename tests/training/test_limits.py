"""Intervals against published examples, slow search, and how often they hold the truth."""

from __future__ import annotations

import math
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, studentized_range

from tests.training.test_judge import evidence
from training import metrics
from training.draws import interval, resample
from training.limits import (
    ATANH,
    LOG,
    LOGIT,
    Limits,
    deviations,
    difference,
    effective_rows,
    least,
    of_draws,
    ratio,
    widest,
    wilson,
)

Z = deviations()


def rate(hits: int, rows: int, z: float = Z) -> Limits:
    return wilson(hits / rows, rows, z)


@given(st.integers(1, 400), st.floats(0, 1))
def test_a_rate_has_the_score_interval_of_scipy(rows, share):
    hits = round(share * rows)
    told = binomtest(hits, rows).proportion_ci(method="wilson")
    assert rate(hits, rows)[1:] == pytest.approx((told.low, told.high), abs=1e-12)
    assert (rate(0, rows).low, rate(rows, rows).high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_differences_are_those_that_newcombe_published(a, b, low, high):
    """Newcombe (1998), Table II, method 10."""
    found = difference(rate(*a), rate(*b))
    assert found[1:] == pytest.approx((low, high), abs=5e-5)


@given(*[st.tuples(st.integers(0, 60), st.integers(60, 90))] * 2)
def test_a_ratio_lies_between_its_limits_and_turned_round_has_the_limits_turned(a, b):
    there, back = ratio(rate(*a), rate(*b)), ratio(rate(*b), rate(*a))
    assert 0 <= there.low <= there.high
    if a[0] and b[0]:
        assert there.low < there.value < there.high
        assert back[1:] == pytest.approx((1 / there.high, 1 / there.low))
    elif a[0]:
        assert there.value == there.high == np.inf > there.low > 0
    elif b[0]:
        assert there.low == there.value == 0 < there.high < np.inf


@given(*[st.tuples(st.integers(1, 59), st.integers(60, 90))] * 2)
def test_a_limit_of_a_ratio_is_where_the_difference_of_its_parts_reaches_nought(a, b):
    """Donner and Zou (2012): a - r b touches 0 at the limits r, by limits of `difference`."""
    a, b = rate(*a), rate(*b)
    low, high = ratio(a, b)[1:]

    def scaled(r: float) -> Limits:
        return Limits(*(r * v for v in b))

    assert difference(a, scaled(high)).high == pytest.approx(0, abs=1e-9)
    assert difference(a, scaled(low)).low == pytest.approx(0, abs=1e-9)


def test_a_pair_of_large_groups_that_differ_is_not_hidden_behind_a_small_one():
    z = deviations(3)
    large = [wilson(0.9, 5000, z), wilson(0.75, 5000, z)]
    small = wilson(0.6, 20, z)
    assert difference(large[0], small).low < 0.1 < widest(large).low
    assert widest([*large, small]).low == widest(large).low
    assert ratio(small, large[0]).high > 0.87 > least(large).high
    assert least([*large, small]).high == least(large).high
    assert widest([*large, small]).value == pytest.approx(0.3)
    assert least([*large, small]).value == pytest.approx(2 / 3)


def test_groups_that_may_be_alike_differ_by_nothing_at_least():
    alike = [rate(10, 20), rate(11, 20)]
    assert widest(alike).low == 0.0
    assert least(alike).high == 1.0


def test_several_groups_are_held_to_the_studentised_range():
    for k in (2, 3, 7):
        assert studentized_range.cdf(deviations(k) * np.sqrt(2), k, np.inf) == pytest.approx(0.95)


def test_rows_of_a_customer_who_always_does_the_same_tell_as_one():
    rng = np.random.default_rng(1)
    mine = (rng.random(400) < 0.3).astype(float)
    often = np.repeat(mine, 3)
    who = [str(i // 3) for i in range(1200)]
    assert effective_rows(often, who) == pytest.approx(400)
    assert effective_rows(often, [str(i) for i in range(1200)]) == 1200
    assert effective_rows(np.ones(1200), who) == 400
    assert effective_rows(np.array([1.0, 0.0] * 6), [str(i // 2) for i in range(12)]) == 12
    mixed = np.concatenate([mine, rng.random(400) < 0.3]).astype(float)
    told = effective_rows(mixed, [str(i % 400) for i in range(800)])
    assert 700 < told <= 800, "rows of a customer that have nothing to do with each other"


def test_limits_on_a_link_stay_in_range_and_at_an_end_are_those_of_a_rate():
    draws = np.random.default_rng(1).normal(0.95, 0.04, 500)
    for link in (LOGIT, ATANH, LOG):
        found = of_draws(0.95, draws, link, 40, Z)
        assert link.low < found.low < 0.95 < found.high < link.high
    assert of_draws(1.0, np.ones(500), LOGIT, 10, Z) == wilson(1.0, 10, Z)
    low = 2 * wilson(1.0, 10, Z).low - 1
    assert of_draws(1.0, np.ones(500), ATANH, 10, Z) == (1.0, low, 1.0)
    assert of_draws(0.0, np.zeros(500), LOG, 10, Z) == (0.0, 0.0, np.inf)


def test_limits_are_so_many_deviations_of_the_draws_away_on_the_link():
    """By hand on the log, where the slope is 1 by the figure; a draw without a figure is none."""
    draws = [1.0, 1.2, 0.9, 1.4]
    half = 2 * stdev(draws) / 1.1
    found = of_draws(1.1, np.array([*draws, np.nan]), LOG, 4, 2.0)
    assert found == pytest.approx((1.1, 1.1 * math.exp(-half), 1.1 * math.exp(half)))


def turned(value: float, drawn: np.ndarray) -> tuple[float, float]:
    """The basic bootstrap interval of Davison and Hinkley (1997, section 5.2), not below 0."""
    low, high = interval(drawn)
    return max(2 * value - high, 0.0), 2 * value - low


RATES = [
    ((0.9, 0.9), (60, 400)),
    ((0.5, 0.4), (100, 100)),
    ((0.9,) * 5, (60, 80, 100, 200, 400)),
    ((0.95, 0.8, 0.9), (60, 60, 400)),
]


@pytest.mark.parametrize(("rates", "rows"), RATES)
def test_limits_of_rates_hold_the_truth_as_often_as_they_say_and_a_bootstrap_does_not(rates, rows):
    """In 1,000 samples; a bootstrap of the widest gap errs most where groups are equal and many."""
    rng, z, samples = np.random.default_rng(7), deviations(len(rates)), 1000
    gap, low = max(rates) - min(rates), min(rates) / max(rates)
    held = np.zeros(3)
    for _ in range(samples):
        seen = [rng.binomial(n, p) / n for n, p in zip(rows, rates, strict=True)]
        limits = [wilson(p, n, z) for n, p in zip(rows, seen, strict=True)]
        drawn = np.ptp(
            [rng.binomial(n, p, 200) / n for n, p in zip(rows, seen, strict=True)], axis=0
        )
        begin, end = turned(np.ptp(seen), drawn)
        (_, g, h), (_, r, s) = widest(limits), least(limits)
        held += [g <= gap <= h, r <= low <= s, begin <= gap <= end]
    ours, ratios, bootstrap = held / samples
    assert min(ours, ratios) > 0.935
    assert bootstrap < min(0.93, ours)


def test_limits_of_the_auc_of_small_groups_hold_the_truth_and_those_of_before_do_not():
    """Three groups that the score ranks alike, of 60 to 200 rows."""
    rows, z = (60, 100, 200), deviations(3)
    held, samples = np.zeros(2), 100
    for seed in range(samples):
        limits, values, draws = [], [], []
        for part, n in enumerate(rows):
            made = evidence(1000 * seed + part, n)
            measure = metrics.auc(made.y, made.score)
            drawn = np.array([measure(w) for w in resample([str(i) for i in range(n)], seed)[:150]])
            values.append(measure(np.ones(n)))
            draws.append(drawn)
            limits.append(of_draws(values[-1], drawn, LOGIT, 10, z))
        before = turned(np.ptp(values), np.ptp(draws, axis=0))
        held += [widest(limits).low <= 0, before[0] <= 0]
    ours, basic = held / samples
    assert ours >= 0.93 > basic
