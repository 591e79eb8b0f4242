"""What runs along a customer's events, so that a window costs a few look-ups however long it is.

Enters: the matches of one need in time order, and how far a run has come. Leaves: the run taken
further, and what it tells of the matches between two places. Every run is a sum over the first
matches (or a chain back through them), so it can be taken back to any place and go on from there.

Sums are kept as two floats, some 32 digits: what one float loses is in the other (Knuth's two-sum,
Dekker's product), so that differences of sums, also of squares, keep their digits.
Source: T. J. Dekker, A floating-point technique for extending the available precision, 1971.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from features import operations
from features.shuffle import Events, Floats, Ints

RUNNING = {
    "sum": ("sum",), "mean": ("sum",), "std": ("sum", "squares"), "share": ("share",),
    "slope": ("sum", "times", "times_squared", "times_values"),
    "gap_std": ("gaps_squared",), "gap_slope": ("gaps_numbered",),
    "min": ("least",), "max": ("most",), "decay": ("decay",), "distinct_in_time": ("changes",),
}  # fmt: skip
"""What runs along for an operation; the others walk over the events of their window."""
RUNS = (
    "sum", "squares", "times", "times_squared", "times_values", "gaps_squared", "gaps_numbered",
    "share", "changes", "decay", "least", "most",
)  # fmt: skip
(
    SUM, SQUARES, TIMES, TIMES_SQUARED, TIMES_VALUES, GAPS_SQUARED, GAPS_NUMBERED,
    SHARE, CHANGES, DECAY, LEAST, MOST,
) = range(len(RUNS))  # fmt: skip
MOST_RUNS = max(len(r) for r in RUNNING.values())
"""Runs that one operation reads at most."""
_SPLIT = 134_217_729.0
_UNSURE = 2.0**-60
"""A spread of squares below this part of what it was taken from is walked instead."""


@njit(inline="always")
def _product(a: float, b: float) -> Any:
    """The product of two floats as two floats, exactly."""
    product = a * b
    wide = _SPLIT * a
    a_high = wide - (wide - a)
    wide = _SPLIT * b
    b_high = wide - (wide - b)
    a_low, b_low = a - a_high, b - b_high
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, lost


@njit(inline="always")
def _less(a: float, b: float) -> Any:
    """The difference of two floats as two floats, exactly."""
    difference = a - b
    back = difference - a
    return difference, (a - (difference - back)) - (b + back)


@njit(inline="always")
def between(total: Floats, rest: Floats, begin: int, end: int) -> Any:
    """A sum over the matches from `begin` to before `end`, as two floats."""
    high, lost = _less(total[end], total[begin])
    low = lost + (rest[end] - rest[begin])
    both = high + low
    return both, low - (both - high)


@njit(inline="always")
def _determinant(n: float, ab: Any, a: Any, b: Any) -> Any:
    """n times `ab` less `a` times `b`, each given as two floats."""
    above, above_lost = _product(n, ab[0])
    below, below_lost = _product(a[0], b[0])
    difference, lost = _less(above, below)
    above_lost += n * ab[1]
    below_lost += a[0] * b[1] + a[1] * b[0]
    return difference + (lost + (above_lost - below_lost))


@njit(nogil=True)
def go_on(run: Any, bases: Ints, match: Ints, events: Events, state: Any, a: int) -> None:
    """Take a run over the matches of every segment, from zero; `bases` says where each begins."""
    total, rest, filled = state.total[a], state.rest[a], state.filled[a]
    kind, which, detail = run[0], run[2], run[3]
    total[bases[:-1]] = 0.0
    rest[: bases[-1]] = 0.0
    if kind == SUM:
        _sum(bases, match, events.values[which], total, rest, filled)
    elif kind <= GAPS_NUMBERED:
        _products(kind, bases, match, events, which, total, rest)
    elif kind == SHARE:
        for s in range(bases.size - 1):
            for m in range(bases[s], bases[s + 1] - 1):
                total[m + 1] = total[m] + ((events.bits[match[m]] & detail) == detail)
    elif kind == DECAY:
        _decay(bases, match, events, which, detail, total)
    elif kind == CHANGES:
        _changes(bases, match, events.keys[which], total)
    else:
        sign = 1.0 if kind == LEAST else -1.0
        _chain(bases, match, events.values[which], sign, total, filled)


@njit(inline="always")
def _more(high: float, low: float, a: float, b: float) -> Any:
    """A sum of two floats, and two floats more; not rounded to one another until it is read."""
    both = high + a
    back = both - high
    return both, low + (((high - (both - back)) + (a - back)) + b)


@njit(nogil=True)
def _sum(bases: Ints, match: Ints, value: Any, total: Floats, rest: Floats, filled: Ints) -> None:
    """A sum of the known values, and how many they are."""
    for s in range(bases.size - 1):
        high, low, n = 0.0, 0.0, 0
        filled[bases[s]] = 0
        for m in range(bases[s], bases[s + 1] - 1):
            more = value[match[m]]
            known = not np.isnan(more)
            high, low = _more(high, low, more if known else 0.0, 0.0)
            n += known
            total[m + 1], rest[m + 1], filled[m + 1] = high, low, n


@njit(nogil=True)
def _products(  # noqa: PLR0913
    kind: int, bases: Ints, match: Ints, events: Events, which: int, total: Floats, rest: Floats
) -> None:
    """A sum of squares and products of values, moments (micros since 1970) and gaps."""
    happened, value = events.happened, events.values[which]
    for s in range(bases.size - 1):
        first = bases[s]
        high, low = 0.0, 0.0
        for m in range(first, bases[s + 1] - 1):
            i = match[m]
            if kind >= GAPS_SQUARED:
                a = float(happened[i] - happened[match[m - 1]]) if m > first else 0.0
                b = a if kind == GAPS_SQUARED else float(m - first)
            else:
                a = value[i] if kind in (SQUARES, TIMES_VALUES) else float(happened[i])
                b = value[i] if kind == SQUARES else 1.0 if kind == TIMES else float(happened[i])
                if np.isnan(value[i]):
                    a, b = 0.0, 0.0
            more, lost = _product(a, b)
            high, low = _more(high, low, more, lost)
            total[m + 1], rest[m + 1] = high, low


@njit(nogil=True)
def _decay(bases: Ints, match: Ints, events: Events, which: int, half: int, total: Floats) -> None:
    """A sum that halves every `half` micros, as of each event's own moment."""
    for s in range(bases.size - 1):
        for m in range(bases[s], bases[s + 1] - 1):
            more = 1.0 if which < 0 else events.values[which, match[m]]
            kept = 0.0
            if m > bases[s]:
                elapsed = events.happened[match[m]] - events.happened[match[m - 1]]
                kept = total[m] * np.exp2(-(elapsed / half))
            total[m + 1] = kept + (0.0 if np.isnan(more) else more)


