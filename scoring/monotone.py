"""Proof that a booster is monotone where it must be, by walking its trees.

Enters: a booster's text and one direction a feature. Leaves: the trees that break it. It draws no
sample: an empty answer is a proof.

The claim: for every setting of the other features, each of them a number up to 1e300 or missing,
the margin never falls (+1) or never rises (-1) where the constrained feature rises from one number
to another. A missing value of the constrained feature itself is a state of its own, neither
above nor below a number.

The proof: a leaf is reached by a box of feature values, one interval `(low, high]` and one flag
"missing comes here" a feature. Two leaves break the claim exactly if some setting of the other
features reaches both, the second one from higher values of the constrained feature, and the
second's output lies on the wrong side. If no pair of any tree does, every tree is monotone, and so
is their sum; adding in floating point keeps it, because rounding never turns an order round. (Nor
does LightGBM's reading of values within 1e-35 of zero as zero.)

Why it is needed: LightGBM 4.7 breaks its own constraints. Of 280 boosters trained on random data
with missing values, `monotone_constraints_method=advanced` broke 207, `intermediate` 28 and `basic`
none; a `path_smooth` above 0 breaks them with every method. Train with `basic` and `path_smooth=0`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import BundleError, InputError
from scoring.booster import LARGEST_VALUE, open_booster


@dataclass(frozen=True)
class Violation:
    """The worst pair of leaves of one tree for one feature: from `low_leaf` to `high_leaf` the
    feature rises, and the output moves from `low_value` to `high_value`, the wrong way."""

    tree: int
    feature: str
    direction: int
    low_leaf: int
    high_leaf: int
    low_value: float
    high_value: float

    def __str__(self) -> str:
        way = "falls" if self.direction > 0 else "rises"
        return (
            f"tree {self.tree}: output {way} from {self.low_value!r} (leaf {self.low_leaf}) to "
            f"{self.high_value!r} (leaf {self.high_leaf}) while {self.feature} rises"
        )


@dataclass(frozen=True)
class Boxes:
    """The leaves of one tree: outputs (l,), and per split feature the box of values (l, f).

    `low < value <= high` reaches the leaf, and so does a missing value where `missing`.
    """

    leaves: NDArray[np.int64]
    values: NDArray[np.float64]
    features: tuple[int, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: NDArray[np.bool_]


def violations(booster_text: str, constraints: Sequence[int]) -> tuple[Violation, ...]:
    """The worst violation of each tree and constrained feature; empty is a proof.

    Raises:
        InputError: not one constraint in -1, 0, 1 for each feature.
        BundleError: a split that has no order (categories, zero as missing).
    """
    booster = open_booster(booster_text)
    names = booster.feature_name()
    if len(constraints) != len(names) or not set(constraints) <= {-1, 0, 1}:
        raise InputError(
            f"{len(constraints)} constraints for {len(names)} features: -1, 0 or 1 each"
        )
    if not any(constraints):
        return ()
    found: list[Violation] = []
    for tree in booster.dump_model()["tree_info"]:
        boxes = leaf_boxes(tree["tree_structure"], tree["tree_index"])
        found += _broken(boxes, tree["tree_index"], names, constraints)
    return tuple(found)


def leaf_boxes(root: dict[str, Any], tree: int) -> Boxes:
    """The boxes of a tree as LightGBM dumps it.

    Raises:
        BundleError: a split that has no order.
    """
    leaves = list(_walk(root, tree))
    features = tuple(sorted({f for _, box in leaves for f in box}))
    anything = (-np.inf, LARGEST_VALUE, True)
    sides = [[box.get(f, anything) for f in features] for _, box in leaves]
    shape = (len(leaves), len(features))
    return Boxes(
        leaves=np.array([leaf.get("leaf_index", 0) for leaf, _ in leaves]),
        values=np.array([leaf["leaf_value"] for leaf, _ in leaves], dtype=np.float64),
        features=features,
        low=np.array([[s[0] for s in row] for row in sides], dtype=np.float64).reshape(shape),
        high=np.array([[s[1] for s in row] for row in sides], dtype=np.float64).reshape(shape),
        missing=np.array([[s[2] for s in row] for row in sides], dtype=bool).reshape(shape),
    )


_Box = dict[int, tuple[float, float, bool]]


def _walk(root: dict[str, Any], tree: int) -> Iterator[tuple[dict[str, Any], _Box]]:
    """Each leaf with its box, by a stack: a deep tree must not exhaust the interpreter's."""
    stack: list[tuple[dict[str, Any], _Box]] = [(root, {})]
    while stack:
        node, box = stack.pop()
        if "split_feature" not in node:
            yield node, box
            continue
        feature, cut = node["split_feature"], float(node["threshold"])
        missing_left = _missing_goes_left(node, cut, tree)
        low, high, missing = box.get(feature, (-np.inf, LARGEST_VALUE, True))
        left = (low, min(high, cut), missing and missing_left)
        right = (max(low, cut), high, missing and not missing_left)
        stack.append((node["right_child"], {**box, feature: right}))
        stack.append((node["left_child"], {**box, feature: left}))


def _missing_goes_left(node: dict[str, Any], cut: float, tree: int) -> bool:
    """Where LightGBM sends NaN: the default side, or that of 0.0 where training saw no NaN."""
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise BundleError(
            f"tree {tree} has a split without an order ({node['decision_type']}, missing is "
            f"{node['missing_type']}): train on numbers with zero_as_missing=false"
        )
    return bool(node["default_left"]) if node["missing_type"] == "NaN" else cut >= 0.0


def _broken(
    boxes: Boxes, tree: int, names: Sequence[str], constraints: Sequence[int]
) -> Iterator[Violation]:
    wanted = [i for i, f in enumerate(boxes.features) if constraints[f]]
    if not wanted:
        return
    apart = _apart(boxes)
    many = apart.sum(axis=0)
    for i in wanted:
        feature = boxes.features[i]
        direction = constraints[feature]
        low, high = boxes.low[:, i], boxes.high[:, i]
        inside = low < high
        meets_elsewhere = (many - apart[i]) == 0
        rises = inside[:, None] & inside[None, :] & (low[:, None] < low[None, :])
        step = (boxes.values[None, :] - boxes.values[:, None]) * direction
        step = np.where(meets_elsewhere & rises, step, 0.0)
        if step.min() < 0:
            a, b = (int(v) for v in np.unravel_index(int(step.argmin()), step.shape))
            yield Violation(
                tree=tree,
                feature=names[feature],
                direction=direction,
                low_leaf=int(boxes.leaves[a]),
                high_leaf=int(boxes.leaves[b]),
                low_value=float(boxes.values[a]),
                high_value=float(boxes.values[b]),
            )


def _apart(boxes: Boxes) -> NDArray[np.bool_]:
    """(f, l, l): whether no value of the feature, nor a missing one, reaches both leaves."""
    low = np.maximum(boxes.low[:, None, :], boxes.low[None, :, :])
    high = np.minimum(boxes.high[:, None, :], boxes.high[None, :, :])
    both_missing = boxes.missing[:, None, :] & boxes.missing[None, :, :]
    return np.moveaxis(~((low < high) | both_missing), -1, 0)
