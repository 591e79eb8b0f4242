"""What a policy says of judging: limits that a model must keep, and what acting on it costs.

A gate has one of three outcomes, a verdict over gates one of three words.

Enters: the tables `[gates]` and `[costs.<target>]` of a policy file. Leaves: checked values. It
judges nothing: see `training/gates.py`.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

Outcome = Literal["passed", "failed", "not judged"]
"""Of a gate: `not judged` where the data are too few to tell."""
Word = Literal["passed", "partly judged", "failed"]
"""Of a verdict: `partly judged` where nothing failed and some gate could not be judged."""
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GateRules(_Strict):
    """The limits of the house; a scorer that breaks one needs a named person and a reason.

    `calibration_tolerance`: calibration error above what chance shows. `sum_ratio`: predicted to
    true amounts, least and most. `score_psi`: how far the scores may move from training to test.
    `group_difference`: of the ranking measure between groups. `group_ratio`: of the share with a
    favourable credit band, least to most favoured group. `approval`: whether a second person must
    sign the report before a bundle goes live. `block_not_judged`: whether a gate that could not be
    judged stops a bundle as a failed one does; policies that are silent let it pass.
    """

    calibration_tolerance: Share
    sum_ratio: tuple[float, float]
    score_psi: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    group_difference: Share
    group_ratio: Share
    approval: StrictBool
    block_not_judged: StrictBool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> GateRules:
        low, high = self.sum_ratio
        if not 0 < low <= 1 <= high < math.inf:
            raise ValueError(
                f"sum_ratio is [{low}, {high}]: the first from 0 to 1, the second above"
            )
        return self


class CostRule(_Strict):
    """What acting on one customer costs, and what it brings by how the customer turns out.

    In the currency of the source. Churn: the customers with the lowest scores are acted on first;
    value and credit: those with the highest. `good` and `bad`: gained for each such outcome (a loss
    is below 0); `share`: of the amount, for value.
    """

    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    good: Amount = 0.0
    bad: Amount = 0.0
    share: Share = 0.0
