"""Decisions of one workspace: features read, judged, recorded; what service and CLI share.

Enters: requests, events of the day. Leaves: recorded decisions, newer features. The live bundle is
loaded once, checked (I8), and the policy's text is kept by its hash, so that every decision can be
made again.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from domain.asof import to_micros
from domain.decision import (
    DecisionRecord,
    DecisionRequest,
    DecisionResponse,
    EventsRequest,
    EventsResponse,
    ScoresRequest,
    content_hash,
)
from domain.errors import Fault, InputError, NotFoundError, PolicyError
from domain.policy import Policy, packaged_for, parse_policy
from domain.settings import REASONS, STALE_DAYS
from domain.workspace import Workspace
from events.dataset import open_dataset
from events.durable import replace_file
from events.schema import INSTANT
from features.arrivals import Arrivals
from features.catalogue import CATALOGUE
from features.given import catalogue_told, panel
from features.push import PushPath
from features.store import FeatureRoom, matrix, open_room
from scoring.registry import find_bundle, live
from serving.decide import Judge, Known, decide
from serving.events import checked_events
from serving.record import DecisionLog


class Desk:
    """One workspace's live bundle, policy, features and record; safe for several threads."""

    def __init__(self, workspace: Workspace, policy_file: Path | None = None) -> None:
        self.workspace = workspace
        bundle = find_bundle(workspace, live(workspace).bundle)
        catalogue = catalogue_told(bundle.card)
        text = packaged_for(catalogue.names) if policy_file is None else _text(policy_file)
        self.policy = keep_policy(workspace, text)
        if self.policy.effective_at > datetime.now(UTC):
            begins = f"{self.policy.effective_at:%Y-%m-%d %H:%M} UTC"
            raise PolicyError(f"the policy takes effect at {begins}: decide with one in effect")
        top, stale = REASONS.number(os.environ), STALE_DAYS.number(os.environ)
        self.judge = Judge(bundle, self.policy, top, stale, catalogue)
        self.log = DecisionLog(workspace.decisions)

    @cached_property
    def room(self) -> FeatureRoom:
        """The features of the workspace."""
        return open_room(self.workspace, os.environ, self.judge.catalogue)

    @cached_property
    def push(self) -> PushPath:
        """Where events of the day come in, to the same features."""
        arrivals = Arrivals(self.workspace.arrivals)
        return PushPath(self.room, self.workspace.dataset, arrivals)

    @property
    def takes_events(self) -> bool:
        """Whether the features are computed from events."""
        return self.judge.catalogue is CATALOGUE

    def events(self, request: EventsRequest) -> EventsResponse:
        """The events kept, and the features of their customers online with them.

        Raises:
            InputError: rows that break rules; every fault is named and nothing is kept. Or the
                features of the source are ready made.
            StoreError: the events cannot be kept, or the online store does not answer.
        """
        if not self.takes_events:
            raise InputError(
                f"{self.workspace.source} brings its features ready made, no event changes them: "
                "bring a new table with `tierline check`"
            )
        rows = checked_events(request, to_micros(datetime.now(UTC)))
        done = self.push.accept(request.table, rows)
        return EventsResponse(new=done.new, repeated=done.repeated, customers=done.customers)

    def decisions(self, request: DecisionRequest) -> DecisionResponse:
        """Recorded decisions for customers by id, from online features, or as of a past instant.

        Raises:
            InputError: an as_of in the future.
            RecordError: the record cannot be written; then nothing was decided.
        """
        now = datetime.now(UTC)
        names = self.judge.names
        if request.as_of is None:
            rows = self.room.online(request.customer_ids, names)
            by_view = dict(zip(rows.views, rows.by_view.T, strict=True))
            asked_for = request.customer_ids
            known = Known(asked_for, names, rows.values, rows.as_of, by_view=by_view)
        else:
            known = self._past(request, request.as_of, now)
        return self._record(known, request, now)

    def scores(self, request: ScoresRequest) -> DecisionResponse:
        """Recorded decisions for feature values that the caller brings.

        Raises:
            InputError: features that the catalogue lacks; all of them are named.
        """
        names = self.judge.names
        faults = tuple(
            Fault(
                f"rows.{i}.features.{name[:64]}", "unknown_feature", "docs/features.md lists them"
            )
            for i, row in enumerate(request.rows)
            for name in row.features
            if name not in self.judge.catalogue.names
        )
        if faults:
            raise InputError("features that are not in the catalogue", faults)
        values = np.full((len(request.rows), len(names)), np.nan)
        for i, row in enumerate(request.rows):
            for j, name in enumerate(names):
                found = row.features.get(name)
                values[i, j] = np.nan if found is None else found
        known = Known([r.customer_id for r in request.rows], names, values, None)
        return self._record(known, request, datetime.now(UTC))

    def _past(self, request: DecisionRequest, asked: datetime, now: datetime) -> Known:
        """Features as of a past instant, computed from the events that counted at it."""
        if asked > now:
            fault = Fault("as_of", "in_the_future", "give an instant that has passed")
            raise InputError("as_of lies in the future", (fault,))
        dataset = open_dataset(self.workspace.dataset)
        names, customers = self.judge.names, request.customer_ids
        reached = min(to_micros(asked), dataset.data_until)
        moments = pa.array(np.full(len(customers), reached), pa.int64()).cast(INSTANT)
        requests = pa.table({"customer_id": pa.array(customers, pa.string()), "as_of": moments})
        values = matrix(panel(dataset, requests), names)
        as_of = np.where(np.isnan(values).all(axis=1), 0, reached)
        by_view = dict.fromkeys(self.judge.views, as_of)
        return Known(customers, names, values, as_of, asked, by_view)

    def _record(
        self, known: Known, request: DecisionRequest | ScoresRequest, now: datetime
    ) -> DecisionResponse:  # fmt: skip
        made = decide(self.judge, known, request.purpose, now)
        asked = content_hash(request.model_dump(mode="json"))
        records = self.log.append(made, asked)
        return DecisionResponse(decisions=[r.decision for r in records])


def find_record(workspace: Workspace, decision_or_customer: str) -> DecisionRecord:
    """The record of a decision id, else the newest of a customer.

    Raises:
        NotFoundError: neither is there.
    """
    log = DecisionLog(workspace.decisions)
    if len(decision_or_customer) == 32 and {*decision_or_customer} <= {*"0123456789abcdef"}:
        try:
            return log.get(decision_or_customer)
        except NotFoundError as no_decision:
            try:
                return log.latest(decision_or_customer)
            except NotFoundError:
                raise no_decision from None
    return log.latest(decision_or_customer)


def policies(workspace: Workspace) -> Path:
    """Where the texts of policies stand, by hash."""
    return workspace.policies


def keep_policy(workspace: Workspace, text: str) -> Policy:
    """The parsed policy, its text kept under its hash.

    Raises:
        PolicyError: the text is no policy; nothing is kept.
    """
    policy = parse_policy(text)
    file = policies(workspace) / f"{policy.hash}.toml"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, text.encode())
    return policy


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise InputError(f"the policy {file.name} cannot be read as UTF-8 text: {e}") from None
