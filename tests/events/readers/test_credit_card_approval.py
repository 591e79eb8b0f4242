"""`credit_card_approval`: every month of every card, its band of days past due, linked cards."""

from __future__ import annotations

from collections import Counter, defaultdict

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.events.readers.reader_world import ask, taken

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def dataset(data_folder, tmp_path_factory):
    return taken("credit_card_approval", data_folder, tmp_path_factory.mktemp("cca") / "out")[0]


def test_every_status_of_every_card_is_there_once(dataset):
    assert dataset.tables["statements"].rows == 1_048_575
    cards = ask(dataset, "SELECT count(DISTINCT customer_id) FROM statements")
    assert cards == [(45_985,)]


def test_bands_are_told_by_their_first_day(dataset, data_folder):
    file = data_folder / "credit_card_approval/credit_record.parquet"
    expected = duckdb.sql(f"SELECT STATUS, count(*) FROM '{file}' GROUP BY 1").fetchall()
    bands = {"0": 1.0, "1": 30.0, "2": 60.0, "3": 90.0, "4": 120.0, "5": 150.0}
    for status, rows in expected:
        asked = f"days_past_due = {bands[status]}" if status in bands else (
            f"status = '{'paid_in_full' if status == 'C' else 'unused'}'"
        )  # fmt: skip
        assert ask(dataset, f"SELECT count(*) FROM statements WHERE {asked}") == [(rows,)]


def test_a_profile_is_known_from_the_first_month_of_its_card(dataset):
    late = """SELECT count(*) FROM customers c JOIN
              (SELECT customer_id, min(happened_at) AS first FROM statements GROUP BY 1) s
              USING (customer_id) WHERE c.known_at > s.first"""
    assert ask(dataset, late) == [(0,)]
    assert 9_528 >= 45_985 - dataset.tables["customers"].rows - 100 > 9_000


def test_a_statement_tells_the_worst_of_the_same_months_of_ids_with_the_same_application(
    dataset, data_folder
):
    """A slow loop over cards of two hundred persons, and cards without an application."""
    folder = data_folder / "credit_card_approval"
    applied = pq.read_table(folder / "application_record.parquet").to_pylist()
    times = Counter(a["ID"] for a in applied)
    told = {
        a["ID"]: tuple(v for k, v in sorted(a.items()) if k != "ID")
        for a in applied
        if times[a["ID"]] == 1
    }
    rows = ask(dataset, """SELECT CAST(customer_id AS BIGINT), happened_at, days_past_due,
                           linked_days_past_due FROM statements""")  # fmt: skip
    months = defaultdict(list)
    for card, month, late, _ in rows:
        if card in told:
            months[told[card], month].append((card, late))
    asked = {told[card] for card, *_ in rows[::5000] if card in told}
    linked = 0
    for card, month, _, found in rows:
        if card not in told:
            assert found is None
        elif told[card] in asked:
            others = [late for other, late in months[told[card], month] if other != card]
            assert found == max(others, default=None)
            linked += bool(others)
    assert linked > 5000
