"""Plans: what a reader may say of its data set."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.plan import StudyPlan, TargetPlan


def test_a_plan_survives_the_way_to_json_and_back():
    plan = StudyPlan(
        split="customer",
        split_key="k",
        currency="TWD",
        targets={"credit": TargetPlan(horizon_days=30, label="outcomes")},
    )
    assert StudyPlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("days", [0, -1, 5000])
def test_a_horizon_is_a_sensible_number_of_days(days):
    with pytest.raises(ValidationError):
        TargetPlan(horizon_days=days)


def test_an_as_of_without_a_zone_is_refused():
    raw = {"split": "time", "split_key": "k", "currency": "GBP", "targets": {}}
    with pytest.raises(ValidationError, match="train_as_of"):
        StudyPlan.model_validate({**raw, "train_as_of": ["2011-06-01T00:00:00"]})


@pytest.mark.parametrize("asked", [{"season": "year_before"}, {"calibration": "latest"}])
def test_what_is_told_by_time_needs_a_split_by_time(asked):
    given = {"split_key": "k", "currency": "EUR", "targets": {}, **asked}
    assert StudyPlan(split="time", **given)
    with pytest.raises(ValidationError, match="leave both out"):
        StudyPlan(split="customer", **given)


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (["2011-01-01", "2011-01-01"], ["2011-06-01"], "2011-01-01 does not come after 2011-01-01"),
        (["2011-03-01", "2011-01-01"], ["2011-06-01"], "2011-01-01 does not come after 2011-03-01"),
        (["2011-01-01", "2011-07-01"], ["2011-06-01"], "2011-06-01 does not come after 2011-07-01"),
        (["2011-01-01"], ["2011-09-01", "2011-06-01"], "2011-06-01 does not come after 2011-09-01"),
        (["2011-01-01"], ["2011-01-01"], "2011-01-01 does not come after 2011-01-01"),
    ],
)
def test_a_date_that_stands_twice_or_out_of_order_is_refused_and_named(train, test, said):
    grids = {"train_as_of": train, "test_as_of": test}
    zoned = {name: [f"{day}T00:00:00Z" for day in days] for name, days in grids.items()}
    with pytest.raises(ValidationError, match=said):
        StudyPlan.model_validate(
            {"split": "time", "split_key": "k", "currency": "GBP", "targets": {}, **zoned}
        )
