"""The contract for machines: OpenAPI 3.1 around the JSON Schema of the decision types.

Enters: nothing. Leaves: plain JSON.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from domain.decision import contract_schema

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


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the service."""
    schemas = {**_moved(contract_schema()["$defs"]), "Error": _ERROR}
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


def _post(summary: str, request: str, answer: str = "DecisionResponse") -> dict[str, Any]:
    body = _json_of(request, summary)["content"]
    refusals = {status: _json_of("Error", text) for status, text in _REFUSALS.items()}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _json_of(answer, "what was decided or kept"), **refusals},
    }


def _plain(text: str) -> dict[str, Any]:
    answer = {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"summary": text, "responses": {"200": answer}}


def _get(summary: str, answer: str) -> dict[str, Any]:
    place = {"name": "decision_id", "in": "path", "required": True, "schema": {"type": "string"}}
    missing = _json_of("Error", "no such decision")
    responses = {"200": _json_of(answer, summary), "404": missing}
    return {"summary": summary, "parameters": [place], "responses": responses}
