"""Where packed rows are kept: SQLite, Redis or PostgreSQL, each behind the same few verbs.

Enters: bytes by customer and view. Leaves: bytes. What one call writes for one customer is seen
whole or not at all: one transaction in SQLite and PostgreSQL, one command in Redis; and it is read
by one statement or command. Every verb may be repeated. A store may be shared by threads: each
takes a connection out of a pool. It knows nothing of a row but the hash that it begins with.
"""

from __future__ import annotations

import itertools
import sqlite3
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from domain.errors import StoreError
from events.durable import open_sqlite
from features.packed import HASH_BYTES

if TYPE_CHECKING:
    import psycopg

Keyed = Mapping[str, Mapping[str, bytes]]
"""Rows by customer, then by view."""
Found = dict[str, dict[str, bytes]]
NETWORK_SECONDS = 10
SWEEP = 500
"""Keys that are looked at together when rows of other schemas are dropped from Redis."""
C = TypeVar("C")
T = TypeVar("T")


class RowStore(Protocol):
    """The packed rows of one project."""

    def write(self, rows: Keyed) -> None:
        """Keep these rows in place of the customers' rows of the same views."""

    def read(self, customers: Sequence[str], views: Sequence[str]) -> Found:
        """The rows that are there."""

    def keep_only(self, schemas: Mapping[str, bytes]) -> None:
        """Drop every row that does not begin with the hash of its view; of other views, all."""

    def close(self) -> None:
        """Let the connections go; the next call opens new ones."""


class _Pool(Generic[C]):
    """Connections, each used by one thread at a time; opened where none is idle."""

    def __init__(self, opened: Callable[[], C], error: type[Exception], tries: int) -> None:
        self._opened = opened
        self._error = error
        self._tries = tries
        self._idle: deque[C] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def run(self, work: Callable[[C], T]) -> T:
        """What `work` gives; once more on a new connection where a server let the old one go.

        Raises:
            StoreError: the driver refuses. Its message may name an address and is not told.
        """
        for left in reversed(range(self._tries)):
            try:
                return self._once(work)
            except self._error as e:
                self.close()
                if not left:
                    raise StoreError(
                        f"the online store does not answer ({type(e).__name__}): see that it runs, "
                        "and that TIERLINE_ONLINE names it"
                    ) from e
        raise StoreError("the online store was not asked")

    def close(self) -> None:
        """Close what is idle."""
        _close_all(self._idle)

    def _once(self, work: Callable[[C], T]) -> T:
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._opened()
        try:
            found = work(db)
        except BaseException:
            db.close()  # type: ignore[attr-defined]
            raise
        self._idle.append(db)
        return found


