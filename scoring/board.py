"""The board of a search: which leaves a customer's options let be reached, and the bound of it.

Enters: a scorer, one customer's values, groups of options (`scoring/levers.py`) that move different
features. Leaves: a `Board`, that bounds the margin of any ranges of options. It searches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.levers import Options
from scoring.scorer import Scorer

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int32]


@dataclass(frozen=True)
class Group:
    """Options that exclude each other, lever by lever, from the nearest; option 0 changes nothing.

    `segments`: where each run of options begins that grows in cost. `columns`: the values (n,) of
    each feature of the scorer that moves, by place.
    """

    levers: tuple[Options, ...]
    picks: tuple[tuple[int, int], ...]
    costs: Floats
    segments: tuple[int, ...]
    columns: Mapping[int, Floats]


def group_of(scorer: Scorer, x: Floats, found: Sequence[Options]) -> Group | None:
    """The options that change a cell of the booster, each the cheapest of its cell."""
    places = {n: i for i, n in enumerate(scorer.features) if i in scorer.leaves.sides}
    names = sorted({n for o in found for n in o.moved if n in places}, key=places.__getitem__)
    picks: list[tuple[int, int]] = [(-1, 0)]
    segments: list[int] = []
    for which, option in enumerate(found):
        mine = [n for n in names if n in option.moved]
        for begin, end in ((0, option.turn), (option.turn, len(option.values))):
            cells = [
                scorer.leaves.sides[places[n]].cells(
                    np.concatenate([x[[places[n]]], option.moved[n][begin:end]])
                )
                for n in mine
            ]
            changed = np.any(np.diff(cells, axis=1) != 0, axis=0) if cells else []
            kept = np.flatnonzero(changed)
            if len(kept):
                segments.append(len(picks))
                picks += [(which, begin + int(i)) for i in kept]
    if len(picks) == 1:
        return None
    columns = {
        places[n]: np.array(
            [x[places[n]], *(found[w].moved[n][i] if n in found[w].moved else x[places[n]]
              for w, i in picks[1:])]
        )
        for n in names
    }  # fmt: skip
    costs = np.array([0.0, *(found[w].costs[i] for w, i in picks[1:])])
    return Group(tuple(found), tuple(picks), costs, tuple(segments), columns)


@dataclass(frozen=True)
class Board:
    """What each group's options let be reached, over the leaves (l,) that fixed features reach.

    `seen[g]` (n + 2, l): how many of the options before each reach a leaf. `shut` (l,): how many
    groups must move for a leaf to be reached.
    """

    groups: tuple[Group, ...]
    values: Floats
    starts: NDArray[np.int64]
    seen: tuple[Counts, ...]
    shut: Counts

    @staticmethod
    def of(scorer: Scorer, x: Floats, groups: Sequence[Group]) -> Board:
        """The board of one customer."""
        leaves, x = scorer.leaves, scorer.encoded(x[None])[0]
        size = len(leaves.values)
        moving = {i for g in groups for i in g.columns}
        alive = np.ones(size, bool)
        for i in leaves.sides.keys() - moving:
            sides = leaves.sides[i]
            alive[sides.leaves] &= sides.reach(x[[i]])[0]
        seen = []
        for group in groups:
            fits = np.ones((len(group.costs), size), bool)
            for i, values in group.columns.items():
                fits[:, leaves.sides[i].leaves] &= leaves.sides[i].reach(values)
            counted = np.zeros((len(group.costs) + 1, int(alive.sum())), np.int32)
            np.cumsum(fits[:, alive], axis=0, out=counted[1:])
            seen.append(counted)
        shut = sum((1 - s[1] for s in seen), np.zeros(int(alive.sum()), np.int32))
        tree = np.repeat(np.arange(len(leaves.starts)), np.diff([*leaves.starts, size]))
        starts = np.searchsorted(tree[alive], np.arange(len(leaves.starts)))
        return Board(tuple(groups), leaves.values[alive], starts, tuple(seen), shut)

    def others(self, chosen: Sequence[int]) -> Flags:
        """The leaves that the groups that are not chosen let be reached as they are."""
        return np.asarray(self.shut == sum(1 - self.seen[g][1] for g in chosen))

    def bound(self, open_: Flags, ranges: Sequence[tuple[int, int, int]]) -> float:
        """The sum over trees of the best leaf that ranges of options (group, from, to) reach."""
        reached = open_
        for g, low, high in ranges:
            reached = reached & (self.seen[g][high] > self.seen[g][low])
        best = np.where(reached, self.values, -np.inf)
        return float(np.maximum.reduceat(best, self.starts).sum())
