from __future__ import annotations

import numpy as np
import pandas as pd

from events.bank.config import BankConfig
from events.bank.interactions import APP_SESSION, CAMPAIGN, RESPONSE, interact
from events.bank.life import DORMANT, FADING, first_life, live_month
from tests.events.bank_world import drawn

CONFIG = BankConfig(customers=8000, seed=10)


def run(count=12):
    """Contacts by month, and the stages at each month's start."""
    d = drawn(CONFIG)
    life = first_life(CONFIG, d.customers, d.months, 0)
    stages, contacts, paths = [], [], []
    for month in range(count):
        path, after = live_month(CONFIG, d.customers, d.months, month, life)
        contacts.append(interact(CONFIG, d.customers, d.months, path))
        stages.append(life.stage)
        paths.append(path)
        life = after
    return d, stages, contacts, paths


def test_app_sessions_fall_before_drop_out():
    d, stages, contacts, _ = run()
    users = (d.customers.app_rate > 0) & (d.customers.join < d.months.starts[0])
    last_alive, settled = [], []
    for month in range(len(stages) - 2):
        count = np.bincount(
            contacts[month].who[contacts[month].kind == APP_SESSION], minlength=8000
        )
        share = count / np.maximum(d.customers.app_rate, 1e-9) / 30
        alive = users & (stages[month] != DORMANT) & (stages[month + 1] != DORMANT)
        goes = stages[month + 2] == DORMANT
        last_alive.append(share[alive & goes])
        settled.append(share[alive & ~goes])
    assert np.concatenate(last_alive).mean() < 0.8 * np.concatenate(settled).mean()


def test_fading_customers_open_the_app_less():
    d, stages, contacts, paths = run(3)
    count = np.bincount(contacts[1].who[contacts[1].kind == APP_SESSION], minlength=8000)
    fades = (stages[1] == FADING) & (paths[1].alive > 0)
    expected = (d.customers.app_rate * CONFIG.fading_app_factor * paths[1].alive)[fades].sum()
    assert abs(count[fades].sum() - expected) < 4 * np.sqrt(expected)


def test_satisfaction_scores_show_the_latent_satisfaction():
    d, _, contacts, _ = run()
    rows = pd.concat([pd.DataFrame(vars(c)) for c in contacts])
    scores = rows.dropna(subset="score")
    assert set(scores.score) <= {1, 2, 3, 4, 5}
    assert np.corrcoef(scores.score, d.customers.satisfaction[scores.who])[0, 1] > 0.4


def test_every_treated_customer_gets_one_message_and_others_none():
    _, _, contacts, paths = run(5)
    for made, path in zip(contacts, paths, strict=True):
        sent = made.who[made.kind == CAMPAIGN]
        assert np.array_equal(sent, np.flatnonzero(path.sent))
        assert set(made.campaign[made.kind == CAMPAIGN]) <= {path.month}
    assert paths[3].sent.any()


def test_answers_come_after_the_message_and_from_those_who_got_it():
    d, _, contacts, _ = run(5)
    made = contacts[3]
    sent = dict(
        zip(made.who[made.kind == CAMPAIGN], made.happened[made.kind == CAMPAIGN], strict=True)
    )
    back = made.kind == RESPONSE
    assert back.sum() > 100
    assert all(at > sent[w] for w, at in zip(made.who[back], made.happened[back], strict=True))
    assert made.happened[made.kind == CAMPAIGN].min() > d.months.starts[3]
