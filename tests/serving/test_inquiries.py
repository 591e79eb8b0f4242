"""The questions about a decision over their routes: typed answers, refusals with paths, no 5xx."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.inquiry import (
    ChangeAnswer,
    CounterfactualsAnswer,
    ExplanationAnswer,
    WhatIfAnswer,
)
from serving import past
from serving.app import make_app
from serving.inquiries import INQUIRIES
from tests.serving.test_app import JSON, LEAF, TREE, Client, post

NOBODY = "0" * 32


@pytest.fixture
def client(desk) -> Client:
    return Client(make_app(desk, token="", max_body=100_000))


@pytest.fixture
def made(client, customers) -> list[dict]:
    ids = [customers[0], customers[1], "nobody"]
    return post(client, {"customer_ids": ids, "purpose": "crm"}).json()["decisions"]


def test_every_question_is_answered_of_its_contract_and_counted_by_its_route(client, made):
    mine = made[0]["decision_id"]
    place = f"/decisions/{mine}"
    full = client.get(f"{place}/explanation", params={"level": "full"})
    told = ExplanationAnswer.model_validate_json(full.content)
    assert [e.points for e in told.explanations] == [s["points"] for s in made[0]["scores"]]
    since = client.get(f"{place}/change", params={"since": mine})
    assert [s.data for s in ChangeAnswer.model_validate_json(since.content).scores] == [[]] * 3
    found = client.get(f"{place}/counterfactuals", params={"target": "churn", "points": "500"})
    [only] = CounterfactualsAnswer.model_validate_json(found.content).scores
    assert (only.target, only.wanted) == ("churn", 500)
    body = {"decision_id": mine, "changes": {"complaint_count_90d": 3}}
    supposed = post(client, body, "/what-if")
    assert WhatIfAnswer.model_validate_json(supposed.content).decision_id == mine
    counted = client.get("http://desk/metrics").text
    for route in (*(f"/v1/decisions/{{decision_id}}/{n}" for n in INQUIRIES), "/v1/what-if"):
        assert f'tierline_requests_total{{code="200",route="{route}"}}' in counted


def test_what_is_unknown_is_a_404_and_what_breaks_the_contract_a_4xx_with_its_path(client, made):
    mine, other, empty = (f"/decisions/{m['decision_id']}" for m in made)
    for name in INQUIRIES:
        query = {"since": made[0]["decision_id"]} if name == "change" else {}
        assert client.get(f"/decisions/{NOBODY}/{name}", params=query).status_code == 404
        assert client.get(f"{mine}/{name}", params={**query, "who": "me"}).status_code == 422
    assert client.get(f"{mine}/change", params={"since": NOBODY}).status_code == 404
    for place, path in (
        (f"{other}/change?since={made[0]['decision_id']}", "since"),
        (f"{mine}/change?since=C0000001", "since"),
        (f"{mine}/change", "since"),
        (f"{mine}/explanation?level=all", "level"),
        (f"{empty}/explanation?target=churn", "target"),
        (f"{mine}/counterfactuals?points=600", "points"),
        (f"{mine}/counterfactuals?target=churn&points=1e3", "points"),
    ):
        answer = client.get(place)
        assert (answer.status_code, answer.json()["error"]["faults"][0]["path"]) == (422, path)
    assert client.get(f"{mine}/explanation?level=full&level=none").status_code == 400


def test_a_supposition_that_cannot_be_is_refused_by_its_place_and_nothing_is_recorded(
    client, desk, made
):
    mine = made[0]["decision_id"]
    for body, status, path in (
        ({"changes": {"spend_sum_90d": 1}}, 422, "decision_id"),
        ({"decision_id": mine, "changes": {}}, 422, "changes"),
        ({"decision_id": mine, "changes": {"age_years": 20}}, 422, "changes.age_years"),
        ({"decision_id": mine, "changes": {"x" * 5000: 1}}, 422, "changes." + "x" * 64),
        ({"decision_id": mine, "changes": {"spend_sum_90d": "1"}}, 422, "changes.spend_sum_90d"),
        ({"decision_id": NOBODY, "changes": {"spend_sum_90d": 1}}, 404, None),
        ({"customer_id": "nobody", "changes": {"spend_sum_90d": 1}}, 404, None),
    ):
        answer = post(client, body, "/what-if")
        faults = answer.json()["error"]["faults"]
        assert (answer.status_code, [f["path"] for f in faults]) == (status, [path] if path else [])
    assert desk.log.verify() == len(made)


def test_a_bundle_of_another_catalogue_is_a_409_that_says_what_to_do(
    client, desk, made, monkeypatch
):
    foreign = replace(desk.judge.bundle, catalogue_hash="f" * 64)
    found = past.past_of
    monkeypatch.setattr(past, "past_of", lambda room, record, _: found(room, record, foreign))
    answer = client.get(f"/decisions/{made[0]['decision_id']}/explanation")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "bundle")
    assert "made with another catalogue" in answer.json()["error"]["message"]


def test_a_token_is_asked_for_and_the_log_names_nobody(desk, customers, made, caplog):
    shut = Client(make_app(desk, token="s3cret", max_body=1000))
    for name in INQUIRIES:
        assert shut.get(f"/decisions/{made[0]['decision_id']}/{name}").status_code == 401
    body = json.dumps({"customer_id": customers[0], "changes": {"spend_sum_90d": 1e9}})
    assert shut.post("/what-if", content=body, headers=JSON).status_code == 401
    open_ = {**JSON, "authorization": "Bearer s3cret"}
    with caplog.at_level(logging.DEBUG):
        shut.post("/what-if", content=body, headers=open_)
        shut.get(f"/decisions/{made[0]['decision_id']}/change?since={NOBODY}", headers=open_)
    logged = "".join(r.getMessage() for r in caplog.records if r.name.startswith("tierline"))
    assert "/v1/what-if" in logged
    assert not [w for w in (customers[0], made[0]["decision_id"], NOBODY) if w in logged]


NAMES = st.sampled_from(["level", "target", "points", "since", "x"]) | st.text(max_size=8)
VALUES = st.sampled_from(["full", "none", "churn", "credit", "600", "-1", NOBODY]) | st.text(
    max_size=40
)
CHANGES = st.dictionaries(
    st.sampled_from(["spend_sum_90d", "complaint_count_90d", "age_years", "income_last"])
    | st.text(max_size=9),
    st.floats() | st.integers() | LEAF,
    max_size=3,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    which=st.sampled_from([0, 1, 2, None]),
    name=st.sampled_from([*INQUIRIES]),
    query=st.dictionaries(NAMES, VALUES, max_size=3),
    changes=CHANGES | TREE,
)
def test_nothing_that_is_asked_is_a_5xx(client, made, which, name, query, changes):
    mine = NOBODY if which is None else made[which]["decision_id"]
    body = {"decision_id": mine, "changes": changes}
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    asked = {k: v for k, v in query.items() if k.isprintable() and v.isprintable()}
    for answer in (
        client.get(f"/decisions/{mine}/{name}", params=asked),
        client.post("/what-if", content=raw, headers=JSON),
    ):
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.json()["error"]["code"]
