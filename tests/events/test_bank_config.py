from __future__ import annotations

import pytest

from domain.errors import InputError
from domain.settings import SEED
from events.bank.config import BankConfig


def test_the_default_seed_is_that_of_the_settings():
    assert BankConfig().seed == int(SEED.default)


def test_every_value_out_of_range_is_named_at_once():
    with pytest.raises(InputError) as refused:
        BankConfig(customers=0, months=3, late_share=1.5)
    assert [f.path for f in refused.value.faults] == ["customers", "months", "late_share"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("drift_month", -1), ("late_days", 0), ("ability_memory", 1.0), ("chunk", 0)],
)
def test_a_value_out_of_range_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        BankConfig(**{name: value})


def test_nan_is_out_of_every_range():
    with pytest.raises(InputError, match="visits_per_month"):
        BankConfig(visits_per_month=float("nan"))


def test_drift_begins_before_the_data_ends():
    assert BankConfig(months=20, drift_month=19).drift_month == 19
    with pytest.raises(InputError, match="drift_month"):
        BankConfig(months=20, drift_month=20)


@pytest.mark.parametrize("until", ["2026-07-02", "2026-07-01T01:00:00Z"])
def test_a_bank_ends_at_the_first_of_a_month(until):
    with pytest.raises(InputError, match="first of a month"):
        BankConfig(until=until)


def test_the_end_is_an_instant():
    with pytest.raises(InputError, match="not an instant"):
        BankConfig(until="summer")
