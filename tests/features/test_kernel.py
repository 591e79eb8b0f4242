"""The kernel: events brought together by customer and time, windows that only move forward."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import NEVER
from features import kernel


def events_of(happened, *, known=None, superseded=None, values=None, bits=None, keys=None):
    n = len(happened)
    happened = np.asarray(happened, np.int64)
    return kernel.Events(
        happened,
        happened if known is None else np.asarray(known, np.int64),
        np.full(n, NEVER) if superseded is None else np.asarray(superseded, np.int64),
        np.zeros((1, n)) if values is None else np.asarray(values, float).reshape(1, n),
        np.zeros(n, np.uint32) if bits is None else np.asarray(bits, np.uint32),
        np.zeros((1, n), np.int32) if keys is None else np.asarray(keys, np.int32).reshape(1, n),
    )


def walked(events, as_ofs, windows, steps):
    out = np.full((len(as_ofs), len(steps)), np.nan)
    programs = kernel.Programs(np.array(windows, np.int64), np.array(steps, np.int64))
    starts = np.array([0, len(events.happened)])
    kernel.walk(
        starts, events, np.array([0, len(as_ofs)]), np.array(as_ofs, np.int64), programs, out
    )
    return out


def step(operation, *, need=0, window=0):
    return [kernel.OPERATIONS.index(operation), 0, need, 0, window, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 3)), max_size=40))
def test_events_come_together_by_customer_then_time_then_content(rows):
    codes = np.array([c for c, _, _ in rows], np.int64)
    events = events_of([t for _, t, _ in rows], values=[v for _, _, v in rows])
    order, starts = kernel.together(codes, events, 5)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert [rows[i] for i in order] == sorted(rows)
    assert starts.tolist() == [0, *np.cumsum(np.bincount(codes, minlength=5)).tolist()]


def test_reordered_events_keep_their_columns_together():
    events = events_of([3, 1, 2], values=[30, 10, 20], bits=[3, 1, 2], keys=[7, 5, 6])
    turned = kernel.ordered(events, np.array([1, 2, 0]))
    assert turned.happened.tolist() == [1, 2, 3]
    assert turned.values[0].tolist() == [10, 20, 30]
    assert turned.bits.tolist() == [1, 2, 3]
    assert turned.keys[0].tolist() == [5, 6, 7]


def test_windows_move_forward_over_the_as_of_dates():
    events = events_of(np.arange(0, 100) * DAY)
    as_ofs = [d * DAY for d in (0, 1, 10, 50, 99, 300)]
    windows = [(7, 0), (30, 0), (0, 0), (30, 30)]
    found = walked(events, as_ofs, windows, [step("count", window=w) for w in range(4)])
    assert found[:, 0].tolist() == [1, 2, 7, 7, 7, 0]
    assert found[:, 1].tolist() == [1, 2, 11, 30, 30, 0]
    assert found[:, 2].tolist() == [1, 2, 11, 51, 100, 100]
    np.testing.assert_array_equal(found[:, 3], [np.nan, np.nan, np.nan, 21, 30, 0])


def test_only_events_that_meet_every_needed_bit_count():
    events = events_of([0, 1, 2, 3], bits=[0b01, 0b11, 0b10, 0b11])
    found = walked(events, [5], [(0, 0)], [step("count", need=n) for n in (0, 1, 2, 3)])
    assert found[0].tolist() == [4, 3, 3, 2]


@pytest.mark.parametrize(
    ("known", "superseded", "counted"),
    [(5, NEVER, 1.0), (6, NEVER, np.nan), (0, 5, np.nan), (0, 6, 1.0)],
)
def test_late_and_corrected_events_are_asked_at_each_as_of(known, superseded, counted):
    events = events_of([0], known=[known], superseded=[superseded])
    np.testing.assert_array_equal(walked(events, [5], [(0, 0)], [step("count")]), [[counted]])


def test_a_customer_without_events_keeps_what_stands_there():
    out = np.full((1, 1), 7.0)
    programs = kernel.Programs(np.array([(0, 0)]), np.array([step("count")]))
    kernel.walk(np.array([0, 0]), events_of([]), np.array([0, 1]), np.array([5]), programs, out)
    assert out.tolist() == [[7.0]]


def test_the_operations_are_numbered_as_they_are_named():
    assert [getattr(kernel, n.upper()) for n in kernel.OPERATIONS] == list(range(16))