@njit(nogil=True)
def _changes(bases: Ints, match: Ints, key: Any, total: Floats) -> None:
    """How often a code that grows with time has become another one."""
    for s in range(bases.size - 1):
        for m in range(bases[s], bases[s + 1] - 1):
            same = m > bases[s] and key[match[m]] == key[match[m - 1]]
            total[m + 1] = total[m] + (not same)


@njit(nogil=True)
def _chain(bases: Ints, match: Ints, value: Any, sign: float, total: Floats, filled: Ints) -> None:
    """Each value, infinite where missing, and the place of the last one before it that is less:
    from any place the chain leads back through the least values up to there."""
    for s in range(bases.size - 1):
        first = bases[s]
        for m in range(first, bases[s + 1] - 1):
            v = value[match[m]]
            v = np.inf if np.isnan(v) else sign * v
            j = m
            while j > first and total[j] >= v:
                j = filled[j]
            total[m + 1], filled[m + 1] = v, j


@njit(nogil=True)
def sums(operation: int, column: Floats, ends: Any, state: Any, run: int) -> None:
    """Sum, mean, share, or changes of a code."""
    total, rest, filled = state.total[run], state.rest[run], state.filled[run]
    for r in range(column.size):
        begin, end = ends.begin[r], ends.end[r]
        column[r] = between(total, rest, begin, end)[0]
        if operation in (operations.MEAN, operations.SHARE):
            n = filled[end] - filled[begin] if operation == operations.MEAN else end - begin
            column[r] = column[r] / n if n else np.nan


@njit(nogil=True)
def spreads(column: Floats, ends: Any, state: Any, step: Any, value: Any) -> None:
    """Standard deviation of the population."""
    total, rest, filled = state.total[step[5]], state.rest[step[5]], state.filled[step[5]]
    squares, left, match = state.total[step[6]], state.rest[step[6]], state.match[step[1]]
    for r in range(column.size):
        begin, end = ends.begin[r], ends.end[r]
        n = filled[end] - filled[begin]
        if n < 2:
            column[r] = 0.0 if n else np.nan
            continue
        mean = between(total, rest, begin, end)
        apart = _determinant(float(n), between(squares, left, begin, end), mean, mean)
        if apart > n * squares[end] * _UNSURE:
            column[r] = np.sqrt(apart) / n
        else:
            column[r] = operations.spread(match[begin:end], value, mean[0] / n, n)


@njit(nogil=True)
def slopes(column: Floats, ends: Any, state: Any, step: Any, events: Any) -> None:
    """Least-squares slope a day; missing where the known values span less than a day."""
    filled, match, value = state.filled[step[5]], state.match[step[1]], events.values[step[2]]
    for r in range(column.size):
        begin, end = ends.begin[r], ends.end[r]
        n = filled[end] - filled[begin]
        column[r] = np.nan
        if n < 2:
            continue
        first, last = begin, end - 1
        while np.isnan(value[match[first]]):
            first += 1
        while np.isnan(value[match[last]]):
            last -= 1
        if events.happened[match[last]] - events.happened[match[first]] < operations.DAY:
            continue
        v = between(state.total[step[5]], state.rest[step[5]], begin, end)
        t = between(state.total[step[6]], state.rest[step[6]], begin, end)
        tt = between(state.total[step[7]], state.rest[step[7]], begin, end)
        tv = between(state.total[step[8]], state.rest[step[8]], begin, end)
        together = _determinant(float(n), tv, t, v)
        column[r] = together / _determinant(float(n), tt, t, t) * operations.DAY


