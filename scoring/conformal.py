"""How sure a score is: an interval of points or a set of outcomes, right as often as it says.

Enters: what training learnt on calibration rows (`conformal.json` beside the scorers), whole points
and cuts. Leaves: for value an interval of points and the tiers it meets; for churn and credit the
outcomes that the points do not rule out, `good` (stays, pays), `bad` or both. It learns nothing.

What is promised: of rows exchangeable with the calibration rows, at least `percent` in a hundred
have their truth inside. For value the truth is the points of the amount that came true, among
customers of like points (each `Span` by itself). For churn and credit it is the outcome, among good
customers, among bad ones (so that the rarer outcome is not given up) and among customers of like
points (so that one bad customer in three does not make the two good ones bad). A band has no truth
of its own: it says how often an outcome happens, not to whom. So no set of bands is claimed; how
far the nearest cut is, is `points_to_cut`.

What is not: later months are not exchangeable with earlier ones, and one customer's rows are not
independent; coverage measured on the test stands in the model card.

Source: Vovk, Gammerman and Shafer (2005), Mondrian predictors; Angelopoulos and Bates (2021), the
rank `ceil((n + 1)(1 - alpha))`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import broken
from domain.explanation import Outcome, Sure
from domain.tiers import Cuts, Target

Whole = NDArray[np.int64]
Percent = Annotated[int, Field(ge=50, le=99)]
Rows = Annotated[int, Field(ge=0)]
NEAR_PART = 5
"""A cut is near within a fifth of what doubles odds or amount: 15 % of them."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Span(_Strict):
    """Customers of like points: from which points on (null: the lowest), and how far below (`low`)
    and above (`high`) their points the truth lies; null has no bound."""

    from_points: int | None
    low: int | None
    high: int | None
    rows: Rows


class Amounts(_Strict):
    """What was learnt of an amount."""

    percent: Percent
    spans: Annotated[tuple[Span, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _rise(self) -> Amounts:
        starts = [s.from_points for s in self.spans]
        rest = [s for s in starts[1:] if s is not None]
        if starts[0] is not None or len(rest) < len(starts) - 1:
            raise ValueError("the first span alone has no from_points")
        if any(b <= a for a, b in pairwise(rest)):
            raise ValueError("from_points must rise from span to span")
        return self


class Outcomes(_Strict):
    """What was learnt of an outcome: `good_from` points on it may be good, up to `bad_to` bad;
    null: at any points."""

    percent: Percent
    good_from: int | None
    bad_to: int | None
    good_rows: Rows
    bad_rows: Rows

    @model_validator(mode="after")
    def _meet(self) -> Outcomes:
        good_from, bad_to = self.good_from, self.bad_to
        if good_from is not None and bad_to is not None and good_from > bad_to + 1:
            raise ValueError("points between bad_to and good_from would have no outcome")
        return self


class Conformal(_Strict):
    """`conformal.json`: what was learnt of each target."""

    value: Amounts | None = None
    churn: Outcomes | None = None
    credit: Outcomes | None = None


def read_conformal(content: Mapping[str, Any]) -> Conformal:
    """The checked content of `conformal.json`.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind; all at once.
    """
    try:
        return Conformal.model_validate(dict(content))
    except ValidationError as e:
        raise broken("conformal.json", e) from None


def rank(n: int, percent: int, tails: int = 1) -> int:
    """How many of `n` sorted values are cut off a tail: `floor((n + 1) * alpha / tails)`, in whole
    numbers; it leaves the value of rank `ceil((n + 1)(1 - alpha / tails))` of the other side.

    >>> rank(19, 90), rank(18, 90), rank(8, 90), rank(39, 90, tails=2)
    (2, 1, 0, 2)
    """
    return (n + 1) * (100 - percent) // (100 * tails)


def interval(learnt: Amounts, points: int) -> tuple[int | None, int | None]:
    """The lowest and highest points that the amount may turn out to be worth; None: no bound."""
    span = next(
        s for s in reversed(learnt.spans) if s.from_points is None or points >= s.from_points
    )
    return (
        None if span.low is None else points + span.low,
        None if span.high is None else points + span.high,
    )


def outcomes(learnt: Outcomes, points: int) -> tuple[Outcome, ...]:
    """The outcomes that these points do not rule out; never none."""
    found: list[Outcome] = []
    if learnt.good_from is None or points >= learnt.good_from:
        found.append("good")
    if learnt.bad_to is None or points <= learnt.bad_to:
        found.append("bad")
    return tuple(found)


def sure(
    learnt: Conformal, target: Target, points: Sequence[int] | Whole, cuts: Cuts, to_double: int
) -> list[Sure] | None:
    """How sure the tier or the outcome of each customer is; None where nothing was learnt of it.

    `to_double`: the points that double odds or amount (`PointScale.points_to_double`).
    """
    mine: Amounts | Outcomes | None = getattr(learnt, target)
    if mine is None:
        return None
    return [_sure(mine, target, int(p), cuts, to_double) for p in points]


def _sure(
    mine: Amounts | Outcomes, target: Target, points: int, cuts: Cuts, to_double: int
) -> Sure:
    low = high = None
    left: tuple[Outcome, ...] = ()
    tiers: tuple[str, ...] = ()
    if isinstance(mine, Amounts):
        low, high = interval(mine, points)
        tiers = tiers_met(cuts, low, high)
    else:
        left = outcomes(mine, points)
    gap = cuts.distance(points)
    return Sure(
        target=target, percent=mine.percent, low=low, high=high, tiers=tiers, outcomes=left,
        points_to_cut=gap, near_cut=gap is not None and abs(gap) * NEAR_PART <= to_double,
        unsure=len(tiers) + len(left) > 1,
    )  # fmt: skip


def tiers_met(cuts: Cuts, low: int | None, high: int | None) -> tuple[str, ...]:
    """The tiers that hold any points from `low` to `high`, from the lowest."""
    names = [s.name for s in cuts.steps]
    first = 0 if low is None else names.index(cuts.assign(low).name)
    last = len(names) - 1 if high is None else names.index(cuts.assign(high).name)
    return tuple(names[first : last + 1])
