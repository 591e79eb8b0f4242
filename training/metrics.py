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
