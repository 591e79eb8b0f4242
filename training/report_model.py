"""What a report says: the strict model of its JSON, which its page is made from and nothing else.

Enters: JSON, of today or of years ago. Leaves: a checked `Content`, or every place at which it is
none. It computes no figure. `docs/report.md` is written from this file and `report_figures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from domain.decision import FiniteFloat, Hash
from domain.errors import broken
from domain.gates import Outcome
from domain.plan import StudyPlan
from domain.tiers import Target
from scoring.card import Card, JudgedBy
from scoring.global_view import GlobalView
from training.report_figures import (
    AmountPart,
    Attribute,
    Champion,
    Count,
    Gain,
    OutcomePart,
    Part,
    Profits,
    Stability,
    Strict,
    Tiers,
)

FORMAT = 3
"""Raised when the content changes: a report reads its own format only."""
FILE = "validation.json"

Text = tuple[str, str]


class Gate(Strict):
    """One question of the policy, how it came out, and its figure in words."""

    gate: str
    result: Outcome
    figure: str


class LearntPart(Strict):
    """One part of the split."""

    rows: Count
    customers: Count
    dates: Count
    """how many different as_of"""
    first: str
    last: str


class Learnt(Strict):
    """Who learns and who tests."""

    by: Literal["time", "customer", "folds"]
    parts: dict[str, LearntPart]
    shared_customers: dict[str, Count]
    """customers in two parts that must share nobody, by the names of both"""
    gap_days: FiniteFloat | None
    """from the last training as_of to the first test one"""


class Labels(Strict):
    """Chinese and English text of every feature and idea, and the unit of every feature."""

    features: dict[str, Text]
    units: dict[str, str]
    ideas: dict[str, Text]


class Monotone(Strict):
    """The walk over all pairs of leaves of every tree."""

    trees: Count
    broken: Count
    """violations of a declared direction"""
    directions: dict[str, Literal[-1, 1]]


class TargetReport(Strict):
    """Everything of one target."""

    format: Literal[3]
    metric: Literal["auc", "spearman"]
    """what ranks: AUC of outcomes, Spearman of amounts"""
    rows: Count
    """rows that the trees learnt from"""
    params: dict[str, JsonValue]
    """what the study chose"""
    features: Count
    dropped: list[str]
    """features of the catalogue that no row of learning tells apart"""
    parts: Mapping[str, Part]
    """`test` (the whole), by date, by known and unseen customers; `earlier_*` is the last date of
    training"""
    gates: list[Gate]
    definition: str
    labels: Labels
    learnt: Learnt
    gains: list[Gain]
    profit: Profits | None
    """null where the policy names no costs"""
    tiers: Tiers | None
    """null for outcomes"""
    noise: dict[str, dict[str, FiniteFloat]]
    """by part and figure, the spread over three fits that differ in their seed only"""
    champion: Champion | None
    """null where none was live or asked for"""
    monotone: Monotone
    stability: Stability
    groups: dict[str, Attribute]
    ratio_counts: bool
    """whether the least ratio between groups is a gate"""
    view: GlobalView | None
    """reasons over all customers, in points; null where too few rows hide a customer"""

    @property
    def is_amount(self) -> bool:
        """Whether the target is an amount."""
        return self.metric == "spearman"

    @property
    def test(self) -> Part:
        """The whole test."""
        return self.parts["test"]

    @property
    def ordered(self) -> list[str]:
        """The parts: the whole test, its parts, the last date of training."""
        return sorted(self.parts, key=lambda n: (not n.startswith("test"), n))

    @property
    def tested(self) -> list[str]:
        """The parts of the test, the whole one first."""
        return [n for n in self.ordered if n.startswith("test")]


class OutcomeReport(TargetReport):
    """Everything of a target that comes out good or bad."""

    metric: Literal["auc"]
    parts: dict[str, OutcomePart]


class AmountReport(TargetReport):
    """Everything of a target that is an amount."""

    metric: Literal["spearman"]
    parts: dict[str, AmountPart]


AnyReport = Annotated[OutcomeReport | AmountReport, Field(discriminator="metric")]


class Content(Strict):
    """A report. It holds no row, no customer and no time of day at which it was made."""

    bundle: Hash
    tierline: str
    """version of the software"""
    catalogue: Hash
    """of the features"""
    card: Card
    """the model card without the figures of its targets"""
    targets: dict[Target, AnyReport]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _ = self.plan, self.policy
        if {*self.targets} != {*self.card.targets}:
            raise ValueError("card.targets and targets name others")
        lacking = [t for t, told in self.targets.items() if "test" not in told.parts]
        if lacking:
            raise ValueError(f"no part `test` of {', '.join(lacking)}")
        return self

    @cached_property
    def plan(self) -> StudyPlan:
        """The study plan."""
        return StudyPlan.model_validate(self.card.plan)

    @property
    def policy(self) -> JudgedBy:
        """The policy that judged."""
        if self.card.policy is None:
            raise ValueError("the card names no policy")
        return self.card.policy


def read(text: bytes) -> Content:
    """The checked content of a report's JSON.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind; another format.
    """
    try:
        return Content.model_validate_json(text)
    except ValidationError as e:
        raise broken(FILE, e) from None
