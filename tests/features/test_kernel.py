"""The kernel: windows that only move forward, and events that come late or are taken back."""

from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import NEVER
from features import kernel, operations
from features.shuffle import read_only
from tests.features.panel_world import events_of


def walked(events, as_ofs, windows, steps):
    out = np.full((len(steps), len(as_ofs)), np.nan)
    programs = programs_of(windows, steps)
    starts = np.array([0, len(events.happened)])
    asked = read_only(np.array(as_ofs, np.int64))
    kernel.walk(starts, events, np.array([0, len(as_ofs)]), asked, programs, out)
    return out.T


NEEDS = [0, 1, 2, 3]


def programs_of(windows, steps):
    runs = np.zeros((0, 4), np.int64)
    return kernel.Programs(np.array(windows), np.array(NEEDS), runs, np.array(steps, np.int64))


def step(operation, *, need=0, window=0):
    return [operations.OPERATIONS.index(operation), NEEDS.index(need), 0, window, 0, -1, -1, -1, -1]


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


def test_a_customer_without_events_has_no_value():
    out = np.full((1, 1), 7.0)
    programs = programs_of([(0, 0)], [step("count")])
    starts, asked = np.array([0, 0]), read_only(np.array([5]))
    kernel.walk(starts, events_of([]), np.array([0, 1]), asked, programs, out)
    assert np.isnan(out).all()


def test_a_change_in_any_source_of_the_kernel_compiles_it_anew(monkeypatch):
    before = kernel._stamp()
    monkeypatch.setattr(kernel.operations, "__file__", kernel.__file__)
    assert kernel._stamp() != before
