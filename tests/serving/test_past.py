"""A recorded decision finds the bundle and the policy that made it, whatever is live by then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.asof import from_micros, parse_instant
from domain.decision import DecisionRequest, Purpose
from domain.errors import InputError, NotFoundError, RecordError
from domain.policy import default_policy_text
from serving.decide import Known, decide
from serving.desk import Desk, policies
from serving.explain import check
from serving.past import Past, find_past, past_of
from serving.suppose import counterfactuals


def made(desk, customer):
    asked = DecisionRequest(customer_ids=[customer], purpose="crm")
    return desk.decisions(asked).decisions[0]


def test_the_policy_is_the_one_that_decided_and_a_loaded_bundle_is_not_loaded_again(
    desk, customers, workspace, tmp_path
):
    told = made(desk, customers[0])
    other = tmp_path / "other.toml"
    other.write_text(default_policy_text().replace("2026.11.4", "2027"), encoding="utf-8")
    later = Desk(workspace, other)
    found = find_past(later, told.decision_id)
    assert found.judge.policy == desk.policy != later.policy
    assert found.judge.bundle is later.judge.bundle
    assert found.judge.versions == told.versions
    alone = past_of(workspace, desk.log.get(told.decision_id))
    assert alone.judge.bundle is not later.judge.bundle
    assert alone.judge.versions == told.versions


def test_a_row_is_the_recorded_one_in_the_order_of_the_scorer(desk, customers):
    found = find_past(desk, made(desk, customers[0]).decision_id)
    case = found.case("churn")
    assert tuple(case.values) == case.scorer.features
    assert case.values == {n: found.record.features[n] for n in case.scorer.features}
    assert case.scorer.points(case.x[None])[0] == found.scores("churn")[0].points


def test_what_is_gone_or_was_changed_is_said(desk, customers, workspace):
    told = made(desk, customers[0])
    with pytest.raises(NotFoundError):
        find_past(desk, "0" * 32)
    versions = told.versions.model_copy(update={"bundle": "f" * 64})
    record = desk.log.get(told.decision_id)
    foreign = record.model_copy(
        update={"decision": told.model_copy(update={"versions": versions})}
    )  # fmt: skip
    with pytest.raises(NotFoundError, match="ffffffffffff"):
        past_of(workspace, foreign, desk.judge.bundle)
    file = policies(workspace) / f"{told.versions.policy}.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(RecordError, match="was changed"):
        past_of(workspace, record)
    file.unlink()
    with pytest.raises(RecordError, match="is gone"):
        past_of(workspace, record)


def test_scores_that_are_not_there_are_refused_with_those_that_are(desk):
    found = find_past(desk, made(desk, "nobody").decision_id)
    assert found.scores(None) == []
    with pytest.raises(InputError) as refused:
        found.scores("credit")
    assert refused.value.faults[0].message == "this decision has scores of: none"


def test_a_decision_is_explained_replayed_and_supposed_with_the_base_of_its_own_month(
    desk, customers
):
    judge = desk.judge
    shifted = {
        t: replace(s, calibration=replace(s.calibration, monthly=tuple(0.1 * m for m in range(12))))
        for t, s in judge.bundle.scorers.items()
    }
    judge = replace(judge, bundle=replace(judge.bundle, scorers=shifted))
    rows = desk.room.online(customers[:1], judge.names)
    record = desk.log.get(made(desk, customers[0]).decision_id)
    points = set()
    for day in ("2026-02-15", "2026-11-15"):
        as_of = np.array([parse_instant(day)])
        known = Known(customers[:1], judge.names, rows.values, as_of)
        [(told, _)] = decide(judge, known, Purpose.CRM, record.decision.decided_at)
        past = Past(record.model_copy(update={"decision": told}), judge)
        for score in told.scores:
            check(past, score)
            case, month = past.case(score.target), from_micros(int(as_of[0])).month
            base = judge.bundle.scorers[score.target].calibration.intercept
            assert case.scorer.calibration.intercept == base + 0.1 * (month - 1)
            assert score.base_points + sum(r.points for r in score.reasons) == score.points
        answer = counterfactuals(past, "churn")
        churn = next(s for s in told.scores if s.target == "churn")
        for plan in answer.scores[0].plans:
            assert plan.points >= answer.scores[0].wanted > churn.points
        points.add(churn.points)
    assert len(points) == 2
