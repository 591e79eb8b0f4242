"""The one tree of errors.

A message says what arrived, what is allowed and what to do next; it never carries personal data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

MOST_FAULTS = 20


class TierlineError(Exception):
    """Any failure that Tierline explains; everything else is a bug."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: where it stands and which rule it breaks."""

    path: str
    rule: str
    message: str


class InputError(TierlineError):
    """A request, table or file breaks rules; `faults` names every place at once."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  {f.path}: {f.message} [{f.rule}]" for f in self.faults)]
        return "\n".join(lines)


class PolicyError(InputError):
    """A policy file is not a policy: overlapping cuts, unknown names, a missing text."""


class NotFoundError(TierlineError):
    """Something asked for by name (source, bundle, decision, table) is not there."""


class NotEnoughDataError(TierlineError):
    """A cohort is too small, has one class only, or is not mature yet."""


class BundleError(TierlineError):
    """A bundle is damaged, foreign, or does not fit the catalogue."""


class PromotionError(TierlineError):
    """A bundle may not go live: no passing verdict and no written reason, or no parity."""


class RecordError(TierlineError):
    """The decision record is broken: a row was edited, deleted or reordered."""


class StoreError(TierlineError):
    """The online store cannot be reached, or holds rows that are not this catalogue's."""


def faults_of(error: ValidationError, whole: str) -> tuple[Fault, ...]:
    """Every fault of a validation, without the values that arrived; `whole` names the content."""
    return tuple(
        Fault(
            ".".join(map(str, e["loc"])) or whole,
            e["type"],
            e["msg"].removeprefix("Value error, "),
        )
        for e in error.errors(include_url=False, include_input=False, include_context=False)
    )


def broken(file: str, error: ValidationError) -> BundleError:
    """What a file of a bundle is refused with: all its faults at once, the first twenty told."""
    faults = faults_of(error, file)
    told = "; ".join(f"{f.path}: {f.message}" for f in faults[:MOST_FAULTS])
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    return BundleError(f"{file} breaks rules: {told}{more}: train again, or use another bundle")
