"""A small catalogue, panels, and the slow obvious point-in-time join that Feast is held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import to_micros
from events.schema import INSTANT
from features.catalogue import Catalogue
from features.declare import Rule, Take, Theme, Words

T0 = to_micros(datetime(2020, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC))
"""An as_of with microseconds, as the last event of a data set has."""
AGES = {"quick": 10, "steady": 400}


def catalogue(extra: Sequence[str] = ()) -> Catalogue:
    """Theme quick (10 days): alpha, beta; theme steady (400 days): gamma, years (protected)."""
    quick, steady = Theme("quick", AGES["quick"]), Theme("steady", AGES["steady"])
    for name in ("alpha", "beta", *extra):
        quick.single(
            name,
            Take("recency", "transactions"),
            Words("days", f"特征{name}", f"Feature {name}"),
            Rule(churn=-1, lever=True),
        )
    steady.single("gamma", Take("recency", "statements"), Words("days", "丙", "Feature gamma"))
    steady.single("years", Take("age", "customers.birth_on"), Words("years", "年龄", "Age"))
    return Catalogue((quick, steady))


NAMES = catalogue().names
THEME = {f.name: f.theme for f in catalogue().features}


def instants(moments: Sequence[int]) -> pa.Array:
    """Micros as the instants of a table."""
    return pa.array(list(moments), pa.int64()).cast(INSTANT)


def requests(pairs: Sequence[tuple[str, int]]) -> pa.Table:
    """(customer, as_of) pairs as a table."""
    ids = pa.array([c for c, _ in pairs], pa.string())
    return pa.table({"customer_id": ids, "as_of": instants([t for _, t in pairs])})


def panel(
    rows: Iterable[tuple[str, int, Mapping[str, float | None]]], names: Sequence[str] = NAMES
) -> pa.Table:
    """A panel of (customer, as_of, values); a feature not named is missing."""
    found = list(rows)
    table = requests([(c, t) for c, t, _ in found])
    for name in names:
        table = table.append_column(
            name, pa.array([v.get(name) for _, _, v in found], pa.float64())
        )
    return table


def random_panel(seed: int, customers: Sequence[str], moments: Sequence[int]) -> pa.Table:
    """Every customer at about two thirds of the moments, one value in five missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in customers:
        for moment in moments:
            if rng.random() < 0.66:
                drawn = {n: float(rng.normal()) if rng.random() < 0.8 else None for n in NAMES}
                rows.append((customer, moment, drawn))
    return panel(rows)


def as_of_join(kept: pa.Table, asked: pa.Table, names: Sequence[str]) -> list[dict[str, float]]:
    """For each request the latest row of the customer, not later and not older than the TTL."""
    rows = kept.to_pylist()
    out = []
    for request in asked.to_pylist():
        t = micros(request["as_of"])
        mine = [r for r in rows if r["customer_id"] == request["customer_id"]]
        answer = {}
        for name in names:
            ttl = AGES[THEME[name]] * DAY
            known = [r for r in mine if micros(r["as_of"]) <= t <= micros(r["as_of"]) + ttl]
            best = max(known, key=lambda r: micros(r["as_of"]), default=None)
            answer[name] = None if best is None else best[name]
        out.append(answer)
    return out


def micros(moment: datetime) -> int:
    """The instant of a cell in micros."""
    return to_micros(moment)
