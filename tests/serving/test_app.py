"""The routes: answers of the contract, refusals as 4xx with paths, no 5xx for bad input (I9)."""

from __future__ import annotations

import json
import logging

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from domain.decision import DecisionResponse
from serving.app import make_app
from tests.servers import free_port

JSON = {"content-type": "application/json"}


class Client:
    """Asks an application in this process."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def request(self, method: str, path: str, **how) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk/v1") as client:
                return await client.request(method, path, **how)

        return anyio.run(ask)

    def get(self, path: str, **how) -> httpx.Response:
        return self.request("GET", path, **how)

    def post(self, path: str, **how) -> httpx.Response:
        return self.request("POST", path, **how)


@pytest.fixture
def client(desk):
    return Client(make_app(desk, token="", max_body=100_000))


def post(client, body, route="/decisions", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(route, content=raw, headers={**JSON, **headers})


def test_an_answer_is_of_the_contract_and_in_the_order_asked(client, desk, customers):
    ids = [customers[5], "nobody", customers[2]]
    answer = post(client, {"customer_ids": ids, "purpose": "crm"})
    assert answer.status_code == 200
    found = DecisionResponse.model_validate_json(answer.content)
    assert [d.customer_id for d in found.decisions] == ids
    assert desk.log.verify() == 3
    told = client.get("http://desk/metrics").text
    assert all(f'tierline_decisions_total{{status="{d.status}"}}' in told for d in found.decisions)
    assert 'tierline_requests_total{code="200",route="/v1/decisions"}' in told


def test_a_decision_is_read_again_by_its_id(client, customers):
    [made] = post(client, {"customer_ids": [customers[0]], "purpose": "crm"}).json()["decisions"]
    again = client.get(f"/decisions/{made['decision_id']}")
    assert again.json() == made
    assert client.get(f"/decisions/{'0' * 32}").status_code == 404
    assert client.get("/decisions/..%2f..%2fetc").status_code == 404


@pytest.mark.parametrize("customer", ["张三", "two words", "c/1?x=1", "'; DROP TABLE record; --"])
def test_any_printed_id_is_answered(client, customer):
    [made] = post(client, {"customer_ids": [customer], "purpose": "crm"}).json()["decisions"]
    assert (made["customer_id"], made["status"]) == (customer, "missing")


BAD = [
    b"", b"{", b"null", b"\xff", b"[]", b'{"customer_ids":["c"],"purpose":"crm","purpose":"crm"}',
    json.dumps({"customer_ids": [f"c{i}" for i in range(10_000)], "purpose": "crm"}).encode(),
    json.dumps({"customer_ids": ["x" * 90_000], "purpose": "crm"}).encode(),
    json.dumps({"customer_ids": ["c"], "purpose": "crm", "as_of": "2999-01-01T00:00:00Z"}).encode(),
    json.dumps({"customer_ids": ["c"], "purpose": "crm", "as_of": "0001-01-01T00:00:00Z"}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD[:-1], ids=range(len(BAD) - 1))
def test_bad_input_is_a_4xx_that_names_the_place_and_records_nothing(client, desk, body):
    answer = post(client, body)
    assert 400 <= answer.status_code < 500
    told = answer.json()["error"]
    assert told["code"]
    assert told["message"]
    assert answer.status_code != 422 or told["faults"][0]["path"]
    assert desk.log.verify() == 0


def test_an_instant_before_everything_is_answered_as_missing(client):
    [made] = post(client, BAD[-1]).json()["decisions"]
    assert made["status"] == "missing"


def test_a_body_that_is_too_large_is_refused(client):
    answer = post(client, b" " * 100_001)
    assert answer.status_code == 413
    assert "at most 100,000 bytes" in answer.json()["error"]["message"]


def test_features_that_do_not_exist_are_named(client):
    rows = [{"customer_id": "c", "features": {"nothing": 1.0, "spend_sum_90d": 1.0}}]
    answer = post(client, {"rows": rows, "purpose": "crm"}, "/scores")
    assert answer.status_code == 422
    assert answer.json()["error"]["faults"][0]["path"] == "rows.0.features.nothing"


def test_given_features_are_scored(client):
    rows = [{"customer_id": "c", "features": {"spend_sum_90d": 10.5, "complaint_count_90d": None}}]
    [made] = post(client, {"rows": rows, "purpose": "crm"}, "/scores").json()["decisions"]
    assert made["scores"]
    assert made["status"] == "thin"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Bearer öö"}, 401),
        ({"authorization": "Bearer s3cret"}, 200),
    ],
)
def test_a_token_is_asked_for_on_every_route(desk, given, status):
    client = Client(make_app(desk, token="s3cret", max_body=1000))
    headers = {k: v.encode() for k, v in given.items()}
    assert client.get("/model-card", headers=headers).status_code == status
    assert client.get("/openapi.json", headers=headers).status_code == status
    body = json.dumps({"customer_ids": ["c"], "purpose": "crm"})
    found = client.post("/decisions", content=body, headers={**JSON, **headers})
    assert found.status_code == status


def test_unknown_routes_and_methods_are_told_in_json(client):
    assert client.get("/nothing").json()["error"]["code"] == "no_route"
    assert client.get("/decisions").status_code == 405
    assert client.get("/decisions").json()["error"]["code"] == "no_route"


def test_the_model_card_and_the_contract_are_there(client, desk):
    card = client.get("/model-card").json()
    assert card["versions"]["bundle"] == desk.judge.bundle.hash
    assert set(card["card"]["targets"]) == {"value", "churn", "credit"}
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


def test_no_answer_leaves_without_its_record_and_the_log_names_nobody(
    client, desk, customers, caplog
):
    desk.log.file.unlink()
    desk.log.file.mkdir()
    with caplog.at_level(logging.DEBUG):
        answer = post(client, {"customer_ids": [customers[0]], "purpose": "crm"})
    assert answer.status_code == 500
    told = answer.json()["error"]
    assert told["code"] == "internal"
    assert customers[0] not in answer.text + caplog.text
    assert told["message"].split()[-1] in caplog.text


def test_a_request_is_logged_by_its_route_and_not_by_what_its_path_holds(client, caplog):
    with caplog.at_level(logging.INFO, logger="tierline"):
        client.get("/decisions/C0000042-of-somebody")
        client.get("/model-card")
    told = [r.getMessage() for r in caplog.records if r.name == "tierline.serving"]
    assert [m.rsplit(" ", 2)[0] for m in told] == [
        "GET /v1/decisions/{decision_id} 404",
        "GET /v1/model-card 200",
    ]
    assert "C0000042" not in client.get("http://desk/metrics").text


def test_a_feature_store_that_does_not_answer_is_a_503_and_nothing_is_decided(
    desk, customers, monkeypatch, caplog
):
    monkeypatch.setenv("TIERLINE_ONLINE", f"redis://127.0.0.1:{free_port()},password=hush")
    client = Client(make_app(desk, token="", max_body=1000))
    answer = post(client, {"customer_ids": [customers[0]], "purpose": "crm"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "features")
    assert desk.log.verify() == 0
    assert "hush" not in caplog.text
    assert customers[0] not in caplog.text
    assert "does not answer" in caplog.text


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
TREE = st.recursive(
    LEAF, lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=9), x, max_size=4)
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "customer_ids": st.lists(st.text() | TREE, max_size=4),
        "purpose": st.just("crm") | TREE,
        "as_of": TREE,
        "rows": st.lists(TREE, max_size=3),
    },
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=300) | TREE | SHAPED, route=st.sampled_from(["/decisions", "/scores"])
)
def test_nothing_that_arrives_is_a_5xx(client, body, route):
    raw = body
    if not isinstance(body, bytes):
        raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    answer = post(client, raw, route)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["error"]["code"]
