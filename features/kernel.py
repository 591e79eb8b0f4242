"""The window engine: every windowed feature of every as_of in one pass over a customer's events.

Enters: the events of one table, brought together by customer and in time order, the requests in
the same order, and the programs compiled from the catalogue. Leaves: one float64 a request and
program, NaN where a value is missing. It knows no names.

A segment is what counts of one customer at some of their requests: for almost everybody all events
and all requests. Where an as_of falls between the moment of an event and the moment at which it was
known, or an event is corrected, the requests before and after are segments of their own. Segments
are taken in some at a time, so that everything stays in the processor's cache: first their runs,
then window by window, then program by program. A segment's values come from its events alone, so
equal events give equal bits, whatever stands beside them.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from domain import asof
from domain.asof import MICROS_PER_DAY, NEVER
from features import operations, running
from features.shuffle import Events, Floats, Ints

ROWS, REQUESTS = 2_048, 1_024
"""About so many rows and requests are at hand at a time: what runs along stays in the cache."""
visible = njit(inline="always")(asof.visible)


class Programs(NamedTuple):
    """What to compute. `windows` (w, 2): days (0 = ever) and days ago. `needs` (q,): bits that
    events must have. `runs` (a, 4): what runs along, over which need, of which value (-1: none) or
    key, and the bits that count for a share or the half-life in micros. `steps` (p, 9): operation,
    need, value, window, key, and up to four runs (-1: none)."""

    windows: Ints
    needs: Ints
    runs: Ints
    steps: Ints


class State(NamedTuple):
    """The segments at hand; each has one place more than it has rows, so that sums begin at zero.

    `rows` (n,): the events that count, in time order. `bases` (q + 1, s + 1): where each segment
    begins among the matches of a need, last among the rows. `matched` (q, n): the place among the
    matches of a need that belongs to a row; `match` (q, n): which rows these are. `total`, `rest`,
    `filled` (a, n): each run before every match, as two floats, and over how many values. `seen`,
    `listed`: scratch for codes, zero between uses.
    """

    rows: Ints
    bases: Ints
    matched: Ints
    match: Ints
    total: Floats
    rest: Floats
    filled: Ints
    seen: Ints
    listed: Ints


class Ends(NamedTuple):
    """Where windows begin and end among the rows: `low`, `high` (w, requests), `begin`, `end`
    (requests,) the same among the matches of one need; `segment` (requests,) whose they are, and
    `until` (segments,) where their requests end."""

    low: Ints
    high: Ints
    begin: Ints
    end: Ints
    segment: Ints
    until: Ints


@njit(nogil=True)
def _state(starts: Ints, events: Events, programs: Any, width: int) -> Any:
    """Room for some segments, and for the customer with the most events."""
    longest = 1
    for c in range(starts.size - 1):
        longest = max(longest, starts[c + 1] - starts[c])
    codes = 1
    for k in range(events.keys.shape[0]):
        for i in range(events.keys.shape[1]):
            codes = max(codes, events.keys[k, i] + 1)
    needs, runs, room = programs.needs.size, programs.runs.shape[0], max(ROWS, longest + 1) + 1
    return State(
        np.empty(room, np.int64),
        np.empty((needs + 1, width + 1), np.int64),
        np.empty((needs, room), np.int64),
        np.empty((needs, room), np.int64),
        np.empty((runs, room)),
        np.empty((runs, room)),
        np.empty((runs, room), np.int64),
        np.zeros(codes, np.int64),
        np.empty(codes, np.int64),
    )


@njit(nogil=True)
def _ends(request_starts: Ints, windows: int) -> Any:
    """Room for some requests, and for the customer with the most."""
    most = REQUESTS
    for c in range(request_starts.size - 1):
        most = max(most, request_starts[c + 1] - request_starts[c])
    return Ends(
        np.empty((windows, most), np.int64),
        np.empty((windows, most), np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty(most, np.int64),
    )


@njit(nogil=True)
def _find_odd(  # noqa: PLR0913
    odd: Ints, events: Events, first: int, last: int, as_ofs: Ints, begin: int, end: int
) -> int:  # fmt: skip
    """Write the events that do not simply count from the moment they happen on, and the requests
    from which on and until which each counts; how many. Most late events are known before the
    next as_of and are not odd at all."""
    n = 0
    for i in range(first, last):
        happened, known, superseded = events.happened[i], events.known[i], events.superseded[i]
        if known <= happened and superseded == NEVER:
            continue
        due = begin
        while due < end and not visible(happened, happened, NEVER, as_ofs[due]):
            due += 1
        start = due
        while start < end and not visible(happened, known, superseded, as_ofs[start]):
            start += 1
        until = start
        while until < end and visible(happened, known, superseded, as_ofs[until]):
            until += 1
        if start > due or until < end:
            odd[n, 0], odd[n, 1], odd[n, 2] = i, start if start > due else begin, until
            n += 1
    return n


@njit(nogil=True)
def _same_until(odd: Ints, first: int, last: int) -> int:
    """The end of the requests from `first` on at which the same odd events count."""
    for j in range(odd.shape[0]):
        for change in (odd[j, 1], odd[j, 2]):
            if first < change < last:
                last = change
    return last


@njit(nogil=True)
def _reach(  # noqa: PLR0913
    rows: Ints, base: int, first: int, last: int, happened: Ints, top: int, odd: Ints, r: int
) -> int:  # fmt: skip
    """Write the events up to the instant `top` that count at request `r`; where they end."""
    j, n = 0, base
    for i in range(first, last):
        if happened[i] > top:
            break
        rows[n] = i
        n += 1
        if j < odd.shape[0] and odd[j, 0] == i:
            n -= not odd[j, 1] <= r < odd[j, 2]
            j += 1
    return n


@njit(nogil=True)
def _match(state: Any, segments: int, bits: Any, needs: Ints) -> None:
    """Find the rows of every segment that meet each need."""
    whole = state.bases[needs.size]
    for q in range(needs.size):
        need, bases, matched, match = needs[q], state.bases[q], state.matched[q], state.match[q]
        m = 0
        for s in range(segments):
            bases[s] = m
            matched[whole[s]] = m
            for j in range(whole[s], whole[s + 1] - 1):
                match[m] = state.rows[j]  # without a branch: what matches cannot be foretold
                m += (bits[state.rows[j]] & need) == need
                matched[j + 1] = m
            m += 1
        bases[segments] = m


@njit(nogil=True)
def _move(
    ends: Any, state: Any, segments: int, happened: Ints, as_ofs: Ints, windows: Ints
) -> None:
    """Move every window's ends on to each as_of: `(as_of - ago - days, as_of - ago]`."""
    rows, bases = state.rows, state.bases[state.bases.shape[0] - 1]
    for w in range(windows.shape[0]):
        days, ago = windows[w, 0] * MICROS_PER_DAY, windows[w, 1] * MICROS_PER_DAY
        lows, highs = ends.low[w], ends.high[w]
        r = 0
        for s in range(segments):
            low, high, stop = bases[s], bases[s], bases[s + 1] - 1
            while r < ends.until[s]:
                top = as_ofs[r] - ago
                while high < stop and happened[rows[high]] <= top:
                    high += 1
                if days:
                    while low < stop and happened[rows[low]] <= top - days:
                        low += 1
                lows[r], highs[r] = low, high
                r += 1


