"""Tree tables: a LightGBM text as flat arrays that the kernels of an explanation walk.

Enters: a booster's text. Leaves: `Tables`, or the name of what cannot be explained. It reads no
row and knows no kernel.

Each split is one row of the tables, a parent always before its children. Its children are turned
so that a leaf never stands left of a split: `BOTH` children split, only the `LEFT` one, or `NONE`;
`flip` says that they were turned. Shares are those of LightGBM's own TreeSHAP: training rows of the
child over those of the split.

What a decision needs of a row is made once a row: a `Column` is a feature as one kind of split
sees it (where missing goes, whether zero counts as missing, which categories go left), such that
every decision is one `value <= threshold`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import BundleError
from scoring.quadrature import gauss_legendre

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BOTH, LEFT, NONE = range(3)
"""Which children of a split are splits."""
COLUMN, PRIOR, KIND, FLIP, ON_LEFT, ON_RIGHT, TERM, FEATURE = range(8)
"""Fields of `Tables.ints`."""
THRESHOLD, SHARE, RIGHT, STEP = range(4)
"""Fields of `Tables.floats`."""
MISSING_NONE, MISSING_ZERO, MISSING_NAN, CATEGORIES = range(4)
"""Kinds of `Column`."""
WIDTH = 8
"""Terms are padded to this many quadrature nodes, with weight 0."""
_CATEGORICAL, _DEFAULT_LEFT = 1, 2


class UnsupportedError(BundleError):
    """The booster has a shape that these tables cannot hold; the message names it."""


@dataclass(frozen=True)
class Column:
    """A feature as splits of one kind see it; `value <= threshold` goes left, in every kind.

    `low`: missing values become minus infinity, else stay NaN (they go right). `words`: the categories that go left
    as bits of 32-bit words (those become 0, all others 1).
    """

    feature: int
    kind: int
    low: bool
    words: tuple[int, ...] = ()


class Tables(NamedTuple):
    """All splits of a booster. `ints` (s, 8) and `floats` (s, 4): the splits, see the fields above.

    `trees` (t, 5): first split, splits, quadrature nodes, place of the first terms and class.
    `terms`: for each tree's nodes the weights, and for each share of cover `rp` that the feature of
    a split had before it, t / gp and rp / gp^2 with gp = t + (1 - t) rp, each padded to `WIDTH`.
    `expected` (classes,): the mean output over the training rows.
    """

    ints: Ints
    floats: Floats
    trees: Ints
    terms: Floats
    expected: Floats
    columns: tuple[Column, ...]
    features: int


class _Tree(NamedTuple):
    """One tree of the text, children below 0 are leaves."""

    number: int
    feature: Ints
    threshold: Floats
    decision: Ints
    left: Ints
    right: Ints
    value: Floats
    leaf_count: Floats
    count: Floats
    words: Sequence[tuple[int, ...]]


def read_tables(text: str) -> Tables:
    """The tables of a booster's text.

    Raises:
        UnsupportedError: linear leaves, averaged trees, training rows that do not add up or are
            not known, thresholds that are not finite, damaged trees.
    """
    head, *parts = text.split("\nTree=")
    said = _pairs(head)
    if "average_output" in head.splitlines():
        raise UnsupportedError("averaged trees (boosting=rf)")
    try:
        classes = int(said["num_tree_per_iteration"])
        features = int(said["max_feature_idx"]) + 1
        trees = [_read_tree(i, part) for i, part in enumerate(parts)]
    except (KeyError, ValueError, IndexError) as e:
        raise UnsupportedError(f"a text that is not LightGBM's ({e})") from None
    return _Builder(classes, features).build(trees)


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _read_tree(number: int, part: str) -> _Tree:
    said = _pairs(part.split("\n\n", 1)[0])
    if said.get("is_linear", "0") != "0":
        raise UnsupportedError(f"tree {number} has linear leaves")
    leaves = int(said["num_leaves"])
    splits = leaves - 1

    def numbers(key: str, size: int) -> Floats:
        found = np.array(said[key].split() if size else [], dtype=np.float64)
        if len(found) != size:
            raise ValueError(f"tree {number}: {key} has {len(found)} values, not {size}")
        return found

    def whole(key: str) -> Ints:
        return numbers(key, splits).astype(np.int64)

    return _Tree(
        number,
        whole("split_feature"),
        numbers("threshold", splits),
        whole("decision_type"),
        whole("left_child"),
        whole("right_child"),
        numbers("leaf_value", leaves),
        numbers("leaf_count", leaves) if splits else np.zeros(1),
        numbers("internal_count", splits),
        _words(said) if int(said["num_cat"]) else (),
    )


def _words(said: Mapping[str, str]) -> tuple[tuple[int, ...], ...]:
    """The categories that go left, one set of 32-bit words for each split on categories."""
    bounds = [int(v) for v in said["cat_boundaries"].split()]
    words = [int(v) for v in said["cat_threshold"].split()]
    return tuple(tuple(words[a:b]) for a, b in pairwise(bounds))


class _Builder:
    """Gathers the rows of all trees; each column and each pair of terms is kept once."""

    def __init__(self, classes: int, features: int) -> None:
        self.classes, self.features = classes, features
        self.ints: list[tuple[int, ...]] = []
        self.floats: list[tuple[float, ...]] = []
        self.columns: dict[Column, int] = {}
        self.terms: list[Floats] = []
        self.places: dict[tuple[int, float], int] = {}
        self.end = 0

    def build(self, trees: Sequence[_Tree]) -> Tables:
        expected, rows = [0.0] * self.classes, []
        for tree in trees:
            group = tree.number % self.classes
            expected[group] += _expected(tree)
            if len(tree.feature):
                rows.append((*self.add(tree), group))
        return Tables(
            np.array(self.ints, dtype=np.int64).reshape(-1, 8),
            np.array(self.floats, dtype=np.float64).reshape(-1, 4),
            np.array(rows, dtype=np.int64).reshape(-1, 5),
            np.concatenate([np.empty(0), *self.terms]),
            np.array(expected),
            tuple(self.columns),
            self.features,
        )

    def add(self, tree: _Tree) -> tuple[int, int, int, int]:
        """Adds a tree's splits; its first split, splits, quadrature nodes and place of weights."""
        order = _parents_first(tree)
        place = {split: i for i, split in enumerate(order)}
        paths: list[dict[int, tuple[int, float]]] = [{} for _ in order]
        first, shares, longest = len(self.ints), [], 0
        for i, split in enumerate(order):
            (left, right), (share, other), flip = _children(tree, split)
            feature = int(tree.feature[split])
            prior, before = paths[i].get(feature, (0, 1.0))
            shares.append(before)
            for side, child, part in ((1, left, share), (2, right, other)):
                path = {**paths[i], feature: (2 * i + side, before * part)}
                longest = max(longest, len(path))
                if child >= 0:
                    paths[place[child]] = path
            column = self.column(tree, split)
            kind = (left < 0) + (right < 0)
            on = (place.get(left, 0), place.get(right, 0))
            self.ints.append((column, prior, kind, -flip, *on, 0, feature))
            cut = 0.5 if tree.decision[split] & _CATEGORICAL else float(tree.threshold[split])
            low = float(tree.value[~right]) if right < 0 else 0.0
            step = float(tree.value[~left]) - low if left < 0 else 0.0
            self.floats.append((cut, share, low, step))
        nodes = (longest + 1) // 2
        for i, before in enumerate(shares, first):
            self.ints[i] = (*self.ints[i][:TERM], self.term(nodes, before), self.ints[i][FEATURE])
        return first, len(order), nodes, self.weights(nodes)

    def column(self, tree: _Tree, split: int) -> int:
        """The column that a split looks at."""
        feature, decision = int(tree.feature[split]), int(tree.decision[split])
        if not 0 <= feature < self.features:
            raise UnsupportedError(f"tree {tree.number} splits on feature {feature}: damaged")
        if decision & _CATEGORICAL:
            column = Column(feature, CATEGORIES, False, tree.words[int(tree.threshold[split])])
        elif math.isnan(tree.threshold[split]):
            raise UnsupportedError(f"tree {tree.number} has a threshold that is no number")
        else:
            kind = decision >> 2
            column = Column(feature, kind, bool(decision & _DEFAULT_LEFT) and kind != MISSING_NONE)
        return self.columns.setdefault(column, len(self.columns))

    def term(self, nodes: int, before: float) -> int:
        """The place of t / gp and rp / gp^2 for a share of cover."""
        t, _ = gauss_legendre(nodes)
        gp = t + (1.0 - t) * before
        return self._keep((nodes, before), t / gp, before / (gp * gp))

    def weights(self, nodes: int) -> int:
        """The place of the weights of so many nodes."""
        return self._keep((nodes, -1.0), gauss_legendre(nodes)[1])

    def _keep(self, key: tuple[int, float], *values: Floats) -> int:
        if key not in self.places:
            self.places[key] = self.end
            room = padded(key[0])
            self.terms += [np.pad(each, (0, room - len(each))) for each in values]
            self.end += room * len(values)
        return self.places[key]


