"""The typed result of a whole explanation: reasons by feature and by idea, against named
populations, how sure it is, and an adverse action.

Enters: numbers and texts. Leaves: values that refuse to say what does not add up (I1). Frozen plain
JSON, for the API, the pages and files; how they come about is in `scoring/explanation.py` and
`scoring/adverse.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.decision import FiniteFloat, Reason
from domain.policy import Labelled
from domain.tiers import Target

Level = Literal["none", "reasons", "full"]
"""How much is told: the points alone; what reviewers read; single features and references too."""
Outcome = Literal["good", "bad"]
MOST_ADVERSE_REASONS = 4


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IdeaReason(_Model):
    """The points of an idea, all its features together, told by its strongest feature; `other`
    gathers the ideas not listed and has none."""

    idea: str
    points: int
    features: Annotated[int, Field(ge=1)]
    feature: str | None
    value: FiniteFloat | None
    zh: str
    en: str


class ReferenceTold(_Model):
    """Whom a score is held against; `customers` is null where nobody counted them."""

    name: str
    zh: str
    en: str
    customers: Annotated[int, Field(ge=1)] | None
    points: int


class Compared(_Model):
    """How a score differs from a population's: `reference.points + sum(reasons) == points`."""

    reference: ReferenceTold
    points: int
    ideas: list[IdeaReason]

    @model_validator(mode="after")
    def _adds_up(self) -> Compared:
        _check_sum(self.reference.points, self.ideas, self.points)
        return self


class Explanation(_Model):
    """One score explained: `base_points` and `ideas`, or `base_points` and `reasons`, add up."""

    level: Level
    target: Target
    points: int
    base_points: int | None = None
    ideas: list[IdeaReason] = []
    reasons: list[Reason] = []
    compared: list[Compared] = []

    @model_validator(mode="after")
    def _adds_up(self) -> Explanation:
        if (self.base_points is None) != (self.level == "none"):
            raise ValueError(f"level {self.level} has base_points {self.base_points}")
        if self.base_points is not None:
            _check_sum(self.base_points, self.ideas, self.points)
        if self.base_points is not None and self.level == "full":
            _check_sum(self.base_points, self.reasons, self.points)
        return self


class Sure(_Model):
    """What may be true of one customer, at `percent`.

    Of value `low` and `high` are the points that the amount may turn out to be worth (null: no
    bound) and `tiers` those they meet, from the lowest; of churn and credit `outcomes`.
    `unsure` where more than one is left; `near_cut` where `points_to_cut` is small.
    """

    target: Target
    percent: int
    low: int | None
    high: int | None
    tiers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    points_to_cut: int | None
    near_cut: bool
    unsure: bool

    @model_validator(mode="after")
    def _says_what_is_left(self) -> Sure:
        if self.unsure != (len(self.tiers) + len(self.outcomes) > 1):
            raise ValueError("unsure says whether more than one tier or outcome is left")
        return self


class AdverseReason(_Model):
    """A ground of an adverse decision in the customer's words, of an idea of its own."""

    idea: str
    feature: str
    points: Annotated[int, Field(lt=0)]
    value: FiniteFloat | None
    zh: str
    en: str


class AdverseAction(_Model):
    """Why a credit decision went against a customer, as data.

    `reasons` are the ideas that took most points against `reference`, each a permitted ground.
    `left_out` names ideas that took more than the last reason, or anything where fewer than four
    are told, and may not be stated: a person should look at such a decision. `used` are all ideas
    that moved the score.
    """

    target: Literal["credit"]
    decision: Labelled
    points: int
    reference: ReferenceTold
    reasons: Annotated[list[AdverseReason], Field(max_length=MOST_ADVERSE_REASONS)]
    left_out: list[Labelled]
    used: list[Labelled]

    @model_validator(mode="after")
    def _are_distinct(self) -> AdverseAction:
        ideas = [r.idea for r in self.reasons]
        if len(set(ideas)) != len(ideas):
            raise ValueError(f"adverse reasons repeat an idea: {ideas}")
        return self


def _check_sum(base: int, parts: list[IdeaReason] | list[Reason], points: int) -> None:
    told = base + sum(part.points for part in parts)
    if told != points:
        raise ValueError(f"base and reasons add up to {told}, not to {points} points")
