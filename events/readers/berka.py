"""Reader of `berka`: a Czech bank, the 354 loans of 1997-98 with their whole history (PKDD'99).

Enters: the folder of the relational tables. Leaves: customers (an account with its owner),
transactions, loans and outcomes. Of `trans_partial` only the part that holds the complete history
before a loan is read; the other part holds no account's whole history. A loan is asked for and
decided on its date; status B or D is bad, and comes true when the loan ends. Codes stay Czech in
the file: PRIJEM comes in, VYDAJ and VYBER go out, UROK is interest, SLUZBY a fee.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from domain.plan import StudyPlan, TargetPlan
from events.readers.base import RawTable, Source

PART = "before_loan_of_1997_1998"
_TRANSACTIONS = """
    SELECT CAST(account_id AS VARCHAR) AS customer_id, date AT TIME ZONE 'UTC' AS happened_at,
           date AT TIME ZONE 'UTC' AS known_at, CAST(trans_id AS VARCHAR) AS event_id,
           CASE WHEN trim(k_symbol) IN ('UROK', 'SANKC. UROK') THEN 'interest'
                WHEN k_symbol = 'SLUZBY' THEN 'fee'
                WHEN type = 'PRIJEM' THEN 'inflow' ELSE 'outflow' END AS kind,
           amount,
           CASE operation WHEN 'VKLAD' THEN 'cash_in' WHEN 'VYBER' THEN 'cash_out'
                WHEN 'PREVOD Z UCTU' THEN 'transfer_in' WHEN 'PREVOD NA UCET' THEN 'transfer_out'
                WHEN 'VYBER KARTOU' THEN 'card' END AS channel,
           CASE trim(k_symbol) WHEN 'SIPO' THEN 'household' WHEN 'DUCHOD' THEN 'pension'
                WHEN 'POJISTNE' THEN 'insurance' WHEN 'UVER' THEN 'loan'
                WHEN 'SANKC. UROK' THEN 'penalty' WHEN 'UROK' THEN 'interest'
                WHEN 'SLUZBY' THEN 'service' END AS category,
           balance
    FROM transactions WHERE part = ? ORDER BY account_id, date, trans_id
"""
_WITH_HISTORY = "account_id IN (SELECT account_id FROM transactions WHERE part = ?)"
_CUSTOMERS = f"""
    SELECT CAST(a.account_id AS VARCHAR) AS customer_id, a.date AT TIME ZONE 'UTC' AS happened_at,
           a.date AT TIME ZONE 'UTC' AS known_at, a.date AT TIME ZONE 'UTC' AS joined_at,
           CAST(c.birth_date AS DATE) AS birth_on,
           CASE c.gender WHEN 'F' THEN 'female' ELSE 'male' END AS gender, r.A3 AS region
    FROM account a JOIN disp d ON d.account_id = a.account_id AND d.type = 'OWNER'
    JOIN client c USING (client_id) JOIN district r ON r.A1 = a.district_id
    WHERE a.{_WITH_HISTORY} ORDER BY a.account_id
"""
_LOANS = f"""
    SELECT CAST(account_id AS VARCHAR) AS customer_id, date AT TIME ZONE 'UTC' AS happened_at,
           date AT TIME ZONE 'UTC' AS known_at, CAST(loan_id AS VARCHAR) AS loan_id,
           CAST(amount AS DOUBLE) AS amount, CAST(duration AS DOUBLE) AS term_months,
           payments AS payment
    FROM loan WHERE {_WITH_HISTORY} ORDER BY loan_id
"""
_OUTCOMES = f"""
    SELECT CAST(account_id AS VARCHAR) AS customer_id,
           (date + to_months(CAST(duration AS INTEGER))) AT TIME ZONE 'UTC' AS happened_at,
           (date + to_months(CAST(duration AS INTEGER))) AT TIME ZONE 'UTC' AS known_at,
           date AT TIME ZONE 'UTC' AS decided_at, status IN ('B', 'D') AS is_bad
    FROM loan WHERE {_WITH_HISTORY} ORDER BY loan_id
"""
_QUERIES = (
    ("customers", "account.parquet", _CUSTOMERS),
    ("transactions", "trans_partial.parquet", _TRANSACTIONS),
    ("loans", "loan.parquet", _LOANS),
    ("outcomes", "loan.parquet", _OUTCOMES),
)


def read(folder: Path) -> Iterator[RawTable]:
    """Customers, transactions, loans and outcomes of the accounts with a whole history."""
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for name in ("account", "client", "disp", "district", "loan"):
            db.register(name, db.read_parquet(str(folder / f"{name}.parquet")))
        db.register("transactions", db.read_parquet(str(folder / "trans_partial.parquet")))
        for table, file, query in _QUERIES:
            yield RawTable(table, file, db.sql(query, params=[PART]).to_arrow_table())


def plan(_: Path) -> StudyPlan:
    """Loan gone bad, in folds: 354 loans, 30 bad, are too few to set a test aside."""
    return StudyPlan(
        split="folds",
        split_key="berka:20261122",
        currency="CZK",
        targets={"credit": TargetPlan(horizon_days=1830, label="outcomes")},
    )


SOURCE = Source("berka", "Czech bank, 354 loans of 1997-98", read, plan, is_public=True)
