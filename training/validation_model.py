"""What a report says: the strict model of its JSON, which its page is made from and nothing else.

Enters: JSON, of today or of years ago. Leaves: a checked `Content`, or every place at which it is
none. It computes no figure. `docs/report.md` is written from this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from domain.decision import FiniteFloat, Hash
from domain.errors import broken
from domain.gates import Outcome
from domain.plan import StudyPlan
from domain.tiers import Target
from scoring.card import Card, JudgedBy
from scoring.global_view import GlobalView

FORMAT = 2
"""Raised when the content changes: a report reads its own format only."""
FILE = "validation.json"

Count = Annotated[int, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Interval = tuple[FiniteFloat, FiniteFloat]
Ranged = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
Text = tuple[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Coverage(_Strict):
    """How often the truth lay inside the interval of a score."""

    rows: Count
    coverage: Share
    interval: Interval
    unsure: Share
    """share of rows for which more than one answer is left"""


class Part(_Strict):
    """Figures of one part of the test."""

    rows: Count
    events: Count
    """bad outcomes; for an amount, customers who spend anything"""
    interval: Interval
    """95 % interval of the ranking measure"""
    gini: FiniteFloat
    calibration_error: FiniteFloat
    """mean distance of predicted and seen over ten equal groups; of an amount, by its mean"""
    baseline: dict[str, FiniteFloat]
    """the ranking measure of each baseline"""
    difference: dict[str, Ranged]
    """ours minus each baseline on the same rows: figure, low, high"""
    coverage: dict[str, Coverage]
    """over all rows and by segment"""
    intervals: dict[str, Interval] = {}
    """of the whole test alone, as `differences`: 95 % interval of each figure"""
    differences: dict[str, dict[str, Ranged]] = {}
    """as `difference`, by baseline and by every measure of a score"""

    @property
    def measures(self) -> dict[str, float]:
        """Every plain figure by name, what ranks first."""
        own = (n for n in type(self).model_fields if n not in Part.model_fields)
        return {n: getattr(self, n) for n in (*own, "gini", "calibration_error")}


class OutcomePart(Part):
    """Figures of one part of the test, of a good or bad outcome."""

    auc: FiniteFloat
    pr_auc: FiniteFloat
    """area under precision and recall, of the bad outcome"""
    ks: FiniteFloat
    brier: FiniteFloat
    log_loss: FiniteFloat
    base_rate: Share
    """share of bad outcomes"""
    mean_predicted: Share
    """of the bad outcome"""
    calibration_floor: FiniteFloat
    """the calibration error that a perfect model shows by chance"""


class AmountPart(Part):
    """Figures of one part of the test, of an amount in the currency of the plan."""

    spearman: FiniteFloat
    mae: FiniteFloat
    """mean absolute error"""
    mean: FiniteFloat
    """mean true amount"""
    sum_ratio: FiniteFloat
    """sum of the predicted amounts by the sum of the true ones"""


class Gate(_Strict):
    """One question of the policy, how it came out, and its figure in words."""

    gate: str
    result: Outcome
    figure: str


class LearntPart(_Strict):
    """One part of the split."""

    rows: Count
    customers: Count
    dates: Count
    """how many different as_of"""
    first: str
    last: str


class Learnt(_Strict):
    """Who learns and who tests."""

    by: Literal["time", "customer", "folds"]
    parts: dict[str, LearntPart]
    shared_customers: dict[str, Count]
    """customers in two parts that must share nobody, by the names of both"""
    gap_days: FiniteFloat | None
    """from the last training as_of to the first test one"""


class Labels(_Strict):
    """Chinese and English text of every feature and idea, and the unit of every feature."""

    features: dict[str, Text]
    units: dict[str, str]
    ideas: dict[str, Text]


class Gain(_Strict):
    """A tenth of the customers in the order of acting."""

    rows: Count
    mean: FiniteFloat
    """share of bad outcomes, or mean amount"""
    lift: FiniteFloat
    """to the mean of all"""
    captured: FiniteFloat
    """of all there is, by this tenth and those before"""
    interval: Interval
    """of `captured`"""


class Profit(_Strict):
    """What a customer of the whole book brings where a share of them is acted on."""

    share: Share
    profit: FiniteFloat
    interval: Interval


class Profits(_Strict):
    """Profit by the costs of the policy."""

    curve: list[Profit]
    best: Profit


class TiersAt(_Strict):
    """Tiers of predicted against tiers of true amounts, at some cuts of the predictions."""

    tiers: list[str]
    table: list[list[Count]]
    """customers: a row a true tier, a column a predicted one"""
    macro_f1: FiniteFloat
    quadratic_kappa: FiniteFloat | None
    """quadratic weighted; null where all stand in one tier"""
    high_for_low: Share
    """predicted highest, truly lowest, of all rows"""
    low_for_high: Share


class Suggested(TiersAt):
    """Tiers at the cuts that suit the calibrating customers best."""

    bounds: list[int]
    """points from which each tier but the lowest begins"""


class Tiers(TiersAt):
    """Tiers at the cuts of the policy."""

    intervals: dict[str, Interval]
    """95 % interval of each of the four"""
    better_than: dict[str, Ranged]
    """by rule, our kappa minus that of tiers of the same sizes: figure, low, high"""
    suggested: Suggested | None
    """null where the customers who calibrate are no part of their own, with folds"""


class Tenth(_Strict):
    """A tenth of the rows by what was predicted; amounts by their mean."""

    predicted: FiniteFloat
    seen: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    """95 % interval of what was seen"""
    rows: Count


class Reliability(_Strict):
    """Predicted and seen, of the bad outcome or the amount."""

    table: list[Tenth]
    floor: FiniteFloat | None
    """as `calibration_floor`; of amounts there is none"""


class Champion(_Strict):
    """The bundle that it was held against: its figures and ours minus them, or why there are none;
    `figure` and `difference` are those of the ranking measure."""

    bundle: Hash
    because: str | None = None
    figure: FiniteFloat | None = None
    difference: Ranged | None = None
    figures: dict[str, FiniteFloat] | None = None
    differences: dict[str, Ranged] | None = None


class Monotone(_Strict):
    """The walk over all pairs of leaves of every tree."""

    trees: Count
    broken: Count
    """violations of a declared direction"""
    directions: dict[str, Literal[-1, 1]]


class ScoreShift(_Strict):
    """PSI of the score from the customers that calibrate."""

    psi: FiniteFloat
    floor: FiniteFloat
    """what chance alone shows"""
    parts: dict[str, FiniteFloat]


class Stability(_Strict):
    """Population stability index, from learning to test; with folds there is none."""

    score: ScoreShift | None
    features: dict[str, FiniteFloat]


class Group(_Strict):
    """One group of an attribute; ranges are figure, low, high."""

    rows: Count
    events: Count
    seen: FiniteFloat
    """share of bad outcomes, or mean amount"""
    predicted_to_seen: Ranged
    favourable: Ranged
    """share whose tier or band is not adverse"""
    auc: Ranged | None = None
    spearman: Ranged | None = None
    quadratic_kappa: Ranged | None = None
    macro_f1: Ranged | None = None
    """of value tiers"""


class Attribute(_Strict):
    """The groups of one attribute; `difference` is largest minus least, `ratio` least by largest,
    of each measure."""

    overall: Group
    """everybody"""
    by_group: dict[str, Group]
    difference: dict[str, Ranged]
    ratio: dict[str, Ranged]
    too_small: list[str]
    """groups of which no figure is told"""


class TargetReport(_Strict):
    """Everything of one target."""

    format: Literal[2]
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
    reliability: dict[str, Reliability]
    """by part"""
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


class Content(_Strict):
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
