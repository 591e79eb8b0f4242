"""The rules of time, against datetime arithmetic written out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.asof import (
    MICROS_PER_DAY,
    NEVER,
    from_micros,
    in_horizon,
    in_window,
    is_mature,
    iso,
    monthly_grid,
    parse_instant,
    to_micros,
    visible,
)
from domain.errors import InputError

moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(moments)
def test_a_moment_survives_the_way_to_micros_and_back(moment):
    assert from_micros(to_micros(moment)) == moment
    assert parse_instant(iso(to_micros(moment))) == to_micros(moment)


def test_the_same_moment_in_two_zones_is_one_instant():
    shanghai = timezone(timedelta(hours=8))
    assert parse_instant("2011-06-01T08:00:00+08:00") == parse_instant("2011-06-01")
    assert to_micros(datetime(2011, 6, 1, 8, tzinfo=shanghai)) == parse_instant("2011-06-01")


@pytest.mark.parametrize("text", ["yesterday", "2011-13-01", "2011-02-29", "", "2011-06-01T10:00"])
def test_what_is_no_instant_is_refused_with_a_cure(text):
    with pytest.raises(InputError, match="2011-06-01T00:00:00Z"):
        parse_instant(text)


@given(moments, st.integers(-3, 3), st.integers(1, 400))
def test_a_window_holds_its_end_and_not_its_beginning(as_of, off, days):
    end = to_micros(as_of)
    begin = to_micros(as_of - timedelta(days=days))
    assert in_window(end + off, end, days) == (off <= 0)
    assert in_window(begin + off, end, days) == (off > 0)


@given(moments, st.integers(-3, 3), st.integers(1, 400))
def test_a_horizon_begins_after_as_of_and_holds_its_end(as_of, off, days):
    begin = to_micros(as_of)
    end = to_micros(as_of + timedelta(days=days))
    assert in_horizon(begin + off, begin, days) == (off > 0)
    assert in_horizon(end + off, begin, days) == (off <= 0)


def test_window_and_horizon_share_no_event():
    for happened in range(-2 * MICROS_PER_DAY, 2 * MICROS_PER_DAY, MICROS_PER_DAY // 4):
        assert not (in_window(happened, 0, 1) and in_horizon(happened, 0, 1))


@pytest.mark.parametrize(
    ("happened", "known", "superseded", "counts"),
    [
        (10, 10, NEVER, True),
        (11, 10, NEVER, False),
        (10, 11, NEVER, False),
        (5, 6, 10, False),
        (5, 6, 11, True),
    ],
)
def test_an_event_counts_once_it_happened_was_known_and_until_it_was_corrected(
    happened, known, superseded, counts
):
    assert visible(happened, known, superseded, 10) is counts


def test_a_label_is_mature_only_when_the_data_reaches_the_end_of_its_horizon():
    assert is_mature(0, 90, 90 * MICROS_PER_DAY)
    assert not is_mature(0, 90, 90 * MICROS_PER_DAY - 1)


def test_a_monthly_grid_crosses_leap_days_and_years():
    grid = [iso(t)[:10] for t in monthly_grid("2011-12-01", "2012-03-01")]
    assert grid == ["2011-12-01", "2012-01-01", "2012-02-01", "2012-03-01"]
    with pytest.raises(InputError, match="first of a month"):
        monthly_grid("2011-12-02", "2012-03-01")
