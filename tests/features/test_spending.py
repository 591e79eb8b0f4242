"""What the spending themes say of a customer whose purchases are known by heart."""

from __future__ import annotations

import math

import pytest

from features.catalogue import CATALOGUE
from tests.features.panel_world import at, computed, row

ROWS = [
    row("c", 10, kind="purchase", amount=100.0, channel="shop", category="food"),
    row("c", 100, kind="purchase", amount=40.0, channel="online", category="food"),
    row("c", 160, kind="purchase", amount=60.0, channel="online", category="toys"),
    row("c", 170, kind="refund", amount=15.0, channel="online", category="toys"),
    row("c", 172, kind="inflow", amount=500.0, balance=900.0),
    row("c", 175, kind="outflow", amount=250.0, balance=650.0),
    row("c", 190, kind="purchase", amount=20.0, channel="shop", category="toys"),
]
EXPECTED = {
    "transaction_recency_days": 10.0,
    "purchase_recency_days": 10.0,
    "refund_recency_days": 30.0,
    "transaction_tenure_days": 190.0,
    "purchase_count_30d": 1.0,
    "purchase_count_180d": 3.0,
    "purchase_count_365d": 4.0,
    "refund_count_90d": 1.0,
    "active_days_90d": 2.0,
    "active_months_365d": 4.0,
    "spend_sum_30d": 20.0,
    "spend_sum_90d": 65.0,
    "spend_sum_180d": 105.0,
    "spend_sum_365d": 205.0,
    "spend_mean_180d": 40.0,
    "spend_max_365d": 100.0,
    "spend_ratio_30d_to_180d": 6 * 20 / 105,
    "count_ratio_90d_to_180d": 2 * 2 / 3,
    "purchase_gap_mean_ever": 60.0,
    "recency_to_gap": 10 / 60,
    "purchase_gap_median_ever": 60.0,
    "recency_to_median_gap": 10 / 60,
    "purchase_gap_max_ever": 90.0,
    "recency_to_longest_gap": 10 / 90,
    "spend_last_to_mean": 20 / 55,
    "purchase_tenure_days": 190.0,
    "purchase_span_days": 180.0,
    "purchase_span_share": 180 / 190,
    "day_gap_mean_ever": 60.0,
    "recency_to_day_gap": 10 / 60,
    "purchase_rate_ever": 30 * 4 / 220,
    "purchases_missed": 10 * 4 / 220,
    "purchase_decay_30d": sum(0.5 ** (age / 30) for age in (10, 40, 100, 190)),
    "spend_decay_30d": sum(
        v * 0.5 ** (age / 30) for v, age in ((20, 10), (-15, 30), (60, 40), (40, 100), (100, 190))
    ),
    "spend_sum_before_90d": 40.0,
    "purchase_count_before_90d": 1.0,
    "spend_to_before_90d": 65 / 40,
    "weekday_entropy_365d": math.log(4),
    "month_end_share_180d": 0.0,
    "groceries_share_365d": 0.0,
    "online_share_365d": 3 / 5,
    "category_count_365d": 2.0,
    "category_entropy_365d": math.log(2),
    "refund_share_365d": 15 / 220,
}


@pytest.mark.parametrize(("name", "value"), EXPECTED.items())
def test_the_features_of_a_known_customer(name, value):
    found = computed({"transactions": ROWS}, [("c", at(200))], CATALOGUE)[name][0].as_py()
    assert found == pytest.approx(value), name


def test_a_ratio_to_nothing_is_missing():
    rows = [row("c", 1, kind="inflow", amount=5.0)]
    found = computed({"transactions": rows}, [("c", at(400))], CATALOGUE)
    for name in ("spend_ratio_30d_to_180d", "outflow_ratio_90d", "refund_share_365d"):
        assert found[name][0].as_py() is None, name


def test_silence_is_bad_and_spending_good_for_value_and_churn():
    for target in ("value", "churn"):
        assert CATALOGUE["purchase_recency_days"].better[target] == -1
        assert CATALOGUE["spend_sum_90d"].better[target] == 1
        assert CATALOGUE["purchase_count_90d"].better[target] == 1
