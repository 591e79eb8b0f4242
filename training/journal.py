"""A journal of studies whose lines are whole: a full disk or a killed writer costs no study.

Enters: log entries of Optuna. Leaves: a line of JSON each, on disk when the call returns. Optuna's
own backend leaves half a line where a write ends early, puts the next entry behind it, and can
read neither from then on; and who is killed with its lock keeps the others waiting for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend

from domain.errors import StoreError
from events.durable import locked


class WholeLines(JournalFileBackend):
    """Optuna's journal file, behind a lock that ends with its process."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file))
        self._file = file

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes all of the entries behind the last whole line, or none.

        Raises:
            StoreError: they do not fit on the disk.
        """
        left = b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in logs)
        lock = self._file.with_name(f"{self._file.name}.lock")
        with locked(lock), self._file.open("r+b", buffering=0) as file:
            end = self._whole()
            file.truncate(end)
            file.seek(end)
            try:
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
            except OSError as e:
                file.truncate(end)
                raise unwritable(e.strerror or type(e).__name__) from None

    def _whole(self) -> int:
        """Where the last whole line ends."""
        with self._file.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if file.read() in (b"\n", b""):
                return size
            file.seek(0)
            return file.read().rfind(b"\n") + 1


def unwritable(why: str) -> StoreError:
    """What is said where a study cannot be kept."""
    return StoreError(
        f"the studies cannot be written ({why}): mend that, and the same command goes on"
    )
