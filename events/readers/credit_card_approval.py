"""Reader of `credit_card_approval`: card status by month over 61 months, and the applications.

Enters: the folder with `credit_record.parquet` (card, months before the extraction, status) and
`application_record.parquet`. Leaves: statements and customers. The extraction month is not known;
December 2020 is assumed, which no feature depends on: a statement closes on the last day of its
month. Status 0 to 5 is a band of days past due, told by its first day (1, 30, 60, 90, 120, 150);
C paid in full, X unused. Ids without an application keep their statements and have no profile.
The application is known from the first month of the card, and how long somebody has worked counts
back from there. Days of birth count back from the extraction: cards that one person opened in
different months tell the same number. Three of four persons stand there under several ids, so the
plan tells persons by their day of birth and gender, and splits go by them. Ids whose applications
are the same to the letter are linked: each statement tells the most days past due at that closing
among the others. Day of birth and gender alone would link strangers, which is safe for a split and
not for a score.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from domain.plan import StudyPlan, TargetPlan
from events.readers.base import RawTable, Source

STATUS_FILE = "credit_record.parquet"
APPLICATION_FILE = "application_record.parquet"
EXTRACTED = (2020, 12)
_EXTRACTED = f"make_date({EXTRACTED[0]}, {EXTRACTED[1]}, 1)"
_STATEMENTS = f"""
    WITH person AS (
        SELECT ID, row(*COLUMNS(* EXCLUDE (ID))) AS told FROM read_parquet($person)
        QUALIFY count(*) OVER (PARTITION BY ID) = 1),
    statement AS (
        SELECT *, last_day({_EXTRACTED} + to_months(CAST(MONTHS_BALANCE AS INTEGER))) AS closed_on,
               CAST(CASE STATUS WHEN 'C' THEN 0 WHEN 'X' THEN 0 WHEN '0' THEN 1
                    ELSE 30 * CAST(STATUS AS INTEGER) END AS DOUBLE) AS late
        FROM read_parquet($status) LEFT JOIN person USING (ID))
    SELECT CAST(ID AS VARCHAR) AS customer_id, closing AS happened_at, closing AS known_at,
           CAST(ID AS VARCHAR) AS account_id,
           CASE STATUS WHEN 'C' THEN 'paid_in_full' WHEN 'X' THEN 'unused' ELSE 'past_due' END
               AS status,
           late AS days_past_due,
           CASE WHEN told IS NOT NULL THEN max(late) OVER (
               PARTITION BY told, closed_on
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW)
               END AS linked_days_past_due
    FROM (SELECT *, CAST(closed_on AS TIMESTAMP) AT TIME ZONE 'UTC' AS closing FROM statement)
    ORDER BY ID, closing
"""
_CUSTOMERS = f"""
    WITH card AS (
        SELECT ID, {_EXTRACTED} + to_months(CAST(min(MONTHS_BALANCE) AS INTEGER)) AS opened
        FROM read_parquet(?) GROUP BY ID),
    person AS (SELECT * FROM read_parquet(?) QUALIFY count(*) OVER (PARTITION BY ID) = 1)
    SELECT CAST(ID AS VARCHAR) AS customer_id, opened AT TIME ZONE 'UTC' AS happened_at,
           opened AT TIME ZONE 'UTC' AS known_at, opened AT TIME ZONE 'UTC' AS joined_at,
           CAST({_EXTRACTED} + to_days(CAST(DAYS_BIRTH AS INTEGER)) AS DATE) AS birth_on,
           CASE CODE_GENDER WHEN 'M' THEN 'male' ELSE 'female' END AS gender,
           NAME_FAMILY_STATUS AS marital, CAST(CNT_CHILDREN AS DOUBLE) AS dependants,
           CAST(CASE NAME_EDUCATION_TYPE WHEN 'Lower secondary' THEN 1
                WHEN 'Secondary / secondary special' THEN 2 WHEN 'Incomplete higher' THEN 3
                ELSE 4 END AS DOUBLE) AS education,
           AMT_INCOME_TOTAL AS income,
           CASE WHEN DAYS_EMPLOYED <= 0 THEN
               (opened + to_days(CAST(DAYS_EMPLOYED AS INTEGER))) AT TIME ZONE 'UTC' END
               AS employed_since,
           FLAG_OWN_REALTY = 'Y' AS owns_home, FLAG_OWN_CAR = 'Y' AS owns_car
    FROM card JOIN person USING (ID) ORDER BY ID
"""


def read(folder: Path) -> Iterator[RawTable]:
    """Statements of every card, customers of the cards with one application."""
    status, person = str(folder / STATUS_FILE), str(folder / APPLICATION_FILE)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        files = {"status": status, "person": person}
        statements = db.sql(_STATEMENTS, params=files).to_arrow_table()
        yield RawTable("statements", STATUS_FILE, statements)
        customers = db.sql(_CUSTOMERS, params=[status, person]).to_arrow_table()
        yield RawTable("customers", APPLICATION_FILE, customers)


def plan(_: Path) -> StudyPlan:
    """30 days past due within a year: learnt every third month -54 to -24, tested at month -12."""
    return StudyPlan(
        split="time",
        train_as_of=tuple(_after(m) for m in range(-54, -23, 3)),
        test_as_of=(_after(-12),),
        split_key="credit_card_approval:20261122",
        person_columns=("birth_on", "gender"),
        currency="CNY",
        targets={"credit": TargetPlan(horizon_days=365, bad_days_past_due=30)},
    )


def _after(months: int) -> datetime:
    """The first instant after a month, counted from the extraction month."""
    index = EXTRACTED[0] * 12 + EXTRACTED[1] + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


SOURCE = Source(
    "credit_card_approval", "card status by month, 61 months", read, plan, is_public=True
)
