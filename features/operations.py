"""What one window of a customer's events comes to: times, codes and values, walked.

Enters: the rows of one window that meet a need, in time order, and the columns they stand in.
Leaves: one float64, NaN where it is missing. What runs along is in `features/kernel.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from domain.asof import MICROS_PER_DAY
from features.shuffle import Ints

OPERATIONS = (
    "count", "recency", "tenure", "gap_mean", "gap_std", "gap_median", "gap_slope",
    "distinct", "entropy", "share",
    "sum", "mean", "decay", "std", "min", "max", "last", "age", "slope", "median",
    "rises", "falls", "cures",
)  # fmt: skip
(
    COUNT, RECENCY, TENURE, GAP_MEAN, GAP_STD, GAP_MEDIAN, GAP_SLOPE,
    DISTINCT, ENTROPY, SHARE,
    SUM, MEAN, DECAY, STD, MIN, MAX, LAST, AGE, SLOPE, MEDIAN,
    RISES, FALLS, CURES,
) = range(len(OPERATIONS))  # fmt: skip
DAY = float(MICROS_PER_DAY)
_FEWEST = (0, 1, 1, 2, 3, 2, 3)
"""Events that an operation on times needs."""


@njit(nogil=True)
def of_times(operation: int, rows: Ints, happened: Ints, as_of: int) -> float:
    """Days since the last or first; mean, spread, median and trend of the days between."""
    n = rows.size
    if n < _FEWEST[operation]:
        return np.nan
    if operation == RECENCY:
        return float((as_of - happened[rows[n - 1]]) / DAY)
    if operation == TENURE:
        return float((as_of - happened[rows[0]]) / DAY)
    mean = (happened[rows[n - 1]] - happened[rows[0]]) / DAY / (n - 1)
    if operation == GAP_MEAN:
        return float(mean)
    gaps = np.empty(n - 1)
    for j in range(1, n):
        gaps[j - 1] = (happened[rows[j]] - happened[rows[j - 1]]) / DAY
    if operation == GAP_MEDIAN:
        return float(np.median(gaps))
    if operation == GAP_SLOPE:
        return float(_trend(gaps, mean))
    squares = 0.0
    for gap in gaps:
        squares += (gap - mean) ** 2
    return float(np.sqrt(squares / (n - 1)))


@njit(nogil=True)
def _trend(gaps: Any, mean: float) -> float:
    """Least-squares slope of the gaps over their number: days by which each is longer."""
    middle = (gaps.size - 1) / 2.0
    spread, moment = 0.0, 0.0
    for j in range(gaps.size):
        spread += (j - middle) ** 2
        moment += (j - middle) * (gaps[j] - mean)
    return moment / spread


@njit(nogil=True)
def of_codes(operation: int, rows: Ints, key: Any, seen: Ints) -> float:
    """Distinct codes, or the entropy of their shares in nats; their order changes no bit."""
    n = 0
    used = 0
    for i in rows:
        if key[i] >= 0:
            used += seen[key[i]] == 0
            seen[key[i]] += 1
            n += 1
    members = np.empty(used if operation == ENTROPY else 0)
    left = used
    for i in rows:
        if key[i] >= 0 and seen[key[i]]:
            left -= 1
            if operation == ENTROPY:
                members[left] = seen[key[i]]
            seen[key[i]] = 0
    if operation == DISTINCT:
        return float(used)
    entropy = 0.0
    for m in np.sort(members):
        entropy -= m / n * np.log(m / n)
    return entropy if n else np.nan


@njit(nogil=True)
def of_values(operation: int, rows: Ints, value: Any, happened: Ints) -> float:
    """Extremes, the last value, spread, or slope a day; NaN is left out."""
    n = 0
    total = 0.0
    least, most, last = np.inf, -np.inf, np.nan
    for i in rows:
        v = value[i]
        if not np.isnan(v):
            n += 1
            total += v
            least, most, last = min(least, v), max(most, v), v
    if n == 0:
        return np.nan
    if operation in (MIN, MAX):
        return float(least if operation == MIN else most)
    if operation in (LAST, AGE):
        return float(last)
    if operation == STD:
        return float(_spread(rows, value, total / n, n))
    if operation == MEDIAN:
        return float(_middle(rows, value, n))
    return float(_slope(rows, happened, value, total / n, n))


@njit(nogil=True)
def _spread(rows: Ints, value: Any, mean: float, n: int) -> float:
    """Standard deviation of the population, around the mean found first: nothing cancels."""
    squares = 0.0
    for i in rows:
        if not np.isnan(value[i]):
            squares += (value[i] - mean) ** 2
    return float(np.sqrt(squares / n))


@njit(nogil=True)
def _slope(rows: Ints, happened: Any, value: Any, mean: float, n: int) -> float:
    """Least-squares slope a day; NaN where the events span less than a day."""
    origin = happened[rows[0]]
    middle = 0.0
    for i in rows:
        if not np.isnan(value[i]):
            middle += (happened[i] - origin) / DAY / n
    spread, moment = 0.0, 0.0
    least, most = np.inf, -np.inf
    for i in rows:
        if not np.isnan(value[i]):
            x = (happened[i] - origin) / DAY
            least, most = min(least, x), max(most, x)
            spread += (x - middle) ** 2
            moment += (x - middle) * (value[i] - mean)
    return moment / spread if most - least >= 1.0 else np.nan


@njit(nogil=True)
def _middle(rows: Ints, value: Any, n: int) -> float:
    """The median of the `n` values that are known."""
    known = np.empty(n)
    m = 0
    for i in rows:
        if not np.isnan(value[i]):
            known[m] = value[i]
            m += 1
    return float(np.median(known))


@njit(nogil=True)
def of_pairs(operation: int, rows: Ints, value: Any) -> float:
    """How often a known value rises, falls, or comes down to zero against the one before it."""
    n = 0
    before = np.nan
    for i in rows:
        v = value[i]
        if np.isnan(v):
            continue
        if operation == RISES:
            n += v > before
        elif operation == FALLS:
            n += v < before
        else:
            n += before > 0.0 and v <= 0.0
        before = v
    return float(n)
