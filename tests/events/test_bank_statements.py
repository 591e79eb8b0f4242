from __future__ import annotations

import numpy as np
import pytest

from events.bank.config import BankConfig
from events.bank.statements import CURE, grant_loans, miss_probability
from tests.events.bank_world import SMALL, drawn, world

CONFIG = BankConfig(customers=6000, seed=9, late_share=0, duplicate_share=0, correction_share=0)


@pytest.fixture(scope="module")
def statements():
    rows = world(CONFIG)["statements"].to_pandas()
    rows["due_before"] = rows.groupby("account_id").days_past_due.shift()
    rows["bill_before"] = rows.groupby("account_id").bill.shift()
    return rows


def test_each_account_has_one_statement_a_month(statements):
    gaps = statements.groupby("account_id").happened_at.diff().dropna().dt.days
    assert set(gaps.unique()) == {28, 29, 30, 31}


def test_days_past_due_are_cured_stay_or_roll_by_thirty(statements):
    step = (statements.days_past_due - statements.due_before).dropna()
    moved = step[(statements.days_past_due > 0) & statements.due_before.notna()]
    assert set(moved.unique()) <= {0.0, 30.0}
    assert statements.days_past_due.max() == 180


def test_what_is_past_due_is_cured_as_often_as_stated(statements):
    paying = statements[(statements.due_before > 0) & (statements.paid > 0)]
    cured = (paying.days_past_due == 0).mean()
    assert abs(cured - CURE) < 4 * np.sqrt(CURE * (1 - CURE) / len(paying))


def test_status_says_what_the_numbers_say(statements):
    past_due = statements.days_past_due > 0
    assert (past_due == (statements.status == "past_due")).all()
    assert (statements.bill[statements.status == "unused"] == 0).all()
    full = statements[(statements.status == "paid_in_full") & statements.bill_before.notna()]
    assert (full.paid >= full.bill_before).all()


def test_nobody_pays_more_than_the_bill_and_a_missed_month_pays_nothing(statements):
    seen = statements.dropna(subset="bill_before")
    assert (seen.paid <= seen.bill_before + 0.005).all()
    rolled = seen[seen.days_past_due > seen.due_before]
    assert (rolled.paid == 0).all()


def test_some_statements_close_exactly_at_a_month_start(statements):
    at = statements.happened_at.dt
    assert ((at.hour == 0) & (at.minute == 0)).all()
    assert set(at.day.unique()) == {1, 5, 10, 15, 20, 25}


def test_utilisation_rises_as_ability_falls():
    rows = world(CONFIG)["statements"].to_pandas()
    truth = world(CONFIG)["truth/customers"].to_pandas().set_index("customer_id")
    used = (rows.bill / rows.limit).groupby(rows.customer_id).mean()
    assert np.corrcoef(used, truth.ability.loc[used.index])[0, 1] < -0.3


def test_the_base_rate_of_the_bad_is_two_to_six_percent():
    truth = world(CONFIG)["truth/outlook"].to_pandas()
    assert 0.02 < truth.p_default[truth.days_past_due < 90].mean() < 0.06


def test_missing_is_likelier_for_less_able_and_later_accounts():
    theta = np.linspace(-3, 8, 50)
    assert (np.diff(miss_probability(theta, np.zeros(50, dtype=int))) < 0).all()
    bands = miss_probability(np.full(5, 2.0), np.array([0, 30, 60, 90, 180]))
    assert (np.diff(bands) >= 0).all()
    assert miss_probability(np.array([0.0]), np.array([0]))[0] == 0.5


def test_loan_payments_are_worth_the_principal():
    d = drawn(SMALL)
    loans = grant_loans(SMALL, d.customers, d.months)
    assert len(loans.who) / SMALL.customers == pytest.approx(SMALL.loan_share, abs=0.07)
    for amount, term, payment in zip(loans.amount, loans.term, loans.payment, strict=True):
        worth = sum(payment / (1 + 0.05 / 12) ** k for k in range(1, term + 1))
        assert worth == pytest.approx(amount, rel=1e-3)
    assert (loans.happened >= d.customers.join[loans.who]).all()
    assert (loans.happened <= d.months.starts[-1]).all()
