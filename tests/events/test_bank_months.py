from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY, is_mature, iso, to_micros
from events.bank.config import MAX_MONTHS, MIN_MONTHS, BankConfig
from events.bank.months import SEASON, grids, month_name, months_of, study_plan


def test_months_end_where_the_data_ends():
    months = months_of(BankConfig(months=30))
    assert iso(int(months.starts[0]))[:10] == "2024-01-01"
    assert iso(int(months.starts[-1]))[:10] == "2026-07-01"
    assert months.days[:3].tolist() == [31, 29, 31]
    assert month_name(months, 14) == "2025-03"


def test_season_follows_the_month_of_the_year_and_drift_begins_in_its_month():
    months = months_of(BankConfig(months=30, drift_month=20, drift_purchase=-0.5))
    assert months.purchase[:12].tolist() == list(SEASON)
    assert months.purchase[19] == SEASON[7]
    assert months.purchase[20] == pytest.approx(SEASON[8] * np.exp(-0.5))
    assert np.flatnonzero(months.ability)[0] == 20


def test_a_campaign_acts_for_two_months():
    months = months_of(BankConfig(campaign_every=3))
    assert [months.is_campaign(m) for m in range(5)] == [False, False, False, True, False]
    assert [months.is_over(m) for m in range(7)] == [True, True, True, False, False, True, False]


@pytest.mark.parametrize("until", ["2026-07-01", "2024-09-01", "2025-03-01"])
@pytest.mark.parametrize("count", [MIN_MONTHS, 19, 30, MAX_MONTHS])
def test_the_plan_is_mature_for_every_target_and_keeps_a_gap_of_every_horizon(count, until):
    plan = study_plan(BankConfig(months=count, until=until))
    months = months_of(BankConfig(months=count, until=until))
    end, last = int(months.starts[-1]), to_micros(plan.train_as_of[-1])
    assert set(plan.targets) == {"value", "churn", "credit"}
    for target in plan.targets.values():
        assert all(is_mature(to_micros(t), target.horizon_days, end) for t in plan.test_as_of)
        gap = to_micros(plan.test_as_of[0]) - last
        assert gap >= target.horizon_days * MICROS_PER_DAY
    before = to_micros(plan.train_as_of[0]) - int(months.starts[0])
    assert before >= (180 if count >= 20 else 89) * MICROS_PER_DAY


def test_the_plan_of_the_default_bank():
    plan = study_plan(BankConfig(seed=3))
    assert [t.strftime("%Y-%m-%d") for t in plan.test_as_of] == ["2025-12-01", "2026-01-01"]
    assert len(plan.train_as_of) == 12
    assert (plan.split, plan.split_key, plan.currency) == ("time", "bank:3", "CNY")


def test_grids_are_indices_of_months():
    train, test = grids(months_of(BankConfig(months=30)))
    assert (train[0], train[-1], test) == (6, 17, (23, 24))


def test_the_season_is_a_power_of_the_mild_one_and_can_be_taken_away():
    mild = months_of(BankConfig(drift_month=20))
    strong = months_of(BankConfig(drift_month=20, season=4.0))
    none = months_of(BankConfig(drift_month=20, season=0.0))
    assert strong.purchase[:12].tolist() == pytest.approx([f**4 for f in SEASON])
    assert (none.purchase == none.drift).all()
    for months in (mild, strong):
        assert (months.without_season().purchase == none.purchase).all()
        assert (months.without_season().ability == months.ability).all()
