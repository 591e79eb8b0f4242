"""The same person under several ids whose values were touched a little, or mostly changed.

Enters: the codes of what is known of each customer, one row each, and the side each stands on.
Leaves: pairs of row numbers on different sides. What `training.twins` finds agrees in most columns;
here no column need agree.

Two strangers lie so close in a column with a chance `p = t (2 - t)`, where t is the share of rows
between them. The sum of `-ln p` over k unrelated columns has a gamma distribution of shape k
(Source: Fisher, 1932), a column counting less where it goes with another one. Pairs are taken from
the least sum on at which chance makes at most a twentieth of what is found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import gammaincc

from training.twins import FALSE_SHARE, beyond_chance, candidates, own_share

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LEAST_KINDS, LEAST_COLUMNS = 50, 3
"""Only columns with so many values place a row; at least so many of them."""
ASKED, NEIGHBOURS = 2_000, 2


def near_twins(codes: Ints, sides: Ints) -> tuple[Ints, Ints]:
    """Pairs (m, 2) of row numbers on different sides (n,) that are one person, by `codes_of` what
    is known of each, and the rows that were asked for their nearest, of the smallest side; none
    where the columns tell too little."""
    codes = codes[:, codes.max(axis=0, initial=-1) + 1 >= LEAST_KINDS]
    n, k = codes.shape
    if k < LEAST_COLUMNS or n < 2:
        return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64)
    ranks, ties = _ranks(codes)
    own = own_share(codes)
    asked = _some(sides)
    pairs = np.concatenate([_nearest(ranks * own, asked), candidates(codes)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    pairs = pairs[sides[pairs[:, 0]] != sides[pairs[:, 1]]]
    a, b = pairs[:, 0], pairs[:, 1]
    close = _closeness(ranks, ties, a, b)
    known = (codes[a] >= 0) & (codes[b] >= 0)
    told = (np.where(known, -np.log(close), 0.0) * own).sum(axis=1)
    shape = np.where(known, own, 0.0).sum(axis=1)
    chance = gammaincc(np.maximum(shape, 1e-9), told)
    return pairs[beyond_chance(chance, sides, FALSE_SHARE)], asked


def _closeness(ranks: Floats, ties: Floats, a: Ints, b: Ints) -> Floats:
    """The chance (m, k) of two rows to lie so close in a column as those of each pair."""
    between = np.minimum(np.abs(ranks[a] - ranks[b]) + np.minimum(ties[a], ties[b]), 1.0)
    return np.asarray(between * (2 - between))


def _some(sides: Ints) -> Ints:
    """At most `ASKED` rows of the smallest side; of all where each side is a single row."""
    counts = np.bincount(sides)
    least = int(np.argmin(np.where(counts > 0, counts, sides.size + 1)))
    rows = np.flatnonzero(sides == least) if counts[least] > 1 else np.arange(sides.size)
    return rows[:: -(-rows.size // ASKED)]


def _ranks(codes: Ints) -> tuple[Floats, Floats]:
    """Where each value lies from 0 to 1, and the share of rows that have it; missing lies at -1."""
    ranks, ties = np.empty(codes.shape), np.empty(codes.shape)
    for place, column in enumerate(codes.T):
        known = column >= 0
        counts = np.bincount(column[known])
        total = max(int(known.sum()), 1)
        middle = (np.cumsum(counts) - counts / 2) / total
        ranks[:, place] = np.where(known, middle[np.maximum(column, 0)], -1.0)
        ties[:, place] = counts[np.maximum(column, 0)] / total
    return ranks, ties


def _nearest(places: Floats, asked: Ints) -> Ints:
    """The rows nearest to those asked, by the sum of distances."""
    near = KDTree(places).query(places[asked], NEIGHBOURS + 1, p=1.0)[1]
    return np.column_stack([np.repeat(asked, NEIGHBOURS + 1), near.ravel()])
