"""Counterfactuals: the cheapest changes of levers that would bring a customer to so many points.

Enters: a scorer, one customer's values, levers (`scoring/levers.py`) and the points wanted. Leaves:
plans, cheapest first, each scored again by the scorer, and what is proved of cheaper ones. It
judges no lever and knows no policy.

The search is exact. A booster sees of a value only between which two thresholds it lies, so of each
lever only the nearest round value of each cell is tried, with all that follows from it
(`features/consequences.py`). Levers that move a feature in common stand in one group, and a plan
takes one of a group: the groups then move different features, and a leaf is reached exactly if
every group lets it be. Best-first over sets of groups, each with a range of its options: a node's
cost is that of its cheapest options, its bound the sum over trees of the best leaf that its ranges
reach. A node whose bound lies below the points wanted holds no plan. So the first plan met is the
cheapest, and where no node is left none exists.

Ties go to fewer levers, then to the catalogue's order. No plan holds all levers of a cheaper one.
The search ends after a number of nodes, never after a time: the same question has the same answer.

Source: Cui et al. (2015), optimal action extraction; Parmentier and Vidal (2021), exact
counterfactuals in tree ensembles, who solve it as a mixed-integer programme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from scoring.board import Board, group_of
from scoring.levers import Lever, apart, options
from scoring.scorer import Scorer, row_of

Flags = NDArray[np.bool_]
Row = Mapping[str, float | None]
SLACK = 1e-7
"""Margins added up in another order differ by less; the scorer has the last word."""
TRIES = 200
"""Sets of levers that are tried once more where the nodes ended before the proof."""


@dataclass(frozen=True)
class Limits:
    """At most so many levers a plan, so many plans, and so many nodes of the search."""

    levers: int = 3
    plans: int = 3
    nodes: int = 20_000


@dataclass(frozen=True)
class Move:
    """One lever: its value today and in the plan, and what that costs."""

    feature: str
    now: float
    then: float
    cost: float


@dataclass(frozen=True)
class Plan:
    """Moves, what they cost together, the points they come to, and all values that move.

    `gap`: how much cheaper a plan could be that the search did not come to; 0 where proved.
    """

    moves: tuple[Move, ...]
    cost: float
    gap: float
    points: int
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class Answer:
    """Plans from `points` to `wanted`, cheapest first, and after how many nodes.

    `proved`: nothing was left to search. No plans and proved: none exists within the levers.
    `bound`: every plan that is not listed, nor contains the levers of one, costs at least so much;
    None where there is none.
    """

    points: int
    wanted: int
    plans: tuple[Plan, ...]
    proved: bool
    bound: float | None
    nodes: int


def plans(
    scorer: Scorer,
    catalogue: Catalogue,
    row: Row,
    wanted: int,
    levers: Sequence[Lever],
    limits: Limits = Limits(),
) -> Answer:
    """The cheapest plans within the levers that come to `wanted` points or more.

    `row`: the customer's values by name, None where missing; every feature of the scorer, and what
    the formulas of moved features read.

    Raises:
        InputError: the row does not name a feature that is needed; all at once, with paths.
    """
    known = {n: math.nan if v is None else float(v) for n, v in row.items()}
    x = row_of(scorer, known)
    points = int(scorer.points(x[None])[0])
    if points >= wanted:
        done = Plan((), 0.0, 0.0, points, {})
        return Answer(points, wanted, (done,), True, None, 0)
    groups = []
    for together in apart(catalogue, levers):
        found = [o for lever in together if (o := options(catalogue, known, lever)) is not None]
        group = group_of(scorer, x, found)
        if group is not None:
            groups.append(group)
    search = _Search(scorer, known, wanted, Board.of(scorer, x, groups), limits)
    return search.run(points)


_Node = tuple[float, int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Cost at least, how many levers, the groups, and where the range of each begins and ends."""


