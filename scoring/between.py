"""What moved a margin from one row to another: Shapley values of exactly the features that changed.

Enters: a booster's text and two rows. Leaves: one number a feature; they add up to the difference
of the margins. A feature whose value stayed receives nothing, however much others moved around it.

The game: a set of features takes its values from the second row, the others keep the first's; the
worth is the margin. A leaf is reached by a set exactly if every feature on which only the second
row fits the leaf is in it (p of them) and none on which only the first does (q). Of such a game the
Shapley value of the former is V (p - 1)! q! / (p + q)!, of the latter -V p! (q - 1)! / (p + q)!.

Source: Lundberg et al., "From local explanations to global understanding with explainable AI for
trees", Nature Machine Intelligence 2, 2020 (interventional values with one background row).
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from scoring.booster import open_booster
from scoring.monotone import Boxes, leaf_boxes

Floats = NDArray[np.float64]


def between(booster_text: str, before: Floats, after: Floats) -> Floats:
    """The parts (k,) of `margin(after) - margin(before)`; rows (k,), NaN where missing.

    The way back has the same parts with the other sign, to the last bit.

    Raises:
        BundleError: a split that has no order (categories, zero as missing).
    """
    out = np.zeros(len(before))
    for boxes in _trees(booster_text):
        columns = list(boxes.features)
        was, now = _fits(boxes, before[columns]), _fits(boxes, after[columns])
        reached = (was | now).all(axis=1)
        joins, leaves = (now & ~was)[reached], (was & ~now)[reached]
        p, q = joins.sum(axis=1), leaves.sum(axis=1)
        values = boxes.values[reached]
        parts = (
            joins * (values * _shares(p, q))[:, None] - leaves * (values * _shares(q, p))[:, None]
        )
        out[columns] += parts.sum(axis=0)
    return out


@lru_cache(maxsize=8)
def _trees(booster_text: str) -> tuple[Boxes, ...]:
    """The leaves of every tree, kept for the next pair of rows."""
    told = open_booster(booster_text).dump_model()["tree_info"]
    return tuple(leaf_boxes(tree["tree_structure"], tree["tree_index"]) for tree in told)


def _fits(boxes: Boxes, x: Floats) -> NDArray[np.bool_]:
    """Whether each value (f,) lies in each leaf's interval (l, f)."""
    inside = (boxes.low < x) & (x <= boxes.high)
    return np.where(np.isnan(x), boxes.missing, inside)


def _shares(p: NDArray[np.int64], q: NDArray[np.int64]) -> Floats:
    """(p - 1)! q! / (p + q)! of each pair, 0 where p is 0."""
    pairs = zip(p.tolist(), q.tolist(), strict=True)
    return np.array([1.0 / (a * comb(a + b, a)) if a else 0.0 for a, b in pairs], dtype=np.float64)
