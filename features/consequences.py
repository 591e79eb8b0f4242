"""What follows from a changed feature: the values of a customer for whom it were so.

Enters: a catalogue, one customer's values, a change of one feature that is taken from events.
Leaves: every value that moves with it. It knows no model and judges no change.

The change is read as other events in the same past. Features of the same events of a table (the
same conditions, the same value) are one family, and move so that such a past can exist:
- of what adds up (counts, sums, days with an event, rises) the events that come or go stand at the
  far end of the window that was named, so that every window that holds that day moves by as much,
  decayed sums by as much as the day is still worth, and shorter windows stay;
- of a mean or share a longer window moves by its part, as if events were spread evenly over it;
- a new event ends a silence: days since the last one are at most those of the window; no event is
  left in it: at least those;
- orders that hold today still hold: a shorter window does not count more than a longer one, months
  with an event not more than days with one, days not more than events; the last value, the mean and
  the median lie between smallest and largest.
A window that lies in the past (`ago`) never moves; where the change would need it to, the change is
impossible. Derived features follow by their own formula. A missing value stays missing.

Not kept: families of different conditions or values (spend stays where purchases move, and the
reverse), spreads, slopes, gaps, mixes, and the decayed worth of events inside shorter windows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.errors import Fault, InputError
from features.catalogue import Catalogue
from features.declare import EVER, Take
from features.formulas import Column
from features.offers import OFFERS

Flags = NDArray[np.bool_]
Row = Mapping[str, float]
ADDED = ("count", "sum", "distinct", "rises", "falls", "cures")
SHARED = ("mean", "share")
LEVELS = ("last", "mean", "median", "min", "max")
MOVED = (*ADDED, *SHARED, "recency", "last", "median", "min", "max")
"""Operations whose features may be changed; all others follow from events too loosely."""


@dataclass(frozen=True)
class Member:
    """A feature of a family and the days before as_of that it looks at, `(ago, until]`."""

    name: str
    take: Take

    @property
    def until(self) -> float:
        """How far back it looks; the last value at the latest event only."""
        if self.take.days != EVER:
            return self.take.ago + self.take.days
        return 0.0 if self.take.op == "last" else math.inf

    @property
    def past(self) -> bool:
        """Whether the window ended before as_of."""
        return self.take.ago > 0

    def holds(self, day: float) -> bool:
        """Whether an event so many days ago is inside."""
        return self.take.ago < day <= self.until

    def inside(self, other: Member) -> bool:
        """Whether every event of it is one of the other's."""
        return other.take.ago <= self.take.ago and self.until <= other.until


@dataclass(frozen=True)
class Family:
    """Features of the same events, and the pairs of them (less, more) that keep their order."""

    members: tuple[Member, ...]
    orders: tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def families(catalogue: Catalogue) -> Mapping[str, Family]:
    """The family of every feature that is taken from events, by its name."""
    found: dict[tuple[object, ...], list[Member]] = {}
    for declaration in catalogue.declarations:
        if declaration.take is not None:
            member = Member(declaration.name, declaration.take)
            found.setdefault(_events(declaration.take), []).append(member)
    out = {}
    for members in found.values():
        pairs = [(a.name, b.name) for a in members for b in members if a != b and _below(a, b)]
        family = Family(tuple(members), tuple(pairs))
        out.update({m.name: family for m in members})
    return out


def changeable(catalogue: Catalogue, name: str) -> bool:
    """Whether a feature may be changed by itself: it is neither derived nor of the past, and what
    follows from it is known."""
    family = families(catalogue).get(name)
    if family is None:
        return not catalogue[name].inputs
    mine = next(m for m in family.members if m.name == name)
    adds_up = mine.take.op != "distinct" or _rank(mine.take) >= 0
    return mine.take.op in MOVED and adds_up and not mine.past


def _events(take: Take) -> tuple[object, ...]:
    number = take.value if take.value in OFFERS[take.table].values else None
    return take.table, number, tuple(sorted(take.where)), tuple(sorted(take.share))


def _below(a: Member, b: Member) -> bool:
    """Whether `a` is at most `b` in every past."""
    ops = (a.take.op, b.take.op)
    if ops == ("min", "min"):
        return b.inside(a)
    if ops[0] == "min" and ops[1] in LEVELS:
        return b.inside(a)
    if ops[1] == "max" and ops[0] in LEVELS:
        return a.inside(b)
    ranks = [_rank(m.take) for m in (a, b)]
    if min(ranks) >= 0:
        return ranks[0] <= ranks[1] and a.inside(b)
    return ops[0] == ops[1] and ops[0] in ADDED and a.take.of == b.take.of and a.inside(b)


def _rank(take: Take) -> int:
    """Months with an event, days with one, events; -1 for anything else."""
    if take.op == "count":
        return 2
    rules = {"month": 0, "day": 1}
    key = OFFERS[take.table].keys.get(take.value or "")
    return rules.get(key.rule, -1) if take.op == "distinct" and key else -1


def follow(
    catalogue: Catalogue, row: Row, feature: str, values: Column
) -> tuple[dict[str, Column], Flags]:
    """What moves where `feature` takes each of `values` (n,), by name, and which of them can be.

    Derived features are left to `derived`. A feature that `row` does not name does not move.
    """
    out = {feature: np.array(values, dtype=np.float64)}
    family = families(catalogue).get(feature)
    if family is None:
        return out, np.ones(len(values), bool)
    mine = next(m for m in family.members if m.name == feature)
    others = [m for m in family.members if m != mine and not m.past and m.name in row]
    with np.errstate(invalid="ignore"):
        more = out[feature] > row[feature]
        if mine.take.op == "recency":
            _shorten(out, row, feature, others)
            return out, _settle(out, row, family, ~more) & ~more
        if mine.take.op in ADDED:
            _add(out, row, mine, others, _day(family, mine.until))
        elif mine.take.op in SHARED:
            _spread(out, row, mine, others)
        return out, _settle(out, row, family, more)


