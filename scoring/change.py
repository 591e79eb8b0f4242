"""Why did it change? The move between two decisions of one customer, split into whole points.

Enters: two scored rows, which may differ in values, in scorer and in policy. Leaves: the move by
feature, by model and, of the tier, by policy. The way back is the same with the other sign.

Data and model have two orders: first the new values, then the new model, or the other way round.
Each part is the mean of both (Shapley), so none comes first. The data part goes to the features
whose values changed (`scoring/between.py`); what is left of the move is the model's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.policy import Labelled, Policy
from domain.tiers import Target
from scoring.between import between
from scoring.points import whole_parts
from scoring.scorer import Scorer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A scorer with the feature values it scored; a feature not named is missing."""

    scorer: Scorer
    values: Mapping[str, float | None]

    def row(self, scorer: Scorer) -> Floats:
        """These values in the order of a scorer (k,), NaN where missing."""
        found = (self.values.get(name) for name in scorer.features)
        return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


@dataclass(frozen=True)
class Change:
    """`before + sum(data.values()) + model == after`; `data` names the features that moved it."""

    before: int
    after: int
    data: Mapping[str, int]
    model: int


@dataclass(frozen=True)
class TierChange:
    """Steps up (negative: down) from tier to tier: `by_points + by_policy`, halves are exact."""

    before: Labelled
    after: Labelled
    by_points: float
    by_policy: float


def changed(before: Scored, after: Scored) -> Change:
    """The move of the points, split by feature and model.

    A part that cannot have moved anything, because its value or the model stayed, gets no point.

    Raises:
        InputError: scorers of two targets, or values that the scorers refuse.
        BundleError: as `between`.
    """
    old, new = before.scorer, after.scorer
    if old.target != new.target:
        raise InputError(f"a {old.target} and a {new.target} score: give two scores of one target")
    start, real_start = _points(old, before.row(old))
    end, real_end = _points(new, after.row(new))
    parts: dict[str, float] = {}
    for scorer in (old, new):
        each = scorer.scale.factor * scorer.calibration.slope / 2
        start_row, end_row = scorer.encoded(np.array([before.row(scorer), after.row(scorer)]))
        moved = between(scorer.booster_text, start_row, end_row)
        for name, part in zip(scorer.features, moved.tolist(), strict=True):
            parts[name] = parts.get(name, 0.0) + each * part
    moving = [name for name in sorted(parts) if parts[name]]
    real = [parts[name] for name in moving]
    same = old is new or (old.fields(), old.booster_text) == (new.fields(), new.booster_text)
    if not same:
        real.append(real_end - real_start - sum(real))
    whole = _turned(np.array(real), end - start)
    return Change(start, end, dict(zip(moving, whole, strict=False)), 0 if same else whole[-1])


def tier_changed(
    target: Target, before: tuple[int, Policy], after: tuple[int, Policy]
) -> TierChange:  # fmt: skip
    """The move of the tier, split by points and policy: the mean of both orders, in steps."""
    (old_points, old), (new_points, new) = before, after

    def step(points: int, policy: Policy) -> int:
        cuts = policy.steps[target]
        return cuts.steps.index(cuts.assign(points))

    start, end = step(old_points, old), step(new_points, new)
    crossed = step(new_points, old) - step(old_points, new)
    return TierChange(
        before=old.held(target, old_points),
        after=new.held(target, new_points),
        by_points=(end - start + crossed) / 2,
        by_policy=(end - start - crossed) / 2,
    )


def _points(scorer: Scorer, row: Floats) -> tuple[int, float]:
    calibrated = scorer.calibrated(row[None, :])
    return int(scorer.scale.points(calibrated)[0]), float(scorer.scale.real(calibrated)[0])


def _turned(real: Floats, total: int) -> list[int]:
    """Whole parts of a total, rounded alike on the way there and back: always on the way up."""
    first = next((part for part in real.tolist() if part), 0.0)
    way = -1 if total < 0 or (total == 0 and first < 0) else 1
    whole: list[int] = (way * whole_parts(way * real[None, :], np.array([way * total]))[0]).tolist()
    return whole
