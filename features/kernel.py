"""The window engine: every windowed feature of every as_of in one pass over a customer's events.

Enters: the events of one table, brought together by customer and in time order, the requests in
the same order, and the programs compiled from the catalogue. Leaves: one float64 a request and
program, NaN where a value is missing. Each customer's windows move along with the as_of dates, and
the events of one window and condition are gathered once for all programs that ask for them. A
customer with late or corrected events goes the same way, with the visibility of each event checked
at each as_of. It knows no names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER
from domain.asof import visible as _visible

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
OPERATIONS = (
    "count", "recency", "tenure", "gap_mean", "gap_std",
    "distinct", "entropy", "share",
    "sum", "mean", "std", "min", "max", "last", "age", "slope",
)  # fmt: skip
(
    COUNT, RECENCY, TENURE, GAP_MEAN, GAP_STD,
    DISTINCT, ENTROPY, SHARE,
    SUM, MEAN, STD, MIN, MAX, LAST, AGE, SLOPE,
) = range(len(OPERATIONS))  # fmt: skip
DAY = float(MICROS_PER_DAY)
visible = njit(inline="always")(_visible)


class Events(NamedTuple):
    """The events of one table, by customer and time: clocks in micros (n,), `values` (v, n),
    `bits` (n,) of the conditions an event meets, `keys` (k, n) coded categories, -1 missing."""

    happened: Ints
    known: Ints
    superseded: Ints
    values: Floats
    bits: NDArray[np.uint32]
    keys: NDArray[np.int32]


class Programs(NamedTuple):
    """What to compute: `windows` (w, 2) days (0 = ever) and days ago; `steps` (p, 6) operation,
    value, bits an event needs, bits that count for a share, window, key; sorted so that steps with
    one window and one need stand together."""

    windows: Ints
    steps: Ints


def ordered(events: Events, order: Ints) -> Events:
    """The events in another order."""
    return Events(
        events.happened[order],
        events.known[order],
        events.superseded[order],
        np.ascontiguousarray(events.values[:, order]),
        events.bits[order],
        np.ascontiguousarray(events.keys[:, order]),
    )


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


@njit(cache=True, nogil=True)
def walk(
    starts: Ints, events: Any, request_starts: Ints, as_ofs: Ints, programs: Any, out: Floats
) -> None:
    """Fill `out` (requests, programs); customers without any visible event keep what stands there.

    `starts` and `request_starts` say where each customer's events and requests begin; the requests
    of a customer are in time order.
    """
    longest = 1
    for c in range(starts.size - 1):
        longest = max(longest, starts[c + 1] - starts[c])
    rows = np.empty(longest, np.int64)
    seen = np.zeros(_codes(events.keys), np.int64)
    low = np.empty(programs.windows.shape[0], np.int64)
    high = np.empty(programs.windows.shape[0], np.int64)
    for c in range(starts.size - 1):
        if request_starts[c] == request_starts[c + 1]:
            continue
        plain = _is_plain(events, starts[c], starts[c + 1])
        low[:] = starts[c]
        high[:] = starts[c]
        for r in range(request_starts[c], request_starts[c + 1]):
            _move(low, high, events.happened, starts[c + 1], as_ofs[r], programs.windows)
            first = _first_visible(events, starts[c], starts[c + 1], as_ofs[r])
            if first >= 0:
                _fill(
                    out[r],
                    first,
                    low,
                    high,
                    as_ofs[r],
                    plain,
                    events,
                    programs.steps,
                    rows,
                    seen,
                )


@njit(cache=True, nogil=True)
def _codes(keys: Any) -> int:
    """One more than the largest code of any key."""
    most = 1
    for k in range(keys.shape[0]):
        for i in range(keys.shape[1]):
            most = max(most, keys[k, i] + 1)
    return most


@njit(cache=True, nogil=True)
def _is_plain(events: Any, first: int, last: int) -> bool:
    """Whether every event was known when it happened and never corrected."""
    for i in range(first, last):
        if events.known[i] > events.happened[i] or events.superseded[i] != NEVER:
            return False
    return True


@njit(cache=True, nogil=True)
def _first_visible(events: Any, first: int, last: int, as_of: int) -> int:
    """Where the first event that counts at `as_of` stands; -1: there is none."""
    for i in range(first, last):
        if events.happened[i] > as_of:
            return -1
        if visible(events.happened[i], events.known[i], events.superseded[i], as_of):
            return i
    return -1


@njit(cache=True, nogil=True)
def _move(low: Ints, high: Ints, happened: Ints, last: int, as_of: int, windows: Ints) -> None:
    """Move every window's ends forward to `as_of`: `(as_of - ago - days, as_of - ago]`."""
    for w in range(windows.shape[0]):
        top = as_of - windows[w, 1] * MICROS_PER_DAY
        while high[w] < last and happened[high[w]] <= top:
            high[w] += 1
        if windows[w, 0]:
            bottom = top - windows[w, 0] * MICROS_PER_DAY
            while low[w] < last and happened[low[w]] <= bottom:
                low[w] += 1


