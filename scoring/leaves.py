"""The leaves of a booster as one table: which values of which feature reach which leaf.

Enters: a booster's text. Leaves: `Leaves`, that tell of any values of one feature which leaves they
may reach. A row reaches exactly one leaf of each tree: the one that all its features may reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.booster import LARGEST_VALUE, open_booster
from scoring.monotone import leaf_boxes

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """What one feature asks of the leaves (k,) below its splits: `low < value <= high`, or a
    missing value where `missing`. `cuts` are its thresholds, rising."""

    leaves: Index
    low: Floats
    high: Floats
    missing: Flags
    cuts: Floats

    def reach(self, values: Floats) -> Flags:
        """Which of the leaves (k,) each of the values (n,) may reach, (n, k)."""
        v = values[:, None]
        with np.errstate(invalid="ignore"):
            return (self.low < v) & (v <= self.high) | (np.isnan(v) & self.missing)

    def cells(self, values: Floats) -> Index:
        """The cell between two cuts that holds each value; -1 for a missing one."""
        found = np.searchsorted(self.cuts, values, side="left")
        return np.where(np.isnan(values), -1, found)


@dataclass(frozen=True)
class Leaves:
    """All leaves, tree by tree: outputs (l,), the first leaf of each tree, and what each feature
    that is split on asks."""

    values: Floats
    starts: Index
    sides: Mapping[int, Sides]


def read_leaves(text: str) -> Leaves:
    """The leaves of a booster's text.

    Raises:
        BundleError: a split that has no order.
    """
    values: list[Floats] = []
    starts: list[int] = []
    asked: dict[int, list[tuple[Index, Floats, Floats, Flags]]] = {}
    end = 0
    for tree in open_booster(text).dump_model()["tree_info"]:
        boxes = leaf_boxes(tree["tree_structure"], tree["tree_index"])
        for i, feature in enumerate(boxes.features):
            low, high, missing = boxes.low[:, i], boxes.high[:, i], boxes.missing[:, i]
            asks = (low > -np.inf) | (high < LARGEST_VALUE) | ~missing
            where = np.flatnonzero(asks)
            asked.setdefault(feature, []).append(
                (end + where, low[where], high[where], missing[where])
            )
        values.append(boxes.values)
        starts.append(end)
        end += len(boxes.values)
    sides = {
        f: _sides(*map(np.concatenate, zip(*parts, strict=True))) for f, parts in asked.items()
    }
    return Leaves(np.concatenate(values), np.array(starts), sides)


def _sides(leaves: Index, low: Floats, high: Floats, missing: Flags) -> Sides:
    ends = np.concatenate([low[low > -np.inf], high[high < LARGEST_VALUE]])
    return Sides(leaves, low, high, missing, np.unique(ends))
