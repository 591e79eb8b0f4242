"""Reasons by idea: all windows of one thing count once, for one row or a million.

Enters: whole reasons by feature (of a score, or of a difference), the idea of each feature. Leaves:
whole reasons by idea with the same sum, each with the feature that tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.explanation import IdeaReason
from features.catalogue import Catalogue, Language
from features.ideas import Idea, ideas
from features.wording import Said, Style, Wording, idea_reason
from scoring.scorer import Scorer

Whole = NDArray[np.int64]
OTHER = "other"
LANGUAGES: tuple[Language, Language] = ("zh", "en")


@dataclass(frozen=True)
class Case:
    """A row x (k,) of a scorer, NaN where missing, with what words it; `currency` is the unit of
    amounts."""

    scorer: Scorer
    x: NDArray[np.float64]
    catalogue: Catalogue
    currency: str = ""

    @cached_property
    def values(self) -> dict[str, float | None]:
        """The values by feature, None where missing."""
        pairs = zip(self.scorer.features, self.x.tolist(), strict=True)
        return {name: None if np.isnan(value) else value for name, value in pairs}

    def said(self, column: int, reasons: Whole) -> Said:
        """A feature with its points, ready to be worded."""
        name, points = self.scorer.features[column], int(reasons[column])
        return Said(name, points, self.values, self.scorer.target)

    def style(self, lang: Language, wording: Wording = "reviewer") -> Style:
        """How it is worded."""
        return Style(lang, wording, self.currency or self.scorer.currency or "")


@dataclass(frozen=True)
class Grouped:
    """Reasons (n, g) of the ideas, and the column (n, g) of the feature that tells each: of those
    that pull the idea's way the one that pulls most, the earlier of two."""

    ideas: tuple[Idea, ...]
    reasons: Whole
    tellers: Whole
    sizes: tuple[int, ...]


def grouped(reasons: Whole, of: Sequence[Idea]) -> Grouped:
    """The reasons (n, k) of features, `of` whose ideas, by idea; row sums stay the same.

    >>> spend, late = Idea("spend", "消费", "Spend"), Idea("late", "逾期", "Late")
    >>> found = grouped(np.array([[4, -9, 3]]), [spend, late, spend])
    >>> found.reasons.tolist(), found.tellers.tolist()
    ([[7, -9]], [[0, 1]])
    """
    columns: dict[Idea, list[int]] = {}
    for column, idea in enumerate(of):
        columns.setdefault(idea, []).append(column)
    sums = np.empty((len(reasons), len(columns)), dtype=np.int64)
    tellers = np.empty_like(sums)
    for g, members in enumerate(columns.values()):
        parts = reasons[:, members]
        sums[:, g] = parts.sum(axis=1)
        way = np.sign(sums[:, g])[:, None]
        pull = np.where(way == 0, np.abs(parts), parts * way)
        tellers[:, g] = np.array(members)[pull.argmax(axis=1)]
    return Grouped(tuple(columns), sums, tellers, tuple(map(len, columns.values())))


def by_idea(reasons: Whole, scorer: Scorer, catalogue: Catalogue) -> Grouped:
    """Reasons (n, k) of a scorer's features by the ideas of its catalogue."""
    known = ideas(catalogue)
    return grouped(reasons, [known[name] for name in scorer.features])


def idea_reasons(case: Case, reasons: Whole, top: int) -> list[IdeaReason]:
    """At most `top` ideas by size of their points, told to a reviewer, then one `other`.

    `reasons` (k,) are the case's by feature. Ties keep the order of the features; an idea that
    moved nothing is not listed by itself.
    """
    found = by_idea(reasons[None, :], case.scorer, case.catalogue)
    points = found.reasons[0]
    order = np.argsort(-np.abs(points), kind="stable")
    listed = [int(g) for g in order[: max(top, 0)] if points[g]]
    told = []
    for g in listed:
        said = case.said(int(found.tellers[0, g]), reasons)
        zh, en = (
            idea_reason(case.catalogue, found.ideas[g], int(points[g]), said, case.style(lang))
            for lang in LANGUAGES
        )
        told.append(
            IdeaReason(
                idea=found.ideas[g].name, points=int(points[g]), features=found.sizes[g],
                feature=said.name, value=said.values[said.name], zh=zh, en=en,
            )
        )  # fmt: skip
    left = [g for g in range(len(points)) if g not in listed]
    if left:
        told.append(_other(len(left), sum(found.sizes[g] for g in left), int(points[left].sum())))
    return told


def _other(ideas_left: int, features: int, points: int) -> IdeaReason:
    things = "thing" if ideas_left == 1 else "things"
    return IdeaReason(
        idea=OTHER, points=points, features=features, feature=None, value=None,
        zh=f"其余{ideas_left}方面合计{points:+d}分",
        en=f"{ideas_left} other {things} together: {points:+d} points",
    )  # fmt: skip
