"""What one window comes to: the operations by themselves, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY as DAY
from features import operations


def times(name, days, as_of=100.0):
    happened = np.array([round(d * DAY) for d in days], np.int64)
    rows = np.arange(len(days))
    op = operations.OPERATIONS.index(name)
    return operations.of_times(op, rows, happened, round(as_of * DAY))


def pairs(name, values):
    op = operations.OPERATIONS.index(name)
    return operations.of_values(op, np.arange(len(values)), np.array(values, float))


def test_the_operations_are_numbered_as_they_are_named():
    numbers = [getattr(operations, n.upper()) for n in operations.OPERATIONS]
    assert numbers == list(range(len(operations.OPERATIONS)))


@pytest.mark.parametrize(("name", "fewest"), [("recency", 1), ("gap_mean", 2), ("gap_max", 2)])
def test_an_operation_on_times_is_missing_below_its_fewest_events(name, fewest):
    days = [3.0, 5.0, 9.0]
    assert np.isnan(times(name, days[: fewest - 1]))
    assert np.isfinite(times(name, days[:fewest]))


def test_the_median_and_the_most_of_gaps_are_those_of_the_days_between():
    assert times("gap_median", [0, 1, 3, 6, 10, 90]) == 3.0
    assert times("gap_max", [0, 1, 81, 82, 90]) == 80.0


def test_a_pair_skips_what_is_missing_and_a_tie_neither_rises_nor_falls():
    values = [0.0, np.nan, 5.0, 5.0, np.nan, -1.0, 0.0]
    assert (pairs("rises", values), pairs("falls", values), pairs("cures", values)) == (2, 1, 1)
    assert pairs("rises", [7.0]) == 0


def test_a_cure_comes_down_to_zero_from_above_it():
    assert pairs("cures", [3.0, 0.0, 0.0, 2.0, 1.0, -1.0]) == 2
