from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.life import DORMANT, ENGAGED, LifeMonth
from events.bank.money import STICKY_SHARE, balances, move_money
from events.bank.purchases import FEE, INFLOW, INTEREST, OUTFLOW
from tests.events.bank_world import SMALL, drawn, world

CONFIG = BankConfig(customers=5000, seed=8)
N = CONFIG.customers


def month(stage, number=11):
    d = drawn(CONFIG)
    alive = np.full(N, 0.0 if stage == DORMANT else float(d.months.days[number]))
    none = np.zeros(N, dtype=bool)
    path = LifeMonth(
        number, np.zeros(N), alive, d.customers.rate, np.full(N, np.nan), none, none,
        np.full(N, stage),
    )  # fmt: skip
    return d, move_money(CONFIG, d.customers, d.months, path)


def test_salaries_come_once_a_month_to_those_who_have_one():
    d, made = month(ENGAGED)
    paid = made.who[made.kind == INFLOW]
    expected = d.customers.is_salaried & (d.customers.join <= d.months.starts[11])
    assert np.array_equal(paid, np.flatnonzero(expected))
    ratio = made.amount[made.kind == INFLOW] / (d.customers.income[paid] / 12)
    assert 0.94 < ratio.min() < ratio.max() < 1.06


def test_half_of_the_salaries_stop_when_the_customer_drops_out():
    _, alive = month(ENGAGED)
    _, gone = month(DORMANT)
    kept = (gone.kind == INFLOW).sum() / (alive.kind == INFLOW).sum()
    assert kept == pytest.approx(STICKY_SHARE, abs=0.05)
    assert not (gone.kind == FEE).any()


def test_fees_and_interest_are_booked_at_the_midnight_that_ends_the_month():
    d, made = month(ENGAGED)
    ends = made.happened[(made.kind == FEE) | (made.kind == INTEREST)]
    assert (ends == d.months.starts[12]).all()
    assert len(ends)
    assert not (month(ENGAGED, 12)[1].kind == INTEREST).any()


def test_outflows_fall_within_the_month():
    d, made = month(ENGAGED)
    day = (made.happened[made.kind == OUTFLOW] - d.months.starts[11]) / MICROS_PER_DAY
    assert 1 <= day.min() < day.max() < 28


def test_balances_are_running_sums_of_signed_amounts():
    rows = world(SMALL)["transactions"].to_pandas()
    rows = rows.drop_duplicates("event_id", keep="last")
    sign = {"purchase": -1, "outflow": -1, "fee": -1, "refund": 1, "inflow": 1, "interest": 1}
    rows["signed"] = rows.amount * rows.kind.map(sign)
    steps = rows.groupby("customer_id").balance.diff()
    inside = steps.notna()
    assert inside.sum() > 1000
    assert (steps - rows.signed)[inside].abs().max() < 0.005


def test_only_salaried_customers_have_a_balance():
    truth = world(SMALL)["truth/customers"].to_pandas().set_index("customer_id").is_salaried
    rows = world(SMALL)["transactions"].to_pandas()
    assert (rows.balance.notna() == rows.customer_id.map(truth)).all()


def test_balances_of_no_events_are_none():
    d, made = month(DORMANT)
    nothing = type(made)(**{k: v[:0] for k, v in vars(made).items()})
    assert len(balances(CONFIG, d.customers, nothing)) == 0
