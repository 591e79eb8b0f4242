"""RFM: recency, frequency and money as scores from 1 to 5, by cuts that were fitted.

Enters: the three features (n, 3), NaN where missing. Leaves: three scores a row. The names of the
segments stand in `domain/segments.py`; who fits the cuts in `training/segments.py`.
Source: Hughes (1994), Strategic Database Marketing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

RFM_FEATURES = ("purchase_recency_days", "purchase_count_365d", "spend_sum_365d")
Cuts = tuple[float, float, float, float]


@dataclass(frozen=True)
class Rfm:
    """Four rising cuts each; a value on a cut belongs below it, so that equal values score alike.

    A row with a missing value has no scores: somebody who never bought is in no quintile.

    >>> tens = (10.0, 20.0, 30.0, 40.0)
    >>> Rfm(recency=tens, frequency=tens, money=tens).scores(np.array([[5.0, 30.0, 99.0]])).tolist()
    [[5, 3, 5]]

    Raises:
        InputError: cuts are not finite or fall.
    """

    recency: Cuts
    frequency: Cuts
    money: Cuts

    def __post_init__(self) -> None:
        for cuts in self._cuts:
            if not all(map(math.isfinite, cuts)) or list(cuts) != sorted(cuts):
                raise InputError(f"RFM cuts {cuts}: give four finite numbers that do not fall")

    def scores(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        """Scores (n, 3) from 1 to 5, 5 the best (the fewest days of silence); 0 without scores."""
        below = [np.searchsorted(c, X[:, j], side="left") for j, c in enumerate(self._cuts)]
        scores = np.column_stack([5 - below[0], 1 + below[1], 1 + below[2]])
        scores[np.isnan(X).any(axis=1)] = 0
        return scores.astype(np.int64)

    @property
    def _cuts(self) -> tuple[Cuts, Cuts, Cuts]:
        return (self.recency, self.frequency, self.money)
