"""Where the online features and Feast's registry stand, by the addresses of two settings.

Enters: the addresses of `TIERLINE_ONLINE` and `TIERLINE_REGISTRY`. Leaves: the store of packed
rows, and Feast's own configuration. It opens no connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import InputError
from features.row_stores import PostgresRows, RedisRows, RowStore, SqliteRows

POSTGRES = "postgresql://user:password@host:port/database[?sslmode=disable]"
ALLOWED = f"sqlite, redis://host:port[,db=0,password=...] or {POSTGRES}"
_DRIVERS = {"redis": ("redis", "redis"), "postgresql": ("psycopg", "postgres")}
"""Of each kind: the package that must be there, and the extra of ours that brings it."""
_ALLOWED = {"TIERLINE_ONLINE": ALLOWED, "TIERLINE_REGISTRY": f"file or {POSTGRES}"}
_SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True)
class OnlineConfig:
    """An online store by its address; the address may hold a password and is never shown.

    Raises:
        InputError: another kind of address, or the store's driver is not installed.
    """

    address: str = field(default="sqlite", repr=False)

    def __post_init__(self) -> None:
        if self.address == "sqlite":
            return
        kind, _, rest = self.address.partition("://")
        if kind not in _DRIVERS or not rest:
            raise InputError(f"TIERLINE_ONLINE names no online store we know: give {ALLOWED}")
        _need_driver(kind, "TIERLINE_ONLINE=sqlite")
        if not self.parts:
            raise InputError(f"TIERLINE_ONLINE names no online store we know: give {ALLOWED}")

    @property
    def kind(self) -> str:
        """`sqlite`, `redis` or `postgresql`."""
        return self.address.partition("://")[0]

    @property
    def parts(self) -> dict[str, Any]:
        """What the driver takes; nothing for SQLite."""
        if self.kind == "redis":
            return _redis(self.address.partition("://")[2])
        return _postgres(self.address, "TIERLINE_ONLINE") if self.kind == "postgresql" else {}

    def open(self, root: Path, project: str) -> RowStore:
        """The store of the packed rows of a project, for the room in `root`."""
        if self.kind == "redis":
            return RedisRows(self.parts, project)
        if self.kind == "postgresql":
            return PostgresRows(self.parts, project)
        return SqliteRows(sqlite_file(root), project)

    def feast(self, root: Path) -> dict[str, Any]:
        """Feast's configuration of this store for the room in `root`."""
        return {
            "type": "features.packed_store.PackedOnlineStore",
            "address": self.address,
            "root": str(root.resolve()),
        }


@dataclass(frozen=True)
class RegistryConfig:
    """Feast's registry: a file beside each panel, or tables in a database that a team shares.

    Raises:
        InputError: another kind of address, or the driver is not installed.
    """

    address: str = field(default="file", repr=False)

    def __post_init__(self) -> None:
        if self.address == "file":
            return
        if not self.is_sql:
            raise InputError(
                f"TIERLINE_REGISTRY names no registry we know: give file or {POSTGRES}"
            )
        _need_driver("postgresql", "TIERLINE_REGISTRY=file")
        _postgres(self.address, "TIERLINE_REGISTRY")

    @property
    def is_sql(self) -> bool:
        """Whether the registry stands in a database, for every panel the same one."""
        return self.address.startswith("postgresql://")

    def feast(self, views: Path) -> dict[str, Any]:
        """Feast's configuration of the registry of the panels in `views`.

        What is cached never expires: a panel's registry does not change, and a new panel is opened
        anew.
        """
        if not self.is_sql:
            path = str(views / "registry.db")
            return {"registry_type": "file", "path": path, "cache_ttl_seconds": 0}
        from sqlalchemy.pool import NullPool

        return {
            "registry_type": "sql",
            "path": self.address.replace("postgresql://", "postgresql+psycopg://", 1),
            "cache_ttl_seconds": 0,
            "sqlalchemy_config_kwargs": {"echo": False, "poolclass": NullPool},  # seldom read
        }


def sqlite_file(root: Path) -> Path:
    """Where the default online store stands."""
    return root.resolve() / "online.db"


def _need_driver(kind: str, otherwise: str) -> None:
    driver, extra = _DRIVERS[kind]
    if find_spec(driver) is None:
        raise InputError(
            f"{kind} needs a driver that is not installed: pip install 'tierline[{extra}]', or "
            f"set {otherwise}"
        )


def _redis(rest: str) -> dict[str, Any]:
    """`host:port,db=1,password=...` as what the driver takes."""
    place, *given = rest.split(",")
    host, _, port = place.rpartition(":")
    options = dict(pair.partition("=")[::2] for pair in given)
    if not host or not port.isdecimal() or not all(options.values()):
        raise InputError(f"TIERLINE_ONLINE is not a Redis address: give {ALLOWED}")
    plain: dict[str, Any] = {
        k: int(v) if k == "db" and v.isdecimal() else _SWITCHES.get(v, v)
        for k, v in options.items()
    }
    return {**plain, "host": host, "port": int(port)}


def _postgres(address: str, setting: str) -> dict[str, Any]:
    try:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        port = parts.port or 5432
    except ValueError:
        raise InputError(
            f"{setting} is not a PostgreSQL address: give {_ALLOWED[setting]}"
        ) from None
    database = parts.path.lstrip("/")
    if not parts.hostname or not database:
        raise InputError(f"{setting} lacks a host or a database: give {_ALLOWED[setting]}")
    given = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    return {
        **options,
        "host": parts.hostname,
        "port": port,
        "dbname": database,
        **{k: v for k, v in given.items() if v},
    }


SQLITE = OnlineConfig()
FILE = RegistryConfig()
