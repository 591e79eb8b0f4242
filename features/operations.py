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
    "count", "recency", "tenure", "gap_mean", "gap_max", "gap_std", "gap_median", "gap_slope",
    "distinct", "entropy", "share",
    "sum", "mean", "decay", "std", "min", "max", "last", "age", "slope", "median",
    "rises", "falls", "cures",
)  # fmt: skip
(
    COUNT, RECENCY, TENURE, GAP_MEAN, GAP_MAX, GAP_STD, GAP_MEDIAN, GAP_SLOPE,
    DISTINCT, ENTROPY, SHARE,
    SUM, MEAN, DECAY, STD, MIN, MAX, LAST, AGE, SLOPE, MEDIAN,
    RISES, FALLS, CURES,
) = range(len(OPERATIONS))  # fmt: skip
DAY = float(MICROS_PER_DAY)
_FEWEST = (0, 1, 1, 2, 2, 3, 2, 3)
"""Events that an operation on times needs."""


@njit(nogil=True)
def of_times(operation: int, rows: Ints, happened: Ints, as_of: int) -> float:
    """Days since the last or first; mean, most and median of the days between."""
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
    return float(gaps.max() if operation == GAP_MAX else np.median(gaps))


@njit(nogil=True)
def of_values(operation: int, rows: Ints, value: Any) -> float:
    """The last value, the median, or how often values rise, fall or are cured; NaN is left out."""
    if operation in (LAST, AGE):
        for j in range(rows.size - 1, -1, -1):
            if not np.isnan(value[rows[j]]):
                return float(value[rows[j]])
        return np.nan
    found = _middle(rows, value) if operation == MEDIAN else _pairs(operation, rows, value)
    return float(found)


@njit(nogil=True)
def spread(rows: Ints, value: Any, mean: float, n: int) -> float:
    """Standard deviation of the population, around the mean found first: nothing cancels."""
    squares = 0.0
    for i in rows:
        if not np.isnan(value[i]):
            squares += (value[i] - mean) ** 2
    return float(np.sqrt(squares / n))


@njit(nogil=True)
def _middle(rows: Ints, value: Any) -> float:
    """The median of the values that are known."""
    known = np.empty(rows.size)
    m = 0
    for i in rows:
        if not np.isnan(value[i]):
            known[m] = value[i]
            m += 1
    return float(np.median(known[:m])) if m else np.nan


@njit(nogil=True)
def _pairs(operation: int, rows: Ints, value: Any) -> float:
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
