"""Where Feast keeps the online features: SQLite in the room's folder, Redis or PostgreSQL.

Enters: the address of the setting `TIERLINE_ONLINE`. Leaves: Feast's own configuration of that
store. It opens no connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import InputError

ALLOWED = (
    "sqlite, redis://host:port[,db=0,password=...] or "
    "postgresql://user:password@host:port/database[?sslmode=disable]"
)
_DRIVERS = {"redis": ("redis", "redis"), "postgresql": ("psycopg", "postgres")}
"""Of each kind: the package that must be there, and the extra of ours that brings it."""


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
        driver, extra = _DRIVERS[kind]
        if find_spec(driver) is None:
            raise InputError(
                f"the online store {kind} needs a driver that is not installed: "
                f"pip install 'tierline[{extra}]', or set TIERLINE_ONLINE=sqlite"
            )
        if kind == "postgresql":
            _postgres(self.address)

    def feast(self, root: Path) -> dict[str, Any]:
        """Feast's configuration of this store for the room in `root`."""
        kind, _, rest = self.address.partition("://")
        if kind == "redis":
            return {"type": "redis", "connection_string": rest}
        if kind == "postgresql":
            return _postgres(self.address)
        return {"type": "sqlite", "path": str(sqlite_file(root))}


def sqlite_file(root: Path) -> Path:
    """Where the default online store stands."""
    return root.resolve() / "online.db"


def _postgres(address: str) -> dict[str, Any]:
    try:
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        port = parts.port or 5432
    except ValueError:
        raise InputError(f"TIERLINE_ONLINE is not a PostgreSQL address: give {ALLOWED}") from None
    database = parts.path.lstrip("/")
    if not parts.hostname or not database:
        raise InputError(f"TIERLINE_ONLINE lacks a host or a database: give {ALLOWED}")
    return {
        **options,
        "type": "postgres",
        "host": parts.hostname,
        "port": port,
        "database": database,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }


SQLITE = OnlineConfig()
