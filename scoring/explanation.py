"""A whole explanation of one score, as much of it as is asked for.

Enters: a case and a level. Leaves: an `Explanation`. `none` tells the points, `reasons` what a
reviewer reads (ideas), `full` the single features and the references too.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.explanation import Compared, Explanation, Level
from scoring.adverse import stated
from scoring.grouped import Case, idea_reasons
from scoring.reasons import reasons
from scoring.reference import Reference


def explanation(
    case: Case, level: Level, top: int, references: Sequence[Reference] = ()
) -> Explanation:  # fmt: skip
    """The explanation of a case, at most `top` ideas (and features) by themselves.

    Raises:
        InputError: as `Scorer.explain`; a reference of another scorer.
    """
    scorer, row = case.scorer, case.x[None, :]
    if level == "none":
        return Explanation(level=level, target=scorer.target, points=int(scorer.points(row)[0]))
    explained = scorer.explain(row)[0]
    is_full = level == "full"
    return Explanation(
        level=level,
        target=scorer.target,
        points=explained.points,
        base_points=explained.base_points,
        ideas=idea_reasons(case, explained.reasons, top),
        reasons=reasons(scorer, explained, case.x, case.catalogue, top, case.currency or None)
        if is_full
        else [],
        compared=[_compared(case, r, top) for r in references] if is_full else [],
    )


def _compared(case: Case, reference: Reference, top: int) -> Compared:
    told, parts, points = stated(case, reference)
    return Compared(reference=told, points=points, ideas=idea_reasons(case, parts, top))
