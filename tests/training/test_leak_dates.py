"""Later dates are found in whatever way they are written, and amounts are no dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from tests.training.label_world import at
from tests.training.leak_world import book, source
from training.leak_dates import as_days, future_dated


def test_a_date_after_the_row_was_known_stops_and_one_mistake_in_many_does_not(tmp_path):
    rows = book(1200)
    dataset = source(tmp_path / "one", [{**rows[0], "birth_on": date(2031, 1, 1)}, *rows[1:]], [])
    assert [(f.check, f.is_sure) for f in future_dated(dataset)[0]] == [("future_dated", False)]
    later = [{**r, "joined_at": at(400 if i % 9 == 0 else 1)} for i, r in enumerate(rows)]
    found, checked = future_dated(source(tmp_path / "two", later, []))
    assert [(f.where, f.is_sure) for f in found] == [("customers.joined_at", True)]
    assert found[0].figure == pytest.approx(134 / 1200, abs=1e-4)
    assert "up to 399 days" in found[0].said
    assert checked == ["customers.joined_at", "customers.birth_on"]


@pytest.mark.parametrize(
    ("values", "days"),
    [
        ([20240105.0, 20231231.0], [19727.0, 19722.0]),
        ([202402.0, 202312.0], [19754.0, 19692.0]),
        ([202413.0, 202312.0], None),
        ([1704067200.0, 1704153600.0], [19723.0, 19724.0]),
        ([1704067200000.0, 1704153600000.0], [19723.0, 19724.0]),
        ([20241305.0, 20231231.0], None),
        ([2024.0, 2023.0], None),
        ([1.5, 2.0], None),
        ([], None),
    ],
)
def test_numbers_that_are_dates_are_read_as_such(values, days):
    found = as_days(np.array(values), is_date=False)
    assert (found is None) if days is None else found.tolist() == days


FIRST = date(2024, 1, 20)


@pytest.mark.parametrize(
    "form",
    ["%d%m%Y", "%Y%j", "%G%V", "%Y%m%d%H%M%S", "spreadsheet", "days", "micros", "nanos"],
)
def test_dates_in_forms_that_amounts_could_have_are_read_where_the_name_says_so(form):
    days = [FIRST + timedelta(days=k) for k in range(0, 400, 7)]
    since = np.array([(d - date(1970, 1, 1)).days for d in days], dtype=float)
    scale = {"spreadsheet": 1, "days": 1, "micros": 86_400e6, "nanos": 86_400e9}.get(form)
    if scale is None:
        values = np.array([float(d.strftime(form)) for d in days])
    else:
        values = (since + (25_569 if form == "spreadsheet" else 0)) * scale
    found = as_days(values, is_date=True)
    to_monday = 5 if form == "%G%V" else 0
    assert found.tolist() == (since - to_monday).tolist()
    is_plain = form in ("%Y%m%d%H%M%S", "micros", "nanos")
    assert (as_days(values, is_date=False) is not None) is is_plain


@pytest.mark.parametrize(
    "values", [[30_100.0, 91_000.5], [12.0, 45_000.0], [202_405.0, 202_460.0], [1.0, 2.0], [7e8, 1]]
)
def test_amounts_are_no_dates_whatever_the_name(values):
    assert as_days(np.array(values), is_date=True) is None
