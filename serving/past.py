"""A recorded decision with what decided it: its bundle and its policy, found again by their hashes.

Enters: a record. Leaves: a `Past`, from which it can be replayed and explained. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.asof import to_micros
from domain.decision import Decision, DecisionRecord, TargetScore, Versions
from domain.errors import BundleError, Fault, InputError, RecordError
from domain.policy import parse_policy
from domain.tiers import Target
from domain.workspace import Workspace
from features.given import catalogue_told
from scoring.bundle import Bundle
from scoring.change import Scored
from scoring.grouped import Case
from scoring.registry import find_bundle
from scoring.scorer import Scorer
from serving.decide import Judge
from serving.desk import Desk, policies
from serving.requests import RefusedError


@dataclass(frozen=True)
class Past:
    """A record and what judged it."""

    record: DecisionRecord
    judge: Judge

    @property
    def decision(self) -> Decision:
        """What was answered."""
        return self.record.decision

    @property
    def scorers(self) -> Mapping[Target, Scorer]:
        """The scorers of the instant as of which it was decided."""
        told = self.decision
        moment = to_micros(told.as_of or told.asked_as_of or told.decided_at)
        return {t: scorer.at(moment) for t, scorer in self.judge.bundle.scorers.items()}

    def scored(self, target: Target) -> Scored:
        """The scorer of a target with the recorded values."""
        return Scored(self.scorers[target], self.record.features)

    def case(self, target: Target) -> Case:
        """The recorded row of a target, ready to be explained."""
        scored = self.scored(target)
        return self.judge.case(scored.scorer, scored.row(scored.scorer))

    def scores(self, target: Target | None) -> list[TargetScore]:
        """The recorded score of a target, or all.

        Raises:
            InputError: the decision has no score of the target.
        """
        found = [s for s in self.decision.scores if target in (None, s.target)]
        if target is not None and not found:
            has = ", ".join(s.target for s in self.decision.scores) or "none"
            fault = Fault("target", "not_scored", f"this decision has scores of: {has}")
            raise InputError(f"the decision has no {target} score", (fault,))
        return found


def find_past(desk: Desk, decision_id: str) -> Past:
    """The decision of an id with its judge.

    Raises:
        NotFoundError: no such decision, or its bundle is gone.
        RecordError: as `past_of`.
        RefusedError: 409 its bundle cannot be used by this version of Tierline.
    """
    record = desk.log.get(decision_id)
    try:
        return past_of(desk.workspace, record, desk.judge.bundle)
    except BundleError as e:
        raise RefusedError(409, "bundle", str(e)) from None


def past_of(
    workspace: Workspace, record: DecisionRecord, live: Bundle | None = None
) -> Past:  # fmt: skip
    """The record with its judge; `live` is a bundle that is loaded already.

    Raises:
        NotFoundError: its bundle is gone.
        RecordError: its policy is gone or was changed.
        BundleError: its bundle is damaged, or of another catalogue.
    """
    return Past(record, _judge(workspace, record.decision.versions, live))


def _judge(workspace: Workspace, versions: Versions, live: Bundle | None) -> Judge:
    file = policies(workspace) / f"{versions.policy}.toml"
    if not file.is_file():
        raise RecordError(f"policy {versions.policy[:12]} is gone: restore {file.name}")
    policy = parse_policy(file.read_text(encoding="utf-8"))
    if policy.hash != versions.policy:
        raise RecordError(f"policy {file.name} was changed: restore it from a backup")
    if live is not None and live.hash == versions.bundle:
        bundle = live
    else:
        bundle = _bundle(workspace, versions.bundle)
    catalogue = catalogue_told(bundle.card)
    return Judge(bundle, policy, versions.top_reasons, versions.stale_days, catalogue)


@lru_cache(maxsize=4)
def _bundle(workspace: Workspace, bundle_hash: str) -> Bundle:
    return find_bundle(workspace, bundle_hash)
