"""Tiers of predicted against tiers of true amounts, at the policy's cuts.

Enters: true amounts, the points of a scorer, its scale, the cuts; resamples. Leaves: agreement and
far errors, with their intervals. An amount of nothing stands in the lowest tier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from domain.tiers import Cuts
from scoring.points import PointScale
from training.judge import interval

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def tier_figures(y: Floats, points: Whole, scale: PointScale, cuts: Cuts) -> dict[str, Any]:
    """Macro-F1, quadratic weighted kappa, the table of true (rows) by predicted (columns), and the
    shares of all rows that are predicted highest and truly lowest, or the other way round."""
    truth, said = _placed(y, points, scale, cuts)
    places = list(range(len(cuts.steps)))
    last = places[-1]
    kappa = None
    if len({*truth.tolist(), *said.tolist()}) > 1:  # undefined where all stand in one tier
        kappa = float(cohen_kappa_score(truth, said, labels=places, weights="quadratic"))
    return {
        "tiers": [s.name for s in cuts.steps],
        "macro_f1": float(f1_score(truth, said, labels=places, average="macro", zero_division=0)),
        "quadratic_kappa": kappa,
        "table": confusion_matrix(truth, said, labels=places).tolist(),
        "high_for_low": float(((said == last) & (truth == 0)).mean()),
        "low_for_high": float(((said == 0) & (truth == last)).mean()),
    }


def tier_intervals(
    y: Floats, points: Whole, scale: PointScale, cuts: Cuts, weights: Floats
) -> dict[str, list[float]]:
    """The middle 95 % of each figure over resamples (weights: how often each row was drawn)."""
    truth, said = _placed(y, points, scale, cuts)
    n = len(cuts.steps)
    cells = truth * n + said
    found = np.stack([np.bincount(cells, w, n * n) for w in weights]).reshape(-1, n, n)
    total, rows, columns = found.sum(axis=(1, 2)), found.sum(axis=2), found.sum(axis=1)
    hit, both = np.diagonal(found, axis1=1, axis2=2), rows + columns
    apart = np.subtract.outer(np.arange(n), np.arange(n)) ** 2
    seen = (found * apart).sum(axis=(1, 2))
    chance = (rows[:, :, None] * columns[:, None, :] * apart).sum(axis=(1, 2)) / total
    told = {
        "macro_f1": np.divide(2 * hit, both, out=np.zeros(both.shape), where=both > 0).mean(axis=1),
        "high_for_low": found[:, 0, -1] / total,
        "low_for_high": found[:, -1, 0] / total,
    }
    if (chance > 0).any():
        told["quadratic_kappa"] = 1 - seen[chance > 0] / chance[chance > 0]
    return {name: interval(values) for name, values in told.items()}


def _placed(y: Floats, points: Whole, scale: PointScale, cuts: Cuts) -> tuple[Whole, Whole]:
    """The places of the true and of the predicted tier of each row, the lowest 0."""
    paid = y > 0
    true_points = np.full(len(y), np.iinfo(np.int64).min)
    true_points[paid] = scale.points(np.log(y[paid]))
    truth, said = (np.searchsorted(cuts.bounds, p, side="right") for p in (true_points, points))
    return truth, said
