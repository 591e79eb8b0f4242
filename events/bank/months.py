"""The months of the bank: their bounds, season, drift and campaigns, and the study plan.

Enters: a `BankConfig`. Leaves: arrays by month and the `StudyPlan`. It draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from domain.asof import MICROS_PER_DAY, from_micros, iso, monthly_grid
from domain.errors import InputError
from domain.plan import StudyPlan, TargetPlan
from events.bank.config import BankConfig
from events.bank.streams import Floats, Ints

SEASON = (1.05, 0.85, 0.95, 0.95, 1.0, 1.05, 0.95, 0.95, 1.0, 1.1, 1.2, 1.1)
"""Purchase rate by month of the year, January first."""
CAMPAIGN_MONTHS = 2
"""For how many months a campaign acts."""
PURCHASE_HORIZON = 90
CREDIT_HORIZON = 180


@dataclass(frozen=True)
class Months:
    """What differs from month to month; index 0 is the first month of data.

    `starts` has one more entry than there are months: the instant the data reaches. `purchase` is
    the factor of season and drift on the purchase rate, `drift` that of drift alone, `ability` the
    shift of drift (by month of the closing; it too has the one entry more).
    """

    starts: Ints
    days: Ints
    purchase: Floats
    drift: Floats
    ability: Floats
    every: int

    @property
    def count(self) -> int:
        """How many months of data there are."""
        return len(self.days)

    def without_season(self) -> Months:
        """The same months, each with the visits of an average one; drift stays."""
        return replace(self, purchase=self.drift)

    def is_campaign(self, month: int) -> bool:
        """Whether a campaign is sent on the first of this month; never in the first one."""
        return month > 0 and month % self.every == 0

    def is_over(self, month: int) -> bool:
        """Whether in this month no campaign acts any more."""
        return month < self.every or month % self.every >= CAMPAIGN_MONTHS


def months_of(config: BankConfig) -> Months:
    """The months of a bank, ending at `config.until`."""
    last = from_micros(monthly_grid(config.until, config.until)[0])
    index = last.year * 12 + last.month - 1 - config.months
    first = f"{index // 12:04d}-{index % 12 + 1:02d}-01"
    starts = np.array(monthly_grid(first, config.until), dtype=np.int64)
    months = np.arange(config.months + 1)
    first_drifted = config.drift_month if config.drift_month is not None else config.months + 1
    drifted = months >= first_drifted
    drift = np.exp(config.drift_purchase * drifted[:-1])
    season = np.array(SEASON)[(index + months[:-1]) % 12] ** config.season
    return Months(
        starts=starts,
        days=np.diff(starts) // MICROS_PER_DAY,
        purchase=season * drift,
        drift=drift,
        ability=config.drift_ability * drifted.astype(np.float64),
        every=config.campaign_every,
    )


def grids(months: Months) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the months at whose start we train, and test.

    The last test is the last month start with a mature credit label; the last training date lies
    a credit horizon before the first test; training begins after six months where there are
    enough, else after three.

    Raises:
        InputError: the months leave no training date.
    """
    horizon = CREDIT_HORIZON * MICROS_PER_DAY
    mature = np.flatnonzero(months.starts + horizon <= months.starts[-1])
    test = mature[-2:]
    before = np.flatnonzero(months.starts + horizon <= months.starts[test[0]])
    train = before[before >= (6 if len(before) > 7 else 3)]
    if not len(train):
        raise InputError(f"{months.count} months leave no training date: give 16 or more")
    return tuple(map(int, train)), tuple(map(int, test))


def study_plan(config: BankConfig) -> StudyPlan:
    """The plan written beside the tables: split by time and by unseen customers."""
    months = months_of(config)
    train, test = grids(months)
    purchase = TargetPlan(horizon_days=PURCHASE_HORIZON)
    return StudyPlan(
        split="time",
        train_as_of=tuple(from_micros(int(months.starts[m])) for m in train),
        test_as_of=tuple(from_micros(int(months.starts[m])) for m in test),
        split_key=f"bank:{config.seed}",
        currency="CNY",
        targets={
            "value": purchase,
            "churn": purchase,
            "credit": TargetPlan(horizon_days=CREDIT_HORIZON),
        },
    )


def month_name(months: Months, month: int) -> str:
    """The month as 2025-04."""
    return iso(int(months.starts[month]))[:7]
