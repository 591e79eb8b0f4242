"""The deployment log: what was live when, append-only and hash-chained; the authority on it.

Enters: a promotion. Leaves: one line of `deployments.jsonl`, on disk before `append` returns, and
the checked history. It knows no model registry; the chain is that of `scoring/chain.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from domain.asof import iso
from domain.errors import NotFoundError
from scoring.chain import FIRST, Act, Chain

__all__ = ["FIRST", "Deployment", "append", "live_at", "read_log"]


@dataclass(frozen=True, kw_only=True)
class Deployment(Act):
    """A bundle went live.

    `parity`: the hash of the certificate that offline and online features are equal (I2).
    `approval`: the hash of the line of the approvals log that somebody signed it with. `accepted`,
    `unapproved`: who accepts what failed, or that nobody signed, and why, as the card says it. A
    line of a promotion without one of the three does not name it.
    """

    reason: str | None
    parity: str
    approval: str | None = None
    accepted: dict[Literal["by", "reason"], str] | None = None
    unapproved: dict[Literal["by", "reason"], str] | None = None

    def content(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        absent = [n for n in ("approval", "accepted", "unapproved") if getattr(self, n) is None]
        return {name: v for name, v in super().content().items() if name not in absent}


def read_log(log: Path) -> tuple[Deployment, ...]:
    """Every deployment, oldest first, after checking the whole chain; no log is an empty history.

    Raises:
        RecordError: a line was edited, deleted, inserted or reordered; the message names it.
    """
    return _chain(log).read()


def append(log: Path, deployment: Deployment) -> Deployment:
    """The deployment as it stands in the log, on disk; the one that is live is not repeated.

    Raises:
        RecordError: the log is broken.
        PromotionError: it is older than the last deployment.
    """
    return _chain(log).append(deployment, lambda last: last.bundle == deployment.bundle)


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


def _chain(log: Path) -> Chain[Deployment]:
    return Chain(log, Deployment, "deployment log")