@njit(cache=True, nogil=True)
def _fill(  # noqa: PLR0913
    row: Floats, first: int, low: Ints, high: Ints, as_of: int, plain: bool, events: Any,
    steps: Ints, rows: Ints, seen: Ints,
) -> None:  # fmt: skip
    """One request's programs; `rows` and `seen` are scratch."""
    n = 0
    for p in range(steps.shape[0]):
        w, need = steps[p, 4], steps[p, 2]
        if high[w] <= first:  # the window ends before the first event that counts
            row[p] = np.nan
            continue
        if p == 0 or w != steps[p - 1, 4] or need != steps[p - 1, 2]:
            n = 0
            for i in range(low[w], high[w]):
                if (events.bits[i] & need) == need and (
                    plain
                    or visible(events.happened[i], events.known[i], events.superseded[i], as_of)
                ):
                    rows[n] = i
                    n += 1
        operation = steps[p, 0]
        if operation <= GAP_STD:
            row[p] = _of_times(operation, rows[:n], events.happened, as_of)
        elif operation <= ENTROPY:
            row[p] = _of_keys(operation, rows[:n], events.keys[steps[p, 5]], seen)
        elif operation == SHARE:
            row[p] = _share(rows[:n], events.bits, steps[p, 3])
        else:
            row[p] = _of_values(operation, rows[:n], events, steps[p, 1], as_of)


@njit(cache=True, nogil=True)
def _of_times(operation: int, rows: Ints, happened: Ints, as_of: int) -> float:
    """Count, days since the last or first, mean and population spread of the days between."""
    n = rows.size
    if operation == COUNT:
        return float(n)
    if n == 0 or (operation >= GAP_MEAN and n == 1):
        return np.nan
    if operation == RECENCY:
        return float((as_of - happened[rows[n - 1]]) / DAY)
    if operation == TENURE:
        return float((as_of - happened[rows[0]]) / DAY)
    mean = (happened[rows[n - 1]] - happened[rows[0]]) / DAY / (n - 1)
    if operation == GAP_MEAN:
        return float(mean)
    if n == 2:
        return np.nan
    squares = 0.0
    for j in range(1, n):
        squares += ((happened[rows[j]] - happened[rows[j - 1]]) / DAY - mean) ** 2
    return float(np.sqrt(squares / (n - 1)))


@njit(cache=True, nogil=True)
def _of_keys(operation: int, rows: Ints, key: Any, seen: Ints) -> float:
    """Distinct codes, or the entropy of their shares in nats; `seen` is left as it was: zero."""
    n = 0
    used = 0
    for i in rows:
        if key[i] >= 0:
            used += seen[key[i]] == 0
            seen[key[i]] += 1
            n += 1
    members = np.empty(used)
    for i in rows:
        if key[i] >= 0 and seen[key[i]]:
            used -= 1
            members[used] = seen[key[i]]
            seen[key[i]] = 0
    if operation == DISTINCT:
        return float(members.size)
    entropy = 0.0
    for m in np.sort(members):  # the order of the codes changes no bit
        entropy -= m / n * np.log(m / n)
    return entropy if n else np.nan


@njit(cache=True, nogil=True)
def _share(rows: Ints, bits: Any, counted: int) -> float:
    """The share of events that meet the counted conditions."""
    met = 0
    for i in rows:
        met += (bits[i] & counted) == counted
    return met / rows.size if rows.size else np.nan


@njit(cache=True, nogil=True)
def _of_values(operation: int, rows: Ints, events: Any, which: int, as_of: int) -> float:
    """Sum, mean, spread, extremes, last value, age in days, or slope a day; NaN is left out."""
    value = events.values[which]
    n = 0
    total = 0.0
    least, most, last = np.inf, -np.inf, np.nan
    for i in rows:
        v = value[i]
        if not np.isnan(v):
            n += 1
            total += v
            least, most, last = min(least, v), max(most, v), v
    if operation == SUM:
        return total
    if n == 0:
        return np.nan
    if operation == MEAN:
        return total / n
    if operation in (MIN, MAX):
        return float(least if operation == MIN else most)
    if operation in (LAST, AGE):
        return float(last if operation == LAST else as_of / DAY - last)
    if operation == STD:
        return float(_spread(rows, value, total / n, n))
    return float(_slope(rows, events.happened, value, total / n, n))


@njit(cache=True, nogil=True)
def _spread(rows: Ints, value: Any, mean: float, n: int) -> float:
    """Standard deviation of the population, around the mean found first: nothing cancels."""
    squares = 0.0
    for i in rows:
        if not np.isnan(value[i]):
            squares += (value[i] - mean) ** 2
    return float(np.sqrt(squares / n))


@njit(cache=True, nogil=True)
def _slope(rows: Ints, happened: Any, value: Any, mean: float, n: int) -> float:
    """Least-squares slope a day; NaN where the events span less than a day."""
    origin = happened[rows[0]]
    middle = 0.0
    for i in rows:
        if not np.isnan(value[i]):
            middle += (happened[i] - origin) / DAY / n
    spread, moment = 0.0, 0.0
    least, most = np.inf, -np.inf
    for i in rows:
        if not np.isnan(value[i]):
            x = (happened[i] - origin) / DAY
            least, most = min(least, x), max(most, x)
            spread += (x - middle) ** 2
            moment += (x - middle) * (value[i] - mean)
    return moment / spread if most - least >= 1.0 else np.nan
