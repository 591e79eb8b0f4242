"""The window engine: every windowed feature of every as_of in one pass over a customer's events.

Enters: the events of one table, brought together by customer and in time order, the requests in
the same order, and the programs compiled from the catalogue. Leaves: one float64 a request and
program, NaN where a value is missing. It knows no names.

Each customer's events are taken in once, in time order, into running sums, so that a window costs
two look-ups however long it is; windows move along with the as_of dates. Where an event becomes
known late or is corrected, the running sums are taken back to it and go on from there, so that at
every as_of they hold exactly the events that count, and equal events give equal bits.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from domain import asof
from domain.asof import MICROS_PER_DAY, NEVER
from features import operations
from features.shuffle import Events, Floats, Ints

RUNNING = {
    "sum": "sum", "mean": "sum", "share": "share", "distinct_in_time": "changes", "decay": "decay",
}  # fmt: skip
"""What runs along for an operation; the others walk over the events of their window."""
RUNS = ("sum", "share", "changes", "decay")
RUN_SUM, RUN_SHARE, RUN_CHANGES, RUN_DECAY = range(len(RUNS))
visible = njit(inline="always")(asof.visible)


class Programs(NamedTuple):
    """What to compute. `windows` (w, 2): days (0 = ever) and days ago. `needs` (q,): bits that
    events must have. `runs` (a, 4): what runs along, over which need, of which value (-1: none) or
    key, and the bits that count for a share or the half-life in micros. `steps` (p, 6): operation,
    need, value, window, key, run (-1: none)."""

    windows: Ints
    needs: Ints
    runs: Ints
    steps: Ints


class State(NamedTuple):
    """What was taken in of one customer. `rows` (n,): the events that count, in time order.

    `matched` (q, n + 1): how many of the first rows meet a need; `match` (q, n + 1): which ones.
    `total`, `rest`, `filled` (a, n + 1): each run over the first matches as two floats, and over
    how many values. `seen`: scratch for codes, zero between uses.
    """

    rows: Ints
    matched: Ints
    match: Ints
    total: Floats
    rest: Floats
    filled: Ints
    seen: Ints


class Ends(NamedTuple):
    """Where windows begin and end among the rows: `low`, `high` (w, requests), `begin`, `end`
    (requests,) the same among the matches of one need; `last` (w, 2) how far they have moved."""

    low: Ints
    high: Ints
    begin: Ints
    end: Ints
    last: Ints


@njit(nogil=True)
def _state(starts: Ints, events: Events, programs: Any) -> Any:
    """Room for the customer with the most events; every running sum begins at zero."""
    longest = 1
    for c in range(starts.size - 1):
        longest = max(longest, starts[c + 1] - starts[c])
    codes = 1
    for k in range(events.keys.shape[0]):
        for i in range(events.keys.shape[1]):
            codes = max(codes, events.keys[k, i] + 1)
    needs, runs = programs.needs.size, programs.runs.shape[0]
    return State(
        np.empty(longest, np.int64),
        np.zeros((needs, longest + 1), np.int64),
        np.empty((needs, longest + 1), np.int64),
        np.zeros((runs, longest + 1)),
        np.zeros((runs, longest + 1)),
        np.zeros((runs, longest + 1), np.int64),
        np.zeros(codes, np.int64),
    )


@njit(nogil=True)
def _ends(request_starts: Ints, windows: int) -> Any:
    """Room for the customer with the most requests."""
    most = 1
    for c in range(request_starts.size - 1):
        most = max(most, request_starts[c + 1] - request_starts[c])
    return Ends(
        np.empty((windows, most), np.int64),
        np.empty((windows, most), np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.zeros((windows, 2), np.int64),
    )


@njit(nogil=True)
def _odd(odd: Ints, events: Events, first: int, last: int) -> int:
    """Write which events were known late or corrected; how many."""
    n = 0
    for i in range(first, last):
        if events.known[i] > events.happened[i] or events.superseded[i] != NEVER:
            odd[n] = i
            n += 1
    return n


@njit(inline="always")
def _counts(events: Events, i: int, as_of: int) -> Any:
    """Whether an event counts at `as_of`, or, where it lies ahead, at the moment it happens."""
    happened = events.happened[i]
    return visible(happened, events.known[i], events.superseded[i], max(as_of, happened))


@njit(nogil=True)
def _same_until(odd: Ints, events: Events, as_ofs: Ints, first: int, last: int) -> int:
    """The end of the requests from `first` on for which `_counts` says the same of every event."""
    as_of, until = as_ofs[first], NEVER
    for i in odd:
        if events.known[i] > as_of and events.known[i] > events.happened[i]:
            until = min(until, events.known[i])
        if events.superseded[i] > as_of:
            until = min(until, events.superseded[i])
    r = first + 1
    while r < last and as_ofs[r] < until:
        r += 1
    return r


@njit(nogil=True)
def _first_changed(odd: Ints, events: Events, before: int, as_of: int, reached: int) -> int:
    """The first event before `reached` that `_counts` tells otherwise now, else `reached`."""
    for i in odd:
        if i >= reached:
            break
        if _counts(events, i, before) != _counts(events, i, as_of):
            return int(i)
    return reached


@njit(nogil=True)
def _take_in(state: Any, kept: int, n: int, events: Events, programs: Any) -> None:
    """Bring the rows from `kept` to before `n` into the matches of every need and every run."""
    for q in range(programs.needs.size):
        need, matched, match = programs.needs[q], state.matched[q], state.match[q]
        m = matched[kept]
        for j in range(kept, n):  # without a branch: which events match cannot be foretold
            match[m] = state.rows[j]
            m += (events.bits[state.rows[j]] & need) == need
            matched[j + 1] = m
    for a in range(programs.runs.shape[0]):
        kind, q = programs.runs[a, 0], programs.runs[a, 1]
        which, counted = programs.runs[a, 2], programs.runs[a, 3]
        begin, end = state.matched[q, kept], state.matched[q, n]
        match, total, rest = state.match[q], state.total[a], state.rest[a]
        if kind == RUN_SUM:
            _run_sum(begin, end, match, events.values[which], total, rest, state.filled[a])
        elif kind == RUN_SHARE:
            for m in range(begin, end):
                total[m + 1] = total[m] + ((events.bits[match[m]] & counted) == counted)
        elif kind == RUN_DECAY:
            _run_decay(begin, end, match, events, which, counted, total)
        else:
            key = events.keys[which]
            for m in range(begin, end):
                total[m + 1] = total[m] + (m == 0 or key[match[m]] != key[match[m - 1]])


@njit(nogil=True)
def _run_sum(  # noqa: PLR0913
    begin: int, end: int, match: Ints, value: Any, total: Floats, rest: Floats, filled: Ints
) -> None:  # fmt: skip
    """Go on with a sum: what a float loses is kept in a second one (Knuth's two-sum)."""
    for m in range(begin, end):
        more = value[match[m]]
        known = not np.isnan(more)
        more = more if known else 0.0
        both = total[m] + more
        back = both - total[m]
        total[m + 1] = both
        rest[m + 1] = rest[m] + ((total[m] - (both - back)) + (more - back))
        filled[m + 1] = filled[m] + known


@njit(nogil=True)
def _run_decay(  # noqa: PLR0913
    begin: int, end: int, match: Ints, events: Events, which: int, half: int, total: Floats
) -> None:  # fmt: skip
    """Go on with a sum that halves every `half` micros, as of each event's own moment."""
    for m in range(begin, end):
        more = 1.0 if which < 0 else events.values[which, match[m]]
        kept = 0.0
        if m:
            elapsed = events.happened[match[m]] - events.happened[match[m - 1]]
            kept = total[m] * np.exp2(-(elapsed / half))
        total[m + 1] = kept + (0.0 if np.isnan(more) else more)


@njit(inline="always")
def _between(total: Floats, rest: Floats, begin: int, end: int) -> Any:
    """A run over the matches from `begin` to before `end`."""
    difference = total[end] - total[begin]
    back = difference - total[end]
    lost = (total[end] - (difference - back)) - (total[begin] + back)
    return difference + (lost + (rest[end] - rest[begin]))


@njit(nogil=True)
def _move(ends: Any, rows: Ints, happened: Ints, as_ofs: Ints, windows: Ints) -> None:
    """Move every window's ends on to each as_of: `(as_of - ago - days, as_of - ago]`."""
    for w in range(windows.shape[0]):
        days, ago = windows[w, 0], windows[w, 1]
        low, high = ends.last[w, 0], ends.last[w, 1]
        for r in range(as_ofs.size):
            top = as_ofs[r] - ago * MICROS_PER_DAY
            while high < rows.size and happened[rows[high]] <= top:
                high += 1
            if days:
                bottom = top - days * MICROS_PER_DAY
                while low < rows.size and happened[rows[low]] <= bottom:
                    low += 1
            ends.low[w, r], ends.high[w, r] = low, high
        ends.last[w, 0], ends.last[w, 1] = low, high


@njit(nogil=True)
def _fill(out: Floats, state: Any, ends: Any, as_ofs: Ints, events: Events, programs: Any) -> None:
    """Every program of some requests over the same state."""
    windows, runs, steps = programs.windows, programs.runs, programs.steps
    for p in range(steps.shape[0]):
        operation, q, w, a = steps[p, 0], steps[p, 1], steps[p, 3], steps[p, 5]
        if p == 0 or q != steps[p - 1, 1] or w != steps[p - 1, 3]:
            matched = state.matched[q]
            for r in range(as_ofs.size):
                ends.begin[r], ends.end[r] = matched[ends.low[w, r]], matched[ends.high[w, r]]
        if operation == operations.COUNT:
            for r in range(as_ofs.size):
                out[p, r] = ends.end[r] - ends.begin[r]
        elif operation == operations.DECAY:
            half, ago = runs[a, 3], windows[w, 1] * MICROS_PER_DAY
            _of_decay(out[p], ends, state.total[a], state.match[q], events, as_ofs - ago, half)
        elif a >= 0:
            _of_run(operation, out[p], ends, state.total[a], state.rest[a], state.filled[a])
            if operation == operations.DISTINCT:
                _go_on(out[p], ends, state.match[q], events.keys[steps[p, 4]])
        else:
            _of_rows(steps[p], out[p], ends, state, as_ofs, events)
        r = 0
        while r < as_ofs.size and ends.high[w, r] == 0:  # it ends before the first event
            out[p, r] = np.nan
            r += 1


@njit(nogil=True)
def _of_rows(
    step: Any, column: Floats, ends: Any, state: Any, as_ofs: Ints, events: Events
) -> None:
    """One program that walks over the events of each window."""
    operation, match = step[0], state.match[step[1]]
    for r in range(as_ofs.size):
        rows = match[ends.begin[r] : ends.end[r]]
        if operation <= operations.GAP_SLOPE:
            column[r] = operations.of_times(operation, rows, events.happened, as_ofs[r])
        elif operation <= operations.ENTROPY:
            column[r] = operations.of_codes(operation, rows, events.keys[step[4]], state.seen)
        elif operation > operations.MEDIAN:
            column[r] = operations.of_pairs(operation, rows, events.values[step[2]])
        else:
            column[r] = operations.of_values(
                operation, rows, events.values[step[2]], events.happened
            )
            if operation == operations.AGE:
                column[r] = as_ofs[r] / operations.DAY - column[r]


@njit(nogil=True)
def _of_run(
    operation: int, column: Floats, ends: Any, total: Floats, rest: Floats, filled: Ints
) -> None:  # fmt: skip
    """Sum, mean, share, or changes of a code, from what ran along."""
    for r in range(column.size):
        begin, end = ends.begin[r], ends.end[r]
        column[r] = _between(total, rest, begin, end)
        if operation in (operations.MEAN, operations.SHARE):
            n = filled[end] - filled[begin] if operation == operations.MEAN else end - begin
            column[r] = column[r] / n if n else np.nan


@njit(nogil=True)
def _of_decay(  # noqa: PLR0913
    column: Floats, ends: Any, total: Floats, match: Ints, events: Events, tops: Ints, half: int
) -> None:  # fmt: skip
    """A decayed sum brought from the last event's moment to the window's end."""
    for r in range(column.size):
        end = ends.end[r]
        column[r] = 0.0
        if end:
            elapsed = tops[r] - events.happened[match[end - 1]]
            column[r] = total[end] * np.exp2(-(elapsed / half))


@njit(nogil=True)
def _go_on(column: Floats, ends: Any, match: Ints, key: Any) -> None:
    """Count the code that a window begins with where it was the same before the window."""
    for r in range(column.size):
        b = ends.begin[r]
        if 0 < b < ends.end[r] and key[match[b]] == key[match[b - 1]]:
            column[r] += 1.0


def _entry(stamp: int) -> Any:
    """The kernel as one compiled function. Numba keeps it on disk by this file's date and by what
    it closes over: the stamp of all its sources, so that a change in any of them compiles anew."""

    @njit(cache=True, nogil=True)
    def walk(
        starts: Ints, events: Events, request_starts: Ints, as_ofs: Ints, programs: Any, out: Floats
    ) -> None:
        """Fill `out` (programs, requests); a customer without any visible event keeps what stands
        there. `starts` and `request_starts` say where each customer's events and requests begin;
        the requests of a customer are in time order."""
        if not stamp:
            return
        state = _state(starts, events, programs)
        ends = _ends(request_starts, programs.windows.shape[0])
        odd = np.empty(state.rows.size, np.int64)
        for c in range(starts.size - 1):
            r, stop = request_starts[c], request_starts[c + 1]
            n, reached, before = 0, starts[c], 0
            ends.last[:] = 0
            odds = odd[: _odd(odd, events, starts[c], starts[c + 1]) if r < stop else 0]
            while r < stop:
                same = _same_until(odds, events, as_ofs, r, stop)
                changed = _first_changed(odds, events, before, as_ofs[r], reached)
                if changed < reached:
                    n, reached = np.searchsorted(state.rows[:n], changed), changed
                    np.minimum(ends.last, n, ends.last)
                kept = n
                while reached < starts[c + 1] and events.happened[reached] <= as_ofs[same - 1]:
                    if _counts(events, reached, as_ofs[r]):
                        state.rows[n] = reached
                        n += 1
                    reached += 1
                if n:
                    _take_in(state, kept, n, events, programs)
                    _move(ends, state.rows[:n], events.happened, as_ofs[r:same], programs.windows)
                    _fill(out[:, r:same], state, ends, as_ofs[r:same], events, programs)
                before, r = as_ofs[r], same

    return walk


def _stamp() -> int:
    """A number that changes with the text of whatever is compiled in; never zero."""
    sources = (Path(str(module.__file__)).read_bytes() for module in (asof, operations))
    return zlib.crc32(b"".join(sources)) + 1


walk = _entry(_stamp())
"""Fill a panel's columns: see `_entry`."""
