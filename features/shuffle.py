"""Events brought together by customer and in time order: a counting sort on one machine.

Enters: the events of one table in any order, with coded customers. Leaves: the order that brings
them together, and the events in it. Whatever brings them together, `features/kernel.py` walks them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Events(NamedTuple):
    """The events of one table, by customer and time: clocks in micros (n,), `values` (v, n),
    `bits` (n,) of the conditions an event meets, `keys` (k, n) coded categories, -1 missing."""

    happened: Ints
    known: Ints
    superseded: Ints
    values: Floats
    bits: Ints
    keys: NDArray[np.int32]


def read_only(column: NDArray[Any]) -> NDArray[Any]:
    """The same array, read only: of arrays of one kind alone the kernel is compiled once."""
    view = column.view()
    view.flags.writeable = False
    return view


def sealed(events: Events) -> Events:
    """The same events, read only."""
    return Events(*(read_only(column) for column in events))


def ordered(events: Events, order: Ints) -> Events:
    """The events in another order; only those that move are touched."""
    moved = np.flatnonzero(order != np.arange(order.size))
    if not moved.size:
        return events
    came = order[moved]
    own = Events(*(c if c.flags.writeable else c.copy() for c in events))  # type: ignore[arg-type]
    for column in own:
        column[..., moved] = column[..., came]
    return own


@njit(cache=True, nogil=True)
def _after(i: int, j: int, events: Any) -> bool:
    """Whether event `i` comes after `j`: by time, then by content, so that any input order of the
    events of one instant gives one result."""
    if events.happened[i] != events.happened[j]:
        return bool(events.happened[i] > events.happened[j])
    for v in range(events.values.shape[0]):
        a, b = events.values[v, i], events.values[v, j]
        if a != b and not (np.isnan(a) and np.isnan(b)):
            return bool(a > b or np.isnan(a))
    return bool(events.bits[i] > events.bits[j])


@njit(cache=True, nogil=True)
def together(codes: Ints, events: Any, customers: int) -> tuple[Ints, Ints]:
    """The order that brings a customer's events together in time order, and where each begins.

    A counting sort by customer, then an insertion inside customers that are out of order.
    """
    starts = np.zeros(customers + 1, np.int64)
    for code in codes:
        starts[code + 1] += 1
    for c in range(customers):
        starts[c + 1] += starts[c]
    place = starts[:-1].copy()
    order = np.empty(codes.size, np.int64)
    for i in range(codes.size):
        order[place[codes[i]]] = i
        place[codes[i]] += 1
    for c in range(customers):
        for i in range(starts[c] + 1, starts[c + 1]):
            row = order[i]
            j = i
            while j > starts[c] and _after(order[j - 1], row, events):
                order[j] = order[j - 1]
                j -= 1
            order[j] = row
    return order, starts