@njit(nogil=True)
def _fill(out: Floats, state: Any, ends: Any, as_ofs: Ints, events: Events, programs: Any) -> None:
    """Every program of the requests at hand."""
    windows, runs, steps = programs.windows, programs.runs, programs.steps
    bases, n = state.bases[programs.needs.size], as_ofs.size
    for p in range(steps.shape[0]):
        operation, q, w, a = steps[p, 0], steps[p, 1], steps[p, 3], steps[p, 5]
        if p == 0 or q != steps[p - 1, 1] or w != steps[p - 1, 3]:
            _of_need(ends, state.matched[q], ends.low[w], ends.high[w], n)
        column = out[p]
        if operation == operations.COUNT:
            _counts(column, ends.begin, ends.end)
        elif operation == operations.DECAY:
            tops = as_ofs - windows[w, 1] * MICROS_PER_DAY
            running.decays(column, ends, state, steps[p], events.happened, tops, runs[a, 3])
        elif a >= 0:
            _of_run(steps[p], column, ends, state, events)
        elif operation in (operations.DISTINCT, operations.ENTROPY):
            running.mixes(operation, column, ends, state, state.match[q], events.keys[steps[p, 4]])
        else:
            _of_rows(steps[p], column, ends, state, as_ofs, events)
        _before_first(column, ends.high[w], ends.segment, bases)


@njit(nogil=True)
def _of_need(ends: Any, matched: Ints, low: Ints, high: Ints, n: int) -> None:
    """The ends of a window among the matches of a need."""
    begin, end = ends.begin, ends.end
    for r in range(n):
        begin[r], end[r] = matched[low[r]], matched[high[r]]


