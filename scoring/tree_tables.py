"""Tree tables: a LightGBM text as flat arrays that the kernels of an explanation walk.

Enters: a booster's text. Leaves: `Tables`, or the name of the shape that they cannot hold. It reads
no row and knows no kernel.

Each split is one row of the tables, a parent always before its children, the splits of two leaves
last. Children are turned so that a leaf never stands left of a split. Shares of cover are those of
LightGBM's own TreeSHAP: training rows of the child over those of the split.

What a decision needs to know of a row is made once a row: a `Column` is a feature as one kind of
split sees it (where missing goes, whether zero is missing, which categories go left), such that
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

FIELDS = 8
COLUMN, PRIOR, KIND, ON_LEFT, ON_RIGHT, TERM, OUTPUT = range(7)
"""Fields of `Tables.ints`."""
THRESHOLD, YES, NO, SHARE, RIGHT = range(5)
"""Fields of `Tables.floats`."""
FIRST, SPLITS, INNER, NODES, WEIGHTS = range(5)
"""Fields of `Tables.trees`."""
BOTH, LEFT, ENDS = range(3)
"""Which children of a split are splits."""
MISSING_NONE, MISSING_ZERO, MISSING_NAN, CATEGORIES = range(4)
"""Kinds of `Column`."""
WIDTH = 8
"""Terms are padded to this many quadrature nodes, with weight 0."""
MOST_SPLITS = 2**31 // (2 * FIELDS)
_CATEGORICAL, _DEFAULT_LEFT = 1, 2


class UnsupportedError(BundleError):
    """The tables cannot hold this booster; the message names what they cannot hold."""


@dataclass(frozen=True)
class Column:
    """A feature as splits of one kind see it; `value <= threshold` goes left, in every kind.

    `low`: missing values become minus infinity, else stay NaN (and go right). `words`: the
    categories that go left, as bits of 32-bit words (those become 0, all others 1).
    """

    feature: int
    kind: int
    low: bool
    words: tuple[int, ...] = ()


class Tables(NamedTuple):
    """All splits of a booster.

    `ints` (s, 8): column; where the agreement of the last split on the same feature stands (0:
    none, 1 + 2i: where split i said yes, 2 + 2i: no); kind; the children, counted in the tree (a
    leaf: behind the last split); place of the terms; place in a row of contributions.
    `floats` (s, 8): threshold; z where the answer is yes, and no; share of the left child; value of
    the right leaf (0: no leaf). Of two leaves: z times the left leaf's value less the right one's,
    and the mean of both by cover.
    `trees` (t, 5): first split, splits, those that have a split below, quadrature nodes, place of
    their weights.
    `terms`: weights, and for each share rp that a feature had before a split t / gp and rp / gp^2
    with gp = t + (1 - t) rp, each padded to `WIDTH`.
    `expected` (classes,): the mean output over the training rows.
    """

    ints: NDArray[np.int32]
    floats: Floats
    trees: NDArray[np.int64]
    terms: Floats
    expected: Floats
    columns: tuple[Column, ...]
    features: int


class _Tree(NamedTuple):
    """One tree of the text; a child below 0 is a leaf."""

    number: int
    feature: list[int]
    threshold: list[float]
    decision: list[int]
    left: list[int]
    right: list[int]
    cover: list[float]
    leaf_value: list[float]
    leaf_count: list[float]
    words: tuple[tuple[int, ...], ...]


def read_tables(text: str) -> Tables:
    """The tables of a booster's text.

    Raises:
        UnsupportedError: linear leaves; averaged trees; splits whose training rows are not those of
            their children; a damaged text.
    """
    head, *parts = text.split("\nTree=")
    if "average_output" in head.splitlines():
        raise UnsupportedError("the trees are averaged (boosting=rf)")
    try:
        said = _pairs(head)
        builder = _Builder(int(said["num_tree_per_iteration"]), int(said["max_feature_idx"]) + 1)
        return builder.build([_read_tree(i, part) for i, part in enumerate(parts)])
    except (KeyError, ValueError, IndexError, OverflowError) as e:
        raise UnsupportedError(f"the text is damaged ({type(e).__name__}: {e})") from None


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _read_tree(number: int, part: str) -> _Tree:
    said = _pairs(part.split("\n\n", 1)[0])
    if said.get("is_linear", "0") != "0":
        raise UnsupportedError(f"tree {number} has linear leaves")
    leaves = int(said["num_leaves"])

    def numbers(key: str, size: int = leaves - 1) -> list[float]:
        found = [float(v) for v in said[key].split()] if size else []
        if len(found) != size:
            raise ValueError(f"tree {number}: {key} has {len(found)} values, not {size}")
        return found

    def whole(key: str) -> list[int]:
        return [int(v) for v in numbers(key)]

    return _Tree(
        number,
        whole("split_feature"),
        numbers("threshold"),
        whole("decision_type"),
        whole("left_child"),
        whole("right_child"),
        numbers("internal_count"),
        numbers("leaf_value", leaves),
        numbers("leaf_count", leaves if leaves > 1 else 0),
        _words(said) if int(said["num_cat"]) else (),
    )


def _words(said: Mapping[str, str]) -> tuple[tuple[int, ...], ...]:
    """The categories that go left, some 32-bit words for each split on categories."""
    bounds = [int(v) for v in said["cat_boundaries"].split()]
    words = [int(v) for v in said["cat_threshold"].split()]
    return tuple(tuple(words[a:b]) for a, b in pairwise(bounds))


class _Builder:
    """Gathers the rows of all trees; each column and each run of terms is kept once."""

    def __init__(self, classes: int, features: int) -> None:
        self.classes, self.features = classes, features
        self.ints: list[tuple[int, ...]] = []
        self.floats: list[tuple[float, ...]] = []
        self.columns: dict[Column, int] = {}
        self.terms: list[Floats] = []
        self.places: dict[tuple[int, float], int] = {}
        self.end = 0

    def build(self, trees: Sequence[_Tree]) -> Tables:
        """The tables of all trees."""
        expected, rows = [0.0] * self.classes, []
        for tree in trees:
            group = tree.number % self.classes
            expected[group] += _expected(tree)
            if tree.feature:
                rows.append(self.add(tree, group * (self.features + 1)))
        if len(self.ints) > MOST_SPLITS:
            raise UnsupportedError(f"{len(self.ints)} splits, more than {MOST_SPLITS}")
        return Tables(
            np.array(self.ints, dtype=np.int32).reshape(-1, FIELDS),
            np.array(self.floats, dtype=np.float64).reshape(-1, FIELDS),
            np.array(rows, dtype=np.int64).reshape(-1, 5),
            np.concatenate([np.empty(0), *self.terms]),
            np.array(expected),
            tuple(self.columns),
            self.features,
        )

    def add(self, tree: _Tree, output: int) -> tuple[int, int, int, int, int]:
        """Adds a tree's splits; its row of `Tables.trees`."""
        order, inner = _parents_first(tree)
        place = {split: i for i, split in enumerate(order)}
        paths: list[dict[int, tuple[int, float]]] = [{} for _ in order]
        longest = max(_take_path(tree, order, place, paths, i) for i in range(len(order)))
        nodes = (longest + 1) // 2
        first = len(self.ints)
        for split, path in zip(order, paths, strict=True):
            left, right, share, _, flip = _children(tree, split)
            feature = tree.feature[split]
            prior, before = path.get(feature, (0, 1.0))
            kind = (left < 0) + (right < 0)
            on = (place.get(left, len(order)), place.get(right, len(order)))
            term = self.term(nodes, before)
            column = self.column(tree, split)
            self.ints.append((column, prior, kind, *on, term, output + feature, 0))
            cut = 0.5 if tree.decision[split] & _CATEGORICAL else tree.threshold[split]
            yes, no = (-share, 1.0 - share) if flip else (1.0 - share, -share)
            low = tree.leaf_value[~right] if right < 0 else 0.0
            if left < 0:
                step = tree.leaf_value[~left] - low
                yes, no, low = yes * step, no * step, low + share * step
            self.floats.append((cut, yes, no, share, low, 0.0, 0.0, 0.0))
        return first, len(order), inner, nodes, self.weights(nodes)

    def column(self, tree: _Tree, split: int) -> int:
        """The number of the column that a split looks at."""
        feature, decision, cut = tree.feature[split], tree.decision[split], tree.threshold[split]
        if not 0 <= feature < self.features:
            raise ValueError(f"tree {tree.number} splits on feature {feature}")
        kind = decision >> 2 & 3
        if decision & _CATEGORICAL:
            column = Column(feature, CATEGORIES, False, tree.words[int(cut)])
        elif math.isnan(cut) or kind > MISSING_NAN:
            raise ValueError(f"tree {tree.number} has a split on {cut} of kind {decision}")
        else:
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
            for each in values:
                self.terms.append(np.pad(each, (0, -len(each) % WIDTH)))
                self.end += len(self.terms[-1])
        return self.places[key]


