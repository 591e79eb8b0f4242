"""Reader of `taiwan_credit_default`: 30,000 card holders, April to September 2005 (UCI).

Enters: the folder with `taiwan_credit_default.parquet`, one row a card holder. Leaves: customers,
six monthly statements each (closing on the last day of the month), and outcomes: default in
October, decided on 2005-10-01. `PAY_0` is September's repayment status: -2 no use, -1 paid in full,
0 revolving, k >= 1 = k months late. `PAY_AMT1` was paid in September. The age in years makes an
approximate date of birth.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from domain.plan import StudyPlan, TargetPlan
from events.readers.base import RawTable, Source

FILE = "taiwan_credit_default.parquet"
_MONTHS = ((0, 1, 9), (2, 2, 8), (3, 3, 7), (4, 4, 6), (5, 5, 5), (6, 6, 4))
_JOINED = "TIMESTAMPTZ '2005-04-01 00:00:00+00'"
_CUSTOMERS = f"""
    SELECT CAST(ID AS VARCHAR) AS customer_id, {_JOINED} AS happened_at, {_JOINED} AS known_at,
           make_date(2005 - AGE, 4, 1) AS birth_on,
           CASE SEX WHEN 1 THEN 'male' WHEN 2 THEN 'female' END AS gender,
           CASE MARRIAGE WHEN 1 THEN 'married' WHEN 2 THEN 'single' ELSE 'other' END AS marital,
           CAST(CASE EDUCATION WHEN 1 THEN 4 WHEN 2 THEN 3 WHEN 3 THEN 2 END AS DOUBLE) AS education
    FROM read_parquet(?) ORDER BY ID
"""
_MONTH = """
    SELECT ID, last_day(make_date(2005, {month}, 1)) AS closing, PAY_{status} AS status,
           BILL_AMT{amount} AS bill, PAY_AMT{amount} AS paid, LIMIT_BAL FROM read_parquet(?)
"""
_STATEMENTS = """
    SELECT CAST(ID AS VARCHAR) AS customer_id,
           CAST(closing AS TIMESTAMP) AT TIME ZONE 'UTC' AS happened_at,
           CAST(closing AS TIMESTAMP) AT TIME ZONE 'UTC' AS known_at,
           CAST(ID AS VARCHAR) AS account_id,
           CASE WHEN status >= 1 THEN 'past_due' WHEN status = 0 THEN 'revolving'
                WHEN status = -1 THEN 'paid_in_full' ELSE 'unused' END AS status,
           CAST(30 * greatest(status, 0) AS DOUBLE) AS days_past_due,
           bill, paid, LIMIT_BAL AS "limit"
    FROM ({months}) ORDER BY ID, closing
"""
_OUTCOMES = """
    SELECT CAST(ID AS VARCHAR) AS customer_id,
           TIMESTAMPTZ '2005-10-31 00:00:00+00' AS happened_at,
           TIMESTAMPTZ '2005-10-31 00:00:00+00' AS known_at,
           TIMESTAMPTZ '2005-10-01 00:00:00+00' AS decided_at,
           "default.payment.next.month" = 1 AS is_bad
    FROM read_parquet(?) ORDER BY ID
"""


def read(folder: Path) -> Iterator[RawTable]:
    """Customers, statements and outcomes of the card holders."""
    file = str(folder / FILE)
    months = " UNION ALL ".join(
        _MONTH.format(status=status, amount=amount, month=month)
        for status, amount, month in _MONTHS
    )
    statements = _STATEMENTS.format(months=months)
    queries = (
        ("customers", _CUSTOMERS, 1),
        ("statements", statements, 6),
        ("outcomes", _OUTCOMES, 1),
    )
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for table, query, times in queries:
            yield RawTable(table, FILE, db.sql(query, params=[file] * times).to_arrow_table())


def plan(_: Path) -> StudyPlan:
    """Default next month, parted by unseen card holders: the file has no clock of its own."""
    return StudyPlan(
        split="customer",
        split_key="taiwan_credit_default:20261122",
        test_percent=30,
        currency="TWD",
        targets={"credit": TargetPlan(horizon_days=30, label="outcomes")},
    )


SOURCE = Source("taiwan_credit_default", "card holders in Taiwan, 2005", read, plan, is_public=True)
