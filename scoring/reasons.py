"""Reasons of one score in words: the features that moved it most, and the rest as one.

Enters: one explained row, its feature values and the catalogue's texts. Leaves: `Reason`s whose
points add up, with the base, to the score (I1). It writes no text of its own but that of `other`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.decision import Reason
from domain.tiers import Target
from scoring.scorer import ExplainedRow, Scorer

OTHER = "other"


class Texts(Protocol):
    """What reasons ask of the feature catalogue."""

    @property
    def names(self) -> Sequence[str]:
        """Every feature in the catalogue's order."""

    def reason_text(
        self,
        name: str,
        value: float | None,
        points: int,
        lang: Literal["zh", "en"],
        currency: str,
        target: Target,
    ) -> str:
        """Label, value with unit, and direction."""


def reasons(
    scorer: Scorer,
    explained: ExplainedRow,
    x: NDArray[np.float64],
    catalogue: Texts,
    top: int,
    currency: str | None = None,
) -> list[Reason]:
    """At most `top` features by size of their points, then one `other` with the remaining ones.

    Ties keep the catalogue's order; a feature that moved nothing is not listed by itself.
    `other` is there wherever a feature is not listed. `x` is the row (k,) that was explained, NaN
    where missing. `currency` is the unit of amounts in texts, by default the scorer's own.
    """
    place = {name: i for i, name in enumerate(catalogue.names)}
    moved = [i for i in range(len(scorer.features)) if explained.reasons[i]]
    moved.sort(key=lambda i: (-abs(int(explained.reasons[i])), place[scorer.features[i]]))
    listed = moved[: max(top, 0)]
    unit = currency or scorer.currency or ""
    said = [
        _reason(scorer, i, float(x[i]), int(explained.reasons[i]), (catalogue, unit))
        for i in listed
    ]
    count = len(scorer.features) - len(listed)
    if count:
        rest = explained.points - explained.base_points - sum(r.points for r in said)
        said.append(_other(count, rest))
    return said


def _reason(scorer: Scorer, i: int, x: float, points: int, words: tuple[Texts, str]) -> Reason:
    name, value = scorer.features[i], None if np.isnan(x) else x
    catalogue, unit = words
    return Reason(
        feature=name,
        points=points,
        value=value,
        zh=catalogue.reason_text(name, value, points, "zh", unit, scorer.target),
        en=catalogue.reason_text(name, value, points, "en", unit, scorer.target),
    )


def _other(count: int, points: int) -> Reason:
    features = "feature" if count == 1 else "features"
    return Reason(
        feature=OTHER,
        points=points,
        value=None,
        zh=f"其余 {count} 项特征合计 {points:+d} 分",
        en=f"{count} other {features} together: {points:+d} points",
    )
