"""What a report says of the test rows: the models of its figures, intervals and differences.

Enters: JSON. Leaves: checked values. An interval is the middle 95 % over the same resamples of
customers; the rest of a report is in `training/report_model.py`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.decision import FiniteFloat, Hash

Count = Annotated[int, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Interval = tuple[FiniteFloat, FiniteFloat]
Ranged = tuple[FiniteFloat, FiniteFloat, FiniteFloat]


class Strict(BaseModel):
    """Every key stands there and no other, of its very kind."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class Coverage(Strict):
    """How often the truth lay inside the interval of a score."""

    rows: Count
    coverage: Share
    interval: Interval
    unsure: Share
    """share of rows for which more than one answer is left"""


class Tenth(Strict):
    """A tenth of the rows by what was predicted; amounts by their mean."""

    predicted: FiniteFloat
    seen: FiniteFloat
    interval: Interval
    """of what was seen"""
    rows: Count


class Part(Strict):
    """Figures of one part of the test."""

    rows: Count
    events: Count
    """bad outcomes; for an amount, customers who spend anything"""
    gini: FiniteFloat
    calibration_error: FiniteFloat
    """mean distance of predicted and seen over ten equal groups; of an amount, by its mean"""
    baseline: dict[str, FiniteFloat]
    """the ranking measure of each baseline"""
    intervals: dict[str, Interval]
    """95 % interval of the whole test's every figure, of other parts' ranking measure"""
    differences: dict[str, dict[str, Ranged]]
    """ours minus each baseline on the same rows, by figure of a score: difference, low, high"""
    coverage: dict[str, Coverage]
    """over all rows and by segment"""
    reliability: list[Tenth]
    """predicted and seen, of the bad outcome or the amount"""

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


class Gain(Strict):
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


class Profit(Strict):
    """What a customer of the whole book brings where a share of them is acted on."""

    share: Share
    profit: FiniteFloat
    interval: Interval


class Profits(Strict):
    """Profit by the costs of the policy."""

    curve: list[Profit]
    best: Profit


class TiersAt(Strict):
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
    differences: dict[str, dict[str, Ranged]]
    """by rule, our quadratic kappa minus that of tiers of the same sizes: difference, low, high"""
    suggested: Suggested | None
    """null where the customers who calibrate are no part of their own, with folds"""


class Champion(Strict):
    """The bundle that it was held against: its figures and ours minus them, or why there are
    none."""

    bundle: Hash
    because: str | None = None
    figures: dict[str, FiniteFloat] | None = None
    differences: dict[str, Ranged] | None = None


class ScoreShift(Strict):
    """PSI of the score from the customers that calibrate."""

    psi: FiniteFloat
    floor: FiniteFloat
    """what chance alone shows"""
    parts: dict[str, FiniteFloat]


class Stability(Strict):
    """Population stability index, from learning to test; with folds there is none."""

    score: ScoreShift | None
    features: dict[str, FiniteFloat]


class Group(Strict):
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


class Attribute(Strict):
    """The groups of one attribute; `difference` is largest minus least, `ratio` least by largest,
    of each measure."""

    overall: Group
    """everybody"""
    by_group: dict[str, Group]
    difference: dict[str, Ranged]
    ratio: dict[str, Ranged]
    too_small: list[str]
    """groups of which no figure is told"""
