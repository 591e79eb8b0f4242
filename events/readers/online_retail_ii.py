"""Reader of `online_retail_ii`: invoices of a UK wholesaler, 2009-12-01 to 2011-12-09 (UCI).

Enters: the folder with `online_retail_ii.parquet`, one row an invoice line. Leaves: transactions,
one row a customer, invoice and kind, and customers. Lines without a customer are no customer's
events and are left out. 1 to 9 December 2010 stands in both sheets; the first sheet's copy is left
out. Returns are counted by negative quantity (nearly all lack the invoice number). Times are
written without a zone and are read as UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from domain.asof import from_micros, monthly_grid
from domain.plan import StudyPlan, TargetPlan
from events.readers.base import RawTable, Source

FILE = "online_retail_ii.parquet"

_LINES = """
    SELECT CAST(CustomerID AS VARCHAR) AS customer_id,
           CAST(InvoiceDate AS TIMESTAMP) AT TIME ZONE 'UTC' AS happened_at,
           coalesce(Invoice, '') AS invoice, StockCode, Quantity, Price, Country,
           CASE WHEN Quantity < 0 THEN 'refund' ELSE 'purchase' END AS kind
    FROM read_parquet(?)
    WHERE CustomerID IS NOT NULL AND Price > 0 AND Quantity <> 0
      AND NOT (Sheet = '2009-2010' AND InvoiceDate >= TIMESTAMP '2010-12-01')
"""
_TRANSACTIONS = f"""
    SELECT customer_id, max(happened_at) AS happened_at, max(happened_at) AS known_at,
           concat_ws(' ', kind, customer_id, invoice, CASE invoice WHEN '' THEN happened_at END)
               AS event_id,
           kind, sum(abs(Quantity) * Price) AS amount,
           CAST(count(DISTINCT StockCode) AS DOUBLE) AS items
    FROM ({_LINES})
    GROUP BY customer_id, kind, invoice, CASE invoice WHEN '' THEN happened_at END
    ORDER BY ALL
"""
_CUSTOMERS = f"""
    SELECT customer_id, min(happened_at) AS happened_at, min(happened_at) AS known_at,
           min(happened_at) AS joined_at, arg_min(Country, (happened_at, Country)) AS region
    FROM ({_LINES}) GROUP BY customer_id ORDER BY ALL
"""


def read(folder: Path) -> Iterator[RawTable]:
    """Transactions and customers of the invoices."""
    file = str(folder / FILE)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for table, query in (("transactions", _TRANSACTIONS), ("customers", _CUSTOMERS)):
            yield RawTable(table, FILE, db.sql(query, params=[file]).to_arrow_table())


def plan(_: Path) -> StudyPlan:
    """Value and churn over 90 days, learnt monthly to 2011-03-01, tested in June and September.

    Value is gross: published figures are, and a return names no purchase that it takes back.
    """
    target = TargetPlan(horizon_days=90, active_days=180, spend="gross")
    return StudyPlan(
        split="time",
        train_as_of=tuple(from_micros(t) for t in monthly_grid("2010-06-01", "2011-03-01")),
        test_as_of=(datetime(2011, 6, 1, tzinfo=UTC), datetime(2011, 9, 1, tzinfo=UTC)),
        split_key="online_retail_ii:20261122",
        season="smooth",
        currency="GBP",
        targets={"value": target, "churn": target},
    )


SOURCE = Source(
    "online_retail_ii", "UK wholesaler, invoices 2009 to 2011", read, plan, is_public=True
)