@njit(nogil=True)
def _counts(column: Floats, begin: Ints, end: Ints) -> None:
    for r in range(column.size):
        column[r] = end[r] - begin[r]


@njit(nogil=True)
def _before_first(column: Floats, high: Ints, segment: Ints, bases: Ints) -> None:
    """A window that ends before the first event, or a customer without any, has no value."""
    for r in range(column.size):
        if high[r] == bases[segment[r]]:
            column[r] = np.nan


@njit(nogil=True)
def _of_run(step: Any, column: Floats, ends: Any, state: Any, events: Events) -> None:
    """One program that looks up what ran along."""
    operation, a = step[0], step[5]
    if operation == operations.STD:
        running.spreads(column, ends, state, step, events.values[step[2]])
    elif operation == operations.SLOPE:
        running.slopes(column, ends, state, step, events)
    elif operation in (operations.MIN, operations.MAX):
        running.extremes(operation, column, ends, state, a)
    elif operation in (operations.GAP_STD, operations.GAP_SLOPE):
        running.gaps(operation, column, ends, state, step, events.happened)
    else:
        running.sums(operation, column, ends, state, a)
        if operation == operations.DISTINCT:
            match, bases = state.match[step[1]], state.bases[step[1]]
            running.go_over(column, ends, match, events.keys[step[4]], bases)


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
        else:
            column[r] = operations.of_values(operation, rows, events.values[step[2]])
            if operation == operations.AGE:
                column[r] = as_ofs[r] / operations.DAY - column[r]


@njit(nogil=True)
def _gather(  # noqa: PLR0913
    state: Any, ends: Any, odd: Ints, place: Ints, starts: Ints, events: Events,
    request_starts: Ints, as_ofs: Ints,
) -> int:  # fmt: skip
    """Write the next segments, as many as there is room for; how many.

    `place`: the next customer and request, and how many odd events stand in `odd` (-1: not sought).
    """
    bases, s, slot = state.bases[state.bases.shape[0] - 1], 0, 0
    begin = place[1]
    while place[0] < starts.size - 1:
        c, r = place[0], place[1]
        first, last, stop = starts[c], starts[c + 1], request_starts[c + 1]
        if r == stop:
            place[0], place[2] = c + 1, -1
            continue
        if place[2] < 0:
            place[2] = _find_odd(odd, events, first, last, as_ofs, r, stop)
        odds = odd[: place[2]]
        same = _same_until(odds, r, stop)
        if slot + last - first + 1 >= state.rows.size or same - begin > ends.segment.size:
            break
        bases[s] = slot
        slot = _reach(state.rows, slot, first, last, events.happened, as_ofs[same - 1], odds, r) + 1
        ends.segment[r - begin : same - begin] = s
        ends.until[s] = same - begin
        s += 1
        bases[s] = slot
        place[1] = same
    return s


def _entry(stamp: int) -> Any:
    """The kernel as one compiled function. Numba keeps it on disk by this file's date and by what
    it closes over: the stamp of all its sources, so that a change in any of them compiles anew."""

    @njit(cache=True, nogil=True)
    def walk(
        starts: Ints, events: Events, request_starts: Ints, as_ofs: Ints, programs: Any, out: Floats
    ) -> None:
        """Fill `out` (programs, requests). `starts` and `request_starts` say where each customer's
        events and requests begin; the requests of a customer are in time order."""
        if not stamp:
            return
        ends = _ends(request_starts, programs.windows.shape[0])
        state = _state(starts, events, programs, ends.segment.size)
        odd = np.empty((state.rows.size, 3), np.int64)
        place = np.array([0, 0, -1])
        while True:
            r = place[1]
            segments = _gather(state, ends, odd, place, starts, events, request_starts, as_ofs)
            if not segments:
                return
            asked = as_ofs[r : place[1]]
            _match(state, segments, events.bits, programs.needs)
            for a in range(programs.runs.shape[0]):
                q = programs.runs[a, 1]
                bases = state.bases[q, : segments + 1]
                running.go_on(programs.runs[a], bases, state.match[q], events, state, a)
            _move(ends, state, segments, events.happened, asked, programs.windows)
            _fill(out[:, r : place[1]], state, ends, asked, events, programs)

    return walk


def _stamp() -> int:
    """A number that changes with the text of whatever is compiled in; never zero."""
    sources = (Path(str(module.__file__)).read_bytes() for module in (asof, operations, running))
    return zlib.crc32(b"".join(sources)) + 1


walk = _entry(_stamp())
"""Fill a panel's columns: see `_entry`."""
