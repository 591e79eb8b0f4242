"""Random events with both clocks, and the slow obvious engine that the fast one is held against."""

from __future__ import annotations

import calendar
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import NEVER, to_micros
from events.dataset import clean_schema
from features.declare import Take
from features.offers import OFFERS, Condition, Key, Value
from features.panel import compute_tables
from features.shuffle import Events, sealed

START = to_micros(datetime(2020, 1, 1, tzinfo=UTC))
KINDS = ("purchase", "refund", "inflow", "outflow", "fee")
Row = dict[str, Any]


def at(days: float) -> int:
    """The instant so many days after the start of these tests."""
    return START + round(days * DAY)


def row(customer: str, day: float, *, known: float | None = None, **fields: Any) -> Row:
    """An event that happened on a day and was known on another one (the same, by default)."""
    superseded = fields.pop("superseded", None)
    return {
        "customer_id": customer,
        "happened_at": at(day),
        "known_at": at(day if known is None else known),
        "superseded_at": None if superseded is None else at(superseded),
        **fields,
    }


def table_of(name: str, rows: Sequence[Row]) -> pa.Table:
    """The rows as a clean table; a column that they do not name is null."""
    columns = {}
    for field in clean_schema(name):
        found = [r.get(field.name) for r in rows]
        if pa.types.is_timestamp(field.type):
            columns[field.name] = pa.array(found, pa.int64()).cast(field.type)
        else:
            columns[field.name] = pa.array(found, field.type)
    return pa.table(columns)


def random_transactions(rng: np.random.Generator, size: int, customers: int = 6) -> list[Row]:
    """Events with ties in time, late ones, corrections, missing values and great amounts."""
    rows = []
    for _ in range(size):
        day = float(rng.integers(0, 420)) + float(rng.choice([0, 0, 0.25, 0.5]))
        late = float(rng.integers(0, 30)) if rng.random() < 0.15 else 0.0
        fixed = day + late + float(rng.integers(1, 40)) if rng.random() < 0.1 else None
        great = float(rng.choice([1, 1, 1, 1e9]))
        rows.append(
            row(
                f"c{rng.integers(customers)}",
                day,
                known=day + late,
                superseded=fixed,
                kind=str(rng.choice(KINDS)),
                amount=round(float(rng.lognormal(3, 1)), 2) * great,
                balance=float(rng.normal(100, 50)) if rng.random() < 0.7 else None,
                channel=str(rng.choice(["online", "shop", "phone"]))
                if rng.random() < 0.8
                else None,
                category=f"k{rng.integers(5)}" if rng.random() < 0.8 else None,
            )
        )
    return rows


def requests(pairs: Sequence[tuple[str, int]]) -> pa.Table:
    """(customer, instant) pairs as the engine takes them."""
    ids = pa.array([c for c, _ in pairs], pa.string())
    moments = pa.array([t for _, t in pairs], pa.int64())
    return pa.table({"customer_id": ids, "as_of": moments.cast(pa.timestamp("us", "UTC"))})


def computed(tables: dict[str, list[Row]], pairs: Sequence[tuple[str, int]], catalogue) -> pa.Table:
    """The panel of rows that stand in memory."""
    made = {name: table_of(name, rows) for name, rows in tables.items()}
    return pa.concat_tables(compute_tables(made, requests(pairs), catalogue))


def slow(take: Take, rows: Sequence[Row], customer: str, as_of: int) -> float:
    """One feature of one customer at one instant, by the book; NaN = missing."""
    offer = OFFERS[take.table]
    counts = [
        r for r in rows
        if r["customer_id"] == customer
        and r["happened_at"] <= as_of
        and r["known_at"] <= as_of
        and as_of < (NEVER if r["superseded_at"] is None else r["superseded_at"])
    ]  # fmt: skip
    end = as_of - take.ago * DAY
    begin = end - take.days * DAY if take.days else None
    if not counts or min(r["happened_at"] for r in counts) > end:
        return math.nan
    inside = [
        r for r in counts
        if r["happened_at"] <= end and (begin is None or begin < r["happened_at"])
        and all(_meets(offer.conditions[c], r) for c in take.where)
    ]  # fmt: skip
    inside.sort(key=lambda r: r["happened_at"])
    found = _answer(take, offer, inside, as_of)
    return found * take.scale


