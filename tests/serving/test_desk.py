"""The desk: one live bundle and policy, features of now or then, everything recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from domain.asof import from_micros
from domain.decision import DecisionRequest, GivenFeatures, ScoresRequest
from domain.errors import InputError, NotFoundError, PolicyError
from domain.policy import default_policy_text
from domain.workspace import Workspace
from events.dataset import open_dataset
from features.panel import compute
from features.store import matrix
from serving.desk import Desk, find_record, keep_policy, policies


def ask(desk, *ids, as_of=None):
    return desk.decisions(DecisionRequest(customer_ids=ids, purpose="crm", as_of=as_of)).decisions


def features_of(desk, decision):
    """The recorded values in the order of the judge's names."""
    found = desk.log.get(decision.decision_id).features
    return {n: found[n] for n in desk.judge.names}


def test_online_features_decide_now(desk, customers):
    [made] = ask(desk, customers[3])
    rows = desk.room.online([customers[3]], desk.judge.names)
    assert made.as_of == from_micros(int(rows.as_of[0]))
    told = [np.nan if v is None else v for v in features_of(desk, made).values()]
    np.testing.assert_array_equal(told, rows.values[0])
    assert list(made.view_age_days) == list(desk.judge.views)
    assert set(made.view_age_days.values()) == {made.feature_age_days}


def test_past_features_are_those_of_the_events_that_counted_then(desk, customers):
    data = open_dataset(desk.workspace.dataset)
    asked = from_micros(data.data_until) - timedelta(days=100, hours=5)
    made = ask(desk, *customers[:5], as_of=asked)
    moments = pa.array([asked] * 5, pa.timestamp("us", "UTC"))
    expected = compute(data, pa.table({"customer_id": list(customers[:5]), "as_of": moments}))
    for row, decision in enumerate(made):
        told = [np.nan if v is None else v for v in features_of(desk, decision).values()]
        np.testing.assert_array_equal(told, matrix(expected, desk.judge.names)[row])
        assert decision.as_of == decision.asked_as_of == asked
        assert set(decision.view_age_days.values()) == {0.0}


def test_an_instant_past_the_data_is_answered_with_the_end_of_the_data(desk, customers):
    data = open_dataset(desk.workspace.dataset)
    asked = from_micros(data.data_until) + timedelta(days=3)
    [made] = ask(desk, customers[0], as_of=asked)
    assert made.as_of == from_micros(data.data_until)
    assert made.feature_age_days == pytest.approx(3)


def test_an_instant_to_come_is_refused(desk, customers):
    with pytest.raises(InputError, match="as_of lies in the future"):
        ask(desk, customers[0], as_of=datetime.now(UTC) + timedelta(minutes=1))
    assert desk.log.verify() == 0


def test_given_features_decide_like_the_same_features_online(desk, customers):
    [online] = ask(desk, customers[1])
    rows = [GivenFeatures(customer_id=customers[1], features=features_of(desk, online))]
    [given] = desk.scores(ScoresRequest(rows=rows, purpose="crm")).decisions
    assert given.scores == online.scores
    assert given.strategy == online.strategy
    assert given.feature_age_days is None


def test_features_that_do_not_exist_are_all_named(desk):
    rows = [GivenFeatures(customer_id="c", features={"a": 1.0, "spend_sum_90d": 2.0, "b": None})]
    with pytest.raises(InputError) as caught:
        desk.scores(ScoresRequest(rows=rows, purpose="crm"))
    assert [f.path for f in caught.value.faults] == ["rows.0.features.a", "rows.0.features.b"]
    assert desk.log.verify() == 0


def test_a_decision_is_found_by_its_id_or_its_customer(desk, customers):
    ask(desk, customers[0])
    [newest] = ask(desk, customers[0])
    assert find_record(desk.workspace, customers[0]).decision == newest
    assert find_record(desk.workspace, newest.decision_id).decision == newest


def test_a_customer_may_be_named_like_a_decision(desk):
    name = "0" * 32
    with pytest.raises(NotFoundError, match="no decision has this id"):
        find_record(desk.workspace, name)
    [made] = ask(desk, name)
    assert find_record(desk.workspace, name).decision == made


def test_nothing_live_is_said(tmp_path):
    with pytest.raises(NotFoundError, match="no bundle is live"):
        Desk(Workspace(tmp_path, "bank"))


def test_a_policy_of_tomorrow_does_not_decide_today(workspace, tmp_path):
    file = tmp_path / "policy.toml"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT00:00:00Z}"
    text = default_policy_text().replace("2026-01-01T00:00:00Z", tomorrow)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="takes effect at"):
        Desk(workspace, file)


def test_a_policy_is_kept_by_its_hash_and_a_broken_one_is_not(workspace):
    policy = keep_policy(workspace, default_policy_text())
    assert [p.stem for p in policies(workspace).iterdir()] == [policy.hash]
    with pytest.raises(PolicyError):
        keep_policy(workspace, "version = 1")
    assert len(list(policies(workspace).iterdir())) == 1


def test_a_policy_file_that_is_no_text_is_refused(workspace, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"policy\.toml cannot be read as UTF-8"):
        Desk(workspace, file)
