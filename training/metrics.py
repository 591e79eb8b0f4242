"""Measures of ranking and calibration, each able to take a weight a row.

Enters: truth, scores (higher is better), weights. Leaves: numbers. Weights are how often a row
stands in a bootstrap resample. No intervals here: see `training/draws.py`.
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


def gini(y: Floats, score: Floats) -> Weighted:
    """Normalised Gini of an amount: 1 ranks like the truth, 0 like chance."""

    def area(by: Floats) -> Weighted:
        order = np.argsort(-by, kind="stable")

        def measure(weight: Floats) -> float:
            w, amount = weight[order], (weight * y)[order]
            before = np.cumsum(amount) - amount
            held = (w * before + amount * (w + 1) / 2).sum()  # each of w like rows adds up in turn
            return float(held / (w.sum() * amount.sum()) - 0.5)

        return measure

    ours, best = area(score), area(y)

    def measure(weight: Floats) -> float:
        most = best(weight)
        return ours(weight) / most if most > 0 else float("nan")

    return measure


def ks(y: Floats, score: Floats) -> Weighted:
    """Largest distance between the score distributions of good and bad (Kolmogorov-Smirnov)."""
    order = np.argsort(score, kind="stable")
    ends = np.append(np.diff(score[order]) > 0, True)
    is_good = y[order]

    def measure(weight: Floats) -> float:
        w = weight[order]
        good, bad = np.cumsum(w * is_good)[ends], np.cumsum(w * (1 - is_good))[ends]
        if good[-1] == 0 or bad[-1] == 0:
            return float("nan")
        return float(np.abs(good / good[-1] - bad / bad[-1]).max())

    return measure


def average_precision(sought: Floats, score: Floats) -> Weighted:
    """Area under precision by recall, as scikit-learn sums it up."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.diff(score[order]) < 0, True)
    is_sought = sought[order]

    def measure(weight: Floats) -> float:
        w = weight[order]
        hits, rows = np.cumsum(w * is_sought)[ends], np.cumsum(w)[ends]
        if hits[-1] == 0:
            return float("nan")
        precision = np.divide(hits, rows, out=np.zeros(len(hits)), where=rows > 0)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])

    return measure


def mean(values: Floats) -> Weighted:
    """The mean of one value a row."""
    return lambda weight: float((weight * values).sum() / weight.sum())


def ratio(above: Floats, below: Floats) -> Weighted:
    """A sum by another; NaN where there is nothing to divide by."""

    def measure(weight: Floats) -> float:
        total = (weight * below).sum()
        return float((weight * above).sum() / total) if total > 0 else float("nan")

    return measure


def tenths(p: Floats) -> list[NDArray[np.intp]]:
    """The rows of ten groups of equal size, those of the lowest predictions first."""
    return [part for part in np.array_split(np.argsort(p, kind="stable"), BINS) if part.size]


def distance(y: Floats, p: Floats) -> Weighted:
    """The calibration error over the ten groups of the whole sample."""
    group = np.empty(len(p), np.int64)
    for place, part in enumerate(tenths(p)):
        group[part] = place
    off = y - p
    return lambda weight: float(np.abs(np.bincount(group, weight * off)).sum() / weight.sum())


def calibration_table(y: Floats, p: Floats) -> list[tuple[float, float, int]]:
    """Mean prediction, mean truth and rows of each of the ten groups."""
    return [(float(p[part].mean()), float(y[part].mean()), int(part.size)) for part in tenths(p)]


def calibration_error(y: Floats, p: Floats) -> float:
    """Mean distance of prediction and truth over ten groups of equal size (ECE)."""
    return distance(y, p)(np.ones(len(y)))


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
