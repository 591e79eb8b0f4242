"""Kernels of the explanation: exact SHAP values of trees, sixteen rows at a time or one.

Enters: a `Model` (flat tables of all splits) and rows whose columns were mapped. Leaves:
contributions added to an array. The kernels check nothing: `read_tables` vouches for every place.

**The mathematics.** A leaf of value V below the distinct features F is worth, when a set S of
features is known, V times the product over F of o_f (f in S: 1 where the row agrees with all splits
on f, else 0) or r_f (f not in S: the share of training rows that do). The Shapley value of feature
i is the integral over t from 0 to 1 of (o_i - r_i) V prod_{j != i} (t o_j + (1 - t) r_j), a
polynomial of degree |F| - 1, so ceil(|F| / 2) Gauss-Legendre nodes give it exactly.

All leaves at once: let P(t) be the product of the terms met on the way down to a split, and G(t)
the sum over the leaves below of V times the terms met after it. With c the left child's share of
cover, d = 1 if the row goes left, op = 1 while the row has agreed with all earlier splits on this
feature, rp the product of their shares, gp = t + (1 - t) rp, s = t / gp and w = rp / gp^2:

    z = op (d - c)    h = c + s z    P_left = P h    P_right = P - P_left      going down
    D = G_left - G_right    G = G_right + h D                                  coming up

and the feature of the split receives z times the sum over nodes of (weight P) w D. A feature that
comes again lower on a path is no case of its own: its term is replaced by a new one, and what is
added up is the telescoping sum of the replacements.

**The bits.** Both kernels do the same operations on the same numbers in the same order for a row,
each rounded by itself, so a row's contributions depend neither on its neighbours nor on the kernel.

Sources: Yu, Bifet, Read, Xu, "Linear TreeShap", NeurIPS 2022, for products of path terms as
polynomials; Lundberg et al., "From local explanations to global understanding with explainable AI
for trees", Nature Machine Intelligence 2, 2020, for the values themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scoring.lanes import at_most, chooser, filler, loader, peek, store, transposed_sums
from scoring.tree_tables import (
    CATEGORIES,
    COLUMN,
    FIELDS,
    FIRST,
    INNER,
    KIND,
    LEFT,
    MISSING_NAN,
    MISSING_ZERO,
    NO,
    NODES,
    ON_LEFT,
    ON_RIGHT,
    OUTPUT,
    PRIOR,
    RIGHT,
    SHARE,
    SPLITS,
    TERM,
    THRESHOLD,
    WEIGHTS,
    WIDTH,
    YES,
)  # fmt: skip

Floats = NDArray[np.float64]
ROWS = 16
"""Rows of a block: one lane each."""
NEAR_ZERO = float(np.float32(1e-35))
"""What lies within is zero to LightGBM."""
_load, _fill, _choose = loader(ROWS), filler(ROWS), chooser(ROWS)
_load_nodes, _fill_nodes, _sums = loader(WIDTH), filler(WIDTH), transposed_sums(WIDTH)


_inside = njit(nogil=True, forceinline=True)
"""A part of a kernel: it has no code of its own."""


class Model(NamedTuple):
    """`ints`, `floats`, `trees` and `terms` of `Tables`, flat."""

    ints: NDArray[np.int32]
    floats: Floats
    trees: NDArray[np.int64]
    terms: Floats


class Room(NamedTuple):
    """Scratch for one tree: P and later G of every split, its z, whether the row agreed so far on
    either side of it (for a block: bits), and the terms of its sum."""

    products: Floats
    zs: Floats
    agreed: NDArray[Any]
    sums: Floats


class Tree(NamedTuple):
    """One row of `Tables.trees`."""

    first: int
    splits: int
    inner: int
    nodes: int
    weights: int


@_inside
def map_value(value: float, kind: int, low: int, words: Any) -> float:
    """What a column holds for a feature's value, so that `value <= threshold` goes left."""
    if kind == CATEGORIES:
        if not -1.0 < value < 32.0 * words.size:
            return 1.0
        category = int(value)
        return 0.0 if words[category >> 5] >> (category & 31) & 1 else 1.0
    if value != value and kind != MISSING_NAN:
        value = 0.0
    if abs(value) <= NEAR_ZERO:
        value = 0.0
    if value != value or (kind == MISSING_ZERO and value == 0.0):
        return -np.inf if low else np.nan
    return value


@njit(cache=True, nogil=True)
def map_rows(X: Any, columns: Any, words: Any, out: Any) -> None:
    """Fill `out` (blocks, columns, lanes) with the columns of the rows X (n, k).

    `columns` (c, 5): feature, kind, low, begin and end of its words. Lanes beyond the last row
    repeat it.
    """
    lanes = out.shape[2]
    for b in range(out.shape[0]):
        for c in range(columns.shape[0]):
            feature, kind, low = columns[c, 0], columns[c, 1], columns[c, 2]
            own = words[columns[c, 3] : columns[c, 4]]
            for lane in range(lanes):
                row = min(b * lanes + lane, X.shape[0] - 1)
                out[b, c, lane] = map_value(X[row, feature], kind, low, own)


