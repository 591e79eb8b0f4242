"""Measures of ranking and calibration, each able to take a weight a row.

Enters: truth, scores (higher is better), weights. Leaves: numbers. Weights are how often a row
stands in a bootstrap resample. No intervals here: see `training/judge.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Weighted = Callable[[Floats], float]
"""A measure of one truth and score, as a function of the rows' weights."""
BINS = 10


def auc(y: Floats, score: Floats) -> Weighted:
    """Chance that a random good row scores above a random bad one, ties counting half.

    >>> auc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 2.0, 2.0, 3.0]))(np.ones(4))
    0.875
    """
    _, group = np.unique(score, return_inverse=True)
    groups = int(group.max()) + 1

    def measure(weight: Floats) -> float:
        good = np.bincount(group, weights=weight * y, minlength=groups)
        bad = np.bincount(group, weights=weight * (1.0 - y), minlength=groups)
        below = np.cumsum(bad) - bad
        pairs = good.sum() * bad.sum()
        return float((good * (below + 0.5 * bad)).sum() / pairs) if pairs > 0 else float("nan")

    return measure


def spearman(y: Floats, score: Floats) -> Weighted:
    """Correlation of the ranks; weights apply to the ranks in the whole sample.

    >>> y, score = np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])
    >>> round(spearman(y, score)(np.ones(3)), 3)
    0.5
    """
    ranks = np.stack([rankdata(y), rankdata(score)])

    def measure(weight: Floats) -> float:
        a, b = ranks - (ranks @ weight / weight.sum())[:, None]
        spread = np.sqrt((a * a) @ weight * ((b * b) @ weight))
        return float((a * b) @ weight / spread) if spread > 0 else 0.0

    return measure


def gini(y: Floats, score: Floats) -> float:
    """Normalised Gini of an amount: 1 ranks like the truth, 0 like chance."""

    def area(by: Floats) -> float:
        share = np.cumsum(y[np.argsort(-by, kind="stable")]) / y.sum()
        return float(share.mean() - 0.5)

    best = area(y)
    return area(score) / best if best > 0 else float("nan")


def ks(y: Floats, score: Floats) -> float:
    """Largest distance between the score distributions of good and bad (Kolmogorov-Smirnov)."""
    order = np.argsort(score, kind="stable")
    good = np.cumsum(y[order]) / y.sum()
    bad = np.cumsum(1.0 - y[order]) / (1.0 - y).sum()
    last_of_tie = np.append(np.diff(score[order]) > 0, True)
    return float(np.abs(good - bad)[last_of_tie].max())


def calibration_table(y: Floats, p: Floats) -> list[tuple[float, float, int]]:
    """Mean prediction, mean truth and rows of ten groups of equal size, lowest first."""
    order = np.argsort(p, kind="stable")
    return [
        (float(p[part].mean()), float(y[part].mean()), int(part.size))
        for part in np.array_split(order, BINS)
        if part.size
    ]


def calibration_error(y: Floats, p: Floats) -> float:
    """Mean distance of prediction and truth over ten groups of equal size (ECE)."""
    table = calibration_table(y, p)
    return sum(n * abs(a - b) for a, b, n in table) / len(y)


def calibration_floor(p: Floats, seed: int, draws: int = 40) -> float:
    """The calibration error that a perfect model of these probabilities shows by chance."""
    rng = np.random.default_rng(seed)
    found = [calibration_error((rng.random(len(p)) < p).astype(float), p) for _ in range(draws)]
    return float(np.mean(found))


def gains(worth: Floats, score: Floats, first: int = 1) -> list[dict[str, float]]:
    """Ten groups of equal size in the order of acting: what each holds of all there is.

    `worth` is what is sought (1 a bad outcome, or an amount); `first` is 1 where the highest scores
    come first, -1 where the lowest do. `lift` is to the mean of all, `captured` runs up to 1.

    >>> rows = gains(np.array([1.0, 1.0, *[0.0] * 18]), np.arange(20.0), first=-1)
    >>> rows[0]
    {'rows': 2, 'mean': 1.0, 'lift': 10.0, 'captured': 1.0}
    """
    order = np.argsort(-first * score, kind="stable")
    total, mean = float(worth.sum()), float(worth.mean())
    held, found = 0.0, []
    for part in np.array_split(worth[order], BINS):
        if part.size:
            held += float(part.sum())
            each = float(part.mean())
            row = {"rows": int(part.size), "mean": each, "lift": each / mean}
            found.append({**row, "captured": held / total})
    return found


def profit_curve(gain: Floats, score: Floats, first: int) -> list[dict[str, float]]:
    """Profit of acting on the first share of the customers, for every twentieth; 0 of nobody.

    `gain` is what acting on each brings in, its cost taken off; per customer of the whole book.

    >>> [row["profit"] for row in profit_curve(np.array([3.0, -1.0]), np.array([9.0, 1.0]), 1)][-1]
    1.0
    """
    order = np.argsort(-first * score, kind="stable")
    sums = np.append(0.0, np.cumsum(gain[order]))
    shares = np.linspace(0, 1, 21)
    ends = np.rint(shares * len(gain)).astype(np.int64)
    return [
        {"share": round(float(s), 2), "profit": float(sums[e]) / len(gain)}
        for s, e in zip(shares, ends, strict=True)
    ]


def psi(before: Floats, after: Floats) -> float:
    """Population stability index over ten groups of `before`, missing values a group of their own.

    Equal values stay in one group; half a row stands in for an empty one.
    Source: Siddiqi, Credit Risk Scorecards (2006), chapter 7.

    >>> psi(np.arange(100.0), np.arange(100.0))
    0.0
    """
    known = before[~np.isnan(before)]
    cuts = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else known

    def counts(values: Floats) -> Floats:
        group = np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, "left"))
        return np.bincount(group.astype(np.int64), minlength=len(cuts) + 2).astype(np.float64)

    a, b = counts(before), counts(after)
    held = a + b > 0
    a, b = np.maximum(a[held], 0.5) / len(before), np.maximum(b[held], 0.5) / len(after)
    return abs(float(((b - a) * np.log(b / a)).sum()))