@njit(nogil=True)
def gaps(
    operation: int, column: Floats, ends: Any, state: Any, step: Any, happened: Ints
) -> None:  # fmt: skip
    """Population spread of the days between events, or their trend."""
    total, rest, match = state.total[step[5]], state.rest[step[5]], state.match[step[1]]
    bases = state.bases[step[1]]
    for r in range(column.size):
        begin, end = ends.begin[r], ends.end[r]
        n = float(end - begin - 1)
        if n < 2:
            column[r] = np.nan
            continue
        whole = (float(happened[match[end - 1]] - happened[match[begin]]), 0.0)
        found = between(total, rest, begin + 1, end)
        if operation == operations.GAP_STD:
            apart = _determinant(n, found, whole, whole)
            column[r] = np.sqrt(max(apart, 0.0)) / n / operations.DAY
        else:
            first = begin + 1 - bases[ends.segment[r]]
            middle = (first + (n - 1) / 2.0, 0.0)
            moment = _determinant(1.0, found, middle, whole)
            column[r] = moment / (n * (n * n - 1) / 12.0) / operations.DAY


@njit(nogil=True)
def extremes(operation: int, column: Floats, ends: Any, state: Any, run: int) -> None:
    """Least or greatest known value."""
    total, before = state.total[run], state.filled[run]
    sign = 1.0 if operation == operations.MIN else -1.0
    for r in range(column.size):
        begin, j = ends.begin[r], ends.end[r]
        column[r] = np.nan
        if j > begin:
            while before[j] > begin:
                j = before[j]
            if total[j] != np.inf:
                column[r] = sign * total[j] + 0.0


@njit(nogil=True)
def decays(  # noqa: PLR0913
    column: Floats, ends: Any, state: Any, step: Any, happened: Ints, tops: Ints, half: int
) -> None:
    """A decayed sum brought from the last event's moment to the window's end."""
    total, match, bases = state.total[step[5]], state.match[step[1]], state.bases[step[1]]
    for r in range(column.size):
        end = ends.end[r]
        column[r] = 0.0
        if end > bases[ends.segment[r]]:
            elapsed = tops[r] - happened[match[end - 1]]
            column[r] = total[end] * np.exp2(-(elapsed / half))


@njit(nogil=True)
def go_over(column: Floats, ends: Any, match: Ints, key: Any, bases: Ints) -> None:
    """Count the code that a window begins with where it was the same before the window."""
    for r in range(column.size):
        b = ends.begin[r]
        if bases[ends.segment[r]] < b < ends.end[r] and key[match[b]] == key[match[b - 1]]:
            column[r] += 1.0


@njit(nogil=True)
def mixes(
    operation: int, column: Floats, ends: Any, state: Any, match: Ints, key: Any
) -> None:  # fmt: skip
    """Distinct codes, or the entropy of their shares in nats, counted as the window moves on."""
    seen, listed = state.seen, state.listed
    segment, begin, end, codes = -1, 0, 0, 0
    for r in range(column.size):
        if ends.segment[r] != segment or ends.begin[r] >= end:
            seen[listed[:codes]] = 0
            segment, begin, end, codes = ends.segment[r], ends.begin[r], ends.begin[r], 0
        for m in range(end, ends.end[r]):
            code = key[match[m]]
            if code >= 0:
                seen[code] += 1
                if seen[code] == 1:
                    codes = _list(listed, codes, code)
        for m in range(begin, ends.begin[r]):
            if key[match[m]] >= 0:
                seen[key[match[m]]] -= 1
        begin, end = ends.begin[r], max(end, ends.end[r])
        column[r] = _mix(operation, seen, listed, codes)
    seen[listed[:codes]] = 0


@njit(nogil=True)
def _list(listed: Ints, codes: int, code: int) -> int:
    """Add a code that is not listed yet; how many are."""
    for j in range(codes):
        if listed[j] == code:
            return codes
    listed[codes] = code
    return codes + 1


@njit(nogil=True)
def _mix(operation: int, seen: Ints, listed: Ints, codes: int) -> float:
    """What the counts of the listed codes come to. Their shares are summed in the order of their
    size, so that how codes are numbered changes no bit."""
    n, used = 0, 0
    for j in range(codes):
        n += seen[listed[j]]
        used += seen[listed[j]] > 0
    if operation == operations.DISTINCT:
        return float(used)
    for j in range(1, codes):  # almost in order from the request before
        code, i = listed[j], j
        while i > 0 and seen[listed[i - 1]] > seen[code]:
            listed[i] = listed[i - 1]
            i -= 1
        listed[i] = code
    entropy = 0.0
    for j in range(codes - used, codes):
        part = seen[listed[j]] / n
        entropy -= part * np.log(part)
    return entropy if n else np.nan
