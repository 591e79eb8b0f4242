"""The OpenAPI document: the routes there are, every reference resolved, answers that fit."""

from __future__ import annotations

from typing import Any

from domain.decision import DecisionRequest
from serving.app import make_app
from serving.contract import openapi
from serving.inquiries import INQUIRIES


def references(content: Any):
    if isinstance(content, dict):
        if "$ref" in content:
            yield content["$ref"]
        for value in content.values():
            yield from references(value)
    elif isinstance(content, list):
        for value in content:
            yield from references(value)


def test_every_reference_leads_to_a_schema():
    document = openapi()
    known = {f"#/components/schemas/{n}" for n in document["components"]["schemas"]}
    found = set(references(document))
    assert found
    assert found <= known


def test_it_tells_of_every_route_and_of_no_other(desk):
    app = make_app(desk, token="", max_body=1)
    routes = {(r.path, m.lower()) for r in app.routes for m in r.methods - {"HEAD"}}
    told = {(path, method) for path, methods in openapi()["paths"].items() for method in methods}
    assert told == routes - {("/metrics", "get")}


def test_an_answer_has_the_fields_that_the_document_names(desk, customers):
    asked = DecisionRequest(customer_ids=list(customers[:10]), purpose="crm")
    made = next(d for d in desk.decisions(asked).decisions if d.segments)
    schemas = openapi()["components"]["schemas"]
    content = made.model_dump(mode="json")
    assert set(content) == set(schemas["Decision"]["properties"])
    assert set(content["scores"][0]) == set(schemas["TargetScore"]["properties"])
    assert set(content["scores"][0]["reasons"][0]) == set(schemas["Reason"]["properties"])


def test_every_question_about_a_decision_tells_its_query_and_its_answer(desk, customers):
    document = openapi()
    about = {n: document["paths"][f"/v1/decisions/{{decision_id}}/{n}"]["get"] for n in INQUIRIES}
    told = {n: {p["name"]: p["required"] for p in a["parameters"]} for n, a in about.items()}
    assert told == {
        "explanation": {"decision_id": True, "level": False, "target": False},
        "change": {"decision_id": True, "since": True},
        "counterfactuals": {"decision_id": True, "target": False, "points": False},
    }
    asked = DecisionRequest(customer_ids=[customers[0]], purpose="crm")
    [made] = desk.decisions(asked).decisions
    for name, inquiry in INQUIRIES.items():
        query = inquiry.query.model_validate(
            {"since": made.decision_id} if name == "change" else {}
        )
        content = inquiry.ask(desk, made.decision_id, query).model_dump(mode="json")
        schema = about[name]["responses"]["200"]["content"]["application/json"]["schema"]
        fields = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"]
        assert set(content) == set(fields)
