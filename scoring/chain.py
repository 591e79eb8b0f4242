"""An append-only, hash-chained log of what persons did: one line an act.

Enters: an act. Leaves: one line of `<name>.jsonl`, on disk before `append` returns, and the checked
history. It knows no act: see `scoring/deployments.py` and `scoring/approvals.py`.

Each line holds the hash of the line before it and its own. `<name>.head.json` beside the log holds
how many lines were acknowledged and the hash of the last, so that cutting lines off the end is
found as well. A line counts once its line feed is on disk: what a killed process leaves after the
last line feed was never acknowledged, is not read, and is cut off by the next act.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from domain.asof import iso, parse_instant
from domain.decision import canonical_json
from domain.errors import PromotionError, RecordError, TierlineError
from events.durable import locked, replace_file, sync_folder

FIRST = "0" * 64
"""`previous` of the first line."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Somebody did something to a bundle, at an instant (micros); its place in the chain."""

    at: int
    by: str
    bundle: str
    previous: str = FIRST
    hash: str = ""

    def content(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        return {**asdict(self), "at": iso(self.at)}

    def line(self) -> str:
        """The line of the log, without its line feed."""
        return canonical_json(self.content())

    def sealed(self) -> Self:
        """The same with its own hash: SHA-256 of the line without the hash."""
        content = self.content()
        del content["hash"]
        return replace(self, hash=hashlib.sha256(canonical_json(content).encode()).hexdigest())


A = TypeVar("A", bound=Act)


@dataclass(frozen=True)
class Chain(Generic[A]):
    """A log of one kind of act; `name` is what its messages call it."""

    log: Path
    kind: type[A]
    name: str

    def read(self) -> tuple[A, ...]:
        """Every act, oldest first, after checking the whole chain; no log is an empty history.

        Raises:
            RecordError: a line was edited, deleted, inserted or reordered; the message names it.
        """
        count, last = self._read_head()
        found: list[A] = []
        for number, line in enumerate(self._complete_lines(), start=1):
            act = self._parse(line, number)
            previous = found[-1] if found else None
            if act.previous != (previous.hash if previous else FIRST):
                raise RecordError(
                    f"line {number} of the {self.name} does not follow line {number - 1}: "
                    "a line was deleted, inserted or reordered; restore the log from a backup"
                )
            if previous and act.at < previous.at:
                raise RecordError(f"line {number} of the {self.name} is older than the one before")
            found.append(act)
        if len(found) < count or (count and found[count - 1].hash != last):
            raise RecordError(
                f"the {self.name} has {len(found)} lines, {count} were acknowledged and the last "
                "of them is gone or another: lines were deleted; restore the log from a backup"
            )
        return tuple(found)

    def append(self, act: A, is_again: Callable[[A], bool]) -> A:
        """The act as it stands in the log, on disk; one that `is_again` the last is not repeated.

        Its `previous` and `hash` are set here, under a lock. A line torn by a killed process is cut
        off first.

        Raises:
            RecordError: the log is broken.
            PromotionError: it is older than the last act.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.log.with_suffix(".lock")):
            past = self.read()
            last = past[-1] if past else None
            if last and is_again(last):
                self._write_head(len(past), last.hash)
                return last
            if last and act.at < last.at:
                raise PromotionError(
                    f"{iso(act.at)} is before the last line of the {self.name}, {iso(last.at)}: "
                    "the log only grows forward, give a later instant"
                )
            sealed = replace(act, previous=last.hash if last else FIRST).sealed()
            self._append_line(sealed.line())
            self._write_head(len(past) + 1, sealed.hash)
            return sealed

    def _parse(self, line: bytes, number: int) -> A:
        try:
            content: dict[str, Any] = json.loads(line)
            act = self.kind(**{**content, "at": parse_instant(content["at"])})
            intact = act.line().encode() == line and act.sealed() == act
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, TierlineError):
            intact = False
        if not intact:
            raise RecordError(
                f"line {number} of the {self.name} was edited: its content and its hash differ; "
                "restore the log from a backup"
            )
        return act

    def _complete_lines(self) -> list[bytes]:
        data = self.log.read_bytes() if self.log.exists() else b""
        return data.split(b"\n")[:-1]

    def _append_line(self, line: str) -> None:
        is_new = not self.log.exists()
        handle = os.open(self.log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            data = self.log.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                os.ftruncate(handle, whole)
            os.write(handle, line.encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        if is_new:
            sync_folder(self.log.parent)

    @property
    def _head(self) -> Path:
        return self.log.with_suffix(".head.json")

    def _read_head(self) -> tuple[int, str]:
        if not self._head.exists():
            return 0, FIRST
        try:
            content = json.loads(self._head.read_bytes())
            return int(content["lines"]), str(content["hash"])
        except (ValueError, TypeError, KeyError):
            raise RecordError(f"{self._head.name} is damaged: restore it from a backup") from None

    def _write_head(self, lines: int, last: str) -> None:
        replace_file(self._head, canonical_json({"lines": lines, "hash": last}).encode())
