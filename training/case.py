"""One target that is judged: who made it, what it says of the test, and by which policy.

Enters: what a training made. Leaves: the same as one thing, with points of the test rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.policy import Policy
from domain.tiers import Cuts
from scoring.scorer import Scorer
from training.draws import resample
from training.fit import Material
from training.judge import Evidence
from training.tune import Best

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """Who made it, what it says of each part of the test (`rows` of the material), the policy whose
    cuts, costs and limits count, and the seed of all that is drawn."""

    material: Material
    scorer: Scorer
    best: Best
    parts: Mapping[str, Evidence]
    rows: Mapping[str, Index]
    policy: Policy
    seed: int

    @property
    def is_amount(self) -> bool:
        """Whether the target is an amount."""
        return self.material.problem.is_amount

    @property
    def test(self) -> Evidence:
        """The whole test."""
        return self.parts["test"]

    def drawn(self, part: str) -> Floats:
        """The resamples of a part; those of the whole test, which most figures ask for, once."""
        if part == "test":
            return self._of_test
        return resample(self.parts[part].customers, self.seed)

    @cached_property
    def _of_test(self) -> Floats:
        return resample(self.test.customers, self.seed)

    @cached_property
    def points(self) -> NDArray[np.int64]:
        """Points of the test rows, from what was predicted for them."""
        said = self.test.predicted
        p = np.clip(said, 1e-12, 1 - 1e-12)
        margin = np.log(said) if self.is_amount else np.log(p / (1 - p))
        return self.scorer.scale.points(margin)

    @property
    def cuts(self) -> Cuts:
        """The policy's cuts between the tiers or bands of the target."""
        return self.policy.steps[self.material.target]
