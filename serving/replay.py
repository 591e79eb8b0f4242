"""Replay: a recorded decision made again from its record, compared bit for bit (I6).

Enters: a decision id. Leaves: whether it came out the same, and where not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.asof import to_micros
from domain.decision import DecisionRecord, canonical_json
from domain.workspace import Workspace
from serving.decide import Known, as_of_before, decide
from serving.past import past_of
from serving.record import DecisionLog


@dataclass(frozen=True)
class Replayed:
    """Whether the decision came out the same, and the paths where it did not."""

    equal: bool
    differences: tuple[str, ...]


def replay(workspace: Workspace, decision_id: str) -> Replayed:
    """The decision of an id, made again with the bundle and policy that decided it.

    Raises:
        NotFoundError: no such decision, or its bundle is gone.
        RecordError: its policy is gone or was changed.
    """
    record = DecisionLog(workspace.decisions).get(decision_id)
    return replay_record(workspace, record)


def recorded(workspace: Workspace) -> tuple[str, ...]:
    """The ids of all recorded decisions, oldest first, after checking the whole record.

    Raises:
        RecordError: names the first record that was edited, or after which one is missing.
    """
    log = DecisionLog(workspace.decisions)
    log.verify()
    return log.ids()


def replay_record(workspace: Workspace, record: DecisionRecord) -> Replayed:
    """The same for a record at hand."""
    told = record.decision
    judge = past_of(workspace, record).judge
    names = tuple(n for n in judge.catalogue.names if n in record.features)
    row = [record.features[n] for n in names]
    values = np.array([[np.nan if v is None else v for v in row]], dtype=np.float64)
    as_of = None if told.as_of is None else np.array([to_micros(told.as_of)])
    moment = told.asked_as_of or told.decided_at
    by_view = {v: np.array([as_of_before(moment, a)]) for v, a in told.view_age_days.items()}
    known = Known([told.customer_id], names, values, as_of, told.asked_as_of, by_view)
    [(again, _)] = decide(judge, known, told.purpose, told.decided_at, ids=[told.decision_id])
    before, after = told.model_dump(mode="json"), again.model_dump(mode="json")
    if canonical_json(before) == canonical_json(after):
        return Replayed(equal=True, differences=())
    return Replayed(equal=False, differences=tuple(_differences(before, after, "")))


def _differences(a: Any, b: Any, path: str) -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(set(a) | set(b))
        return [
            d for k in keys for d in _differences(a.get(k), b.get(k), f"{path}.{k}".lstrip("."))
        ]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i in range(len(a)) for d in _differences(a[i], b[i], f"{path}.{i}")]
    return [] if a == b else [path]
