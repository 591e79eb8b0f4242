"""Tiers of predicted against tiers of true amounts, at the policy's cuts.

Enters: true amounts, the points of a scorer, its scale, the cuts. Leaves: agreement and far errors.
An amount of nothing stands in the lowest tier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.tiers import Cuts
from scoring.points import PointScale

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
"""The place of the tier of each row, the lowest 0."""


def true_places(y: Floats, scale: PointScale, cuts: Cuts) -> Places:
    """The tiers that amounts truly came to."""
    points = np.full(len(y), np.iinfo(np.int64).min)
    points[y > 0] = scale.points(np.log(y[y > 0]))
    return places(points, cuts)


def places(points: NDArray[np.int64], cuts: Cuts) -> Places:
    """The tiers of points."""
    return np.searchsorted(cuts.bounds, points, side="right")


def table(truth: Places, said: Places, tiers: int) -> Callable[[Floats], Floats]:
    """Rows by true (first) and predicted tier, as a function of the rows' weights."""
    cell = truth * tiers + said

    def counts(weight: Floats) -> Floats:
        found: Floats = np.bincount(cell, weight, tiers * tiers).astype(np.float64)
        return found.reshape(tiers, tiers)

    return counts


def quadratic_kappa(counts: Floats) -> float:
    """Agreement beyond chance, a far error counting by the square of its distance; NaN where all
    stand in one tier.

    Source: Cohen, Weighted kappa, Psychological Bulletin 70 (1968).
    """
    tiers = np.arange(len(counts))
    far = (tiers[:, None] - tiers) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    off = float((far * chance).sum())
    return 1.0 - float((far * counts).sum()) / off if off > 0 else float("nan")


def macro_f1(counts: Floats) -> float:
    """The mean over all tiers of how well each is found; 0 of one that nobody is in or put in."""
    either = counts.sum(axis=0) + counts.sum(axis=1)
    hit = 2 * np.diag(counts)
    return float(np.divide(hit, either, out=np.zeros(len(counts)), where=either > 0).mean())


MEASURES: Mapping[str, Callable[[Floats], float]] = {
    "macro_f1": macro_f1,
    "quadratic_kappa": quadratic_kappa,
    "high_for_low": lambda counts: float(counts[0, -1] / counts.sum()),
    "low_for_high": lambda counts: float(counts[-1, 0] / counts.sum()),
}
"""Figures of a table; the last two are shares of all rows, predicted highest and truly lowest, or
the other way round."""


def tier_figures(
    y: Floats, points: NDArray[np.int64], scale: PointScale, cuts: Cuts
) -> dict[str, Any]:
    """The table of true (rows) by predicted (columns), and its `MEASURES`."""
    tiers = len(cuts.steps)
    counts = table(true_places(y, scale, cuts), places(points, cuts), tiers)(np.ones(len(y)))
    figures = {name: measure(counts) for name, measure in MEASURES.items()}
    return {
        "tiers": [s.name for s in cuts.steps],
        "table": counts.astype(int).tolist(),
        **{name: None if np.isnan(value) else value for name, value in figures.items()},
    }
