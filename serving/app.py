"""The routes: HTTP in, the desk's answers out, every refusal a 4xx with the places to mend.

Enters: requests of the contract. Leaves: JSON. What goes wrong inside is a 500 with an id and no
detail; the log holds the id, the kind of error and where it arose, and nothing of a customer (I12).
"""

from __future__ import annotations

import hmac
import logging
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain.decision import (
    DecisionRequest,
    DecisionResponse,
    EventsRequest,
    ScoresRequest,
    canonical_json,
)
from domain.errors import Fault, InputError, NotFoundError, StoreError
from domain.inquiry import WhatIfRequest
from serving import metrics
from serving.contract import openapi
from serving.desk import Desk
from serving.inquiries import INQUIRIES, Inquiry
from serving.requests import Contract, RefusedError, read_query, read_request
from serving.suppose import what_if

log = logging.getLogger("tierline.serving")
Handler = Callable[[Request], Awaitable[Response]]


def make_app(desk: Desk, *, token: str, max_body: int) -> Starlette:
    """The application over a desk: `/v1` and `/metrics`; an empty token asks for none."""

    async def decision(request: Request) -> Response:
        record = await run_in_threadpool(desk.log.get, request.path_params["decision_id"])
        return _json(200, record.decision.model_dump(mode="json"))

    async def model_card(_: Request) -> Response:
        card = desk.judge.bundle.card
        versions = desk.judge.versions.model_dump(mode="json")
        return _json(200, {"card": dict(card), "versions": versions})

    async def contract(_: Request) -> Response:
        return _json(200, openapi())

    async def counted(_: Request) -> Response:
        return Response(metrics.text(), media_type=metrics.CONTENT_TYPE)

    posted: dict[str, Handler] = {
        "/v1/decisions": _asked(desk.decisions, DecisionRequest, max_body),
        "/v1/scores": _asked(desk.scores, ScoresRequest, max_body),
        "/v1/events": _asked(desk.events, EventsRequest, max_body),
        "/v1/what-if": _asked(partial(what_if, desk), WhatIfRequest, max_body),
    }
    got: dict[str, Handler] = {
        "/v1/decisions/{decision_id}": decision,
        "/v1/model-card": model_card,
        "/v1/openapi.json": contract,
        **{
            f"/v1/decisions/{{decision_id}}/{name}": _inquired(desk, inquiry)
            for name, inquiry in INQUIRIES.items()
        },
    }
    guarded = [
        Route(path, _watched(path, _guard(handler, token)), methods=[method])
        for method, handlers in (("POST", posted), ("GET", got))
        for path, handler in handlers.items()
    ]
    return Starlette(
        routes=[*guarded, Route("/metrics", counted)],
        exception_handlers={HTTPException: _no_route},
    )


def _asked(ask: Callable[[Any], BaseModel], contract: type[Contract], max_body: int) -> Handler:
    """A handler that reads a request of the contract, asks, and counts what was decided."""

    async def asked(request: Request) -> Response:
        given = read_request(
            await _body(request, max_body), request.headers.get("content-type", ""), contract
        )
        done = await run_in_threadpool(ask, given)
        if isinstance(done, DecisionResponse):
            for made in done.decisions:
                metrics.decided(made.status.value)
        return _json(200, done.model_dump(mode="json"))

    return asked


def _inquired(desk: Desk, inquiry: Inquiry) -> Handler:
    async def inquired(request: Request) -> Response:
        query = read_query(request.query_params.multi_items(), inquiry.query)
        decision_id = request.path_params["decision_id"]
        done = await run_in_threadpool(inquiry.ask, desk, decision_id, query)
        return _json(200, done.model_dump(mode="json"))

    return inquired


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _refusal(status, "no_route", "see /v1/openapi.json for the routes and their methods")


def _watched(route: str, handler: Handler) -> Handler:
    """The handler, counted and logged by its route, never by its path, which may hold an id."""

    async def watched(request: Request) -> Response:
        began = time.perf_counter()
        answer = await handler(request)
        took = time.perf_counter() - began
        metrics.answered(route, answer.status_code, took)
        log.info("%s %s %d %.0f ms", request.method, route, answer.status_code, took * 1000)
        return answer

    return watched


def _guard(handler: Handler, token: str) -> Handler:
    """The handler behind the token, its errors turned into answers."""

    async def guarded(request: Request) -> Response:
        try:
            _check_token(request, token)
            return await handler(request)
        except RefusedError as e:
            return _refusal(e.status, e.code, str(e), e.faults)
        except InputError as e:
            return _refusal(422, "input", str(e).splitlines()[0], e.faults)
        except StoreError as e:
            log.error("features cannot be read: %s", e)
            return _refusal(503, "features", "features cannot be read now; ask again later")
        except NotFoundError as e:
            return _refusal(404, "not_found", str(e))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as e:  # noqa: BLE001  the last line of defence, told by id
            return _failure(e)

    return guarded


def _check_token(request: Request, token: str) -> None:
    if not token:
        return
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise RefusedError(401, "token", "send authorization: Bearer and the token")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise RefusedError(413, "too_large", f"a body has at most {most:,} bytes")
    return bytes(body)


def _json(status: int, content: Any) -> Response:
    return Response(canonical_json(content), status, media_type="application/json")


def _refusal(status: int, code: str, message: str, faults: tuple[Fault, ...] = ()) -> Response:
    places = [{"path": f.path, "rule": f.rule, "message": f.message} for f in faults]
    return _json(status, {"error": {"code": code, "message": message, "faults": places}})


def _failure(error: Exception) -> Response:
    error_id = uuid.uuid4().hex
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames[-4:]))
    log.error("error %s: %s at %s", error_id, type(error).__name__, where)
    message = f"something went wrong inside; tell the operator the id {error_id}"
    return _json(500, {"error": {"code": "internal", "message": message, "faults": []}})
