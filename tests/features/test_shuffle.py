"""Events come together by customer, then by time, then by content, whatever order they came in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features import shuffle
from tests.features.panel_world import events_of


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 3)), max_size=40))
def test_events_come_together_by_customer_then_time_then_content(rows):
    codes = np.array([c for c, _, _ in rows], np.int64)
    events = events_of([t for _, t, _ in rows], values=[v for _, _, v in rows])
    order, starts = shuffle.together(codes, events, 5)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert [rows[i] for i in order] == sorted(rows)
    assert starts.tolist() == [0, *np.cumsum(np.bincount(codes, minlength=5)).tolist()]


def test_reordered_events_keep_their_columns_together():
    events = events_of([3, 1, 2], values=[30, 10, 20], bits=[3, 1, 2], keys=[7, 5, 6])
    turned = shuffle.ordered(events, np.array([1, 2, 0]))
    assert turned.happened.tolist() == [1, 2, 3]
    assert turned.values[0].tolist() == [10, 20, 30]
    assert turned.bits.tolist() == [1, 2, 3]
    assert turned.keys[0].tolist() == [5, 6, 7]
