from __future__ import annotations

import numpy as np
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import mean_spend
from events.bank.life import ENGAGED, LifeMonth
from events.bank.purchases import REFUND_MEAN_PART, at_hours, buy, join_events, pick
from tests.events.bank_world import drawn

CONFIG = BankConfig(customers=20_000, seed=6, visits_per_month=4)
N = CONFIG.customers


def bought(alive=20.0, entry=5.0):
    d = drawn(CONFIG)
    path = LifeMonth(
        month=8,
        entry=np.full(N, entry),
        alive=np.full(N, alive),
        visits=d.customers.rate,
        complaint=np.full(N, np.nan),
        sent=np.zeros(N, dtype=bool),
        eligible=np.zeros(N, dtype=bool),
        stage=np.full(N, ENGAGED),
    )
    return d, *buy(CONFIG, d.customers, d.months, path)


def test_purchases_follow_rate_and_exposure():
    d, made, _ = bought()
    expected = d.customers.rate * 20 * CONFIG.purchases_per_visit
    counts = np.bincount(made.who, minlength=N)
    assert counts.mean() == pytest.approx(expected.mean(), rel=0.02)
    high = d.customers.rate > np.median(d.customers.rate)
    assert counts[high].mean() == pytest.approx(expected[high].mean(), rel=0.02)


def test_no_visit_is_as_frequent_as_a_poisson_process_says():
    d, made, _ = bought()
    none = np.bincount(made.who, minlength=N) == 0
    p = np.exp(-d.customers.rate * 20)
    assert abs(none.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())


def test_purchases_stay_within_the_days_of_exposure():
    d, made, _ = bought()
    day = (made.happened - d.months.starts[8]) / MICROS_PER_DAY
    assert day.min() > 5
    assert day.max() <= 25


def test_some_purchases_are_booked_exactly_at_midnight():
    _, made, _ = bought()
    assert (made.happened % MICROS_PER_DAY == 0).mean() == pytest.approx(0.01, abs=0.002)


def test_most_purchases_happen_when_people_are_awake():
    _, made, _ = bought()
    hour = made.happened % MICROS_PER_DAY // 3_600_000_000
    assert np.isin(hour, range(16)).mean() > 0.88


def test_hours_keep_the_day_and_its_order():
    days = np.sort(np.random.default_rng(1).random(2000) * 3)
    found = at_hours(days)
    assert (found // MICROS_PER_DAY == np.floor(days)).all()
    assert (np.diff(found) >= 0).all()
    assert (found % MICROS_PER_DAY > 0).all()


def test_amounts_are_those_of_the_customer_on_average():
    d, made, _ = bought()
    expected = mean_spend(d.customers, CONFIG.spend_sigma)[made.who]
    assert made.amount.mean() == pytest.approx(expected.mean(), rel=0.02)
    assert made.amount.min() > 0


def test_categories_and_channels_follow_the_customer():
    d, made, _ = bought()
    likes = d.customers.mix[made.who, 3]
    assert (made.category == 3).mean() == pytest.approx(likes.mean(), abs=0.003)
    assert (made.category == 3)[likes > 0.3].mean() > 0.3
    assert set(np.unique(made.channel)) == {0, 1, 2, 3}


def test_a_share_of_purchases_is_refunded_later_and_never_more_than_paid():
    _, made, back = bought()
    assert len(back) / len(made) == pytest.approx(CONFIG.refund_share, rel=0.05)
    assert back.amount.sum() / made.amount.sum() == pytest.approx(
        CONFIG.refund_share * REFUND_MEAN_PART, rel=0.1
    )
    assert back.amount.max() <= made.amount.max()
    assert back.happened.min() > made.happened.min()


def test_pick_is_the_slow_choice():
    cumulative = np.cumsum(np.random.default_rng(2).dirichlet(np.ones(4), 300), axis=1)
    uniforms = np.random.default_rng(3).random(300)
    slow = [
        next(i for i in range(4) if u < row[i] or i == 3)
        for row, u in zip(cumulative, uniforms, strict=True)
    ]
    assert pick(cumulative, uniforms).tolist() == slow


def test_events_are_joined_in_order():
    _, made, back = bought()
    assert len(join_events([made, back])) == len(made) + len(back)
