"""The questions that may be asked about a recorded decision: of each its query, answer and way.

Enters: a desk, a decision id, a checked query. Leaves: the typed answer. The routes and their
contract are made from this one table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from domain.inquiry import (
    ChangeAnswer,
    ChangeQuery,
    CounterfactualsAnswer,
    CounterfactualsQuery,
    ExplanationAnswer,
    ExplanationQuery,
)
from serving.desk import Desk
from serving.explain import change, explanation
from serving.past import find_past
from serving.suppose import counterfactuals


@dataclass(frozen=True)
class Inquiry:
    """One question: in words, the contracts of its query and answer, and what answers it."""

    summary: str
    query: type[BaseModel]
    answer: type[BaseModel]
    ask: Callable[[Desk, str, Any], BaseModel]


def _explanation(desk: Desk, decision_id: str, query: ExplanationQuery) -> BaseModel:
    return explanation(find_past(desk, decision_id), query.level, query.target)


def _change(desk: Desk, decision_id: str, query: ChangeQuery) -> BaseModel:
    return change(find_past(desk, query.since), find_past(desk, decision_id))


def _counterfactuals(desk: Desk, decision_id: str, query: CounterfactualsQuery) -> BaseModel:
    return counterfactuals(find_past(desk, decision_id), query.target, query.points)


INQUIRIES = {
    "explanation": Inquiry("why", ExplanationQuery, ExplanationAnswer, _explanation),
    "change": Inquiry("what changed since another", ChangeQuery, ChangeAnswer, _change),
    "counterfactuals": Inquiry(
        "what would change it", CounterfactualsQuery, CounterfactualsAnswer, _counterfactuals
    ),
}
"""By the last part of the route, `/v1/decisions/{decision_id}/<name>`."""
