"""The decision record: append-only rows in SQLite, each chained to the one before by hash.

Enters: decisions with the feature values they were made from. Leaves: records. A decision is
durable when `append` returns (write-ahead log, full sync). Editing, deleting or reordering rows is
found by `verify`; the loss of the newest rows is found against the head that `append` keeps in a
file beside the database. Who can write both files can forge history: keep a copy of the head
elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from domain.decision import Decision, DecisionRecord, canonical_json, content_hash
from domain.errors import NotFoundError, RecordError
from events.durable import locked, open_sqlite, replace_file

GENESIS = "0" * 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    sequence INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL,
    body TEXT NOT NULL,
    previous_hash TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS record_customer ON record (customer_id, sequence);
CREATE TRIGGER IF NOT EXISTS record_no_update BEFORE UPDATE ON record
    BEGIN SELECT RAISE(ABORT, 'the decision record is append-only'); END;
CREATE TRIGGER IF NOT EXISTS record_no_delete BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'the decision record is append-only'); END;
PRAGMA user_version = 1;
"""
Features = Mapping[str, float | None]


class DecisionLog:
    """The record in one SQLite file; safe for several threads and processes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._connection() as db:
            db.executescript(_SCHEMA)

    @property
    def head_file(self) -> Path:
        """Where the number of rows and the hash of the newest stand."""
        return self.file.with_suffix(".head")

    def append(
        self, made: Sequence[tuple[Decision, Features]], request_hash: str
    ) -> tuple[DecisionRecord, ...]:
        """The records of these decisions, all durable or none.

        Raises:
            RecordError: the database refuses (disk full, damaged, locked for too long).
        """
        try:
            with locked(self.file.with_suffix(".lock")), self._connection() as db:
                db.execute("BEGIN IMMEDIATE")
                sequence, previous = self._head(db)
                records = []
                for decision, features in made:
                    sequence += 1
                    record = seal(decision, features, request_hash, sequence, previous)
                    previous = record.hash
                    records.append(record)
                db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", map(_row, records))
                db.execute("COMMIT")
                if records:
                    replace_file(self.head_file, f"{sequence} {previous}\n".encode())
                return tuple(records)
        except sqlite3.Error as e:
            raise RecordError(f"the decision record cannot be written ({type(e).__name__})") from e

    def is_open(self) -> bool:
        """Whether the database answers."""
        try:
            with self._connection() as db:
                db.execute("SELECT max(sequence) FROM record").fetchone()
        except sqlite3.Error:
            return False
        return True

    def get(self, decision_id: str) -> DecisionRecord:
        """The record of a decision.

        Raises:
            NotFoundError: there is none.
            RecordError: it was edited.
        """
        found = self._one("SELECT body FROM record WHERE decision_id = ?", decision_id)
        if found is None:
            raise NotFoundError("no decision has this id: give the 32 hexadecimal digits of one")
        return found

    def latest(self, customer_id: str) -> DecisionRecord:
        """The newest record of a customer.

        Raises:
            NotFoundError: there is none.
        """
        query = "SELECT body FROM record WHERE customer_id = ? ORDER BY sequence DESC LIMIT 1"
        found = self._one(query, customer_id)
        if found is None:
            raise NotFoundError(
                "no decision was recorded for this customer: make one with `tierline decide`"
            )
        return found

    def before(self, record: DecisionRecord) -> DecisionRecord | None:
        """The record of the same customer before this one.

        Raises:
            RecordError: it was edited.
        """
        query = (
            "SELECT body FROM record WHERE customer_id = ? AND sequence < ? "
            "ORDER BY sequence DESC LIMIT 1"
        )
        return self._one(query, record.decision.customer_id, record.sequence)

    def ids(self) -> tuple[str, ...]:
        """The ids of all decisions, oldest first."""
        with self._connection() as db:
            found = db.execute("SELECT decision_id FROM record ORDER BY sequence").fetchall()
        return tuple(row[0] for row in found)

    def verify(self) -> int:
        """The number of records, after checking every one of them and the head.

        Raises:
            RecordError: names the first record that was edited, or after which one is missing.
        """
        previous, expected = GENESIS, 1
        with self._connection() as db:
            rows = db.execute("SELECT * FROM record ORDER BY sequence")
            for sequence, decision_id, customer_id, body, before, own in rows:
                if sequence != expected:
                    raise RecordError(f"record {expected} is missing: restore it from a backup")
                record = _read(body, sequence)
                columns = (record.decision.decision_id, record.decision.customer_id)
                sound = (
                    record.sequence == sequence
                    and columns == (decision_id, customer_id)
                    and record.hash == own == _own_hash(record)
                    and canonical_json(record.model_dump(mode="json")) == body
                )
                if not sound:
                    raise RecordError(f"record {sequence} was edited: restore it from a backup")
                if record.previous_hash != previous or before != previous:
                    raise RecordError(f"record {sequence} does not follow record {sequence - 1}")
                previous, expected = own, expected + 1
        self._check_head(expected - 1, previous)
        return expected - 1

    def _check_head(self, rows: int, newest: str) -> None:
        if not self.head_file.is_file():
            if rows:
                raise RecordError(f"{self.head_file.name} is missing beside {rows} records")
            return
        count, _, own = self.head_file.read_text(encoding="ascii").strip().partition(" ")
        if int(count) > rows or (int(count) == rows and own != newest):
            raise RecordError(
                f"the head tells of {count} records, {rows} are here: the end is gone"
            )

    def _head(self, db: sqlite3.Connection) -> tuple[int, str]:
        newest = db.execute("SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1")
        found = newest.fetchone()
        return (int(found[0]), str(found[1])) if found else (0, GENESIS)

    def _one(self, query: str, *values: str | int) -> DecisionRecord | None:
        with self._connection() as db:
            found = db.execute(query, values).fetchone()
        if found is None:
            return None
        record = _read(found[0], 0)
        if record.hash != _own_hash(record):
            raise RecordError(f"record {record.sequence} was edited: restore it from a backup")
        return record

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(open_sqlite(self.file)) as db:
            yield db


def seal(
    decision: Decision, features: Features, request_hash: str, sequence: int, previous: str
) -> DecisionRecord:
    """The record of a decision at its place in the chain."""
    open_record = DecisionRecord(
        sequence=sequence, decision=decision, features=dict(features),
        request_hash=request_hash, previous_hash=previous, hash=GENESIS,
    )  # fmt: skip
    return open_record.model_copy(update={"hash": _own_hash(open_record)})


def _own_hash(record: DecisionRecord) -> str:
    content: dict[str, Any] = record.model_dump(mode="json")
    del content["hash"]
    return content_hash(content)


def _row(record: DecisionRecord) -> tuple[int, str, str, str, str, str]:
    body = canonical_json(record.model_dump(mode="json"))
    decision = record.decision
    return (
        record.sequence, decision.decision_id, decision.customer_id, body,
        record.previous_hash, record.hash,
    )  # fmt: skip


def _read(body: str, sequence: int) -> DecisionRecord:
    try:
        return DecisionRecord.model_validate_json(body)
    except ValueError as e:
        raise RecordError(f"record {sequence or ''} was edited: it is no decision") from e
