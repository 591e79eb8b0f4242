"""Events of a bank's day, pushed in any order, and the sorted run that the push path is held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import parse_instant
from domain.plan import StudyPlan, TargetPlan
from events.dataset import Dataset
from events.ingest import ingest
from events.readers.base import RawTable, Source
from events.schema import INSTANT, TABLES
from features.arrivals import Arrivals
from features.catalogue import CATALOGUE, Catalogue
from features.online_config import SQLITE, OnlineConfig
from features.panel import compute, known_customers
from features.push import PushPath
from features.store import FeatureRoom

START = parse_instant("2025-01-01")
NOW = parse_instant("2026-06-01")
PLAN = StudyPlan(
    split="customer", split_key="push:1", currency="EUR",
    targets={"value": TargetPlan(horizon_days=30)},
)  # fmt: skip
Tables = Mapping[str, pa.Table]


def transactions(seed: int, size: int, customers: int) -> pa.Table:
    """Bookings over 400 days: one in ten known late, one in twenty corrected, many at once."""
    rng = np.random.default_rng(seed)
    base = size - size // 20
    happened = START + rng.integers(0, 400 * 24, base) * (DAY // 24)
    known = happened + np.where(rng.random(base) < 0.1, rng.integers(1, 20, base) * DAY, 0)
    again = rng.permutation(base)[: size - base]
    event = np.concatenate([np.arange(base), again])
    who = rng.integers(0, customers, base)
    known = np.concatenate([known, known[again] + rng.integers(1, 30, again.size) * DAY])
    kinds = np.array(["purchase", "purchase", "purchase", "refund", "inflow", "outflow", "fee"])
    channels = np.array(["online", "branch", "atm"])
    return pa.table(
        {
            "customer_id": [f"c{i:05d}" for i in who[event]],
            "happened_at": pa.array(happened[event]).cast(INSTANT),
            "known_at": pa.array(known).cast(INSTANT),
            "event_id": [f"e{i}" for i in event],
            "kind": kinds[rng.integers(0, len(kinds), size)],
            "amount": np.round(rng.lognormal(3, 1.5, size), 2),
            "channel": _some(rng, channels[rng.integers(0, 3, size)]),
            "category": _some(rng, np.array([f"k{i}" for i in rng.integers(0, 9, size)])),
            "items": rng.integers(1, 9, size).astype(float),
            "balance": _some(rng, rng.normal(1000, 500, size)),
        }
    ).cast(TABLES["transactions"].schema)


def statements(seed: int, customers: int) -> pa.Table:
    """A statement a month of every customer, one in five past due."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(customers), 13)
    moment = START + np.tile(np.arange(13), customers) * 30 * DAY
    due = rng.random(len(who)) < 0.2
    return pa.table(
        {
            "customer_id": [f"c{i:05d}" for i in who],
            "happened_at": pa.array(moment).cast(INSTANT),
            "known_at": pa.array(moment).cast(INSTANT),
            "account_id": [f"a{i}" for i in who],
            "status": np.where(due, "past_due", "revolving"),
            "days_past_due": np.where(due, rng.integers(1, 90, len(who)), 0).astype(float),
            "bill": np.round(rng.lognormal(5, 1, len(who)), 2),
            "paid": np.round(rng.lognormal(4, 1, len(who)), 2),
            "limit": np.full(len(who), 5000.0),
            "linked_days_past_due": pa.nulls(len(who)),
        }
    ).cast(TABLES["statements"].schema)


def _some(rng: np.random.Generator, values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=rng.random(len(values)) < 0.2)


def take(tables: Tables, out: Path) -> Dataset:
    """The tables taken in as a data set, by the rules of ingest."""
    raws = [RawTable(name, name, rows) for name, rows in tables.items()]
    source = Source("push", "events of tests", lambda _: iter(raws), lambda _: PLAN)
    out.parent.mkdir(parents=True, exist_ok=True)
    return ingest(source, out.parent, out, now=NOW)[0]


def seen(rows: pa.Table) -> np.ndarray:
    """When (micros) each row was known and had happened."""
    clocks = [rows[c].cast(pa.int64()) for c in ("happened_at", "known_at")]
    return np.asarray(pc.max_element_wise(*clocks).to_numpy())


@dataclass(frozen=True)
class World:
    """A push path over a data set that knows what was known up to `until`."""

    push: PushPath
    root: Path
    whole: Tables
    until: int

    @property
    def late(self) -> dict[str, pa.Table]:
        """The rows that the data set does not know."""
        return {n: t.filter(pa.array(seen(t) > self.until)) for n, t in self.whole.items()}

    def batches(self, seed: int, count: int) -> Iterator[tuple[str, pa.Table]]:
        """The late rows in any order, one in ten of them twice, in so many batches a table."""
        rng = np.random.default_rng(seed)
        for name, rows in self.late.items():
            places = np.arange(rows.num_rows)
            twice = rng.permutation(np.concatenate([places, places[rng.random(len(places)) < 0.1]]))
            for part in np.array_split(twice, count):
                yield name, rows.take(pa.array(part))

    def expected(self, customers: list[str], as_of: np.ndarray) -> pa.Table:
        """The features of one sorted run over all events, at these instants."""
        ordered = {n: t.sort_by([("known_at", "ascending")]) for n, t in self.whole.items()}
        dataset = take(ordered, self.root / "reference" / "dataset")
        asked = {"customer_id": customers, "as_of": pa.array(as_of).cast(INSTANT)}
        return compute(dataset, pa.table(asked), self.push.room.catalogue)


def world(
    root: Path,
    whole: Tables,
    days: int,
    catalogue: Catalogue = CATALOGUE,
    online: OnlineConfig = SQLITE,
    project: str = "push",
) -> World:
    """The world of a bank on its `days`th day: features brought online, the rest still to come."""
    until = START + days * DAY
    early = {n: t.filter(pa.array(seen(t) <= until)) for n, t in whole.items()}
    dataset = take(early, root / "bank" / "dataset")
    room = FeatureRoom(root / "bank" / "features", catalogue, online, project=project)
    room.write(compute(dataset, known_customers(dataset, [dataset.data_until]), catalogue))
    push = PushPath(room, dataset.root, Arrivals(root / "bank" / "arrivals.db"))
    push.materialise()
    return World(push, root, whole, until)


def differences(made: World) -> int:
    """How many values online are not, bit for bit, those of the sorted run; all customers."""
    names = made.push.room.catalogue.names
    ids = sorted({c for t in made.whole.values() for c in t["customer_id"].unique().to_pylist()})
    online = made.push.room.online(ids, names)
    wanted = made.expected(ids, online.as_of)
    offline = np.column_stack([wanted[n].to_numpy(zero_copy_only=False) for n in names])
    same = online.values.view(np.int64) == offline.view(np.int64)
    return int((~(same | (np.isnan(online.values) & np.isnan(offline)))).sum())
