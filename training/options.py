"""The inputs of a run beside its data: how much to search, what judges, against whom.

Enters: what a person or a command asks for. Leaves: checked options. With the data, the seed, the
lock and the champion's hash a run comes to the same bundle anywhere (I11).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from domain.errors import InputError
from domain.policy import Policy, policy_for
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of
from scoring.card import Accepted
from training.champion import LIVE
from training.study import Asked, ask
from training.study_file import BudgetFile, StudyFile
from training.tune import Fit, fit_booster


@dataclass(frozen=True)
class RunOptions:
    """Trials a study, the seed of every choice, who accepts a failed verdict and why.

    `studies`: those of some targets, in the place of the default ones; `storage`: where studies
    are kept; `fit`: what learns the winners' boosters; `baselines`: peers by name, beside the usual
    baselines; `by`: who trains; `policy`: whose gates, cuts, stages and costs count [the packaged
    one]; `champion`: whom to be not worse than, a bundle's hash, `live` or `none`.
    """

    trials: int = 20
    seed: int = 20261122
    accepted: Accepted | None = None
    lock: Path | None = None
    studies: tuple[StudyFile, ...] = ()
    storage: str | None = None
    fit: Fit = fit_booster
    baselines: tuple[str, ...] = ()
    by: str = "unnamed"
    policy: Policy | None = None
    champion: str = LIVE

    @property
    def lock_hash(self) -> str | None:
        """SHA-256 of the lock file."""
        return hashlib.sha256(self.lock.read_bytes()).hexdigest() if self.lock else None

    @property
    def is_accepted(self) -> bool:
        """Whether somebody gave a reason to go on although something speaks against it."""
        return self.accepted is not None

    def judged_by(self, dataset: Dataset) -> Policy:
        """The policy that judges this source.

        Raises:
            PolicyError: it reads features that the source lacks, or has no gates.
        """
        policy = policy_for(catalogue_of(dataset).names, self.policy)
        _ = policy.limits
        return policy

    def asked(self, target: Target, dataset: Dataset, workspace: Workspace) -> Asked:
        """The study of a target: the one that was given, else the default one."""
        given = [s for s in self.studies if s.target == target]
        if not given:
            budget = BudgetFile(trials=self.trials)
            source = workspace.source
            given = [StudyFile(source=source, target=target, seed=self.seed, budget=budget)]
        return ask(given[0], dataset, workspace, self.storage)

    def check_studies(self, dataset: Dataset, workspace: Workspace) -> None:
        """Nothing, where every study fits the source and each target has one at most.

        Raises:
            InputError: a study does not, or two are about one target.
        """
        for study in self.studies:
            ask(study, dataset, workspace)
        named = [s.target for s in self.studies]
        twice = sorted({t for t in named if named.count(t) > 1})
        if twice:
            raise InputError(f"two studies are about {', '.join(twice)}: give one a target")
