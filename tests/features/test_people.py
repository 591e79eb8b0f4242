"""What engagement, relationship and profile say of a customer known by heart."""

from __future__ import annotations

from datetime import date

import pytest

from features.catalogue import CATALOGUE
from tests.features.panel_world import START, at, computed, row

BORN = (date(1990, 1, 1) - date(1970, 1, 1)).days
TABLES = {
    "customers": [
        row("c", 0, joined_at=at(-100), birth_on=BORN, income=50_000.0, products=2, owns_home=True)
    ],
    "statements": [
        row("c", 9, bill=1.0, paid=1.0, limit=5000.0, days_past_due=0, status="paid_in_full")
    ],
    "interactions": [
        row("c", 1, kind="campaign"), row("c", 2, kind="response"), row("c", 50, kind="campaign"),
        row("c", 60, kind="complaint"), row("c", 70, kind="satisfaction", score=4.0),
        *(row("c", d, kind="app_session") for d in (20, 40, 80, 90)),
    ],
}  # fmt: skip
EXPECTED = {
    "complaint_count_90d": 1.0,
    "complaint_recency_days": 40.0,
    "satisfaction_last": 4.0,
    "app_session_count_30d": 2.0,
    "app_session_count_90d": 4.0,
    "app_ratio_30d_to_90d": 3 * 2 / 4,
    "app_recency_days": 10.0,
    "response_share_180d": 0.5,
    "relationship_days": 200.0,
    "income_last": 50_000.0,
    "products_last": 2.0,
    "owns_home_last": 1.0,
    "limit_to_income": 0.1,
    "age_years": (START / 86_400_000_000 + 100 - BORN) / 365.25,
}


@pytest.mark.parametrize(("name", "value"), EXPECTED.items())
def test_the_features_of_a_known_person(name, value):
    found = computed(TABLES, [("c", at(100))], CATALOGUE)[name][0].as_py()
    assert found == pytest.approx(value), name


def test_age_and_dependants_are_protected():
    assert CATALOGUE["age_years"].protected
    assert CATALOGUE["dependants_last"].protected
    assert not CATALOGUE["income_last"].protected


def test_a_complaint_never_earns_points():
    assert CATALOGUE["complaint_count_90d"].better.get("churn", 0) <= 0
