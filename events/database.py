"""Tables of a database, read only, through SQLAlchemy: names, first rows, all rows.

Enters: an address such as `postgresql+psycopg://reader@host/bank` or `sqlite:///bank.db`; the
password may stand in it or in the environment. Leaves: Arrow tables. It writes nothing: SQLite is
opened read only, PostgreSQL and MySQL are told that the transaction is, others are rolled back. A
password is in no message and in no file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import InputError, NotFoundError
from domain.settings import DATABASE_PASSWORD
from events.shown import listed, shown

BATCH = 50_000
_READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}


def is_address(text: str) -> bool:
    """Whether a text is the address of a database rather than a path."""
    return "://" in text


def without_password(address: str) -> str:
    """The address as it may be written down and told."""
    url = _parsed(address)
    named = (url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    return URL.create(*named).render_as_string(hide_password=False)


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
    except (SQLAlchemyError, ValueError):
        raise InputError(
            "this is no address of a database: write postgresql+psycopg://user@host/name or "
            "sqlite:///file.db"
        ) from None
    if {"password", "passwd", "pwd"} & {k.lower() for k in url.query}:
        raise InputError(
            f"a password stands behind the ? of the address: set {DATABASE_PASSWORD.variable}"
        )
    return url


@contextmanager
def opened(address: str) -> Iterator[Connection]:
    """A connection that can only read.

    Raises:
        InputError: no driver, no database, or it refuses us; without the password.
    """
    url = _parsed(address)
    given = DATABASE_PASSWORD.read(os.environ)
    if given and url.password is None and url.get_backend_name() != "sqlite":
        url = url.set(password=given)
    try:
        engine = sa.create_engine(_of_a_file(url), poolclass=sa.NullPool)
        with engine.connect() as connection:
            command = _READ_ONLY.get(url.get_backend_name())
            if command:
                connection.execute(sa.text(command))
                connection.commit()  # a setting of the session is undone with its transaction
            try:
                yield connection
            finally:
                connection.rollback()
    except ModuleNotFoundError as e:
        raise InputError(
            f"{url.drivername} needs the package {e.name}: install tierline[postgres], or it"
        ) from None
    except SQLAlchemyError as e:
        raise InputError(f"{without_password(address)}: {_said(e, url)}") from None


def _of_a_file(url: URL) -> URL:
    """SQLite opens a missing file as an empty database unless it is told to read only."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return url
    return url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})


def _said(error: SQLAlchemyError, url: URL) -> str:
    """The first line of what the driver said, the password blotted out."""
    cause = getattr(error, "orig", None) or error
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0][:200]
    for secret in {str(url.password or ""), url.render_as_string(hide_password=False)}:
        said = said.replace(secret, "***") if secret else said
    return said


def tables(connection: Connection) -> list[str]:
    """The tables and views of the default schema, by name."""
    inspector = sa.inspect(connection)
    return sorted({*inspector.get_table_names(), *inspector.get_view_names()})


def rows(connection: Connection, name: str, limit: int | None = None) -> pa.Table:
    """The rows of a table or view, `schema.name` where it stands in another schema.

    Raises:
        NotFoundError: there is none of that name.
    """
    schema, _, bare = name.rpartition(".")
    inspector = sa.inspect(connection)
    if not inspector.has_table(bare, schema=schema or None):
        there = listed(tables(connection))
        raise NotFoundError(f"the database has no table {shown(name)}: there is {there}")
    table = sa.Table(bare, sa.MetaData(), schema=schema or None, autoload_with=connection)
    kinds = {c.name: _kind(c.type) for c in table.columns}
    found = connection.execution_options(yield_per=BATCH).execute(sa.select(table).limit(limit))
    batches = [_batch(part, kinds) for part in found.partitions(BATCH)]
    if not batches:
        return pa.schema(list(kinds.items())).empty_table()
    return pa.table({n: _together([b[n] for b in batches]) for n in kinds})


def _kind(declared: sa.types.TypeEngine[Any]) -> pa.DataType:
    kinds: tuple[tuple[Any, pa.DataType], ...] = (
        (sa.Boolean, pa.bool_()),
        (sa.Integer, pa.int64()),
        (sa.Numeric, pa.float64()),
        (sa.Date, pa.date32()),
    )
    if isinstance(declared, sa.DateTime):
        return pa.timestamp("us", tz="UTC" if declared.timezone else None)
    if isinstance(declared, sa.Numeric) and declared.scale == 0 and declared.precision:
        return pa.string()
    return next((kind for family, kind in kinds if isinstance(declared, family)), pa.string())


def _batch(part: Any, kinds: dict[str, pa.DataType]) -> dict[str, pa.Array]:
    columns = zip(*part, strict=True)
    return {n: _array(list(v), kind) for (n, kind), v in zip(kinds.items(), columns, strict=True)}


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values in the declared type; as text where they are of another one."""
    try:
        if pa.types.is_floating(kind):
            return pa.array([None if v is None else float(v) for v in values], kind)
        if not pa.types.is_string(kind):
            return pa.array(values, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        kind = pa.string()
    return pa.array([None if v is None else _text(v) for v in values], kind)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _together(arrays: list[pa.Array]) -> pa.ChunkedArray:
    kinds = {a.type for a in arrays}
    return pa.chunked_array(
        arrays if len(kinds) == 1 else [a.cast(pa.string()) for a in arrays],
    )