def _add(
    out: dict[str, Column], row: Row, mine: Member, others: Sequence[Member], day: float
) -> None:
    """Events come or go at the far end of the window, so many days ago."""
    more = out[mine.name] - row[mine.name]
    events = _rank(mine.take) >= 0
    for m in others:
        op, x = m.take.op, row[m.name]
        if op == mine.take.op and m.take.of == mine.take.of:
            if m.holds(day):
                out[m.name] = x + more
        elif op == "decay" and mine.take.op in ("count", "sum"):
            faded = x + more * 0.5 ** (day / m.take.half_life)
            out[m.name] = np.maximum(faded, min(x, 0.0))
        elif op == "recency" and events:
            ended = np.where(more > 0, np.fmin(x, day), x)
            silent = np.where(out[mine.name] == 0, np.fmax(ended, mine.until), ended)
            out[m.name] = np.where(np.isinf(silent), np.nan, silent)
        elif events and _rank(m.take) >= 0 and m.holds(day):
            out[m.name] = np.where(more > 0, np.maximum(x, 1.0), x)


def _shorten(out: dict[str, Column], row: Row, feature: str, others: Sequence[Member]) -> None:
    """One more event, so many days ago."""
    day = out[feature]
    for m in others:
        x, held = row[m.name], (m.take.ago <= day) & (day < m.until)
        if m.take.op == "decay":
            out[m.name] = x + np.power(0.5, day / m.take.half_life)
        elif _rank(m.take) > 0:
            out[m.name] = np.where(held, x + 1.0, x)
        elif _rank(m.take) == 0:
            out[m.name] = np.where(held, np.maximum(x, 1.0), x)


def _spread(out: dict[str, Column], row: Row, mine: Member, others: Sequence[Member]) -> None:
    """A longer window moves by its part."""
    more = out[mine.name] - row[mine.name]
    for m in others:
        if m.take.op == mine.take.op and m.take.of == mine.take.of and mine.inside(m):
            moved = row[m.name] + more * mine.until / m.until
            out[m.name] = np.clip(moved, 0.0, 1.0) if m.take.op == "share" else moved


def _day(family: Family, until: float) -> float:
    """The day at the far end of a window that no window of the past holds."""
    day = until
    while held := [m.take.ago for m in family.members if m.past and m.holds(day)]:
        day = float(min(held))
    return day


def _settle(out: dict[str, Column], row: Row, family: Family, up: Flags) -> Flags:
    """Brings back the orders that held, upwards where the change goes up; which changes can be."""
    fixed = {m.name for m in family.members if m.past}
    held = [(a, b) for a, b in family.orders if a in row and b in row and row[a] <= row[b]]
    possible, moved = np.ones(len(up), bool), True
    while moved:
        moved = False
        for a, b in held:
            if a not in out and b not in out:
                continue
            less, most = (out.get(n, np.full(len(up), row[n])) for n in (a, b))
            for name, wrong, right in (
                (b, (less > most) & up, less),
                (a, (less > most) & ~up, most),
            ):
                wrong &= possible
                if wrong.any() and name in fixed:
                    possible &= ~wrong
                elif wrong.any():
                    out[name] = np.where(wrong, right, out.get(name, row[name]))
                    moved = True
    return possible & _some(out, row, family)


def _some(out: Mapping[str, Column], row: Row, family: Family) -> Flags | np.bool_:
    """Whether nothing that is counted is below zero, and no events are left without a day."""
    fine: Flags | np.bool_ = np.bool_(True)
    for m in family.members:
        if m.name in out and m.take.op in ADDED and m.take.op != "sum":
            fine = fine & ~(out[m.name] < 0)
        if m.name in row and _rank(m.take) in (0, 1):
            for other in family.members:
                same = (other.take.days, other.take.ago) == (m.take.days, m.take.ago)
                if same and other.name in row and _rank(other.take) > _rank(m.take):
                    days, events = (out.get(n, row[n]) for n in (m.name, other.name))
                    fine = fine & ~((np.asarray(days) == 0) & (np.asarray(events) > 0))
    return fine


def derived(catalogue: Catalogue, row: Row, moved: Mapping[str, Column]) -> dict[str, Column]:
    """Every derived feature that reads a moved one, by its formula, in the order of declaration.

    One that `row` does not name stays unknown.

    Raises:
        InputError: `row` names a derived feature that moves but not what it reads; all, with paths.
    """
    found = dict(moved)
    size = len(next(iter(moved.values()), ()))
    absent: set[str] = set()
    for declaration in catalogue.declarations:
        name, reads = declaration.name, declaration.inputs
        if declaration.formula is None or name not in row or not any(i in found for i in reads):
            continue
        if unknown := [i for i in reads if i not in row]:
            absent.update(unknown)
            continue
        with np.errstate(all="ignore"):
            value = declaration.formula(*(found.get(i, np.full(size, row[i])) for i in reads))
        found[name] = np.where(np.isfinite(value), value, np.nan)
    if absent:
        faults = tuple(
            Fault(f"features.{n}", "missing", "give it, or null") for n in sorted(absent)
        )
        raise InputError("the row lacks what the formulas of features that move read:", faults)
    return {n: v for n, v in found.items() if n not in moved}
