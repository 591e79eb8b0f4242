"""Metrics of the service: how many requests and decisions, how they ended, how long they took.

Enters: what the routes tell. Leaves: text in Prometheus' format, of all workers together where
BentoML runs several. Requests are counted by route, never by path: a path may hold an id (I12),
and every new one would be a series of its own.
"""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUESTS = Counter("tierline_requests", "Requests answered", ["route", "code"])
_SECONDS = Histogram("tierline_request_seconds", "Seconds to an answer", ["route"])
_DECISIONS = Counter("tierline_decisions", "Decisions answered", ["status"])


def answered(route: str, code: int, seconds: float) -> None:
    """A request of a route was answered with a status code."""
    _REQUESTS.labels(route, str(code)).inc()
    _SECONDS.labels(route).observe(seconds)


def decided(status: str) -> None:
    """A decision was answered: on fresh, stale, thin or missing features."""
    _DECISIONS.labels(status).inc()


def text() -> bytes:
    """Everything counted so far.

    Where counts are kept was chosen when `prometheus_client` was imported; Feast sets the variable
    that says so later, and moves nothing.
    """
    if values.ValueClass is values.MutexValue:
        return generate_latest(REGISTRY)
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
    return generate_latest(everybody)