def padded(nodes: int) -> int:
    """Room for so many quadrature nodes."""
    return -(-nodes // WIDTH) * WIDTH


def _expected(tree: _Tree) -> float:
    """The mean output over the training rows, added up as LightGBM does."""
    if len(tree.value) == 1:
        return float(tree.value[0])
    total = 0.0
    for count, value in zip(tree.leaf_count.tolist(), tree.value.tolist(), strict=True):
        total += count / float(tree.count[0]) * value
    return total


def _parents_first(tree: _Tree) -> list[int]:
    """The splits level by level; every split and every leaf must be reached once."""
    order, leaves = [0], []
    for split in order:
        if len(order) + len(leaves) > 2 * len(tree.feature):
            break
        for child in (int(tree.left[split]), int(tree.right[split])):
            (order if child >= 0 else leaves).append(child)
            if child >= len(tree.feature):
                raise UnsupportedError(f"tree {tree.number} has a child that is not there: damaged")
    whole = sorted(order) == list(range(len(tree.feature)))
    if not whole or sorted(leaves) != list(range(-len(tree.value), 0)):
        raise UnsupportedError(f"tree {tree.number} is no tree: damaged")
    return order


def _children(tree: _Tree, split: int) -> tuple[tuple[int, int], tuple[float, float], bool]:
    """The children with their shares of cover, turned so that no leaf stands left of a split."""
    left, right = int(tree.left[split]), int(tree.right[split])
    cover = float(tree.count[split])
    a, b = _cover(tree, left), _cover(tree, right)
    if not (cover > 0 and a >= 0 and b >= 0 and a + b == cover):
        raise UnsupportedError(
            f"tree {tree.number}: {a:g} and {b:g} training rows in the children of a split of "
            f"{cover:g}"
        )
    if left < 0 <= right:
        return (right, left), (b / cover, a / cover), True
    return (left, right), (a / cover, b / cover), False


def _cover(tree: _Tree, child: int) -> float:
    return float(tree.count[child] if child >= 0 else tree.leaf_count[~child])
