"""Replay: every kind of decision again, bit for bit, whatever was changed since (I6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.asof import from_micros
from domain.decision import DecisionRequest, GivenFeatures, ScoresRequest
from domain.errors import NotFoundError, RecordError
from domain.policy import default_policy_text
from events.dataset import open_dataset
from serving.desk import Desk, policies
from serving.replay import Replayed, recorded, replay, replay_record


@pytest.fixture
def made(desk, customers):
    past = from_micros(open_dataset(desk.workspace.dataset).data_until) - timedelta(days=77)
    given = [GivenFeatures(customer_id="new", features={"spend_sum_90d": 120.5})]
    ids = [*customers[:4], "nobody"]
    answers = (
        desk.decisions(DecisionRequest(customer_ids=ids, purpose="crm")),
        desk.decisions(DecisionRequest(customer_ids=ids, purpose="crm", as_of=past)),
        desk.scores(ScoresRequest(rows=given, purpose="servicing")),
    )
    return [d for answer in answers for d in answer.decisions]


def test_every_kind_of_decision_replays_bit_for_bit(desk, made):
    for decision in made:
        found = replay(desk.workspace, decision.decision_id)
        assert found == Replayed(equal=True, differences=())
    assert [d for d in made if d.segments and d.baseline]


def test_the_whole_record_is_checked_and_listed_in_order(desk, made, edited):
    assert recorded(desk.workspace) == tuple(d.decision_id for d in made)
    edited("DELETE FROM record WHERE sequence = 2")
    with pytest.raises(RecordError, match="record 2 is missing"):
        recorded(desk.workspace)


def test_settings_and_policies_of_today_change_no_replay(desk, made, tmp_path, monkeypatch):
    monkeypatch.setenv("TIERLINE_REASONS", "1")
    monkeypatch.setenv("TIERLINE_STALE_DAYS", "1")
    file = tmp_path / "policy.toml"
    text = default_policy_text().replace("from_points = 550", "from_points = 900")
    file.write_text(text, encoding="utf-8")
    today = Desk(desk.workspace, file)
    assert today.judge.policy.hash != desk.judge.policy.hash
    for decision in made:
        assert replay(desk.workspace, decision.decision_id).equal


@pytest.mark.parametrize("change", ["feature", "points", "segment", "decided_at"])
def test_a_record_that_does_not_come_out_names_the_place(desk, made, customers, change):
    buyer = next(d for d in made if d.segments)
    record = desk.log.get(buyer.decision_id)
    features, decision = dict(record.features), record.decision
    if change == "feature":
        features |= dict.fromkeys(desk.judge.bundle.scorers["value"].features, 9999.0)
    elif change == "points":
        score = decision.scores[0].model_copy(update={"points": 1})
        decision = decision.model_copy(update={"scores": [score, *decision.scores[1:]]})
    elif change == "segment":
        decision = decision.model_copy(update={"segments": None})
    else:
        later = decision.decided_at + timedelta(days=9)
        decision = decision.model_copy(update={"decided_at": later})
    changed = record.model_copy(update={"features": features, "decision": decision})
    found = replay_record(desk.workspace, changed)
    assert not found.equal
    place = {"decided_at": "feature_age_days", "segment": "segments"}.get(change, "scores")
    assert any(d.startswith(place) for d in found.differences)


def test_a_policy_that_is_gone_or_changed_is_said(desk, made):
    file = policies(desk.workspace) / f"{made[0].versions.policy}.toml"
    file.write_text(default_policy_text() + "\n# changed", encoding="utf-8")
    with pytest.raises(RecordError, match="was changed"):
        replay(desk.workspace, made[0].decision_id)
    file.unlink()
    with pytest.raises(RecordError, match="is gone"):
        replay(desk.workspace, made[0].decision_id)


def test_no_such_decision_is_said(workspace):
    with pytest.raises(NotFoundError, match="no decision has this id"):
        replay(workspace, "f" * 32)