def _answer(take: Take, offer: Any, inside: list[Row], as_of: int) -> float:
    days = [r["happened_at"] / DAY for r in inside]
    now = as_of / DAY
    if take.op in ("count", "recency", "tenure") or take.op.startswith("gap_"):
        return _of_days(take.op, days, now)
    if take.op == "decay" and take.value is None:
        return sum(2.0 ** -((now - take.ago - d) / take.half_life) for d in days)
    if take.op == "share":
        met = [all(_meets(offer.conditions[c], r) for c in take.share) for r in inside]
        return sum(met) / len(met) if met else math.nan
    if take.op in ("distinct", "entropy"):
        kinds = Counter(
            k for r in inside for k in [_kind(offer.keys[take.value], r)] if k is not None
        )
        if take.op == "distinct":
            return float(len(kinds))
        all_ = sum(kinds.values())
        return -sum(n / all_ * math.log(n / all_) for n in kinds.values()) if all_ else math.nan
    pairs = [
        (d, v) for d, r in zip(days, inside, strict=True)
        for v in [_number(offer.values[take.value], r)] if v is not None
    ]  # fmt: skip
    if take.op == "decay":
        return sum(v * 2.0 ** -((now - take.ago - d) / take.half_life) for d, v in pairs)
    return _of_numbers(take.op, pairs, now)


def _of_days(op: str, days: list[float], now: float) -> float:
    gaps = np.diff(days)
    if op == "count":
        return float(len(days))
    if op in ("recency", "tenure"):
        return now - (max(days) if op == "recency" else min(days)) if days else math.nan
    if len(gaps) < (2 if op in ("gap_std", "gap_slope") else 1):
        return math.nan
    if op == "gap_slope":
        return float(np.polyfit(range(len(gaps)), gaps, 1)[0])
    of_gaps = {"gap_mean": np.mean, "gap_max": np.max, "gap_std": np.std, "gap_median": np.median}
    return float(of_gaps[op](gaps))


def _of_numbers(op: str, pairs: list[tuple[float, float]], now: float) -> float:
    values = np.array([v for _, v in pairs])
    if op == "sum":
        return float(values.sum())
    following = list(itertools.pairwise(values.tolist()))
    if op == "rises":
        return float(len([1 for a, b in following if a < b]))
    if op == "falls":
        return float(len([1 for a, b in following if a > b]))
    if op == "cures":
        return float(len([1 for a, b in following if a > 0 and not b > 0]))
    if not len(values):
        return math.nan
    if op == "age":
        return now - float(values[-1])
    if op == "slope":
        x = np.array([d for d, _ in pairs])
        return float(np.polyfit(x - x[0], values, 1)[0]) if x[-1] - x[0] >= 1 else math.nan
    plain = {
        "mean": np.mean, "std": np.std, "min": np.min, "max": np.max, "median": np.median,
        "last": lambda v: v[-1],
    }  # fmt: skip
    return float(plain[op](values))


def _meets(condition: Condition, r: Row) -> bool:
    found = r.get(condition.column)
    if found is None:
        return False
    if condition.rule == "one_of":
        return found in condition.allowed
    if condition.rule == "at_least":
        return found >= condition.minimum
    if condition.rule == "weekend":
        return datetime.fromtimestamp(found / 1e6, tz=UTC).weekday() >= 5
    if condition.rule == "month_end":
        day = datetime.fromtimestamp(found / 1e6, tz=UTC)
        return day.day > calendar.monthrange(day.year, day.month)[1] - 3
    return True


def _kind(key: Key, r: Row) -> Any:
    found = r.get(key.column)
    if found is None or key.rule == "category":
        return found
    moment = datetime.fromtimestamp(found / 1e6, tz=UTC)
    if key.rule == "weekday":
        return moment.weekday()
    return moment.date() if key.rule == "day" else (moment.year, moment.month)


def _number(value: Value, r: Row) -> float | None:
    found = [r.get(c) for c in value.columns]
    if found[0] is None:
        return None
    if value.rule == "net":
        return -found[0] if found[1] == "refund" else found[0]
    if value.rule == "ratio":
        return found[0] / found[1] if (found[1] or 0) > 0 else None
    return found[0] / DAY if value.columns[0].endswith(("_at", "_since")) else float(found[0])


def events_of(happened, *, known=None, superseded=None, values=None, bits=None, keys=None):
    """Events as the kernel takes them; regular ones by default."""
    n = len(happened)
    happened = np.asarray(happened, np.int64)
    made = Events(
        happened,
        happened.copy() if known is None else np.asarray(known, np.int64),
        np.full(n, NEVER) if superseded is None else np.asarray(superseded, np.int64),
        np.zeros((1, n)) if values is None else np.asarray(values, float).reshape(1, n),
        np.zeros(n, np.int64) if bits is None else np.asarray(bits, np.int64),
        np.zeros((1, n), np.int32) if keys is None else np.asarray(keys, np.int32).reshape(1, n),
    )
    return sealed(made)
