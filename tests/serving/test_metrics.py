"""Metrics: requests counted by route and code, decisions by status."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving import metrics


def samples() -> Counter[tuple[str, ...]]:
    """Every count so far, by its name and sorted labels."""
    found = text_string_to_metric_families(metrics.text().decode())
    return Counter(
        {(s.name, *sorted(s.labels.values())): s.value for family in found for s in family.samples}
    )


def test_requests_and_decisions_are_counted_by_route_and_status():
    before = samples()
    metrics.answered("/v1/here", 200, 0.02)
    metrics.answered("/v1/here", 422, 0.01)
    metrics.decided("fresh")
    metrics.decided("fresh")
    told = samples()
    told.subtract(before)
    assert told["tierline_requests_total", "/v1/here", "200"] == 1
    assert told["tierline_requests_total", "/v1/here", "422"] == 1
    assert told["tierline_request_seconds_count", "/v1/here"] == 2
    assert told["tierline_request_seconds_sum", "/v1/here"] == pytest.approx(0.03)
    assert told["tierline_decisions_total", "fresh"] == 2
