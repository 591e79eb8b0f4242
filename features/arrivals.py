"""Events that arrived since the data set was made, kept on disk until the next one holds them.

Enters: checked rows of raw tables. Leaves: the same rows, by table and customer, in any order they
came; a row that came twice stands once. `append` returns once they are on disk, together with the
note that the customers' features are to be made again. One SQLite file; safe for several processes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.errors import StoreError
from events.durable import locked, open_sqlite
from events.schema import TABLES

_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrivals (
    customer TEXT, raw_table TEXT, event TEXT, seen INTEGER NOT NULL,
    PRIMARY KEY (customer, raw_table, event)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (customer TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_MANY = 500
"""Customers that one statement asks for."""


class Arrivals:
    """The events of the day in one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits for, then holds, the turn of the one process that may write online rows."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._file.with_suffix(".lock")):
            yield

    def append(self, table: str, rows: pa.Table) -> int:
        """How many of these rows are new; all are on disk, and their customers pending.

        Raises:
            StoreError: the file cannot be written; then nothing of it counts.
        """
        customers = rows["customer_id"].to_pylist()
        seen = pc.max_element_wise(*(rows[c].cast(pa.int64()) for c in ("happened_at", "known_at")))
        texts = [json.dumps(r, separators=(",", ":"), ensure_ascii=False) for r in _plain(rows)]
        found = zip(customers, [table] * len(texts), texts, seen.to_pylist(), strict=True)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            before = db.total_changes
            db.executemany("INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)", found)
            new = db.total_changes - before
            pending = [(c,) for c in dict.fromkeys(customers)]
            db.executemany("INSERT OR IGNORE INTO pending VALUES (?)", pending)
            db.execute("COMMIT")
        return new

    def rows(self, table: str, customers: Sequence[str]) -> pa.Table:
        """The rows of a table that arrived of these customers, in the table's own columns."""
        with self._open() as db:
            texts = [
                text
                for begin in range(0, len(customers), _MANY)
                for (text,) in db.execute(
                    "SELECT event FROM arrivals WHERE raw_table = ? AND customer IN "
                    f"({_marks(customers[begin : begin + _MANY])})",
                    (table, *customers[begin : begin + _MANY]),
                )
            ]
        schema = TABLES[table].schema
        rows = json.loads(f"[{','.join(texts)}]")
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
        made = [
            pa.array(list(c), _stored(f.type)).cast(f.type)
            for c, f in zip(columns, schema, strict=True)
        ]
        return pa.table(made, schema=schema)

    def customers(self) -> dict[str, int]:
        """Whose events arrived, and when (micros) the last of each was known."""
        if not self._file.exists():
            return {}
        with self._open() as db:
            found = db.execute("SELECT customer, max(seen) FROM arrivals GROUP BY customer")
            return dict(found.fetchall())

    def seen(self, customers: Sequence[str]) -> NDArray[np.int64]:
        """When (micros) the last event of each of these customers was known; 0 where none came."""
        last: dict[str, int] = {}
        with self._open() as db:
            for begin in range(0, len(customers), _MANY):
                asked = customers[begin : begin + _MANY]
                last |= dict(
                    db.execute(
                        "SELECT customer, max(seen) FROM arrivals WHERE customer IN "
                        f"({_marks(asked)}) GROUP BY customer",
                        tuple(asked),
                    ).fetchall()
                )
        return np.array([last.get(c, 0) for c in customers], dtype=np.int64)

    def pending(self) -> tuple[str, ...]:
        """Whose features were not made again since their last event."""
        if not self._file.exists():
            return ()
        with self._open() as db:
            return tuple(c for (c,) in db.execute("SELECT customer FROM pending ORDER BY customer"))

    def done(self, customers: Sequence[str]) -> None:
        """Take these customers off the pending ones."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM pending WHERE customer = ?", [(c,) for c in customers])
            db.execute("COMMIT")

    def forget(self, until: int) -> None:
        """Drop what was known up to an instant (micros): the data set is complete up to it."""
        with self._open() as db:
            db.execute("DELETE FROM arrivals WHERE seen <= ?", (until,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(open_sqlite(self._file)) as db:
                db.executescript(_SCHEMA)
                yield db
        except sqlite3.Error as e:
            raise StoreError(f"arrived events cannot be kept or read ({type(e).__name__})") from e


def _plain(rows: pa.Table) -> Iterator[tuple[object, ...]]:
    """The rows as JSON holds them: instants in micros, dates in days."""
    columns = [rows[f.name].cast(_stored(f.type)).to_pylist() for f in rows.schema]
    return zip(*columns, strict=True)


def _stored(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.int64()
    return pa.int32() if pa.types.is_date(kind) else kind


def _marks(asked: Sequence[object]) -> str:
    return ",".join("?" * len(asked))
