"""Kernels of the explanation: exact path-dependent SHAP values of rows, many rows at a time or one.

Enters: `Tables` and rows whose columns were mapped. Leaves: contributions added to an array. The
kernels check nothing: `read_tables` vouches for every index.

**The mathematics.** A leaf of value V below the distinct features F is worth, when a set S of
features is known, V times the product over F of o_f (f in S: 1 where the row agrees with all splits
on f, else 0) or r_f (f not in S: the share of training rows that do). The Shapley value of feature
i is an integral over t from 0 to 1 of (o_i - r_i) V prod_{j != i} (t o_j + (1 - t) r_j), a
polynomial of degree |F| - 1, so ceil(|F| / 2) Gauss-Legendre nodes give it exactly.

Summed over all leaves at once: let P(t) be the product of the terms of the features on the way to a
split, and G(t) the sum over the leaves below of V times the terms met after it. With c the left
child's share of cover, d = 1 if the row goes left, op = 1 while the row has agreed with all earlier
splits on this feature, rp the product of their shares, gp = t + (1 - t) rp, s = t / gp and
w = rp / gp^2:

    z = op (d - c)    h = c + s z    P_left = P h    P_right = P - P_left      going down
    D = G_left - G_right    G = G_right + h D                                  coming up

and the feature of the split receives z * sum over nodes of (weight P) w D. A feature that returns
lower on a path needs no case of its own: its term is replaced, and the telescoping sum of the
replacements is what the formula adds.

**The bits.** Both kernels do the same operations on the same numbers in the same order for a row,
each rounded by itself, so a row's contributions do not depend on its neighbours, on the kernel or
on the machine.

Sources: Yu, Xu, Zhu, Nie, "Linear TreeShap", NeurIPS 2022, for the product of path terms as a
polynomial; Lundberg et al., "From local explanations to global understanding with explainable AI
for trees", 2020, for the values themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from scoring.lanes import at_most, chooser, filler, loader, store
from scoring.tree_tables import (
    BOTH, CATEGORIES, COLUMN, FEATURE, FLIP, KIND, LEFT, MISSING_NAN, MISSING_ZERO, NONE, ON_LEFT,
    ON_RIGHT, PRIOR, RIGHT, SHARE, STEP, TERM, THRESHOLD, WIDTH,
)  # fmt: skip

ROWS = 16
"""Rows of a block: one lane each."""
NEAR_ZERO = float(np.float32(1e-35))
"""LightGBM reads what lies within as zero."""
_load = loader(ROWS)
_fill = filler(ROWS)
_choose = chooser(ROWS)
_load_nodes = loader(WIDTH)


@njit(cache=True, nogil=True)
def map_value(value: float, kind: int, low: int, words: Any) -> float:
    """What a column holds for a feature's value, so that `value <= threshold` goes left."""
    if kind == CATEGORIES:
        if not -1.0 < value < 32.0 * words.size:
            return 1.0
        category = int(value)
        return 0.0 if words[category >> 5] >> (category & 31) & 1 else 1.0
    if value != value:
        value = 0.0 if kind != MISSING_NAN else value
    if abs(value) <= NEAR_ZERO:
        value = 0.0
        missing = kind == MISSING_ZERO
    else:
        missing = value != value
    if missing:
        return -np.inf if low else np.nan
    return value


