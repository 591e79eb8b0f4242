"""What a run came to: each target's scorer, figures and verdict, and the bundle of all.

Enters: what training made. Leaves: plain JSON of it, the same for the same inputs but for seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.tiers import Target
from scoring.bundle import Bundle
from scoring.conformal import Amounts, Outcomes
from scoring.scorer import Scorer
from training.findings import Leaks
from training.gates import Verdict
from training.judge import Judged
from training.tune import Best


@dataclass(frozen=True)
class TargetResult:
    """One target's scorer, its judged parts (see `parts_to_judge`) and verdict."""

    scorer: Scorer
    learnt: Amounts | Outcomes
    best: Best
    parts: Mapping[str, Judged]
    verdict: Verdict
    dropped: tuple[str, ...]
    fit_rows: int
    validation: Mapping[str, Any]
    run_id: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Everything that is the same on every run with the same data, seed and lock."""
        return {
            "rows": self.fit_rows,
            "metric": self.parts["test"].metric,
            **{name: dict(part.figures) for name, part in self.parts.items()},
            "verdict": self.verdict.word,
            "gates": [
                {"gate": g.name, "result": g.outcome, "figure": g.figure}
                for g in self.verdict.gates
            ],
            "params": {**self.best.params, "trees": self.best.trees},
            "features": len(self.scorer.features),
            "dropped": list(self.dropped),
            "validation": dict(self.validation),
        }


@dataclass(frozen=True)
class RunResult:
    """What a run of one source came to; `version` is None where nothing was registered."""

    source: str
    targets: Mapping[Target, TargetResult]
    skipped: Mapping[Target, str]
    bundle: Bundle | None
    version: str | None
    refused: str | None
    segments: Mapping[str, Any]
    leaks: Leaks
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON: `targets.<name>.test.<metric>`, `.intervals`, `.baseline`."""
        done = {t: {**r.to_dict(), "seconds": r.seconds} for t, r in self.targets.items()}
        skipped = {t: {"skipped": why} for t, why in self.skipped.items()}
        return {
            "source": self.source,
            "targets": {**done, **skipped},
            "bundle": self.bundle.hash if self.bundle else None,
            "registered": self.version,
            "refused": self.refused,
            "segments": dict(self.segments),
            "leakage": self.leaks.to_dict(),
            "seconds": dict(self.seconds),
        }
