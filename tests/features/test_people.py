"""What engagement, relationship and profile say of a customer known by heart."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.asof import MICROS_PER_DAY
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


COMPLETENESS = [f for f in CATALOGUE.features if f.theme == "completeness"]
PROFILE = {
    **dict.fromkeys(("joined_at", "products", "income", "education", "employed_since"), 1),
    **dict.fromkeys(("owns_home", "owns_car"), True),
}


@st.composite
def an_event(draw, **fields):
    """A row of anybody, perhaps known late, perhaps corrected later."""
    day = draw(st.integers(0, 120))
    known = day + draw(st.sampled_from([0, 0, 9, 60]))
    until = draw(st.sampled_from([None, None, known + 5, known + 90]))
    told = {name: draw(st.none() | st.just(value)) for name, value in fields.items()}
    return row(draw(st.sampled_from("ab")), day, known=known, superseded=until, **told)


BOOK = st.fixed_dictionaries({
    "customers": st.lists(an_event(**PROFILE), max_size=4),
    "transactions": st.lists(an_event(), max_size=6),
    "statements": st.lists(an_event(), max_size=2),
    "loans": st.lists(an_event(), max_size=2),
    "interactions": st.lists(an_event(), max_size=2),
})  # fmt: skip


def completeness(book, customer, as_of):
    """The same in plain loops: what is visible, in how many tables, months and fields."""
    seen = {
        table: sorted(
            (r for r in rows if r["customer_id"] == customer and r["happened_at"] <= as_of
             and r["known_at"] <= as_of < (r["superseded_at"] or as_of + 1)),
            key=lambda r: r["happened_at"],
        )
        for table, rows in book.items()
    }  # fmt: skip
    happened = {t: [r["happened_at"] for r in rows] for t, rows in seen.items()}
    days = [(as_of - h) / MICROS_PER_DAY for h in happened["transactions"]]
    moments = [datetime.fromtimestamp(h / 1e6, tz=UTC) for h in happened["transactions"]]
    months = {(m.year, m.month) for m in moments}
    told = [c for c in PROFILE if any(r[c] is not None for r in seen["customers"])]
    return {
        "profile_recency_days": (
            (as_of - happened["customers"][-1]) / MICROS_PER_DAY if seen["customers"] else None
        ),
        "transaction_months_ever": float(len(months)) if days else None,
        "transaction_month_share": (
            min(1.0, len(months) / (max(days) / 365.25 * 12)) if days and max(days) > 0 else None
        ),
        "known_table_share": len([t for t in seen if seen[t]]) / 5 or None,
        "filled_profile_share": len(told) / 7 or None,
    }


@settings(max_examples=60, deadline=None)
@given(book=BOOK, day=st.integers(0, 200))
def test_completeness_says_what_was_visible_of_a_customer_at_as_of(book, day):
    pairs = [(c, at(day)) for c in "ab"]
    found = computed(book, pairs, CATALOGUE)
    for place, (customer, as_of) in enumerate(pairs):
        expected = completeness(book, customer, as_of)
        assert set(expected) == {f.name for f in COMPLETENESS}
        for name, value in expected.items():
            assert found[name][place].as_py() == pytest.approx(value), (name, customer)


@pytest.mark.parametrize("feature", COMPLETENESS, ids=lambda f: f.name)
def test_completeness_describes_moves_nobody_and_reads_nothing_protected(feature):
    assert not feature.lever and not feature.protected and not feature.better
    assert all(feature.low) and all(feature.high)


def test_age_and_dependants_are_protected():
    assert CATALOGUE["age_years"].protected
    assert CATALOGUE["dependants_last"].protected
    assert not CATALOGUE["income_last"].protected


def test_a_complaint_never_earns_points():
    assert CATALOGUE["complaint_count_90d"].better.get("churn", 0) <= 0