def _take_path(
    tree: _Tree,
    order: Sequence[int],
    place: Mapping[int, int],
    paths: list[dict[int, tuple[int, float]]],
    i: int,
) -> int:
    """Hands the children of a split their path; how many distinct features it has there.

    A path says of each feature where its last agreement stands and the share of cover so far.
    """
    left, right, share, other, flip = _children(tree, order[i])
    feature = tree.feature[order[i]]
    _, before = paths[i].get(feature, (0, 1.0))
    for side, child, part in ((1 + flip, left, share), (2 - flip, right, other)):
        if child >= 0:
            paths[place[child]] = {**paths[i], feature: (2 * i + side, before * part)}
    return len(paths[i]) + (feature not in paths[i])


def _expected(tree: _Tree) -> float:
    """The mean output over the training rows, added up as LightGBM does."""
    if not tree.feature:
        return tree.leaf_value[0]
    total = 0.0
    for count, value in zip(tree.leaf_count, tree.leaf_value, strict=True):
        total += count / tree.cover[0] * value
    return total


def _parents_first(tree: _Tree) -> tuple[list[int], int]:
    """The splits level by level, those of two leaves last; and how many have a split below.

    Every split and every leaf must be reached once.
    """
    size = len(tree.feature)
    order: list[int] = [0]
    leaves: list[int] = []
    for split in order:
        for child in (tree.left[split], tree.right[split]):
            (order if child >= 0 else leaves).append(child)
        if len(order) > size or max(order[-2:]) >= size:
            break
    if sorted(order) != list(range(size)) or sorted(leaves) != list(range(-size - 1, 0)):
        raise ValueError(f"tree {tree.number} is no tree")
    ends = {split for split in order if tree.left[split] < 0 and tree.right[split] < 0}
    inner = [split for split in order if split not in ends]
    return inner + [split for split in order if split in ends], len(inner)


def _children(tree: _Tree, split: int) -> tuple[int, int, float, float, bool]:
    """The children and their shares of cover, and whether they were turned to put a leaf right."""
    left, right, cover = tree.left[split], tree.right[split], tree.cover[split]
    a, b = _cover(tree, left), _cover(tree, right)
    if not (cover > 0 and a >= 0 and b >= 0 and a + b == cover):
        raise UnsupportedError(
            f"tree {tree.number} has {a:g} and {b:g} training rows below a split of {cover:g}"
        )
    if left < 0 <= right:
        return right, left, b / cover, a / cover, True
    return left, right, a / cover, b / cover, False


def _cover(tree: _Tree, child: int) -> float:
    return tree.cover[child] if child >= 0 else tree.leaf_count[~child]
