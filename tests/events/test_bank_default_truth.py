from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.default_truth import default_probability
from events.bank.life import ENGAGED, LifeMonth
from events.bank.statements import CURE, PENALTY, Accounts, close_month
from tests.events.bank_world import BIG, DAY, as_ofs, auc, deviation, drawn, world

MONTH = 7


def accounts(n, past_due=0, u=0.0):
    return Accounts(np.full(n, u), np.full(n, past_due), np.full(n, 100.0), np.zeros(n, dtype=bool))


def cardholders(config, **fixed):
    d = drawn(config)
    n = len(d.customers)
    values = {"has_card": np.ones(n, dtype=bool), "card_open": np.zeros(n, dtype=np.int64)}
    values |= {k: np.full(n, v) for k, v in fixed.items()}
    return d.months, replace(d.customers, **values)


@pytest.mark.parametrize("past_due", [0, 30, 60, 90, 150])
@pytest.mark.parametrize(("day", "closings"), [(1, 5), (10, 6)])
def test_with_constant_ability_it_is_a_power_of_the_transition_matrix(past_due, day, closings):
    config = BankConfig(customers=40, ability_sigma=0.01, ability_memory=0.0)
    months, customers = cardholders(config, closing_day=day)
    ability = np.linspace(-2, 6, 40)
    customers = replace(customers, ability=ability)
    found = default_probability(config, customers, months, MONTH, accounts(40, past_due))
    expected = []
    for able in ability:
        miss = 1 / (1 + np.exp(able - PENALTY))
        step = np.zeros((5, 5))
        for band in range(4):
            step[band, 0] += (1 - miss[band]) * CURE
            step[band, 4 if band == 3 else band] += (1 - miss[band]) * (1 - CURE)
            step[band, 4 if band >= 2 else band + 1] += miss[band]
        step[4, 4] = 1
        expected.append(np.linalg.matrix_power(step, closings)[min(past_due // 30, 3), 4])
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("past_due", "u"), [(0, -1.5), (30, 0.0), (60, 1.0), (90, -1.0)])
@pytest.mark.parametrize("drift", [None, 9])
def test_it_is_what_sampling_the_process_gives(past_due, u, drift):
    n = 20_000
    config = BankConfig(customers=n, seed=22, drift_month=drift)
    months, customers = cardholders(config, ability=2.4, closing_day=10, limit=5000.0)
    state = accounts(n, past_due, u)
    truth = default_probability(config, customers, months, MONTH, state)
    worst, none = np.zeros(n), np.zeros(n, dtype=bool)
    for month in range(MONTH, MONTH + 6):
        path = LifeMonth(
            month, np.zeros(n), np.ones(n), np.ones(n), np.ones(n), none, none,
            np.full(n, ENGAGED),
        )  # fmt: skip
        made, _, state = close_month(config, customers, months, path, state)
        assert (made.happened <= months.starts[MONTH] + 180 * MICROS_PER_DAY).all()
        worst[made.who] = np.maximum(worst[made.who], made.past_due)
    assert truth.std() < 1e-12
    assert abs(deviation(worst >= 90, truth)) < 4


def test_there_is_no_truth_without_an_open_account():
    config = BankConfig(customers=3)
    months, customers = cardholders(config)
    start = int(months.starts[MONTH])
    customers = replace(
        customers,
        has_card=np.array([False, True, True]),
        card_open=np.array([0, start, start + 1]),
    )
    found = default_probability(config, customers, months, MONTH, accounts(3))
    assert np.isnan(found).tolist() == [True, False, True]
    closed = replace(accounts(3), is_closed=np.ones(3, dtype=bool))
    assert np.isnan(default_probability(config, customers, months, MONTH, closed)).all()


def realised(as_of):
    truth = world(BIG)["truth/outlook"].to_pandas()
    truth = truth[(truth.as_of == as_of) & truth.p_default.notna()].set_index("customer_id")
    rows = world(BIG)["statements"].to_pandas()
    after = rows[(rows.happened_at > as_of) & (rows.happened_at <= as_of + 180 * DAY)]
    worst = after.groupby("customer_id").days_past_due.max()
    last = rows[rows.happened_at <= as_of].groupby("customer_id").days_past_due.last()
    frame = truth.join(worst.rename("worst")).join(last.rename("last"))
    return frame.dropna(subset=["worst"])


@pytest.mark.parametrize("which", [0, 5, -1])
def test_realised_defaults_match_the_truth_at_every_level(which):
    seen = realised(as_ofs(BIG)[which])
    bad, truth = (seen.worst >= 90).to_numpy(), seen.p_default.to_numpy()
    assert abs(deviation(bad, truth)) < 4
    for low, high in [(0, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 1.01)]:
        level = (truth >= low) & (truth < high)
        assert level.sum() > 50
        assert abs(deviation(bad[level], truth[level])) < 4


def test_the_state_of_the_truth_is_the_last_statement_at_its_instant():
    seen = realised(as_ofs(BIG)[3]).dropna(subset="last")
    assert (seen.days_past_due == seen["last"]).all()
    assert pd.Series(seen["last"]).max() > 0


def test_the_true_probability_ranks_defaults_well():
    seen = pd.concat([realised(t) for t in (as_ofs(BIG)[0], as_ofs(BIG)[-1])])
    good = seen[seen.days_past_due < 90]
    bad = (good.worst >= 90).to_numpy()
    best = auc(bad, good.p_default.to_numpy())
    assert best > 0.85
    assert best > auc(bad, good.days_past_due.to_numpy()) + 0.05