@njit(cache=True, nogil=True)
def add_blocks(model: Any, mapped: Any, phi: Any, room: Any) -> None:
    """Add every tree's contributions for rows mapped (blocks, columns, ROWS) to `phi` (blocks,
    outputs, ROWS)."""
    flat, out = mapped.reshape(-1), phi.reshape(-1)
    for t in range(model.trees.shape[0]):
        tree = _tree(model.trees, t)
        for b in range(mapped.shape[0]):
            for q in range(tree.nodes):
                store(room.products, q * ROWS, _fill(peek(model.terms, tree.weights + q)))
            _decide_block(model, tree, flat, b * mapped.shape[1] * ROWS, room)
            _down_block(model, tree, room)
            _up_block(model, tree, out, b * phi.shape[1] * ROWS, room)


@njit(cache=True, nogil=True)
def add_row(model: Any, mapped: Any, phi: Any, room: Any) -> None:
    """Add every tree's contributions for one row, mapped (columns,), to `phi` (outputs,).

    The quadrature nodes are the lanes; no split has a jump of its own.
    """
    for t in range(model.trees.shape[0]):
        tree = _tree(model.trees, t)
        _decide_row(model, tree, mapped, room)
        if tree.nodes <= WIDTH:
            _walk_row(model, tree, WIDTH, room)
        else:
            _walk_row(model, tree, padded(tree.nodes), room)
        for i in range(tree.splits - 1, -1, -1):
            phi[peek(model.ints, (tree.first + i) * FIELDS + OUTPUT)] += peek(room.zs, i)


@_inside
def padded(nodes: int) -> int:
    """Room for so many quadrature nodes in whole lanes."""
    return (nodes + WIDTH - 1) // WIDTH * WIDTH


@_inside
def _tree(trees: Any, t: int) -> Any:
    return Tree(
        trees[t, FIRST], trees[t, SPLITS], trees[t, INNER], trees[t, NODES], trees[t, WEIGHTS]
    )


@_inside
def _decide_block(model: Any, tree: Any, mapped: Any, block: int, room: Any) -> None:
    """z at every split, for each lane."""
    room.agreed[0] = -1
    for i in range(tree.splits):
        n = (tree.first + i) * FIELDS
        x = _load(mapped, block + peek(model.ints, n + COLUMN) * ROWS)
        goes = at_most(x, peek(model.floats, n + THRESHOLD))
        agreed = peek(room.agreed, peek(model.ints, n + PRIOR))
        yes, no = agreed & goes, agreed & ~goes
        room.agreed[2 * i + 1], room.agreed[2 * i + 2] = yes, no
        z = _choose(no, peek(model.floats, n + NO), _fill(0.0))
        store(room.zs, i * ROWS, _choose(yes, peek(model.floats, n + YES), z))


@_inside
def _down_block(model: Any, tree: Any, room: Any) -> None:
    """P at every split, from its parent's."""
    step, products = tree.nodes * ROWS, room.products
    for i in range(tree.inner):
        n = (tree.first + i) * FIELDS
        c, z, at = peek(model.floats, n + SHARE), _load(room.zs, i * ROWS), i * step
        term, left = peek(model.ints, n + TERM), peek(model.ints, n + ON_LEFT) * step
        if peek(model.ints, n + KIND) == LEFT:
            for q in range(tree.nodes):
                h = z * peek(model.terms, term + q) + c
                store(products, left + q * ROWS, _load(products, at + q * ROWS) * h)
        else:
            right = peek(model.ints, n + ON_RIGHT) * step
            for q in range(tree.nodes):
                p = _load(products, at + q * ROWS)
                part = p * (z * peek(model.terms, term + q) + c)
                store(products, left + q * ROWS, part)
                store(products, right + q * ROWS, p - part)


@_inside
def _up_block(model: Any, tree: Any, out: Any, block: int, room: Any) -> None:
    """G at every split in the place of its P, and the contributions."""
    for i in range(tree.splits - 1, -1, -1):
        n = (tree.first + i) * FIELDS
        z, at = _load(room.zs, i * ROWS), i * tree.nodes * ROWS
        if i >= tree.inner:
            total = _end_block(model, tree, n, at, z, room)
        elif peek(model.ints, n + KIND) == LEFT:
            total = _left_block(model, tree, n, at, z, room)
        else:
            total = _both_block(model, tree, n, at, z, room)
        place = block + peek(model.ints, n + OUTPUT) * ROWS
        store(out, place, _load(out, place) + z * total)


@_inside
def _end_block(model: Any, tree: Any, n: int, at: int, z: Any, room: Any) -> Any:
    """A split of two leaves: D is one number, and z holds it already."""
    s, mean = peek(model.ints, n + TERM), peek(model.floats, n + RIGHT)
    w = s + padded(tree.nodes)
    total = _fill(0.0)
    for q in range(tree.nodes):
        place = at + q * ROWS
        total = total + _load(room.products, place) * peek(model.terms, w + q)
        store(room.products, place, z * peek(model.terms, s + q) + mean)
    return total


