"""The decision contract: its schema is committed, strict, and its hashes are of canonical text."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import decision
from domain.decision import (
    MAX_CUSTOMERS,
    Decision,
    DecisionRequest,
    GivenFeatures,
    Segments,
    canonical_json,
    content_hash,
    contract_schema_text,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)  # fmt: skip


def test_the_committed_schema_is_the_one_of_the_types():
    file = Path(decision.__file__).with_name("decision.schema.json")
    assert file.read_text(encoding="utf-8") == contract_schema_text(), "run `make docs`"


def test_no_object_of_the_schema_takes_fields_that_it_does_not_name():
    defined = json.loads(contract_schema_text())["$defs"]
    objects = {name: d for name, d in defined.items() if d.get("type") == "object"}
    assert {"DecisionRequest", "DecisionResponse", "DecisionRecord", "Reason"} <= set(objects)
    assert all(d["additionalProperties"] is False for d in objects.values())


def test_a_request_takes_a_thousand_customers_and_no_more():
    DecisionRequest(customer_ids=["c"] * MAX_CUSTOMERS, purpose="crm")
    with pytest.raises(ValidationError, match="at most 1000"):
        DecisionRequest(customer_ids=["c"] * (MAX_CUSTOMERS + 1), purpose="crm")


@pytest.mark.parametrize("customer", ["", "x" * 129, "a\nb", "a\x00b", "\x7f"])
def test_an_id_that_no_table_can_hold_is_refused(customer):
    with pytest.raises(ValidationError):
        DecisionRequest(customer_ids=[customer], purpose="crm")


@pytest.mark.parametrize("customer", ["张三", "two words", "c/1", "x" * 128])
def test_an_id_is_any_printed_text(customer):
    assert DecisionRequest(customer_ids=[customer], purpose="crm").customer_ids == [customer]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_feature_value_is_finite_or_null(value):
    with pytest.raises(ValidationError):
        GivenFeatures(customer_id="c", features={"spend_sum_90d": value})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"value": value})


def test_an_as_of_names_its_zone():
    with pytest.raises(ValidationError, match="timezone"):
        DecisionRequest(customer_ids=["c"], purpose="crm", as_of="2026-01-01T00:00:00")


@given(PLAIN)
def test_canonical_json_is_read_back_as_it_was(content):
    assert json.loads(canonical_json(content)) == content


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(), min_size=2))
def test_the_hash_does_not_depend_on_the_order_of_keys(content):
    turned = dict(reversed(list(content.items())))
    assert content_hash(content) == content_hash(turned)
    assert content_hash(content) != content_hash({**content, "one more": 1})


def test_an_older_decision_without_segments_keeps_its_text_and_so_its_hash():
    label = {"name": "x", "zh": "x", "en": "x"}
    hashes = dict.fromkeys(("bundle", "policy", "catalogue"), "a" * 64)
    versions = {**hashes, "policy_version": "1", "tierline": "1", "top_reasons": 1, "stale_days": 1}
    told = {
        "decision_id": "0" * 32, "customer_id": "c", "purpose": "crm",
        "decided_at": "2026-11-24T00:00:00Z", "asked_as_of": None, "as_of": None,
        "status": "missing", "feature_age_days": None, "view_age_days": {}, "scores": [],
        "stage": label, "tags": [], "strategy": label, "degraded": [], "versions": versions,
    }  # fmt: skip
    older = Decision.model_validate_json(json.dumps(told))
    assert canonical_json(older.model_dump(mode="json")) == canonical_json(told)
    newer = older.model_copy(update={"segments": Segments(rfm=None, cluster=None)})
    again = Decision.model_validate_json(json.dumps(newer.model_dump(mode="json")))
    assert again == newer != older
