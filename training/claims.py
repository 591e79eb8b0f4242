"""Claims: who works on what, as locks that die with their process.

Enters: names. Leaves: claims that at most one living worker holds. A worker that is killed gives
up its claims at that moment, without clocks, heartbeats or grace: the kernel frees the lock of a
file, PostgreSQL the advisory lock of a session. It knows no study.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from domain.errors import StoreError
from events.durable import locked

if TYPE_CHECKING:
    import psycopg


class Claims(Protocol):
    """What workers that share something agree by."""

    def alone(self) -> AbstractContextManager[None]:
        """Waits until no other worker is inside, and keeps the others out."""

    def take(self, name: str) -> Callable[[], None] | None:
        """Claims `name`, and says how to give it back; None where somebody else holds it."""


class NoClaims:
    """Nobody shares it: everything is free."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """At once."""
        yield

    def take(self, name: str) -> Callable[[], None]:  # noqa: ARG002
        """Always."""
        return lambda: None


@dataclass(frozen=True)
class FileClaims:
    """Claims among the processes of machines that share a folder."""

    folder: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Behind the lock of one file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "all"):
            yield

    def take(self, name: str) -> Callable[[], None] | None:
        """The lock of a file of its own, which is gone again when it is given back."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / hashlib.sha256(name.encode()).hexdigest()[:24]
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if not _is_at(path, file.fileno()):  # given back between opening and locking
            file.close()
            return None

        def give_back() -> None:
            path.unlink(missing_ok=True)
            file.close()

        return give_back


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


class PostgresClaims:
    """Claims among the processes that reach one database, by one session of this worker.

    Raises:
        StoreError: the database does not answer.
    """

    def __init__(self, address: str) -> None:
        import psycopg

        try:
            self._session: psycopg.Connection[Any] = psycopg.connect(
                address, autocommit=True, keepalives_idle=30
            )
        except psycopg.Error as e:
            raise StoreError(
                f"the database of the studies does not answer ({type(e).__name__}): start it, or "
                "mend TIERLINE_STUDIES"
            ) from None
        weakref.finalize(self, self._session.close)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Behind one advisory lock."""
        self._ask("SELECT pg_advisory_lock(%s)", "all")
        try:
            yield
        finally:
            self._ask("SELECT pg_advisory_unlock(%s)", "all")

    def take(self, name: str) -> Callable[[], None] | None:
        """An advisory lock of its own."""
        if not self._ask("SELECT pg_try_advisory_lock(%s)", f"claim {name}"):
            return None
        return lambda: self._ask("SELECT pg_advisory_unlock(%s)", f"claim {name}")

    def _ask(self, question: str, name: str) -> Any:
        import psycopg

        digest = hashlib.sha256(f"tierline studies {name}".encode()).digest()
        key = int.from_bytes(digest[:8], signed=True)
        try:
            found = self._session.execute(question, (key,)).fetchone()
        except psycopg.Error as e:
            raise StoreError(
                f"the database of the studies has gone ({type(e).__name__}): start it, and the same"
                " command goes on"
            ) from None
        return found and found[0]