@njit(cache=True, nogil=True)
def map_rows(X: Any, columns: Any, words: Any, out: Any) -> None:
    """Fill `out` (blocks, columns, lanes) with the columns of the rows X (n, k).

    `columns` (c, 5): feature, kind, low, first and last word of categories. Lanes beyond the last
    row repeat it.
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
def add_blocks(ints: Any, floats: Any, trees: Any, terms: Any, mapped: Any, phi: Any, classes: int, room: Any) -> None:
    """Add every tree's contributions to `phi` (blocks, outputs, lanes)."""
    flat, out = mapped.reshape(-1), phi.reshape(-1)
    products, zs, bits = room
    columns = mapped.shape[1] * ROWS
    outputs = phi.shape[1] * ROWS
    width = phi.shape[1]
    for t in range(trees.shape[0]):
        first, splits, nodes, weights = trees[t, 0], trees[t, 1], trees[t, 2], trees[t, 3]
        shift = trees[t, 4] * (width // classes) * ROWS
        for b in range(mapped.shape[0]):
            for q in range(nodes):
                store(products, q * ROWS, _fill(terms[weights + q]))
            _down(ints, floats, terms, (first, splits, nodes), (flat, b * columns), room)
            _up(ints, floats, terms, (first, splits, nodes), (out, b * outputs + shift), room)


@njit(cache=True, nogil=True)
def _down(ints: Any, floats: Any, terms: Any, tree: Any, rows: Any, room: Any) -> None:
    """The decisions of a block, and the product P at every split."""
    products, zs, bits = room
    first, splits, nodes = tree
    flat, block = rows
    bits[0] = -1
    pad = (nodes + WIDTH - 1) // WIDTH * WIDTH
    for i in range(splits):
        n = first + i
        c = floats[n, SHARE]
        goes = at_most(_load(flat, block + ints[n, COLUMN] * ROWS), floats[n, THRESHOLD])
        goes ^= ints[n, FLIP]
        agreed = bits[ints[n, PRIOR]]
        left, right = agreed & goes, agreed & ~goes
        bits[2 * i + 1], bits[2 * i + 2] = left, right
        z = _choose(left, 1.0 - c, _choose(right, -c, _fill(0.0)))
        store(zs, i * ROWS, z)
        kind = ints[n, KIND]
        if kind == NONE:
            continue
        at, term = i * nodes * ROWS, ints[n, TERM]
        on_left = ints[n, ON_LEFT] * nodes * ROWS
        if kind == LEFT:
            for q in range(nodes):
                p = _load(products, at + q * ROWS)
                store(products, on_left + q * ROWS, p * (z * terms[term + q] + c))
        else:
            on_right = ints[n, ON_RIGHT] * nodes * ROWS
            for q in range(nodes):
                p = _load(products, at + q * ROWS)
                part = p * (z * terms[term + q] + c)
                store(products, on_left + q * ROWS, part)
                store(products, on_right + q * ROWS, p - part)


@njit(cache=True, nogil=True)
def _up(ints: Any, floats: Any, terms: Any, tree: Any, rows: Any, room: Any) -> None:
    """The sum G at every split in the place of its P, and the contributions of a block."""
    products, zs, bits = room
    first, splits, nodes = tree
    out, block = rows
    pad = (nodes + WIDTH - 1) // WIDTH * WIDTH
    for i in range(splits - 1, -1, -1):
        n = first + i
        c, low = floats[n, SHARE], floats[n, RIGHT]
        z = _load(zs, i * ROWS)
        at, s, kind = i * nodes * ROWS, ints[n, TERM], ints[n, KIND]
        w = s + pad
        total = _fill(0.0)
        if kind == NONE:
            step = floats[n, STEP]
            z = z * step
            mean = low + c * step
            for q in range(nodes):
                total = total + _load(products, at + q * ROWS) * terms[w + q]
                store(products, at + q * ROWS, z * terms[s + q] + mean)
        elif kind == LEFT:
            on_left = ints[n, ON_LEFT] * nodes * ROWS
            for q in range(nodes):
                d = _load(products, on_left + q * ROWS) - low
                total = total + _load(products, at + q * ROWS) * terms[w + q] * d
                store(products, at + q * ROWS, (z * terms[s + q] + c) * d + low)
        else:
            on_left = ints[n, ON_LEFT] * nodes * ROWS
            on_right = ints[n, ON_RIGHT] * nodes * ROWS
            for q in range(nodes):
                g = _load(products, on_right + q * ROWS)
                d = _load(products, on_left + q * ROWS) - g
                total = total + _load(products, at + q * ROWS) * terms[w + q] * d
                store(products, at + q * ROWS, (z * terms[s + q] + c) * d + g)
        place = block + ints[n, FEATURE] * ROWS
        store(out, place, _load(out, place) + z * total)
