"""The rules across rows: of one event its versions, its repeats, and a key of two customers.

Enters: checked rows of a table, all that share a key among them. Leaves: the rows that count, with
`superseded_at`, and the rows that cannot stand, with their rule; both in order.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from events.check import RULE
from events.dataset import SUPERSEDED, clean_schema
from events.schema import Table

DUPLICATE, ANOTHERS = "duplicate", "key_of_another_customer"


def order(table: Table) -> str:
    """What rows stand by, in SQL: the columns, whose first are the customer and the clocks."""
    return ", ".join(f'"{c.name}"' for c in table.columns)


def key(table: Table) -> str:
    """The key, in SQL."""
    return ", ".join(f'"{k}"' for k in table.key)


def settle(table: Table, clean: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows with `superseded_at`, sorted, and the rows that cannot stand, with their rule.

    Of rows with one key and one `known_at` the first in sorted order stays, the others are
    `duplicate`. Of one key known at several instants each version is superseded when the next is
    known. A key that names an event of one customer first and of another one later is no
    correction: the later rows are `key_of_another_customer`.
    """
    columns, named = order(table), key(table)
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("clean", clean)
        db.execute(
            f"CREATE TABLE often AS SELECT {named} FROM clean GROUP BY ALL HAVING count(*) > 1"
        )
        db.execute(
            f"CREATE VIEW numbered AS SELECT *, CASE WHEN customer_id <> first_value(customer_id) "
            f"OVER (PARTITION BY {named} ORDER BY known_at, {columns}) "
            f"THEN '{ANOTHERS}' WHEN row_number() OVER "
            f"(PARTITION BY {named}, customer_id, known_at ORDER BY {columns}) > 1 "
            f"THEN '{DUPLICATE}' END AS {RULE} FROM clean SEMI JOIN often USING ({named})"
        )
        settled = db.sql(
            f"SELECT {columns}, NULL AS {SUPERSEDED} FROM clean ANTI JOIN often USING ({named}) "
            f"UNION ALL SELECT {columns}, lead(known_at) OVER (PARTITION BY {named} ORDER BY "
            f"known_at) FROM numbered WHERE {RULE} IS NULL ORDER BY {columns}"
        ).to_arrow_table()
        twice = db.sql(
            f"SELECT {RULE}, {columns} FROM numbered WHERE {RULE} IS NOT NULL ORDER BY {columns}"
        ).to_arrow_table()
    return settled.cast(clean_schema(table)), twice
