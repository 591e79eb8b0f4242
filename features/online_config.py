"""Where Feast keeps the online features: SQLite in the room's folder, Redis or PostgreSQL.

Enters: the address of the setting `TIERLINE_ONLINE`. Leaves: Feast's own configuration of that
store. It opens no connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from domain.errors import InputError

_DRIVERS = {"redis": "redis", "postgresql": "psycopg"}
_EXTRAS = {"redis": "redis", "postgresql": "postgres"}
ALLOWED = "sqlite, redis://host:port, postgresql://user:password@host:port/database"


@dataclass(frozen=True)
class OnlineConfig:
    """An online store by its address; the address may hold a password and is never shown.

    Raises:
        InputError: another kind of address, or the store's driver is not installed.
    """

    address: str = field(default="sqlite", repr=False)

    def __post_init__(self) -> None:
        kind = self.kind
        if kind == "sqlite":
            return
        if kind not in _DRIVERS:
            raise InputError(f"an online store of kind {kind[:40]!r} is not known: give {ALLOWED}")
        if not self.address.partition("://")[2]:
            raise InputError(f"TIERLINE_ONLINE names no host: give {ALLOWED}")
        if find_spec(_DRIVERS[kind]) is None:
            raise InputError(
                f"the online store {kind} needs a driver that is not installed: "
                f"pip install 'tierline[{_EXTRAS[kind]}]', or set TIERLINE_ONLINE=sqlite"
            )

    @property
    def kind(self) -> str:
        """`sqlite`, `redis` or `postgresql`."""
        return self.address.partition("://")[0]

    def feast(self, root: Path) -> dict[str, Any]:
        """Feast's configuration of this store for the room in `root`."""
        if self.kind == "redis":
            return {"type": "redis", "connection_string": self.address.partition("://")[2]}
        if self.kind == "postgresql":
            parts = urlsplit(self.address)
            return {
                "type": "postgres",
                "host": parts.hostname or "127.0.0.1",
                "port": parts.port or 5432,
                "database": parts.path.lstrip("/") or "postgres",
                "user": unquote(parts.username or ""),
                "password": unquote(parts.password or ""),
            }
        return {"type": "sqlite", "path": str(sqlite_file(root))}


def sqlite_file(root: Path) -> Path:
    """Where the default online store stands."""
    return root.resolve() / "online.db"


SQLITE = OnlineConfig()
