"""Files written whole or not at all, and on disk when the call returns.

Enters: bytes. Leaves: files, and SQLite databases as durable. It knows no format of ours.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 30


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `folder` with these files; a folder that is there already stays as it is."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for name, data in files.items():
            _write(made / name, data)
        made.chmod(0o755)
        sync_folder(made)
        try:
            made.replace(folder)
        except OSError:
            if not folder.exists():  # else another process wrote it meanwhile
                raise
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def replace_file(path: Path, data: bytes) -> None:
    """Puts a new file in the place of `path`; a reader sees the old one or the new one."""
    made = path.with_name(f".new-{path.name}-{os.getpid()}")
    made.unlink(missing_ok=True)
    try:
        _write(made, data)
        made.replace(path)
        sync_folder(path.parent)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits for, then holds, the lock of a file: one holder among all threads and processes."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_sqlite(file: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """A connection with a write-ahead log, every commit on disk; transactions are begun by hand.

    All that waits for another connection does so for half a minute, but for SQLite's turning the
    log on, which fails at once beside another that does the same: so one at a time, by a lock file.

    Raises:
        sqlite3.Error: no database, or one that may not be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file.with_name(f"{file.name}.opening")):
        db = sqlite3.connect(
            file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=not any_thread
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            db.close()
            raise
    return db


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
