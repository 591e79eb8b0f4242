"""Who made a bundle and who signed its report: two append-only, hash-chained logs of a source.

Enters: a training that ended; a report's hash with a name and a reason. Leaves: lines of
`trainings.jsonl` and `approvals.jsonl`. The author signs nothing of their own. It reads no report:
that its bytes have the hash is checked where reports are made.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from domain.errors import InputError, PromotionError
from domain.workspace import Workspace
from scoring.chain import Act, Chain

LEAST_REASON = 10
_LOOKS_LATIN = str.maketrans(
    "АВЕКМНОРСТУХІЅЈаеорсухіѕјһԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρ",
    "ABEKMHOPCTYXISJaeopcyxisjhdABEZHIKMNOPTYXoavp",
)


@dataclass(frozen=True, kw_only=True)
class Training(Act):
    """Somebody trained a bundle. It is no part of the bundle: the same data give the same hash
    in anybody's hands (I11)."""


@dataclass(frozen=True, kw_only=True)
class Approval(Act):
    """A second person read the report with this hash and stands for the bundle."""

    report: str
    reason: str


def trained(workspace: Workspace, bundle_hash: str, by: str, at: int) -> Training:
    """The line that says who trained a bundle; not repeated for the same person in a row.

    A clock that was set back loses no training: its line has the instant of the last one.
    """
    log = _trainings(workspace)
    latest = max([at, *(t.at for t in log.read()[-1:])])
    return log.append(
        Training(at=latest, by=by.strip(), bundle=bundle_hash),
        lambda last: (last.bundle, last.by) == (bundle_hash, by.strip()),
    )


def trainings(workspace: Workspace) -> tuple[Training, ...]:
    """Every training that wrote a bundle, oldest first, from the checked log."""
    return _trainings(workspace).read()


def approvals(workspace: Workspace) -> tuple[Approval, ...]:
    """Every approval, oldest first, from the checked log."""
    return _approvals(workspace).read()


def approval_of(workspace: Workspace, bundle_hash: str) -> Approval | None:
    """The last approval of a bundle; None where nobody signed it."""
    found = [a for a in approvals(workspace) if a.bundle == bundle_hash]
    return found[-1] if found else None


def approve(
    workspace: Workspace, bundle_hash: str, report: str, *, by: str, reason: str, at: int
) -> Approval:
    """The approval as it stands in the log; the same again is not logged twice.

    Raises:
        InputError: nobody is named, or the reason says nothing.
        PromotionError: who made the bundle signs it, or nobody knows who made it.
        RecordError: a log is broken.
    """
    name, why = by.strip(), reason.strip()
    if not written_as(name) or len(why) < LEAST_REASON:
        raise InputError(
            f"by {name!r} because {why!r}: give a name, and a reason of {LEAST_REASON} letters or "
            "more"
        )
    authors = [written_as(t.by) for t in trainings(workspace) if t.bundle == bundle_hash]
    if not authors:
        raise PromotionError(
            f"nobody is known to have trained bundle {bundle_hash[:12]} here: train it in this "
            "workspace, so that the log says who did"
        )
    if any(written_as(name) & author for author in authors):
        raise PromotionError(
            f"{name} trained bundle {bundle_hash[:12]} and may not approve it: ask a second person"
        )
    return _approvals(workspace).append(
        Approval(at=at, by=name, bundle=bundle_hash, report=report, reason=why),
        lambda last: (last.report, last.by, last.reason) == (report, name, why),
    )


def written_as(name: str) -> frozenset[str]:
    """Every way in which a name is compared; two that share one count as one person.

    Neither case, accents, spaces, hyphens, the order of words nor the Unicode form tells persons
    apart, nor Cyrillic or Greek letters that look Latin.

    >>> written_as("Wang Fang") & written_as("FANG,\u200b Wáng") == written_as("fang wang")
    True
    >>> written_as("Wang Fang") & written_as("Wang Feng")
    frozenset()
    """
    found = set()
    for text in (name, name.translate(_LOOKS_LATIN)):
        letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        plain = "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf"))
        words = "".join(c if c.isalnum() else " " for c in plain).split()
        found |= {"".join(words), "".join(sorted(words))}
    return frozenset(found - {""})


def _trainings(workspace: Workspace) -> Chain[Training]:
    return Chain(workspace.trainings, Training, "log of trainings")


def _approvals(workspace: Workspace) -> Chain[Approval]:
    return Chain(workspace.approvals, Approval, "log of approvals")
