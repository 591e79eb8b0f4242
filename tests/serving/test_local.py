"""Decisions without the service: the same desk, the same refusals."""

from __future__ import annotations

import pytest

from domain.decision import Purpose
from domain.errors import InputError
from serving.local import decide_now
from serving.record import DecisionLog


def test_customers_are_decided_and_recorded(workspace, customers):
    answer = decide_now(workspace, customers[:3], Purpose.SERVICING, None, None)
    assert [d.customer_id for d in answer.decisions] == list(customers[:3])
    assert DecisionLog(workspace.decisions).verify() == 3


def test_what_the_api_would_refuse_is_refused_by_its_place(workspace):
    with pytest.raises(InputError) as caught:
        decide_now(workspace, ["ok", "x" * 129], Purpose.CRM, None, None)
    assert [f.path for f in caught.value.faults] == ["customer_ids.1"]
    assert not workspace.decisions.exists()
