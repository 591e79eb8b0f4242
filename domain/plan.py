"""The plan of a data set: at which instants we learn and test, and what its targets mean there.

A reader writes it beside the tables it read; training follows it. It holds no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.tiers import Target

Split = Literal["time", "customer", "folds"]
Calibration = Literal["customers", "latest"]
Season = Literal["none", "year_before", "smooth"]


class TargetPlan(BaseModel):
    """What one target means on this data set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_days: int = Field(gt=0, le=1830)
    active_days: int = Field(
        default=180, gt=0, description="value, churn: a purchase in so many days makes the cohort"
    )
    bad_days_past_due: int = Field(
        default=90, gt=0, description="credit from statements: reaching this is bad"
    )
    label: Literal["events", "outcomes"] = Field(
        default="events",
        description="from events, or (churn, credit) the source's own label in `outcomes`",
    )
    spend: Literal["net", "gross"] = Field(
        default="net",
        description="value: purchases less the refunds of the horizon, or the purchases alone",
    )


def check_order(train: Sequence[datetime], test: Sequence[datetime]) -> None:
    """Nothing, where each date stands once, in the order of time, training before the test.

    Raises:
        ValueError: names the date that does not.
    """
    for earlier, later in pairwise((*train, *test)):
        if earlier >= later:
            raise ValueError(
                f"{later:%Y-%m-%d} does not come after {earlier:%Y-%m-%d}: give each date once, in "
                "the order of time, those of training before those of the test"
            )


class StudyPlan(BaseModel):
    """How rows are split: `time` = later and unseen customers, `customer` = unseen customers of one
    instant, `folds` = customers in folds, for sets too small to set a test aside.

    With `customer` and `folds` the as_of of a customer is `outcomes.decided_at`, and the two grids
    are empty. `split_key` is the prefix of the hash that parts customers
    (`sha256(f"{split_key}:{id}")`, first 8 hexadecimal digits modulo 100); `test_percent` of them
    are unseen in training. Where `person_columns` tell a person who has several ids, splits go
    by the person, not by the id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Split
    train_as_of: tuple[AwareDatetime, ...] = ()
    test_as_of: tuple[AwareDatetime, ...] = ()
    split_key: str
    test_percent: int = Field(default=20, ge=5, le=50)
    person_columns: tuple[str, ...] = Field(
        default=(),
        description="columns of `customers`, or of a ready-made table, that tell the same person "
        "under several ids; none: every id is a person",
    )
    calibration: Calibration = Field(
        default="customers",
        description="who calibrates: customers of their own, or everybody at the latest training "
        "as_of, which no tree learns from then",
    )
    season: Season = Field(
        default="none",
        description="year_before: the intercept of a calendar month is learnt at the latest "
        "training as_of in that month, for decisions in the same month of later years; smooth: "
        "a curve of the year through these, which also tells months that taught nothing",
    )
    currency: str = Field(description="unit of every amount, for texts: GBP, CZK, TWD")
    targets: dict[Target, TargetPlan]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_order(self.train_as_of, self.test_as_of)
        return self

    @model_validator(mode="after")
    def _told_by_time(self) -> Self:
        if self.split != "time" and (self.calibration, self.season) != ("customers", "none"):
            raise ValueError(
                f"calibration {self.calibration} and season {self.season} are told by time: "
                f"with split {self.split} leave both out"
            )
        return self
