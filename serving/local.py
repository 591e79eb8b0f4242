"""Decisions in this process, without the service: the same desk, the same record.

Enters: customer ids. Leaves: recorded decisions, as the service would answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from domain.decision import DecisionRequest, DecisionResponse, Purpose
from domain.errors import InputError
from domain.workspace import Workspace
from serving.desk import Desk
from serving.requests import faults_of


def decide_now(
    workspace: Workspace,
    customer_ids: Sequence[str],
    purpose: Purpose,
    as_of: datetime | None,
    policy: Path | None,
) -> DecisionResponse:
    """Recorded decisions of the live bundle for these customers.

    Raises:
        InputError: ids or as_of that the API would refuse; every fault is named.
        NotFoundError: nothing is live yet.
    """
    try:
        request = DecisionRequest(customer_ids=list(customer_ids), purpose=purpose, as_of=as_of)
    except ValidationError as e:
        raise InputError("the request breaks rules; mend these places:", faults_of(e)) from None
    return Desk(workspace, policy).decisions(request)
