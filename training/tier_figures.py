"""Tiers of predicted against tiers of true amounts, at the policy's cuts.

Enters: true amounts, the points of a scorer, its scale, the cuts. Leaves: agreement and far errors.
An amount of nothing stands in the lowest tier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from domain.tiers import Cuts
from scoring.points import PointScale


def tier_figures(
    y: NDArray[np.float64], points: NDArray[np.int64], scale: PointScale, cuts: Cuts
) -> dict[str, Any]:
    """Macro-F1, quadratic weighted kappa, the table of true (rows) by predicted (columns), and the
    shares of all rows that are predicted highest and truly lowest, or the other way round."""
    paid = y > 0
    lowest = np.iinfo(np.int64).min
    true_points = np.full(len(y), lowest)
    true_points[paid] = scale.points(np.log(y[paid]))
    truth, said = (np.searchsorted(cuts.bounds, p, side="right") for p in (true_points, points))
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
