"""Levers: the features that a plan may move, how far, at what cost, and what they bring along.

Enters: a catalogue, the policy's rules of levers, the ranges that features were seen in. Leaves:
`Lever`s, and for one customer the round values each may take, with everything that follows.

A lever is a feature of the catalogue with a lever cost, taken from events (derived features follow
by their formula, decayed sums follow their counts) and not from a window of the past; none is
protected. It moves only the way that is better for every target that cares (both where none does).
To move it over its whole range costs its lever cost, a part of the range that part. Values are
round: whole days, times and amounts, hundredths of a share, coarser where the range would hold more
than a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import Fault, PolicyError
from domain.policy import LeverRule
from features.catalogue import Catalogue, Feature
from features.consequences import Row, changeable, derived, families, follow

Floats = NDArray[np.float64]
STEPS = {"share": 0.01, "ratio": 0.01}
"""The finest step of a unit; 1 of every other."""
MOST_VALUES = 1000
SEEN = (0.05, 0.95)
"""A range reaches from the one to the other quantile of what was seen."""


@dataclass(frozen=True)
class Lever:
    """A feature that may move from `low` to `high`, and what the whole way costs."""

    feature: str
    low: float
    high: float
    cost: float


@dataclass(frozen=True)
class Options:
    """The values (n,) that one lever may take for one customer, up to `turn` those below today's,
    each side from the nearest; their cost (n,), and every feature that moves, by name."""

    lever: Lever
    values: Floats
    costs: Floats
    turn: int
    moved: Mapping[str, Floats]


def may_move(catalogue: Catalogue, feature: Feature) -> bool:
    """Whether a plan may move it at all."""
    return not feature.protected and changeable(catalogue, feature.name)


def ranges(names: Sequence[str], seen: Floats, fewest: int = 1) -> dict[str, tuple[float, float]]:
    """The `SEEN` quantiles of each feature of the rows `seen` (n, k) that `fewest` rows have."""
    found = {}
    for name, column in zip(names, seen.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size >= fewest:
            low, high = np.quantile(known, SEEN).tolist()
            found[name] = (low, high)
    return found


def levers_of(
    catalogue: Catalogue,
    seen: Mapping[str, tuple[float, float]],
    rules: Sequence[LeverRule] = (),
) -> tuple[Lever, ...]:
    """The levers of a catalogue, in its order.

    `seen`: how far each feature may move (`ranges`), unless the policy states it. A policy's cost
    of 0 takes a lever away; what was never seen, or always alike, is none.

    Raises:
        PolicyError: a rule for a feature that is unknown or may not move; all, with their places.
    """
    stated = {rule.feature: rule for rule in rules}
    _check(catalogue, rules)
    found = []
    for feature in catalogue.features:
        rule = stated.get(feature.name)
        cost = feature.lever_cost if rule is None or rule.cost is None else rule.cost
        if not cost or not may_move(catalogue, feature):
            continue
        low, high = _range(seen.get(feature.name), rule)
        if low < high:
            found.append(Lever(feature.name, low, high, float(cost)))
    return tuple(found)


def _check(catalogue: Catalogue, rules: Sequence[LeverRule]) -> None:
    faults = []
    for i, rule in enumerate(rules):
        if rule.feature not in catalogue.names:
            faults.append(Fault(f"levers.{i}.feature", "unknown", "docs/features.md lists them"))
        elif not may_move(catalogue, catalogue[rule.feature]):
            said = "protected, derived, of the past or not to be moved by itself: name another"
            faults.append(Fault(f"levers.{i}.feature", "no_lever", said))
    if faults:
        raise PolicyError("the policy names levers that are none; mend these:", tuple(faults))


def _range(
    seen: tuple[float, float] | None, rule: LeverRule | None
) -> tuple[float, float]:  # fmt: skip
    if rule is not None and rule.low is not None and rule.high is not None:
        return rule.low, rule.high
    return seen or (0.0, 0.0)


def options(catalogue: Catalogue, row: Row, lever: Lever) -> Options | None:
    """The values that a lever may take for one customer; None where it cannot move."""
    values, turn = _values(catalogue[lever.feature], lever, row.get(lever.feature, math.nan))
    if not len(values):
        return None
    moved, possible = follow(catalogue, row, lever.feature, values)
    turn = int(possible[:turn].sum())
    values = values[possible]
    if not len(values):
        return None
    moved = {n: v[possible] for n, v in moved.items()}
    moved |= derived(catalogue, row, moved)
    costs = lever.cost * np.abs(values - row[lever.feature]) / (lever.high - lever.low)
    return Options(lever, values, costs, turn, moved)


def _values(feature: Feature, lever: Lever, now: float) -> tuple[Floats, int]:
    """Round values below and above today's, each side from the nearest; how many are below."""
    step = STEPS.get(feature.unit, 1.0)
    while (lever.high - lever.low) / step > MOST_VALUES:
        step *= 10
    first, last = math.ceil(lever.low / step - 1e-9), math.floor(lever.high / step + 1e-9)
    every = np.round(np.arange(first, last + 1) * step, 9)
    ways = feature.better.values()
    below = every[(every < now) & (1 not in ways)][::-1]
    above = every[(every > now) & (-1 not in ways)]
    return np.concatenate([below, above]), len(below)


def reach(catalogue: Catalogue, feature: str) -> frozenset[str]:
    """Every feature that may move where this one does."""
    family = families(catalogue).get(feature)
    found = {feature} | ({m.name for m in family.members if not m.past} if family else set())
    for other in catalogue.features:
        if found & set(other.inputs):
            found.add(other.name)
    return frozenset(found)


def apart(catalogue: Catalogue, levers: Sequence[Lever]) -> list[list[Lever]]:
    """Levers that move a feature in common, together; a plan takes one of each such group."""
    groups: list[tuple[set[str], list[Lever]]] = []
    for lever in levers:
        moves, mine = set(reach(catalogue, lever.feature)), [lever]
        for group in [g for g in groups if g[0] & moves]:
            groups.remove(group)
            moves |= group[0]
            mine = [*group[1], *mine]
        groups.append((moves, mine))
    order = {lever.feature: i for i, lever in enumerate(levers)}
    found = [sorted(mine, key=lambda m: order[m.feature]) for _, mine in groups]
    return sorted(found, key=lambda mine: order[mine[0].feature])
