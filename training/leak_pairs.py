"""Leaks that no feature shows alone: two columns together, or one in a part of the rows.

Enters: learning rows with an outcome of 0 or 1, and how each feature ranks alone. Leaves: pairs
whose difference, distance, sum or ratio is the outcome; features that are the outcome wherever
another one, or the as_of, has a certain value; and features that rank the rows of each level of a
code, as a mean of the level without the row itself does. All pairs are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
COPY_AUC = 0.98
"""A copy of the outcome, beyond any honest feature, pair or part: the best of the public sets reach
0.87, 0.88 and 0.97."""
LEAST_SIGMA = 6.0
"""Standard errors that a part's AUC lies above the feature's over all rows: there are some hundred
thousand parts."""
WEAK_AUC = 0.70
"""A feature that ranks better than that parts no rows: few rows in doubt are left in its parts."""
EACH, EACH_OF_PART, LIKELY = 100, 2_000, 0.93
LEAST_OF_A_KIND = 30
MOST_LEVELS, SLICES = 64, 4
SAID = ("difference", "distance", "sum", "ratio")


@dataclass(frozen=True)
class Rows:
    """Learning rows: features as trees see them (n, k), codes as they stand, outcomes, and the
    AUC of each feature alone. `categories`: places of the codes."""

    names: tuple[str, ...]
    X: Floats
    codes: Floats
    y: Floats
    alone: Floats
    categories: tuple[int, ...]


@dataclass(frozen=True)
class Together:
    """A feature that tells the outcome by another one: how, and at which AUC."""

    name: str
    other: str
    how: str
    auc: float


def pairs(rows: Rows) -> Iterator[Together]:
    """Two columns whose difference, distance, sum or ratio is the outcome; each column once."""
    some = _draw(rows.y, EACH)
    found = _pair_aucs(np.ascontiguousarray(rows.X[some]), rows.y[some])
    done: set[int] = set()
    for at in np.argsort(-found, axis=None, kind="stable").tolist():
        how, i, j = (int(v) for v in np.unravel_index(at, found.shape))
        if found[how, i, j] < LIKELY:
            return
        if done & {i, j} or max(rows.alone[i], rows.alone[j]) >= COPY_AUC:
            continue
        whole = _pair_aucs(np.ascontiguousarray(rows.X[:, [j, i]]), rows.y)[how, 1, 0]
        if whole >= COPY_AUC and 1 - whole <= (1 - max(rows.alone[i], rows.alone[j])) / 2:
            done |= {i, j}
            yield Together(rows.names[i], rows.names[j], SAID[how], float(whole))


def parts(rows: Rows, more: Mapping[str, Floats]) -> Iterator[Together]:
    """Features that rank as the outcome does where another column, or one of `more`, has a value.

    Of each feature the part in which it ranks best.
    """
    places = [i for i in range(len(rows.names)) if rows.alone[i] < WEAK_AUC]
    columns = [*((rows.names[i], rows.codes[:, i]) for i in places), *more.items()]
    some = _draw(rows.y, EACH_OF_PART)
    y = rows.y[some]
    coded = [
        (name, code, code[some], told)
        for name, (code, told) in ((name, _slices(values)) for name, values in columns)
    ]
    for i, name in enumerate(rows.names):
        if rows.alone[i] >= COPY_AUC:
            continue
        order, tie = _order(rows.X[some, i])
        best = (0.0, "", "")
        for other, code, drawn, told in coded:
            if other == name:
                continue
            auc = _sure_aucs(order, tie, drawn, y, rows.alone[i])
            place = int(np.argmax(auc))
            if auc[place] >= max(LIKELY, best[0]):
                whole = _sure_aucs(*_order(rows.X[:, i]), code, rows.y, rows.alone[i])[place]
                best = max(best, (float(whole), other, told[place]))
        if best[0] >= COPY_AUC:
            yield Together(name, best[1], best[2], best[0])


def levels(rows: Rows) -> Iterator[Together]:
    """Features that rank the rows inside the levels of a code as the outcome does."""
    for place in rows.categories:
        code = np.unique(rows.codes[:, place], return_inverse=True)[1]
        for i, name in enumerate(rows.names):
            if i == place or rows.alone[i] >= COPY_AUC:
                continue
            right, good, bad = _in_parts(*_order(rows.X[:, i]), code, rows.y)
            of_pairs = float((good * bad).sum())
            both = np.minimum(good, bad).sum()
            if both >= LEAST_OF_A_KIND:
                auc = float(right.sum()) / of_pairs
                auc = max(auc, 1 - auc)
                if auc >= COPY_AUC:
                    yield Together(name, rows.names[place], "level", auc)


def _draw(y: Floats, each: int) -> Ints:
    """As many rows of each outcome at most, the same for the same rows."""
    rng = np.random.default_rng(1)
    return np.concatenate([rng.permutation(np.flatnonzero(y == v))[:each] for v in (0.0, 1.0)])


def _slices(values: Floats) -> tuple[Ints, list[str]]:
    """The part of each row and what it is called: a value each, or of many values four slices."""
    kinds, code = np.unique(values, return_inverse=True)
    if kinds.size <= MOST_LEVELS:
        return code, ["missing" if np.isnan(k) else f"{k:g}" for k in kinds]
    known = values[~np.isnan(values)]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, SLICES + 1)[1:-1]))
    edges = [f"{c:.6g}" for c in cuts]
    told = [f"{a} to {b}" for a, b in zip(["least", *edges], [*edges, "most"], strict=True)]
    code = np.where(np.isnan(values), len(told), np.searchsorted(cuts, values))
    return code, [*told, "missing"]


def _order(values: Floats) -> tuple[Ints, Ints]:
    """Row numbers by value, missing first, and the number of the value at each place."""
    filled = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(filled, kind="stable")
    ordered = filled[order]
    return order, np.cumsum(np.append(False, ordered[1:] != ordered[:-1])).astype(np.int64)


def _sure_aucs(order: Ints, tie: Ints, code: Ints, y: Floats, alone: float) -> Floats:
    """The AUC inside each part, either way; 0 where it has few rows, is not `LIKELY` a copy, or
    chance could make it."""
    right, good, bad = _in_parts(order, tie, code, y)
    few = np.minimum(good, bad) < LEAST_OF_A_KIND
    auc = np.where(few, 0.5, right / np.where(few, 1.0, good * bad))
    auc = np.maximum(auc, 1 - auc)
    if auc.max() < LIKELY:  # nearly always, and there are some hundred thousand parts
        return np.zeros(len(auc))
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = (auc - alone) / _standard_error(alone, good, bad)
    return np.where(~few & (sigma >= LEAST_SIGMA), auc, 0.0)


def _standard_error(auc: float, good: Floats, bad: Floats) -> Floats:
    """Of an AUC of so many rows of each kind. Source: Hanley and McNeil, 1982."""
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (good - 1) * (one - auc * auc) + (bad - 1) * (two - auc * auc)
    return np.asarray(np.sqrt(spread / (good * bad)))


@njit(cache=True, nogil=True)
def _in_parts(order: Ints, tie: Ints, code: Ints, y: Floats) -> Any:
    """Of each part how many pairs of a good and a bad row are in order (ties a half), and how many
    good and bad rows it has: one walk through the rows by value."""
    k = code.max() + 1
    below, bads, goods, right = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    good, bad, last = np.zeros(k), np.zeros(k), np.full(k, -1)
    for place in range(order.size):
        row = order[place]
        part = code[row]
        if last[part] != tie[place]:
            below[part] += bads[part]
            bads[part] = goods[part] = 0.0
            last[part] = tie[place]
        if y[row] > 0.5:
            right[part] += below[part] + 0.5 * bads[part]
            goods[part] += 1.0
            good[part] += 1.0
        else:
            right[part] += 0.5 * goods[part]
            bads[part] += 1.0
            bad[part] += 1.0
    return right, good, bad


@njit(cache=True, nogil=True)
def _pair_aucs(X: Floats, y: Floats) -> Any:
    """The AUC (4, k, k), either way, of the difference, distance, sum and ratio of every pair."""
    n, k = X.shape
    found, value, nobody = np.zeros((4, k, k)), np.empty(n), np.zeros(n, dtype=np.int64)
    tie = np.empty(n, dtype=np.int64)
    for i in range(k):
        for j in range(i):
            for how in range(4):
                for row in range(n):
                    a, b = X[row, i], X[row, j]
                    if how == 0:
                        z = a - b
                    elif how == 1:
                        z = abs(a - b)
                    elif how == 2:
                        z = a + b
                    else:
                        z = a / b if b != 0.0 else np.nan
                    value[row] = -np.inf if np.isnan(z) else z
                order = np.argsort(value)
                tie[0] = 0
                for place in range(1, n):
                    tie[place] = tie[place - 1] + (value[order[place]] != value[order[place - 1]])
                right, good, bad = _in_parts(order, tie, nobody, y)
                auc = right[0] / (good[0] * bad[0])
                found[how, i, j] = max(auc, 1.0 - auc)
    return found
