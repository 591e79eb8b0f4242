"""Requests: bytes into checked types, every fault at once with its path, no value echoed.

Enters: a body and its content type, or a query. Leaves: a request of the contract. It knows no
HTTP server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from domain.decision import DecisionRequest
from domain.errors import Fault, TierlineError

Contract = TypeVar("Contract", bound=BaseModel)
MAX_DEPTH = 8
MAX_FAULTS = 50


class RefusedError(TierlineError):
    """A request that gets a 4xx: its status, a code, and the faults."""

    def __init__(
        self, status: int, code: str, message: str, faults: tuple[Fault, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.faults = faults


def read_request(body: bytes, content_type: str, contract: type[Contract]) -> Contract:
    """The request that a body holds.

    Raises:
        RefusedError: 415 not JSON by its type, 400 no JSON in UTF-8 (or with repeated keys, NaN,
            infinity, or too deep), 422 breaks the contract.
    """
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "content_type", "send content-type: application/json")
    try:
        content = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_finite)
    except UnicodeDecodeError as e:
        raise RefusedError(400, "not_utf8", f"the body is not UTF-8 at byte {e.start}") from None
    except json.JSONDecodeError as e:
        raise RefusedError(
            400, "not_json", f"the body is no JSON: {e.msg} at line {e.lineno}, column {e.colno}"
        ) from None
    except RecursionError:
        raise RefusedError(400, "too_deep", f"JSON may nest {MAX_DEPTH} deep") from None
    _check_depth(content)
    try:
        request = contract.model_validate_json(body)
    except ValidationError as e:
        raise RefusedError(
            422, "contract", "the request breaks the contract; mend these places", faults_of(e)
        ) from None
    _check_repeats(request)
    return request


def read_query(given: Sequence[tuple[str, str]], contract: type[Contract]) -> Contract:
    """The query that the names and values behind an address hold.

    Raises:
        RefusedError: 400 a name is given twice, 422 breaks the contract.
    """
    if len(dict(given)) != len(given):
        raise RefusedError(400, "repeated_key", "the query gives the same name twice")
    try:
        return contract.model_validate(dict(given))
    except ValidationError as e:
        raise RefusedError(
            422, "contract", "the query breaks the contract; mend these places", faults_of(e)
        ) from None


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """The faults of a validation, without the values that arrived."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(
        Fault(".".join(str(p)[:64] for p in e["loc"]) or "body", e["type"], e["msg"])
        for e in found[:MAX_FAULTS]
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise RefusedError(400, "repeated_key", "an object of the body has the same key twice")
    return content


def _finite(_: str) -> NoReturn:
    raise RefusedError(400, "not_finite", "NaN and infinity are no JSON numbers: send null")


def _check_depth(content: Any) -> None:
    level, layer = 0, [content]
    while layer:
        level += 1
        if level > MAX_DEPTH:
            raise RefusedError(400, "too_deep", f"JSON may nest {MAX_DEPTH} deep")
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        layer = [i for i in inner if isinstance(i, dict | list)]


def _check_repeats(request: BaseModel) -> None:
    if not isinstance(request, DecisionRequest):
        return
    seen: set[str] = set()
    faults = []
    for i, customer in enumerate(request.customer_ids):
        if customer in seen:
            said = "this id stands in the request already"
            faults.append(Fault(f"customer_ids.{i}", "duplicate", said))
        seen.add(customer)
    if faults:
        shown = tuple(faults[:MAX_FAULTS])
        raise RefusedError(422, "contract", "customers are named twice", shown)
