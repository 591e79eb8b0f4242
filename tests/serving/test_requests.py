"""Requests: what is read, and what is refused with its path and without its value."""

from __future__ import annotations

import json

import pytest

from domain.decision import DecisionRequest, ScoresRequest
from domain.inquiry import ChangeQuery, CounterfactualsQuery
from serving.requests import MAX_DEPTH, MAX_FAULTS, RefusedError, read_query, read_request

JSON = "application/json; charset=utf-8"
GOOD = {"customer_ids": ["张三", "two words"], "purpose": "crm"}


def refused(body, contract=DecisionRequest, content_type=JSON) -> RefusedError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RefusedError) as caught:
        read_request(raw, content_type, contract)
    return caught.value


def test_a_good_request_is_read():
    found = read_request(json.dumps(GOOD).encode(), JSON, DecisionRequest)
    assert found.customer_ids == GOOD["customer_ids"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"{'customer_ids': []}", 400, "not_json"),
        (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), 400, "not_json"),
        (b'{"customer_ids": ["\xff"], "purpose": "crm"}', 400, "not_utf8"),
        (b'{"purpose": "crm", "purpose": "crm", "customer_ids": ["c"]}', 400, "repeated_key"),
        (b'{"customer_ids": [NaN], "purpose": "crm"}', 400, "not_finite"),
        (b'{"rows": [-Infinity]}', 400, "not_finite"),
        (b"[" * 20_000 + b"]" * 20_000, 400, "too_deep"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), 400, "too_deep"),
        (b"null", 422, "contract"),
        (b"[]", 422, "contract"),
        (b'"text"', 422, "contract"),
    ],
)
def test_what_is_no_request_is_refused(body, status, code):
    found = refused(body)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(kind):
    assert refused(GOOD, content_type=kind).status == 415


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"customer_ids": []}, "customer_ids"),
        ({"customer_ids": ["c"] * 10_000}, "customer_ids"),
        ({"customer_ids": ["x" * 1_000_000]}, "customer_ids.0"),
        ({"customer_ids": ["ok", ""]}, "customer_ids.1"),
        ({"customer_ids": ["a\nb"]}, "customer_ids.0"),
        ({"customer_ids": [7]}, "customer_ids.0"),
        ({"customer_ids": "c"}, "customer_ids"),
        ({"customer_ids": ["c", "d", "c"]}, "customer_ids.2"),
        ({"purpose": "fun"}, "purpose"),
        ({"purpose": None}, "purpose"),
        ({"as_of": "2026-01-01T00:00:00"}, "as_of"),
        ({"as_of": "soon"}, "as_of"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_request_that_breaks_the_contract_names_the_path(change, path):
    found = refused({**GOOD, **change})
    assert (found.status, found.code) == (422, "contract")
    assert path in [f.path for f in found.faults]


def test_every_fault_is_named_at_once_and_no_value():
    found = refused({"customer_ids": ["secret\x00"], "purpose": "secret", "as_of": "secret"})
    assert {f.path for f in found.faults} == {"customer_ids.0", "purpose", "as_of"}
    assert "secret" not in str(found) + str(found.faults)


def test_very_many_faults_are_cut():
    assert len(refused({"customer_ids": [""] * 900, "purpose": "crm"}).faults) == MAX_FAULTS


@pytest.mark.parametrize("value", ["1", True, [], {}, 10**400])
def test_a_feature_value_is_a_number_or_null(value):
    body = {"rows": [{"customer_id": "c", "features": {"n": value}}], "purpose": "crm"}
    found = refused(body, ScoresRequest)
    assert found.status == 422
    assert found.faults[0].path.startswith("rows.0.features.n")


def test_a_query_is_read_from_text():
    found = read_query([("target", "churn"), ("points", "-12")], CounterfactualsQuery)
    assert found == CounterfactualsQuery(target="churn", points=-12)


@pytest.mark.parametrize(
    ("given", "contract", "status", "path"),
    [
        ([("target", "churn"), ("target", "churn")], CounterfactualsQuery, 400, None),
        ([("points", "many")], CounterfactualsQuery, 422, "points"),
        ([("points", "1" * 5000)], CounterfactualsQuery, 422, "points"),
        ([("target", "")], CounterfactualsQuery, 422, "target"),
        ([("surprise", "1")], CounterfactualsQuery, 422, "surprise"),
        ([], ChangeQuery, 422, "since"),
        ([("since", "C0000042")], ChangeQuery, 422, "since"),
    ],
)
def test_a_query_that_breaks_the_contract_is_refused_by_its_place(given, contract, status, path):
    with pytest.raises(RefusedError) as caught:
        read_query(given, contract)
    assert caught.value.status == status
    assert [f.path for f in caught.value.faults] == ([path] if path else [])
    assert "C0000042" not in str(caught.value) + str(caught.value.faults)
