"""The contract for machines: OpenAPI 3.1 around the JSON Schema of the decision types.

Enters: nothing. Leaves: plain JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from domain.decision import contract_schema
from domain.inquiry import inquiry_schema
from serving.inquiries import INQUIRIES, Inquiry

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "faults"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "faults": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "rule", "message"],
                        "properties": {n: {"type": "string"} for n in ("path", "rule", "message")},
                    },
                },
            },
        }
    },
}
_REFUSALS = {
    "400": "no JSON in UTF-8",
    "401": "no token, or a wrong one",
    "413": "a body that is too large",
    "415": "another content type than application/json",
    "422": "a request that breaks the contract; every fault with its path",
    "503": "the features cannot be read now",
}
_ABOUT = {
    "400": "a query that gives a name twice",
    "404": "no such decision, or nothing is known of the customer",
    "409": "its bundle cannot be used by this version",
    "422": "a query that breaks the contract; every fault with its path",
}


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the service."""
    defined = {**contract_schema()["$defs"], **inquiry_schema()["$defs"]}
    schemas = {**_moved(defined), "Error": _ERROR}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tierline", "version": version("tierline")},
        "paths": {
            "/v1/decisions": {"post": _post("decide by id", "DecisionRequest")},
            "/v1/scores": {"post": _post("decide for given feature values", "ScoresRequest")},
            "/v1/events": {
                "post": _post("push events of the day", "EventsRequest", "EventsResponse")
            },
            "/v1/decisions/{decision_id}": {"get": _get("a recorded decision", "Decision")},
            **{
                f"/v1/decisions/{{decision_id}}/{n}": {"get": _about(i)}
                for n, i in INQUIRIES.items()
            },
            "/v1/what-if": {
                "post": _post(
                    "scores if features were otherwise",
                    "WhatIfRequest",
                    "WhatIfAnswer",
                    ("404", "409"),
                )
            },
            "/v1/model-card": {"get": _plain("figures, verdicts and versions of the live bundle")},
            "/v1/openapi.json": {"get": _plain("this document")},
        },
        "components": {"schemas": schemas},
    }


def _moved(content: Any) -> Any:
    """The schemas with their references moved to where OpenAPI keeps them."""
    if isinstance(content, dict):
        return {
            k: v.replace("#/$defs/", "#/components/schemas/") if k == "$ref" else _moved(v)
            for k, v in content.items()
        }
    return [_moved(v) for v in content] if isinstance(content, list) else content


def _json_of(name: str, text: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _post(
    summary: str, request: str, answer: str = "DecisionResponse", also: Sequence[str] = ()
) -> dict[str, Any]:
    body = _json_of(request, summary)["content"]
    refusals = {status: _json_of("Error", text) for status, text in _REFUSALS.items()}
    refusals |= {status: _json_of("Error", _ABOUT[status]) for status in also}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _json_of(answer, "what was decided or kept"), **refusals},
    }


def _plain(text: str) -> dict[str, Any]:
    answer = {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"summary": text, "responses": {"200": answer}}


_PLACE = {"name": "decision_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _get(summary: str, answer: str) -> dict[str, Any]:
    missing = _json_of("Error", "no such decision")
    responses = {"200": _json_of(answer, summary), "404": missing}
    return {"summary": summary, "parameters": [_PLACE], "responses": responses}


def _about(inquiry: Inquiry) -> dict[str, Any]:
    schema = inquiry.query.model_json_schema()
    needed = schema.get("required", [])
    asked = [
        {"name": name, "in": "query", "required": name in needed, "schema": field}
        for name, field in schema["properties"].items()
    ]
    refusals = {status: _json_of("Error", text) for status, text in _ABOUT.items()}
    answer = _json_of(inquiry.answer.__name__, inquiry.summary)
    return {
        "summary": inquiry.summary,
        "parameters": [_PLACE, *asked],
        "responses": {"200": answer, **refusals},
    }
