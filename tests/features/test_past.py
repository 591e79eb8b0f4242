"""The own past of a count or sum is the rest of a longer window, scaled; checked on raw events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.past import Past, past

WINDOWS = (7, 14, 30, 60, 90, 180, 365)


def counted(ages: list[float]) -> dict[str, float]:
    """What the windows hold of purchases so many days old."""
    found = {f"purchase_count_{w}d": float(sum(a < w for a in ages)) for w in WINDOWS}
    return {**found, "purchase_tenure_days": max(ages)}


@given(st.lists(st.floats(0, 900), min_size=1, max_size=40), st.sampled_from(WINDOWS))
def test_it_is_the_mean_of_the_events_between_the_window_and_the_longest_full_one(ages, window):
    found = past(CATALOGUE, f"purchase_count_{window}d", counted(ages))
    longest = max((w for w in WINDOWS if window < w <= max(ages)), default=None)
    if longest is None:
        assert found is None
    else:
        between = sum(window <= a < longest for a in ages)
        assert found is not None
        assert found.value == pytest.approx(between / (longest - window) * window)
        assert found.days == window


def test_the_example_of_six_purchases_a_month_before_none():
    ages = [*np.linspace(31, 364, 67), 900.0]
    found = past(CATALOGUE, "purchase_count_30d", counted(ages))
    assert found == Past(pytest.approx(6.0), 30)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("spend_mean_90d", {}),
        ("purchase_count_365d", {}),
        ("purchase_count_before_30d", {}),
        ("purchase_count_30d", {"purchase_count_30d": None}),
        ("purchase_count_30d", {"purchase_count_30d": float("nan")}),
        ("purchase_count_30d", {"purchase_tenure_days": None}),
    ],
)
def test_where_nothing_tells_it_there_is_none(name, changed):
    seen = {**counted([1.0, 400.0]), "spend_mean_90d": 3.0, "purchase_count_before_30d": 1.0}
    assert past(CATALOGUE, name, {**seen, **changed}) is None


def test_a_longer_window_that_is_missing_leaves_the_next():
    seen = {**counted([10.0, 50.0, 400.0]), "purchase_count_365d": None}
    assert past(CATALOGUE, "purchase_count_30d", seen) == Past(pytest.approx(1 / 150 * 30), 30)
