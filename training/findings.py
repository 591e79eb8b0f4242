"""What a look for leaks found: findings, and the figures of what is fine.

Enters: findings and figures of every check. Leaves: what stands in the card, in MLflow and on the
terminal, and the refusal of a training that a sure one stops. It looks for nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.errors import Fault, InputError
from domain.tiers import Target


@dataclass(frozen=True)
class Finding:
    """A leak, or what looks like one: its check, place, figure; `is_sure`: it stops a training."""

    check: str
    where: str
    said: str
    figure: float
    is_sure: bool


@dataclass(frozen=True)
class Leaks:
    """Everything found, and the figures of every check, the quiet ones too."""

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Those that stop a training."""
        return tuple(f for f in self.findings if f.is_sure)

    def __add__(self, other: Leaks) -> Leaks:
        return Leaks((*self.findings, *other.findings), {**self.figures, **other.figures})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON for the card; the same for the same data and seed."""
        told = [asdict(f) for f in self.findings]
        return {
            "alarms": [f for f in told if f["is_sure"]],
            "told": [f for f in told if not f["is_sure"]],
            "figures": dict(self.figures),
        }

    def tags(self, target: Target) -> dict[str, str]:
        """What a training of the target is found by in MLflow."""
        best = self.figures[target]["highest_single_auc"]
        return {
            "leakage.alarms": " ".join(sorted({f.check for f in self.alarms})) or "none",
            "leakage.told": " ".join(
                sorted({f.check for f in self.findings} - {f.check for f in self.alarms})
            )
            or "none",
            "leakage.highest_single_auc": f"{best['auc']:.4f} {best['feature']}",
        }

    def check(self, *, accepted: bool) -> Leaks:
        """These findings, where none is sure or somebody accepts them.

        Raises:
            InputError: every sure one, with its place.
        """
        if self.alarms and not accepted:
            faults = tuple(Fault(f.where, f.check, f.said) for f in self.alarms)
            raise InputError(
                "the data tells the future or the test; mend these places, or say with --accept "
                "why it does not matter:",
                faults,
            )
        return self
