"""What runs along keeps its digits, where plain sums of floats lose theirs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import running
from features.declare import Take
from tests.features.panel_world import at, computed, row
from tests.features.test_panel import catalogue_of

T = "transactions"
amounts = st.floats(-1e9, 1e9, allow_nan=False, width=64)


def answer(days, values, take, moment=400.0):
    rows = [row("c", d, kind="purchase", amount=v) for d, v in zip(days, values, strict=True)]
    return computed({T: rows}, [("c", at(moment))], catalogue_of([take]))["f0"][0].as_py()


@settings(max_examples=60, deadline=None)
@given(st.lists(amounts, min_size=2, max_size=40), st.integers(0, 20))
def test_a_difference_of_sums_is_the_exact_sum_rounded_once(values, begin):
    begin = min(begin, len(values) - 1)
    bases, match = np.array([0, len(values) + 1]), np.arange(len(values))
    total, rest = np.zeros(len(values) + 1), np.zeros(len(values) + 1)
    running._sum(bases, match, np.array(values), total, rest, np.zeros(len(values) + 1, np.int64))
    exact = float(sum((Fraction(v) for v in values[begin:]), Fraction(0)))
    found = running.between(total, rest, begin, len(values))[0]
    assert abs(found - exact) <= np.spacing(abs(exact)) + 1e-20 * sum(map(abs, values))


@pytest.mark.parametrize("great", [0.0, 1e9, 1e13])
@pytest.mark.parametrize("small", [(3.0, 3.0, 3.0), (3.0, 3.01, 2.99), (1e6, 1e6 + 1, 1e6)])
def test_the_spread_of_small_amounts_after_great_ones_keeps_its_digits(great, small):
    days = [1.0, 2.0, 390.0, 391.0, 392.0]
    found = answer(days, [great, -great, *small], Take("std", f"{T}.amount", days=30))
    assert found == pytest.approx(np.std(small), rel=1e-9, abs=1e-12)


def test_the_slope_of_small_amounts_after_great_ones_keeps_its_digits():
    days, values = [1.0, 2.0, 390.0, 391.5, 395.0], [1e13, -1e13, 7.0, 8.5, 12.0]
    found = answer(days, values, Take("slope", f"{T}.amount", days=30))
    assert found == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("days", "trend"), [((0, 1, 3, 6, 10), 1.0), ((0, 10, 18, 24), -2.0), ((0, 5, 10, 15), 0.0)]
)
def test_the_trend_of_gaps_is_the_days_by_which_each_is_longer(days, trend):
    values = [1.0] * (len(days) + 1)
    take = Take("gap_slope", T, days=380)
    assert answer([1.0, *(d + 30 for d in days)], values, take) == pytest.approx(trend)


def test_equal_gaps_spread_by_nothing_at_all():
    days = [0.1 + 7 * i for i in range(50)]
    assert answer(days, [1.0] * 50, Take("gap_std", T)) == 0.0


def test_least_and_greatest_follow_the_chain_back_to_the_begin_of_the_window():
    days = [float(d) for d in range(300, 310)]
    values = [5.0, 1.0, 9.0, 4.0, 4.0, 8.0, 3.0, 7.0, 2.0, 6.0]
    for length in range(92, 101):
        inside = [v for d, v in zip(days, values, strict=True) if d > 400 - length]
        assert answer(days, values, Take("min", f"{T}.amount", days=length)) == min(inside)
        assert answer(days, values, Take("max", f"{T}.amount", days=length)) == max(inside)