@_inside
def _left_block(model: Any, tree: Any, n: int, at: int, z: Any, room: Any) -> Any:
    """A split with a leaf on the right."""
    products, s = room.products, peek(model.ints, n + TERM)
    w = s + padded(tree.nodes)
    left = peek(model.ints, n + ON_LEFT) * tree.nodes * ROWS
    c, low = peek(model.floats, n + SHARE), peek(model.floats, n + RIGHT)
    total = _fill(0.0)
    for q in range(tree.nodes):
        place = at + q * ROWS
        d = _load(products, left + q * ROWS) - low
        total = total + _load(products, place) * peek(model.terms, w + q) * d
        store(products, place, (z * peek(model.terms, s + q) + c) * d + low)
    return total


@_inside
def _both_block(model: Any, tree: Any, n: int, at: int, z: Any, room: Any) -> Any:
    """A split whose children both split."""
    products, s = room.products, peek(model.ints, n + TERM)
    w = s + padded(tree.nodes)
    left = peek(model.ints, n + ON_LEFT) * tree.nodes * ROWS
    right = peek(model.ints, n + ON_RIGHT) * tree.nodes * ROWS
    c = peek(model.floats, n + SHARE)
    total = _fill(0.0)
    for q in range(tree.nodes):
        place = at + q * ROWS
        g = _load(products, right + q * ROWS)
        d = _load(products, left + q * ROWS) - g
        total = total + _load(products, place) * peek(model.terms, w + q) * d
        store(products, place, (z * peek(model.terms, s + q) + c) * d + g)
    return total


@_inside
def _decide_row(model: Any, tree: Any, mapped: Any, room: Any) -> None:
    """z at every split."""
    room.agreed[0] = 1.0
    for i in range(tree.splits):
        n = (tree.first + i) * FIELDS
        goes = peek(mapped, peek(model.ints, n + COLUMN)) <= peek(model.floats, n + THRESHOLD)
        agreed = peek(room.agreed, peek(model.ints, n + PRIOR))
        yes = agreed if goes else 0.0
        room.agreed[2 * i + 1], room.agreed[2 * i + 2] = yes, agreed - yes
        room.zs[i] = agreed * peek(model.floats, n + (YES if goes else NO))


@_inside
def _walk_row(model: Any, tree: Any, width: int, room: Any) -> None:
    """z times the sum of every split, in the place of its z."""
    for part in range(0, width, WIDTH):
        store(room.products, part, _load_nodes(model.terms, tree.weights + part))
        _down_row(model, tree, width, part, room)
        _up_row(model, tree, width, part, room)
    for i in range(0, tree.splits, WIDTH):
        total = _fill_nodes(0.0)
        for part in range(0, width, WIDTH):
            total = _sums(total, room.sums, i * width + part, width)
        store(room.zs, i, _load_nodes(room.zs, i) * total)


@_inside
def _down_row(model: Any, tree: Any, width: int, part: int, room: Any) -> None:
    """P at every split, from its parent's, for the nodes from `part` on.

    What goes to a leaf is put in a spare place behind the splits.
    """
    products = room.products
    for i in range(tree.inner):
        n = (tree.first + i) * FIELDS
        p = _load_nodes(products, i * width + part)
        s = _load_nodes(model.terms, peek(model.ints, n + TERM) + part)
        left = p * (s * peek(room.zs, i) + peek(model.floats, n + SHARE))
        store(products, peek(model.ints, n + ON_LEFT) * width + part, left)
        store(products, peek(model.ints, n + ON_RIGHT) * width + part, p - left)


@_inside
def _up_row(model: Any, tree: Any, width: int, part: int, room: Any) -> None:
    """G at every split in the place of its P, and the terms of each split's sum.

    The spare place is zero, so that a leaf on the right is its value and nothing more.
    """
    products = room.products
    for i in range(tree.inner, tree.splits):
        n, at = (tree.first + i) * FIELDS, i * width + part
        term = peek(model.ints, n + TERM) + part
        w = _load_nodes(model.terms, term + width)
        store(room.sums, at, _load_nodes(products, at) * w)
        s = _load_nodes(model.terms, term)
        store(products, at, s * peek(room.zs, i) + peek(model.floats, n + RIGHT))
    store(products, tree.splits * width + part, _fill_nodes(0.0))
    for i in range(tree.inner - 1, -1, -1):
        n, at = (tree.first + i) * FIELDS, i * width + part
        term = peek(model.ints, n + TERM) + part
        right = _load_nodes(products, peek(model.ints, n + ON_RIGHT) * width + part)
        g = right + peek(model.floats, n + RIGHT)
        d = _load_nodes(products, peek(model.ints, n + ON_LEFT) * width + part) - g
        w = _load_nodes(model.terms, term + width)
        store(room.sums, at, _load_nodes(products, at) * w * d)
        h = _load_nodes(model.terms, term) * peek(room.zs, i) + peek(model.floats, n + SHARE)
        store(products, at, h * d + g)
