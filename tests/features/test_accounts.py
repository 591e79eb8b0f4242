"""What the account themes say of a customer whose money is known by heart."""

from __future__ import annotations

import pytest

from features.catalogue import CATALOGUE
from tests.features.panel_world import at, computed, row

ROWS = [
    row("c", 40, kind="inflow", amount=300.0, balance=400.0),
    row("c", 100, kind="inflow", amount=500.0, balance=900.0),
    row("c", 172, kind="inflow", amount=500.0, balance=900.0),
    row("c", 175, kind="outflow", amount=250.0, balance=650.0),
    row("c", 190, kind="fee", amount=50.0, balance=600.0, category="penalty"),
]
EXPECTED = {
    "inflow_recency_days": 28.0,
    "inflow_count_90d": 1.0,
    "inflow_sum_30d": 500.0,
    "inflow_sum_180d": 1300.0,
    "outflow_sum_90d": 250.0,
    "outflow_ratio_90d": 0.5,
    "inflow_ratio_30d_to_180d": 6 * 500 / 1300,
    "inflow_gap_std_180d": 6.0,
    "cost_sum_90d": 50.0,
    "penalty_count_ever": 1.0,
    "balance_last": 600.0,
    "balance_min_30d": 600.0,
    "balance_min_ever": 400.0,
    "balance_max_180d": 900.0,
    "balance_mean_90d": (900 + 650 + 600) / 3,
    "balance_to_mean_180d": 600 / (3450 / 5),
}


@pytest.mark.parametrize(("name", "value"), EXPECTED.items())
def test_the_features_of_a_known_account(name, value):
    found = computed({"transactions": ROWS}, [("c", at(200))], CATALOGUE)[name][0].as_py()
    assert found == pytest.approx(value), name


def test_money_kept_is_safe_and_money_spent_beyond_income_risky():
    assert CATALOGUE["balance_min_90d"].better == {"credit": 1}
    assert CATALOGUE["outflow_ratio_90d"].better == {"credit": -1}