@dataclass
class _Search:
    """The nodes still to look at, and what was found."""

    scorer: Scorer
    row: Mapping[str, float]
    wanted: int
    board: Board
    limits: Limits
    heap: list[_Node] = field(default_factory=list)
    found: dict[frozenset[str], Plan] = field(default_factory=dict)
    opened: dict[tuple[int, ...], Flags] = field(default_factory=dict)
    needed: float = 0.0
    nodes: int = 0

    def run(self, points: int) -> Answer:
        """The answer for a customer who has so many points today."""
        scale, calibration = self.scorer.scale, self.scorer.calibration
        calibrated = (self.wanted - 0.5 - scale.anchor_points) / scale.factor + scale.anchor_margin
        self.needed = (calibrated - calibration.intercept) / calibration.slope
        self.needed -= SLACK * (1.0 + abs(self.needed))
        many = len(self.board.groups)
        for size in range(1, min(self.limits.levers, many) + 1):
            for chosen in combinations(range(many), size):
                ends = tuple(len(self.board.groups[g].costs) for g in chosen)
                self.heap.append(self._node(chosen, (1,) * size, ends))
        heapify(self.heap)
        while self.heap and len(self.found) < self.limits.plans and self.nodes < self.limits.nodes:
            self.nodes += 1
            self._look(heappop(self.heap))
        return self._answer(points)

    def _answer(self, points: int) -> Answer:
        bound = self.heap[0][0] if self.heap else None
        told = list(self.found.values())
        if bound is not None and len(told) < self.limits.plans:
            told += self._left(bound, self.limits.plans - len(told))
        return Answer(points, self.wanted, tuple(told), bound is None, bound, self.nodes)

    def _left(self, bound: float, many: int) -> list[Plan]:
        """Plans out of the nodes that were not looked at, with what a cheaper one could save."""
        tried: dict[frozenset[str], Plan | None] = {}
        for node in sorted(self.heap):
            ranges = list(zip(*node[2:], strict=True))
            names = frozenset(filter(None, map(self._lever, ranges)))
            known = names in tried or any(found <= names for found in self.found)
            if len(names) == len(ranges) and not known and len(tried) < TRIES:
                tried[names] = self._try(self._others(node[2]), ranges)
        came = [plan for plan in tried.values() if plan is not None]
        least: list[Plan] = []
        for plan in sorted(came, key=lambda p: (p.cost, len(p.moves))):
            names = frozenset(m.feature for m in plan.moves)
            if not any(names >= {m.feature for m in p.moves} for p in least):
                least.append(_with_gap(plan, max(0.0, plan.cost - bound)))
        return least[:many]

    def _node(
        self, groups: tuple[int, ...], lows: tuple[int, ...], highs: tuple[int, ...]
    ) -> _Node:
        costs = self.board.groups
        least = sum(
            float(costs[g].costs[a:b].min()) for g, a, b in zip(groups, lows, highs, strict=True)
        )
        return least, len(groups), groups, lows, highs

    def _look(self, node: _Node) -> None:
        """Drops a node that holds no plan, keeps one that is a plan, splits every other."""
        _, _, groups, lows, highs = node
        ranges = list(zip(groups, lows, highs, strict=True))
        names = [self._lever(r) for r in ranges]
        pure = None not in names
        if pure and any(found <= {*names} for found in self.found):
            return
        open_ = self._others(groups)
        if self.board.bound(open_, ranges) < self.needed:
            return
        if not pure:
            self._split(ranges, next(i for i, n in enumerate(names) if n is None))
            return
        if all(b - a == 1 for _, a, b in ranges):
            plan = self._plan(ranges)
            if plan.points >= self.wanted:
                self.found[frozenset(m.feature for m in plan.moves)] = plan
            return
        widths = [self._width(r) for r in ranges]
        self._split(ranges, widths.index(max(widths)))

    def _others(self, groups: tuple[int, ...]) -> Flags:
        if groups not in self.opened:
            self.opened[groups] = self.board.others(groups)
        return self.opened[groups]

    def _lever(self, range_: tuple[int, int, int]) -> str | None:
        """The lever of a range of one lever and one way; None where it holds more."""
        g, low, high = range_
        group = self.board.groups[g]
        if any(low < s < high for s in group.segments):
            return None
        return group.levers[group.picks[low][0]].lever.feature

    def _width(self, range_: tuple[int, int, int]) -> float:
        g, low, high = range_
        costs = self.board.groups[g].costs
        return float(costs[high - 1] - costs[low]) if high - low > 1 else -1.0

    def _split(self, ranges: list[tuple[int, int, int]], place: int) -> None:
        """Parts one range, between levers where it holds several, else in its middle."""
        g, low, high = ranges[place]
        inner = [s for s in self.board.groups[g].segments if low < s < high]
        middle = inner[len(inner) // 2] if inner else (low + high) // 2
        for part in ((g, low, middle), (g, middle, high)):
            parts = [*ranges[:place], part, *ranges[place + 1 :]]
            heappush(self.heap, self._node(tuple(r[0] for r in ranges), *_ends(parts)))

    def _try(self, open_: Flags, ranges: Sequence[tuple[int, int, int]]) -> Plan | None:
        """A plan of a node's levers, where there is one: from its dearest options down, one lever
        after the other as far as the points allow."""
        point = [(g, high - 1, high) for g, _, high in ranges]
        if self.board.bound(open_, point) < self.needed:
            return None
        for place, (g, low, high) in enumerate(ranges):
            fails, comes = low - 1, high - 1
            while comes - fails > 1:
                middle = (fails + comes) // 2
                point[place] = (g, middle, middle + 1)
                if self.board.bound(open_, point) < self.needed:
                    fails = middle
                else:
                    comes = middle
            point[place] = (g, comes, comes + 1)
        plan = self._plan(point)
        return plan if plan.points >= self.wanted else None

    def _plan(self, point: Sequence[tuple[int, int, int]]) -> Plan:
        """The plan of one option a group, scored by the scorer."""
        moves, values = [], dict(self.row)
        moved: dict[str, float | None] = {}
        for g, low, _ in point:
            which, i = self.board.groups[g].picks[low]
            option = self.board.groups[g].levers[which]
            name, cost = option.lever.feature, float(option.costs[i])
            moves.append(Move(name, self.row[name], float(option.values[i]), cost))
            for n, column in option.moved.items():
                if column[i] != values[n] and not math.isnan(column[i]) & math.isnan(values[n]):
                    values[n] = float(column[i])
                    moved[n] = None if math.isnan(column[i]) else values[n]
        x = np.array([[values[n] for n in self.scorer.features]])
        points = int(self.scorer.points(x)[0])
        return Plan(tuple(moves), sum(m.cost for m in moves), 0.0, points, moved)


def _ends(ranges: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(r[1] for r in ranges), tuple(r[2] for r in ranges)


def _with_gap(plan: Plan, gap: float) -> Plan:
    return Plan(plan.moves, plan.cost, gap, plan.points, plan.values)
