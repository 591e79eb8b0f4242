"""The deployment log: what was live when, append-only and hash-chained; the authority on it.

Enters: a promotion. Leaves: one line of `deployments.jsonl`, on disk before `append` returns, and
the checked history. It knows no model registry.

Each line holds the hash of the line before it and its own. `deployments.head.json` beside the log
holds how many lines were acknowledged and the hash of the last, so that cutting lines off the end
is found as well. A line counts once its line feed is on disk: what a killed process leaves after
the last line feed was never acknowledged, is not read, and is cut off by the next promotion.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from domain.asof import iso, parse_instant
from domain.decision import canonical_json
from domain.errors import NotFoundError, PromotionError, RecordError, TierlineError
from events.durable import locked, replace_file, sync_folder

FIRST = "0" * 64
"""`previous` of the first line."""


@dataclass(frozen=True)
class Deployment:
    """A bundle went live: at which instant (micros), by whom, why; its place in the chain.

    `parity`: the hash of the certificate that offline and online features are equal (I2).
    """

    at: int
    by: str
    reason: str | None
    bundle: str
    parity: str
    previous: str
    hash: str = ""

    def line(self) -> str:
        """The line of the log, without its line feed."""
        return canonical_json({**asdict(self), "at": iso(self.at)})

    def sealed(self) -> Deployment:
        """The same with its own hash: SHA-256 of the line without the hash."""
        content = {**asdict(self), "at": iso(self.at)}
        del content["hash"]
        return replace(self, hash=hashlib.sha256(canonical_json(content).encode()).hexdigest())


def read_log(log: Path) -> tuple[Deployment, ...]:
    """Every deployment, oldest first, after checking the whole chain; no log is an empty history.

    Raises:
        RecordError: a line was edited, deleted, inserted or reordered; the message names it.
    """
    count, last = _read_head(log)
    lines = _complete_lines(log)
    found: list[Deployment] = []
    for number, line in enumerate(lines, start=1):
        deployment = _parse(line, number)
        previous = found[-1] if found else None
        if deployment.previous != (previous.hash if previous else FIRST):
            raise RecordError(
                f"line {number} of the deployment log does not follow line {number - 1}: "
                "a line was deleted, inserted or reordered; restore the log from a backup"
            )
        if previous and deployment.at < previous.at:
            raise RecordError(f"line {number} of the deployment log is older than the one before")
        found.append(deployment)
    if len(found) < count or (count and found[count - 1].hash != last):
        raise RecordError(
            f"the deployment log has {len(found)} lines, {count} were acknowledged and the last of "
            "them is gone or another: lines were deleted; restore the log from a backup"
        )
    return tuple(found)


def append(log: Path, deployment: Deployment) -> Deployment:
    """The deployment as it stands in the log, on disk; the one that is live is not repeated.

    Its `previous` and `hash` are set here, under a lock. A line torn by a killed process is cut
    off first.

    Raises:
        RecordError: the log is broken.
        PromotionError: it is older than the last deployment.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with locked(log.with_name("deployments.lock")):
        past = read_log(log)
        last = past[-1] if past else None
        if last and last.bundle == deployment.bundle:
            _write_head(log, len(past), last.hash)
            return last
        if last and deployment.at < last.at:
            raise PromotionError(
                f"promotion at {iso(deployment.at)} is before the last one at {iso(last.at)}: "
                "the log only grows forward, give a later instant"
            )
        sealed = replace(deployment, previous=last.hash if last else FIRST).sealed()
        _append_line(log, sealed.line())
        _write_head(log, len(past) + 1, sealed.hash)
        return sealed


def live_at(past: tuple[Deployment, ...], at: int | None) -> Deployment:
    """The last deployment not later than `at`; None means now.

    Raises:
        NotFoundError: nothing was live then.
    """
    fitting = [d for d in past if at is None or d.at <= at]
    if not fitting:
        when = "" if at is None else f" at {iso(at)}"
        raise NotFoundError(f"no bundle is live{when}: train one, then `tierline promote` it")
    return fitting[-1]


def _parse(line: bytes, number: int) -> Deployment:
    try:
        content: dict[str, Any] = json.loads(line)
        deployment = Deployment(**{**content, "at": parse_instant(content["at"])})
        intact = deployment.line().encode() == line and deployment.sealed() == deployment
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, TierlineError):
        intact = False
    if not intact:
        raise RecordError(
            f"line {number} of the deployment log was edited: its content and its hash differ; "
            "restore the log from a backup"
        )
    return deployment


def _complete_lines(log: Path) -> list[bytes]:
    data = log.read_bytes() if log.exists() else b""
    return data.split(b"\n")[:-1]


def _append_line(log: Path, line: str) -> None:
    is_new = not log.exists()
    handle = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        data = log.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(handle, whole)
        os.write(handle, line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_folder(log.parent)


def _head(log: Path) -> Path:
    return log.with_name("deployments.head.json")


def _read_head(log: Path) -> tuple[int, str]:
    head = _head(log)
    if not head.exists():
        return 0, FIRST
    try:
        content = json.loads(head.read_bytes())
        return int(content["lines"]), str(content["hash"])
    except (ValueError, TypeError, KeyError):
        raise RecordError(f"{head.name} is damaged: restore it from a backup") from None


def _write_head(log: Path, lines: int, last: str) -> None:
    replace_file(_head(log), canonical_json({"lines": lines, "hash": last}).encode())
