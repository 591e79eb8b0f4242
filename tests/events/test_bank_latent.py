from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import draw_customers, mean_spend
from events.bank.months import months_of
from tests.events.bank_world import drawn

LARGE = BankConfig(customers=20_000, seed=2)


def slopes(y, *columns):
    """Ordinary least squares: each slope over its standard error."""
    X = np.column_stack([np.ones(len(y)), *columns]).astype(float)
    beta, rest, *_ = np.linalg.lstsq(X, y, rcond=None)
    error = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * rest[0] / (len(y) - X.shape[1]))
    return (beta / error)[1:]


@pytest.mark.parametrize("what", ["ability", "spend_log", "rate", "hazard", "satisfaction"])
def test_protected_attributes_move_nothing_by_themselves(what):
    c = drawn(LARGE).customers
    age = -c.birth_day / 365.25
    stated = (np.log(c.income), c.education, c.owns_home, c.use)
    found = slopes(getattr(c, what), c.is_female, age, c.marital > 0, c.children, *stated)
    assert np.abs(found[:4]).max() < 4


def test_protected_attributes_go_along_with_income_as_stated():
    c = drawn(LARGE).customers
    age = -c.birth_day / 365.25
    female, by_age, education = slopes(np.log(c.income), c.is_female, age, c.education)
    assert female < -4
    assert by_age > 4
    assert education > 4


def test_nobody_works_before_birth_or_joins_as_a_child():
    d = drawn(LARGE)
    c = d.customers
    age = (c.join / MICROS_PER_DAY - c.birth_day) / 365.25
    assert age.min() >= 18
    assert (c.employed <= c.join).all()
    assert (c.employed / MICROS_PER_DAY - c.birth_day > 14 * 365).all()


def test_customers_join_before_and_within_the_data():
    d = drawn(LARGE)
    early = d.customers.join < d.months.starts[0]
    assert early.mean() == pytest.approx(0.6, abs=0.02)
    assert d.customers.join.max() < d.months.starts[-1]
    assert d.customers.join.min() < d.months.starts[0] - 3 * 365 * MICROS_PER_DAY


def test_mean_visit_rate_is_as_asked():
    config = BankConfig(customers=20_000, visits_per_month=7.0)
    rates = drawn(config).customers.rate * 30
    assert rates.mean() == pytest.approx(7.0, rel=0.05)


def test_a_chunk_does_not_depend_on_the_number_of_customers():
    few, many = BankConfig(customers=40), BankConfig(customers=5_000_000)
    a = draw_customers(few, months_of(few), 20, 20)
    b = draw_customers(many, months_of(many), 20, 20)
    assert all(
        np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )
    assert a.number.tolist() == list(range(21, 41))


def test_mean_spend_is_the_mean_of_the_amounts_drawn():
    c = drawn(BankConfig(customers=5)).customers
    rng = np.random.default_rng(0)
    category = rng.choice(10, 400_000, p=c.mix[2])
    from events.bank.latent import LOG_PRICE

    amounts = np.exp(c.spend_log[2] + LOG_PRICE[category] + 0.7 * rng.standard_normal(400_000))
    assert amounts.mean() == pytest.approx(mean_spend(c, 0.7)[2], rel=0.02)