class SqliteRows:
    """Rows in one file, with a write-ahead log: who reads never waits for who writes."""

    def __init__(self, file: Path, project: str) -> None:
        self._file = file
        self._table = f'"{project}_rows"'
        self._pool = _Pool(self._open, sqlite3.Error, tries=1)

    def write(self, rows: Keyed) -> None:
        """Keep these rows, all in one transaction."""
        query = f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?)"

        def work(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(query, _flat(rows))
            db.execute("COMMIT")

        self._pool.run(work)

    def read(self, customers: Sequence[str], views: Sequence[str]) -> Found:
        """The rows that are there, as of one moment."""
        query = (
            f"SELECT customer, view, row FROM {self._table} WHERE customer IN "
            f"({_marks(customers)}) AND view IN ({_marks(views)})"
        )
        asked = (*(c.encode() for c in customers), *views)
        return _found(self._pool.run(lambda db: db.execute(query, asked).fetchall()))

    def keep_only(self, schemas: Mapping[str, bytes]) -> None:
        """Drop the rows of other schemas and views."""
        query, asked = _others(self._table, schemas, "?")
        self._pool.run(lambda db: db.execute(query, asked))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _open(self) -> sqlite3.Connection:
        db = open_sqlite(self._file, any_thread=True)
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (customer BLOB, view TEXT, row BLOB NOT "
            "NULL, PRIMARY KEY (customer, view)) WITHOUT ROWID"
        )
        return db


class PostgresRows:
    """Rows in a table of a PostgreSQL database; made by the first write."""

    def __init__(self, options: Mapping[str, Any], project: str) -> None:
        self._options = dict(options)
        self._table = f'"{project}_rows"'
        import psycopg

        self._gone = psycopg.errors.UndefinedTable
        self._pool = _Pool(self._open, psycopg.Error, tries=2)

    def write(self, rows: Keyed) -> None:
        """Keep these rows, all in one statement."""
        made = (
            f"CREATE TABLE IF NOT EXISTS {self._table} (customer bytea, view text, row bytea NOT "
            "NULL, PRIMARY KEY (customer, view))"
        )
        query = (
            f"INSERT INTO {self._table} SELECT * FROM unnest(%b::bytea[], %b::text[], %b::bytea[]) "
            "ON CONFLICT (customer, view) DO UPDATE SET row = excluded.row"
        )
        columns = [list(c) for c in zip(*sorted(_flat(rows)), strict=True)]

        def work(db: psycopg.Connection[Any]) -> None:
            try:
                db.execute(query, columns)
            except self._gone:
                db.execute(made)
                db.execute(query, columns)

        if columns:
            self._pool.run(work)

    def read(self, customers: Sequence[str], views: Sequence[str]) -> Found:
        """The rows that are there, as of one moment."""
        query = (
            f"SELECT customer, view, row FROM {self._table} "
            "WHERE customer = ANY(%b) AND view = ANY(%b)"
        )
        asked = ([c.encode() for c in customers], list(views))

        def work(db: psycopg.Connection[Any]) -> list[tuple[bytes, str, bytes]]:
            try:
                return db.execute(query, asked, binary=True).fetchall()
            except self._gone:
                return []

        return _found(self._pool.run(work))

    def keep_only(self, schemas: Mapping[str, bytes]) -> None:
        """Drop the rows of other schemas and views."""
        query, asked = _others(self._table, schemas, "%s")

        def work(db: psycopg.Connection[Any]) -> None:
            try:
                db.execute(query, asked)
            except self._gone:
                return

        self._pool.run(work)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _open(self) -> psycopg.Connection[Any]:
        import psycopg

        return psycopg.connect(**self._options, autocommit=True, connect_timeout=NETWORK_SECONDS)


class RedisRows:
    """Rows in Redis, a key a customer and view; many keys a command, which Redis runs whole."""

    def __init__(self, options: Mapping[str, Any], project: str) -> None:
        import redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        self._prefix = f"{project}:"
        self._db = redis.Redis(
            **options,
            socket_timeout=NETWORK_SECONDS,
            socket_connect_timeout=NETWORK_SECONDS,
            retry=Retry(ConstantBackoff(0.1), retries=2),
        )
        self._error = redis.RedisError

    def write(self, rows: Keyed) -> None:
        """Keep these rows, all in one command."""
        named = {self._key(v, c): row for c, found in rows.items() for v, row in found.items()}
        if named:
            self._run(lambda: self._db.mset(named))

    def read(self, customers: Sequence[str], views: Sequence[str]) -> Found:
        """The rows that are there, as of one moment."""
        asked = [(c, v) for c in customers for v in views]
        if not asked:
            return {}
        rows: Any = self._run(lambda: self._db.mget([self._key(v, c) for c, v in asked]))
        found: Found = {}
        for (customer, view), row in zip(asked, rows, strict=True):
            if row is not None:
                found.setdefault(customer, {})[view] = row
        return found

    def keep_only(self, schemas: Mapping[str, bytes]) -> None:
        """Drop the rows of other schemas and views."""
        keys = self._db.scan_iter(match=f"{self._prefix}*", count=SWEEP)
        while chunk := self._run(lambda: list(itertools.islice(keys, SWEEP))):
            pipe = self._db.pipeline(transaction=False)
            for key in chunk:
                pipe.getrange(key, 0, HASH_BYTES - 1)
            begins: list[bytes] = self._run(pipe.execute)
            others = [
                k for k, h in zip(chunk, begins, strict=True) if schemas.get(self._view(k)) != h
            ]
            if others:
                self._run(partial(self._db.delete, *others))

    def close(self) -> None:
        """Close the connections."""
        self._db.close()

    def _key(self, view: str, customer: str) -> str:
        return f"{self._prefix}{view}:{customer}"

    def _view(self, key: bytes) -> str:
        return key.decode()[len(self._prefix) :].partition(":")[0]

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except self._error as e:
            raise StoreError(
                f"the online store does not answer ({type(e).__name__}): see that it runs, and "
                "that TIERLINE_ONLINE names it"
            ) from e


def _close_all(idle: deque[Any]) -> None:
    while idle:
        idle.pop().close()


def _flat(rows: Keyed) -> Iterable[tuple[bytes, str, bytes]]:
    return ((c.encode(), view, row) for c, found in rows.items() for view, row in found.items())


def _found(rows: Iterable[tuple[bytes, str, bytes]]) -> Found:
    found: Found = {}
    for customer, view, row in rows:
        found.setdefault(customer.decode(), {})[view] = row
    return found


def _marks(asked: Sequence[str]) -> str:
    return ",".join("?" * len(asked))


def _others(table: str, schemas: Mapping[str, bytes], mark: str) -> tuple[str, list[Any]]:
    """The statement that drops the rows of other schemas, and what to put into it."""
    one = f"(view = {mark} AND substr(row, 1, {HASH_BYTES}) = {mark})"
    kept = " OR ".join([one] * len(schemas)) or "1 = 0"
    asked = [value for named in schemas.items() for value in named]
    return f"DELETE FROM {table} WHERE NOT ({kept})", asked
