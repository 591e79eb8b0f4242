"""What the credit themes say of a card and a loan whose months are known by heart."""

from __future__ import annotations

import pytest

from features.catalogue import CATALOGUE
from tests.features.panel_world import at, computed, row

MONTHS = [  # day, bill, paid, days past due, status
    (30, 200.0, 200.0, 0, "paid_in_full"),
    (60, 400.0, 100.0, 0, "revolving"),
    (90, 600.0, 0.0, 30, "revolving"),
    (120, 800.0, 50.0, 60, "revolving"),
    (150, 500.0, 500.0, 0, "paid_in_full"),
]
STATEMENTS = [
    row("c", d, bill=b, paid=p, limit=1000.0, days_past_due=late, status=s)
    for d, b, p, late, s in MONTHS
]
EXPECTED = {
    "days_past_due_last": 0.0,
    "days_past_due_max_180d": 60.0,
    "days_past_due_max_90d": 60.0,
    "past_due_count_180d": 2.0,
    "past_due_30_count_180d": 2.0,
    "past_due_60_count_ever": 1.0,
    "past_due_recency_days": 40.0,
    "full_payment_share_180d": 2 / 5,
    "paid_sum_90d": 550.0,
    "bill_sum_90d": 1900.0,
    "payment_ratio_90d": 550 / 1900,
    "utilisation_last": 0.5,
    "utilisation_max_180d": 0.8,
    "utilisation_mean_180d": 0.5,
    "limit_left": 500.0,
    "bill_to_mean_180d": 1.0,
    "statement_count_ever": 5.0,
    "statement_tenure_days": 130.0,
}


@pytest.mark.parametrize(("name", "value"), EXPECTED.items())
def test_the_features_of_a_known_card(name, value):
    found = computed({"statements": STATEMENTS}, [("c", at(160))], CATALOGUE)[name][0].as_py()
    assert found == pytest.approx(value), name


def test_arrears_of_linked_accounts_are_told_apart_from_ones_own():
    """A month in which nobody else of the person owed anything says nothing of linked accounts."""
    told = [(30, 60.0), (400, None), (430, 30.0), (460, 0.0), (490, 1.0)]
    rows = [
        row("c", d, days_past_due=0, status="paid_in_full", linked_days_past_due=v) for d, v in told
    ]
    alone = [row("d", 490, days_past_due=90, status="past_due")]
    found = computed({"statements": rows + alone}, [("c", at(500)), ("d", at(500))], CATALOGUE)
    expected = {
        "linked_days_past_due_max_365d": (30.0, None),
        "linked_days_past_due_max_ever": (60.0, None),
        "days_past_due_max_365d": (0.0, 90.0),
    }
    for name, (of_c, of_d) in expected.items():
        both = [None if v is None or v != v else v for v in found[name].to_pylist()]
        assert both == [of_c, of_d], name


def test_a_payment_far_above_the_bill_is_capped():
    rows = [row("c", 1, bill=1.0, paid=900.0, limit=1000.0, days_past_due=0, status="revolving")]
    found = computed({"statements": rows}, [("c", at(5))], CATALOGUE)
    assert found["payment_ratio_90d"][0].as_py() == 5.0


def test_a_loan_is_measured_against_what_comes_in():
    tables = {
        "loans": [row("c", 5, amount=1200.0, term_months=12, payment=100.0)],
        "transactions": [row("c", d, kind="inflow", amount=500.0, balance=400.0) for d in (2, 32)],
    }
    found = computed(tables, [("c", at(40))], CATALOGUE)
    assert found["loan_payment_last"][0].as_py() == 100.0
    assert found["loan_payment_to_inflow"][0].as_py() == pytest.approx(6 * 100 / 1000)
    assert found["loan_payment_to_balance"][0].as_py() == pytest.approx(0.25)


def test_being_past_due_is_bad_for_credit():
    for name in ("days_past_due_max_180d", "past_due_count_180d", "days_past_due_last"):
        assert CATALOGUE[name].better["credit"] == -1
    assert CATALOGUE["payment_ratio_90d"].better["credit"] == 1
