from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from events.bank.config import BankConfig
from events.bank.months import study_plan
from tests.events.bank_world import SMALL, as_ofs, deviation, outlook_with_truth, realised, world

MANY = BankConfig(customers=12_000, seed=13, months=16)


@pytest.fixture(scope="module")
def campaigns():
    rows = world(MANY)["truth/campaigns"].to_pandas().dropna(subset="net_spend_effect")
    parts = [
        part.set_index("customer_id")
        .join(realised(MANY, as_of))
        .fillna({"purchases": 0, "spend": 0})
        for as_of, part in rows.groupby("as_of")
    ]
    return pd.concat(parts)


def difference(rows, value):
    """Treated less held out, and its standard error."""
    treated, held = value[rows.is_treated], value[~rows.is_treated]
    error = np.sqrt(treated.var() / len(treated) + held.var() / len(held))
    return treated.mean() - held.mean(), error


def test_the_randomised_campaigns_recover_the_true_effect_on_churn(campaigns):
    found, error = difference(campaigns, (campaigns.purchases == 0).astype(float))
    assert abs(found - campaigns.p_churn_effect.mean()) < 3 * error
    assert found < -3 * error


def test_the_randomised_campaigns_recover_the_true_effect_on_spend(campaigns):
    found, error = difference(campaigns, campaigns.spend)
    assert abs(found - campaigns.net_spend_effect.mean()) < 3 * error
    assert campaigns.net_spend_effect.mean() > 0


def test_the_effect_differs_between_customers_as_the_truth_says(campaigns):
    order = campaigns.p_churn_effect.rank(pct=True)
    strong, weak = campaigns[order < 0.2], campaigns[order > 0.8]
    by_strong, error = difference(strong, (strong.purchases == 0).astype(float))
    by_weak, other = difference(weak, (weak.purchases == 0).astype(float))
    assert abs(by_strong - strong.p_churn_effect.mean()) < 3 * error
    assert by_strong < by_weak - 3 * np.hypot(error, other)
    assert (campaigns.net_spend_effect < 0).any()


def test_treated_customers_are_those_with_a_message():
    sent = world(MANY)["interactions"].to_pandas().query("kind == 'campaign'")
    truth = world(MANY)["truth/campaigns"].to_pandas()
    treated = truth[truth.is_treated]
    assert set(zip(sent.customer_id, sent.campaign_id, strict=True)) == set(
        zip(treated.customer_id, treated.campaign_id, strict=True)
    )
    assert truth.is_treated.mean() == pytest.approx(0.5, abs=0.01)


def test_there_is_an_outlook_for_every_as_of_of_the_plan_and_customer_who_joined():
    plan = study_plan(SMALL)
    outlook = world(SMALL)["truth/outlook"].to_pandas()
    latent = world(SMALL)["truth/customers"].to_pandas()
    grid = [pd.Timestamp(t) for t in (*plan.train_as_of, *plan.test_as_of)]
    assert sorted(outlook.as_of.unique()) == grid
    for as_of, rows in outlook.groupby("as_of"):
        assert set(rows.customer_id) == set(latent.customer_id[latent.joined_at <= as_of])
    assert outlook.p_churn.between(0, 1).all()
    assert outlook.p_default.dropna().between(0, 1).all()
    assert (outlook.net_spend >= 0).all()


def test_effects_are_null_where_three_months_are_shorter_than_the_horizon():
    short = BankConfig(customers=60, months=16, until="2026-05-01", campaign_every=13)
    rows = world(short)["truth/campaigns"].to_pandas()
    assert rows.as_of.unique() == [pd.Timestamp("2026-02-01", tz="UTC")]
    assert rows.net_spend_effect.isna().all()


def test_effects_that_reach_past_the_data_are_null():
    rows = world(MANY)["truth/campaigns"].to_pandas()
    last = rows[rows.as_of == rows.as_of.max()]
    assert last.p_churn_effect.isna().all()
    assert rows[rows.as_of == rows.as_of.min()].p_churn_effect.notna().all()


def test_churn_without_a_season_is_that_of_the_bank_that_has_none():
    strong = replace(SMALL, season=4.0)
    flat = world(replace(SMALL, season=0.0))["truth/outlook"].to_pandas()
    seen = world(strong)["truth/outlook"].to_pandas()
    np.testing.assert_array_equal(flat.p_churn, flat.p_churn_flat)
    np.testing.assert_array_equal(seen.p_churn_flat, flat.p_churn)
    assert np.abs(seen.p_churn - seen.p_churn_flat).max() > 0.05


def test_the_truth_of_a_strong_season_is_what_comes_true():
    strong = replace(MANY, season=4.0, customers=6000)
    for as_of in as_ofs(strong):
        rows = outlook_with_truth(strong, as_of)
        assert abs(deviation(rows.purchases == 0, rows.p_churn)) < 3.5
