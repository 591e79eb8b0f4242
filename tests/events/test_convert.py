"""Conversions: what is read, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.convert import convert
from events.schema import CUSTOMERS, TRANSACTIONS

AMOUNT, WHEN = TRANSACTIONS.column("amount"), TRANSACTIONS.column("happened_at")
BORN, HOME, WHO = (
    CUSTOMERS.column("birth_on"),
    CUSTOMERS.column("owns_home"),
    CUSTOMERS.column("customer_id"),
)


def told(values, column, kind=None):
    array, broken = convert(pa.array(values, kind), column)
    return array.to_pylist(), {
        rule: np.flatnonzero(mask).tolist() for rule, _, mask in broken if mask.any()
    }


def test_numbers_are_read_and_others_named():
    values, broken = told(["1", " 2.5 ", "-3e2", "", None, "1,234", "nan", "1.2.3", "½"], AMOUNT)
    assert values == [1.0, 2.5, -300.0, None, None, None, None, None, None]
    assert broken == {"thousands_separator": [5], "not_finite": [6], "wrong_type": [7, 8]}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_as_text_is_that_number(number):
    assert told([repr(number)], AMOUNT)[0] == [number]


def test_numbers_of_other_types_are_taken_or_refused_as_a_whole():
    assert told([1, 2], AMOUNT)[0] == [1.0, 2.0]
    assert told([True], AMOUNT) == ([None], {"wrong_type": [0]})


def test_instants_need_a_zone():
    values, broken = told(
        ["2024-03-01T10:00:00Z", "2024-03-01T10:00:00+05:30", "2024-03-01 10:00", "x", None], WHEN
    )
    assert values[0] == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert values[1] == datetime(2024, 3, 1, 4, 30, tzinfo=UTC)
    assert values[2:] == [None, None, None]
    assert broken == {"no_zone": [2], "wrong_type": [3]}


def test_arrow_instants_are_taken_with_a_zone_and_refused_without():
    moment = datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert told([moment], WHEN, pa.timestamp("ns", "Europe/Prague"))[0] == [moment]
    assert told([moment.replace(tzinfo=None)], WHEN, pa.timestamp("ms")) == (
        [None],
        {"no_zone": [0]},
    )


def test_dates_and_flags():
    values, broken = told(["1980-12-31", "31.12.1980", None], BORN)
    assert values == [date(1980, 12, 31), None, None]
    assert broken == {"wrong_type": [1]}
    values, broken = told(["true", "0", "Y", "maybe", None], HOME)
    assert values == [True, False, True, None, None]
    assert broken == {"wrong_type": [3]}


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [([1, 22], None, ["1", "22"]), (["a", "b"], pa.dictionary(pa.int8(), pa.string()), ["a", "b"])],
)
def test_ids_may_be_whole_numbers_or_coded(values, kind, text):
    assert told(values, WHO, kind)[0] == text


def test_an_id_is_no_fraction():
    assert told([1.5], WHO) == ([None], {"wrong_type": [0]})


def test_nothing_at_all_is_missing_everywhere():
    for column in (AMOUNT, WHEN, BORN, HOME, WHO):
        assert told([None, None], column) == ([None, None], {})
