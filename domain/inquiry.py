"""What is asked about a decision, and the answers: why, what changed, what would, and what if.

Enters: ids, names of features, numbers. Leaves: plain JSON that refuses what does not add up (I1).
`inquiry.schema.json` beside this file is their JSON Schema, committed and held equal by a test.
`notes` say in plain words what an answer could not tell.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import models_json_schema

from domain.decision import CustomerId, DecisionId, FiniteFloat, Versions
from domain.explanation import AdverseAction, Explanation, Level, Sure
from domain.policy import Labelled
from domain.tiers import Target

MAX_CHANGES = 50
MOST_POINTS = 100_000


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExplanationQuery(_Model):
    """How much is told, and of which target; by default what reviewers read, of all."""

    level: Level = "reasons"
    target: Target | None = None


class ChangeQuery(_Model):
    """The decision of the same customer that the change is told from."""

    since: DecisionId


class CounterfactualsQuery(_Model):
    """To how many points of which target; by default to the next cut, of all."""

    target: Target | None = None
    points: Annotated[int, Field(ge=-MOST_POINTS, le=MOST_POINTS)] | None = None


class WhatIfRequest(_Model):
    """A decision as recorded, or a customer as known now; and features that would be otherwise."""

    decision_id: DecisionId | None = None
    customer_id: CustomerId | None = None
    changes: Annotated[dict[str, FiniteFloat], Field(min_length=1, max_length=MAX_CHANGES)]


class ExplanationAnswer(_Model):
    """Every score that was asked about, explained as it was recorded, and how sure it is."""

    decision_id: DecisionId
    level: Level
    explanations: list[Explanation]
    sure: list[Sure]
    notes: list[str]


class _Named(_Model):
    feature: str
    zh: str
    en: str
    unit: str


class FeatureChange(_Named):
    """The points that a feature moved because its value changed."""

    points: int
    before: FiniteFloat | None
    after: FiniteFloat | None


class ScoreChange(_Model):
    """One score, then and now: `before + sum(data) + model == after`.

    The tier moved by `tier_by_points + tier_by_policy` steps, up where positive; halves are exact.
    """

    target: Target
    before: int
    after: int
    data: list[FeatureChange]
    model: int
    tier_before: Labelled
    tier_after: Labelled
    tier_by_points: FiniteFloat
    tier_by_policy: FiniteFloat

    @model_validator(mode="after")
    def _adds_up(self) -> ScoreChange:
        told = self.before + sum(part.points for part in self.data) + self.model
        if told != self.after:
            raise ValueError(f"before, data and model add up to {told}, not to {self.after}")
        return self


class ChangeAnswer(_Model):
    """Every score that both decisions have."""

    decision_id: DecisionId
    since: DecisionId
    scores: list[ScoreChange]
    notes: list[str]


class LeverMove(_Named):
    """One lever: its value today and in the plan, and what that costs."""

    now: FiniteFloat
    then: FiniteFloat
    cost: FiniteFloat


class PlanTold(_Model):
    """Moves, what they cost together, the points they come to, and every value that moves.

    `gap`: how much cheaper a plan could be that the search did not come to; 0 where proved.
    """

    moves: list[LeverMove]
    cost: FiniteFloat
    gap: FiniteFloat
    points: int
    values: dict[str, FiniteFloat | None]


class Counterfactuals(_Model):
    """The cheapest plans from `points` to `wanted`, cheapest first; `wanted` is null where the tier
    is the highest.

    `reaches`: the tier of `wanted`. `proved` and no plan: none exists within the levers. `bound`:
    what every other plan costs at least, null where there is none.
    """

    target: Target
    points: int
    tier: Labelled
    points_to_cut: int | None
    wanted: int | None
    reaches: Labelled | None
    plans: list[PlanTold]
    proved: bool
    bound: FiniteFloat | None
    sure: Sure | None


class CounterfactualsAnswer(_Model):
    """What would change every score that was asked about."""

    decision_id: DecisionId
    scores: list[Counterfactuals]
    notes: list[str]


class WhatIfScore(_Model):
    """One score now and as it would be; the explanation is of the points it would have."""

    target: Target
    points_now: int
    tier_now: Labelled
    points: int
    tier: Labelled
    points_to_cut: int | None
    explanation: Explanation


class WhatIfAnswer(_Model):
    """Every score where the features were otherwise, and every value that moves; no decision."""

    customer_id: CustomerId
    decision_id: DecisionId | None
    as_of: AwareDatetime | None
    scores: list[WhatIfScore]
    values: dict[str, FiniteFloat | None]
    versions: Versions


class AdverseAnswer(_Model):
    """An adverse action as data and as letters; null where no reason may be stated."""

    decision_id: DecisionId
    action: AdverseAction
    letter_zh: str | None
    letter_en: str | None
    notes: list[str]


def inquiry_schema() -> dict[str, Any]:
    """The JSON Schema of these questions and answers under `$defs`."""
    models = (
        ExplanationAnswer,
        ChangeAnswer,
        CounterfactualsAnswer,
        WhatIfRequest,
        WhatIfAnswer,
        AdverseAnswer,
    )
    inputs: list[tuple[type[BaseModel], Literal["serialization"]]] = [
        (model, "serialization") for model in models
    ]
    _, schema = models_json_schema(inputs, title="Tierline inquiry contract")
    return schema


def inquiry_schema_text() -> str:
    """The JSON Schema as the text of `inquiry.schema.json`."""
    return json.dumps(inquiry_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
