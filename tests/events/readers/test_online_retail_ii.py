"""`online_retail_ii`: the published traps are avoided, and purchases are those of plain SQL."""

from __future__ import annotations

import duckdb
import pytest

from tests.events.readers.reader_world import ask, taken

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def dataset(data_folder, tmp_path_factory):
    return taken("online_retail_ii", data_folder, tmp_path_factory.mktemp("retail") / "out")[0]


def test_the_customers_are_those_with_a_line_of_some_price(dataset):
    [[customers, first, last]] = ask(
        dataset,
        "SELECT count(DISTINCT customer_id), min(happened_at)::DATE::VARCHAR, "
        "max(happened_at)::DATE::VARCHAR FROM transactions",
    )
    assert 5_800 < customers <= 5_942
    assert (first, last) == ("2009-12-01", "2011-12-09")


def test_spend_is_that_of_the_lines_with_december_counted_once(dataset, data_folder):
    file = data_folder / "online_retail_ii/online_retail_ii.parquet"
    expected = duckdb.sql(
        f"""SELECT sum(Quantity * Price) FILTER (Quantity > 0),
                   -sum(Quantity * Price) FILTER (Quantity < 0)
            FROM '{file}' WHERE CustomerID IS NOT NULL AND Price > 0
            AND NOT (Sheet = '2009-2010' AND InvoiceDate >= '2010-12-01')"""
    ).fetchall()[0]
    found = ask(
        dataset,
        "SELECT sum(amount) FILTER (kind = 'purchase'), sum(amount) FILTER (kind = 'refund') "
        "FROM transactions",
    )[0]
    assert found == pytest.approx(expected)


def test_the_test_months_have_the_published_rows(dataset):
    """5,431 rows: customers with a purchase in the 180 days before each test as_of."""
    rows = sum(
        ask(
            dataset,
            f"""SELECT count(DISTINCT customer_id) FROM transactions WHERE kind = 'purchase'
                AND happened_at > TIMESTAMPTZ '{t}' - INTERVAL 180 DAY AND happened_at <= '{t}'""",
        )[0][0]
        for t in ("2011-06-01", "2011-09-01")
    )
    assert rows == 5_431
