from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from events.bank.config import BankConfig
from events.bank.life import DORMANT, ENGAGED, FADING, Life, first_life, live_month
from tests.events.bank_world import drawn

CONFIG = BankConfig(customers=20_000, seed=4)
N = CONFIG.customers


def old_customers():
    """Customers who all joined before the data, so that every month is a whole one."""
    d = drawn(CONFIG)
    return d.months, replace(d.customers, join=np.full(N, d.months.starts[0] - 1))


def close_to(seen, expected, n=N):
    return abs(seen - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


def one_month(stage, month=2, treated=False):
    months, customers = old_customers()
    life = Life(np.full(N, stage), np.full(N, treated))
    return customers, *live_month(CONFIG, customers, months, month, life)


def test_engaged_customers_drop_out_fade_and_stay_as_often_as_the_formulas_say():
    customers, path, after = one_month(ENGAGED)
    stays = np.exp(-customers.hazard * 31)
    fades = customers.complain * CONFIG.fade_after_complaint
    fades += (1 - customers.complain) * customers.fade
    assert close_to((after.stage == DORMANT).mean(), (1 - stays).mean())
    assert close_to((after.stage == FADING).mean(), (stays * fades).mean())
    assert path.alive.max() == 31
    assert ((path.alive < 31) == (after.stage == DORMANT)).all()


def test_fading_customers_drop_out_and_recover_as_often_as_the_formulas_say():
    customers, path, after = one_month(FADING)
    stays = np.exp(-customers.hazard * CONFIG.fading_dropout_factor * 31)
    recovers = CONFIG.recover_per_month * (1 - 0.75 * customers.complain)
    assert close_to((after.stage == DORMANT).mean(), (1 - stays).mean())
    assert close_to((after.stage == ENGAGED).mean(), (stays * recovers).mean())
    assert path.visits == pytest.approx(customers.rate * 0.95 * CONFIG.fading_purchase_factor)


def test_dormant_customers_do_nothing_and_seldom_come_back():
    customers, path, after = one_month(DORMANT)
    assert not path.alive.any()
    assert np.isnan(path.complaint).all()
    assert close_to((after.stage == ENGAGED).mean(), customers.come_back.mean())


def test_complaints_raise_dropout():
    config = replace(CONFIG, complaints_per_month=0.3)
    months, _ = old_customers()
    d = drawn(config)
    customers = replace(d.customers, join=np.full(N, months.starts[0] - 1))
    path, life = live_month(
        config, customers, months, 1, Life(np.full(N, ENGAGED), np.zeros(N, dtype=bool))
    )
    stayed, complained = life.stage != DORMANT, ~np.isnan(path.complaint)
    calm = replace(customers, complain=np.zeros(N), come_back=np.zeros(N))
    for month in (2, 3, 4):
        _, life = live_month(config, calm, months, month, life)
    alike = stayed & (np.abs(customers.satisfaction) < 0.5)
    gone = life.stage == DORMANT
    assert gone[alike & complained].mean() > 1.5 * gone[alike & ~complained].mean()


def test_a_campaign_treats_its_share_of_those_who_joined_and_acts_two_months():
    months, customers = old_customers()
    life = Life(np.full(N, ENGAGED), np.zeros(N, dtype=bool))
    first, after = live_month(CONFIG, customers, months, 3, life)
    second, after_two = live_month(CONFIG, customers, months, 4, after)
    _, after_three = live_month(CONFIG, customers, months, 5, after_two)
    assert close_to(first.sent.mean(), CONFIG.campaign_share)
    assert np.array_equal(after.treated, first.sent)
    assert np.array_equal(after_two.treated, first.sent)
    assert not second.sent.any()
    assert not after_three.treated.any()
    ratio = first.visits / (customers.rate * float(months.purchase[3]))
    assert ratio == pytest.approx(np.where(first.sent, np.exp(customers.lift), 1.0))


def test_a_treated_customer_drops_out_as_much_less_as_the_effect_says():
    months, customers = old_customers()
    kept = replace(customers, hold=np.full(N, 1.5), hazard=customers.hazard * 5)
    life = Life(np.full(N, FADING), np.zeros(N, dtype=bool))
    path, after = live_month(CONFIG, kept, months, 3, life)
    hazard = kept.hazard * CONFIG.fading_dropout_factor * np.where(path.sent, np.exp(-1.5), 1)
    gone = 1 - np.exp(-hazard * months.days[3])
    for treated in (True, False):
        rows = path.sent == treated
        assert close_to((after.stage == DORMANT)[rows].mean(), gone[rows].mean(), rows.sum())


def test_campaigns_are_drawn_independently_of_the_customer():
    months, customers = old_customers()
    life = first_life(CONFIG, customers, months, 0)
    path, _ = live_month(CONFIG, customers, months, 3, life)
    for value in (customers.satisfaction, customers.rate, customers.ability, life.stage):
        assert abs(np.corrcoef(path.sent, value)[0, 1]) < 4 / np.sqrt(N)


def test_nobody_lives_before_joining():
    d = drawn(CONFIG)
    life = first_life(CONFIG, d.customers, d.months, 0)
    path, _ = live_month(CONFIG, d.customers, d.months, 3, life)
    later = d.customers.join >= d.months.starts[4]
    assert later.any()
    assert not path.alive[later].any()
    assert not path.eligible[d.customers.join > d.months.starts[3]].any()
