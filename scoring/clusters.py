"""Clusters: the nearest of a few fitted centres, each named by what sets it apart.

Enters: the features (n, k), NaN where missing. Leaves: the number of a cluster, from 1, and its
label. Who fits the centres stands in `training/segments.py`.
Source: Lloyd (1982), Least squares quantization in PCM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.policy import Labelled

TRAITS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "purchase_recency_days": (("近期来过", "bought lately"), ("久未消费", "silent for long")),
    "purchase_tenure_days": (("新近加入", "new with us"), ("相伴已久", "long with us")),
    "active_days_365d": (("消费次数少", "buy seldom"), ("消费频繁", "buy often")),
    "spend_sum_365d": (("消费金额低", "spend little"), ("消费金额高", "spend much")),
}
"""What a cluster with a low and with a high mean of a feature is called (zh, en)."""
TOLD, LEAST_TRAIT = 2, 0.5
"""So many traits are told, each at least so many standard deviations from everybody's mean."""


@dataclass(frozen=True)
class Clusters:
    """Centres (clusters, k) in standard deviations of the signed logs of the features.

    The nearest centre counts, the first of two as near. A row with a missing value is in none.

    Raises:
        InputError: a feature without words, shapes that do not fit, a number not finite, or no
            spread.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        unknown = sorted({*self.features} - {*TRAITS})
        if unknown or not self.features or len({*self.features}) != len(self.features):
            raise InputError(f"clusters over {unknown or self.features}: give {sorted(TRAITS)}")
        rows = (self.mean, self.spread, *self.centres)
        if not self.centres or any(len(row) != len(self.features) for row in rows):
            raise InputError("clusters: give a mean, a spread and centres with a number a feature")
        if not all(math.isfinite(v) for row in rows for v in row) or min(self.spread) <= 0:
            raise InputError("clusters: give finite numbers, and spreads above 0")

    def numbers(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cluster (n,) of each row, from 1; 0 where a value is missing."""
        known = ~np.isnan(X).any(axis=1)
        far = np.zeros((int(known.sum()), len(self.centres)))
        for j, (mean, spread) in enumerate(zip(self.mean, self.spread, strict=True)):
            z = (signed_log(X[known, j]) - mean) / spread
            far += (z[:, None] - np.array([c[j] for c in self.centres])) ** 2
        numbers = np.zeros(len(X), dtype=np.int64)
        numbers[known] = 1 + np.argmin(far, axis=1)
        return numbers

    @cached_property
    def labels(self) -> tuple[Labelled, ...]:
        """The name of each cluster, with what sets it most apart."""
        return tuple(self._label(n, c) for n, c in enumerate(self.centres, start=1))

    def _label(self, number: int, centre: tuple[float, ...]) -> Labelled:
        order = sorted(range(len(centre)), key=lambda j: -abs(centre[j]))
        told = [TRAITS[self.features[j]][centre[j] > 0] for j in order]
        far = sum(abs(v) >= LEAST_TRAIT for v in centre)
        zh, en = zip(
            *(told[: min(TOLD, far)] or [("各项居中", "middling in everything")]), strict=True
        )
        return Labelled(
            name=f"cluster_{number}",
            zh=f"客群{number}：{'，'.join(zh)}",
            en=f"cluster {number}: {', '.join(en)}",
        )


def signed_log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`sign(v) * log(1 + |v|)`, one call a value: numpy's own loops differ between machines."""
    logs = (math.copysign(math.log1p(abs(v)), v) for v in values.tolist())
    return np.fromiter(logs, dtype=np.float64, count=len(values))
