from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from events.bank.config import BankConfig
from events.bank.latent import mean_spend
from events.bank.life import DORMANT, ENGAGED, FADING, Life, live_month
from events.bank.purchases import REFUND_MEAN_PART, buy
from events.bank.truth import outlook
from tests.events.bank_world import BIG, as_ofs, auc, deviation, drawn, outlook_with_truth

MONTH = 7
"""August 2024, of which and the following months 31, 30 and 29 days are the horizon."""


def plain(config):
    """Customers of one stage for ever: no fading, no return, no season, no campaign."""
    d = drawn(config)
    months = replace(d.months, purchase=np.ones_like(d.months.purchase), every=60)
    nothing = np.zeros(len(d.customers))
    customers = replace(d.customers, fade=nothing, complain=nothing, come_back=nothing)
    return customers, months


def test_without_fading_the_truth_is_the_closed_form_of_a_death_process():
    config = BankConfig(customers=300, seed=1)
    customers, months = plain(config)
    life = Life(np.full(300, ENGAGED), np.zeros(300, dtype=bool))
    found = outlook(config, customers, months, MONTH, (life, None))
    buys, drops = customers.rate, customers.hazard
    silent = np.exp(-(buys + drops) * 90)
    p_churn = silent + drops / (buys + drops) * (1 - silent)
    visits = buys * (1 - np.exp(-drops * 90)) / drops
    kept = 1 - config.refund_share * REFUND_MEAN_PART
    spend = visits * config.purchases_per_visit * mean_spend(customers, config.spend_sigma) * kept
    assert found.p_churn == pytest.approx(p_churn, rel=1e-10)
    assert found.net_spend == pytest.approx(spend, rel=1e-10)


def test_the_dormant_who_never_return_buy_nothing():
    config = BankConfig(customers=50, seed=1)
    customers, months = plain(config)
    life = Life(np.full(50, DORMANT), np.zeros(50, dtype=bool))
    found = outlook(config, customers, months, MONTH, (life, None))
    assert found.p_churn == pytest.approx(1.0)
    assert not found.net_spend.any()


@pytest.mark.parametrize("stage", [ENGAGED, FADING, DORMANT])
@pytest.mark.parametrize("month", [6, 7, 8])
def test_the_truth_is_what_sampling_the_process_gives(stage, month):
    """One customer copied 20,000 times, lived forward with the process itself."""
    n = 20_000
    config = BankConfig(customers=n, seed=21, visits_per_month=1.0, complaints_per_month=0.4)
    d = drawn(config)
    copied = {k: np.repeat(v[5:6], n, axis=0) for k, v in vars(d.customers).items()}
    copied |= {"number": d.customers.number, "join": np.full(n, d.months.starts[0] - 1)}
    customers = type(d.customers)(**copied)
    life = Life(np.full(n, stage), np.zeros(n, dtype=bool))
    truth = outlook(config, customers, d.months, month, (life, None))
    end = d.months.starts[month] + 90 * 86_400_000_000
    counts, spend, step = np.zeros(n), np.zeros(n), month
    while d.months.starts[step] < end:
        path, life = live_month(config, customers, d.months, step, life)
        for made, sign in zip(buy(config, customers, d.months, path), (1, -1), strict=True):
            inside = made.happened <= end
            spend += sign * np.bincount(made.who[inside], made.amount[inside], minlength=n)
            counts += np.bincount(made.who[inside], minlength=n) * (sign > 0)
        step += 1
    assert abs(deviation(counts == 0, truth.p_churn)) < 4
    assert truth.p_churn.std() < 1e-12
    error = spend.std() / np.sqrt(n)
    assert abs(spend.mean() - truth.net_spend.mean()) < 4 * error + 0.005 * spend.mean()


@pytest.mark.parametrize("which", [0, 5, -1])
def test_realised_churn_matches_the_truth_at_every_level(which):
    seen = outlook_with_truth(BIG, as_ofs(BIG)[which])
    silent = (seen.purchases == 0).to_numpy()
    truth = seen.p_churn.to_numpy()
    assert abs(deviation(silent, truth)) < 4
    for low, high in [(0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 0.9), (0.9, 1.01)]:
        level = (truth >= low) & (truth < high)
        assert level.sum() > 50
        assert abs(deviation(silent[level], truth[level])) < 4


@pytest.mark.parametrize("which", [0, 5, -1])
def test_realised_net_spend_matches_the_truth(which):
    seen = outlook_with_truth(BIG, as_ofs(BIG)[which])
    rest = seen.spend - seen.net_spend
    assert abs(rest.mean()) < 4 * rest.std() / np.sqrt(len(rest))
    for _, level in seen.groupby(np.digitize(seen.net_spend, [100, 1000, 5000])):
        rest = level.spend - level.net_spend
        assert (
            abs(rest.mean()) < 4 * rest.std() / np.sqrt(len(rest)) + 0.01 * level.net_spend.mean()
        )
    assert np.corrcoef(seen.spend.rank(), seen.net_spend.rank())[0, 1] > 0.7


@pytest.mark.parametrize("which", [0, -1])
def test_the_true_probability_ranks_churn_better_than_recency_and_frequency(which):
    seen = outlook_with_truth(BIG, as_ofs(BIG)[which])
    active = seen[seen.before > 0]
    silent = (active.purchases == 0).to_numpy()
    best = auc(silent, active.p_churn.to_numpy())
    assert 0.1 < silent.mean() < 0.3
    assert best > 0.85
    assert auc(silent, -active.before.to_numpy()) < best - 0.05
