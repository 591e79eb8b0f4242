"""Columns become arrays: missing values, codes, bits, days and months."""

from __future__ import annotations

import numpy as np
import pytest

from domain.asof import NEVER
from features.columns import Raw, encoded
from features.offers import Condition, Key, Value
from tests.features.panel_world import at, row, table_of


def raw(*rows):
    return Raw(table_of("transactions", rows))


def test_a_clock_that_is_missing_is_never():
    found = raw(row("c", 1, superseded=5), row("c", 2)).micros("superseded_at")
    assert found.tolist() == [at(5), NEVER]


def test_a_missing_value_is_nan_and_refunds_count_against():
    rows = raw(row("c", 1, kind="refund", amount=3.0), row("c", 1, kind="purchase", amount=4.0))
    assert rows.value(Value("net", ("amount", "kind"))).tolist() == [-3.0, 4.0]
    np.testing.assert_array_equal(rows.value(Value("column", ("items",))), [np.nan, np.nan])


def test_a_ratio_is_missing_where_the_divisor_is_not_above_zero():
    rows = raw(*(row("c", 1, amount=6.0, balance=b) for b in (2.0, 0.0, -1.0, None)))
    np.testing.assert_array_equal(
        rows.value(Value("ratio", ("amount", "balance"))), [3.0, np.nan, np.nan, np.nan]
    )


def test_each_condition_is_a_bit_and_a_missing_value_meets_none():
    conditions = [
        Condition("one_of", "channel", ("shop",)),
        Condition("present", "channel"),
        Condition("at_least", "amount", minimum=5),
        Condition("weekend", "happened_at"),
    ]  # the third day of these tests is a Friday, the fourth a Saturday
    rows = raw(
        row("c", 2, channel="shop", amount=5.0),
        row("c", 3, channel="web", amount=4.9),
        row("c", 3, channel=None, amount=None),
    )
    assert rows.bits(conditions).tolist() == [0b0111, 0b1010, 0b1000]


@pytest.mark.parametrize("many", [40])
def test_a_table_has_room_for_many_conditions(many):
    conditions = [Condition("at_least", "amount", minimum=m) for m in range(many)]
    [bits] = raw(row("c", 1, amount=many - 1.0)).bits(conditions).tolist()
    assert bits == 2**many - 1


def test_days_and_months_grow_with_time_and_a_missing_category_is_minus_one():
    rows = raw(*(row("c", d, channel=c) for d, c in ((0.9, "a"), (1, None), (40, "b"))))
    assert rows.key(Key("day", "happened_at")).tolist() == [0, 1, 40]
    assert rows.key(Key("month", "happened_at")).tolist() == [0, 0, 1]
    codes = rows.key(Key("category", "channel")).tolist()
    assert codes[1] == -1
    assert codes[0] != codes[2]


def test_an_empty_column_is_encoded_to_nothing():
    assert len(encoded(table_of("transactions", [])["kind"])) == 0
