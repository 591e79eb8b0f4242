"""The packed online store against Feast's own on the same server: bring online, read 1, read 100.

    python -m experiments.bench.online [--quick]

Enters: nothing; Redis and PostgreSQL are started on private ports in folders of their own. Leaves:
a table, and as the last line one JSON object with the ratios by store (Feast's seconds to ours) and
whether they reach the goals. Both take turns (A B A B) in one process; `cpu` counts this process,
`wall` what a caller waits. Reads through Feast's `get_online_features` on our store stand beside.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
from feast import FeatureStore
from feast.repo_config import RepoConfig

from domain.asof import from_micros, parse_instant
from events.schema import INSTANT
from features import spending
from features.catalogue import Catalogue
from features.offline import one_turn
from features.online_config import OnlineConfig
from features.repo import build
from features.store import FeatureRoom
from tests.servers import postgres_server, redis_server

CATALOGUE = Catalogue((spending.recency, spending.frequency, spending.monetary, spending.trend))
AS_OF = parse_instant("2026-11-01")
GOALS = {"bring": 10.0, "read_1": 5.0, "read_100": 20.0}
Turn = Callable[[], object]


@dataclass(frozen=True)
class Sides:
    """Our room and Feast's own store over the same panel on the same server."""

    room: FeatureRoom
    stock: FeatureStore


@click.command()
@click.option("--customers", default=20_000, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="turns of bringing features online")
@click.option("--reads", default=60, show_default=True, help="turns of reading")
@click.option("--quick", is_flag=True, help="2,000 customers, 2 rounds")
def main(customers: int, rounds: int, reads: int, quick: bool) -> None:
    """Measure the online store on every kind of server."""
    customers, rounds = (2_000, 2) if quick else (customers, rounds)
    told: dict[str, Any] = {"customers": customers, "features": len(CATALOGUE.names)}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = {
            "sqlite": "sqlite",
            "redis": stack.enter_context(redis_server()),
            "postgresql": stack.enter_context(postgres_server()),
        }
        for kind, address in addresses.items():
            sides = _sides(folder / kind, OnlineConfig(address), _panel(customers))
            told[kind] = _measure(sides, customers, rounds, reads)
            sides.room.served.close()
    kinds = list(addresses)
    told["reached"] = all(
        told[kind][what]["wall"] >= goal for kind in kinds for what, goal in GOALS.items()
    )
    print(json.dumps(told))


def _panel(customers: int) -> pa.Table:
    rng = np.random.default_rng(7)
    columns: dict[str, Any] = {
        "customer_id": pa.array([f"C{i:07d}" for i in range(customers)]),
        "as_of": pa.array(np.full(customers, AS_OF)).cast(INSTANT),
    }
    for name in CATALOGUE.names:
        values = rng.lognormal(3, 2, customers)
        columns[name] = pa.array(np.where(rng.random(customers) < 0.1, np.nan, values))
    return pa.table(columns)


def _sides(folder: Path, online: OnlineConfig, panel: pa.Table) -> Sides:
    room = FeatureRoom(folder, CATALOGUE, online, project="bench")
    room.write(panel)
    config = RepoConfig(
        project="stock",
        provider="local",
        registry={
            "registry_type": "file",
            "path": str(folder / "stock_registry.db"),
            "cache_ttl_seconds": 0,
        },
        offline_store={"type": "duckdb"},
        online_store=_stock(online, folder),
        materialization={"pull_latest_features": True, "online_write_batch_size": 2_000},
        entity_key_serialization_version=3,
    )
    stock = FeatureStore(config=config)
    stock.apply(build(CATALOGUE, room.views))
    return Sides(room, stock)


def _stock(online: OnlineConfig, folder: Path) -> dict[str, Any]:
    """Feast's own store of a kind, at its defaults."""
    if online.kind == "redis":
        return {"type": "redis", "connection_string": online.address.partition("://")[2]}
    if online.kind == "postgresql":
        said = online.parts
        database = said.pop("dbname")
        return {"type": "postgres", "sslmode": "disable", "database": database, **said}
    return {"type": "sqlite", "path": str(folder / "stock.db")}


def _measure(sides: Sides, customers: int, rounds: int, reads: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    turns: list[Turn] = [lambda: sides.room.materialise(AS_OF), lambda: _feast_brings(sides.stock)]
    told["bring"] = _compare("bring", sides.room.store, turns, rounds)
    names = CATALOGUE.names
    for size in (1, 100):
        asked = [f"C{i:07d}" for i in range(17, 17 + size * 3, 3) if i < customers]
        read: list[Turn] = [
            lambda asked=asked: sides.room.online(asked, names),  # type: ignore[misc]
            lambda asked=asked: _feast_reads(sides.stock, asked),  # type: ignore[misc]
            lambda asked=asked: _feast_reads(sides.room.feast, asked),  # type: ignore[misc]
        ]
        told[f"read_{size}"] = _compare(f"read {size}", sides.room.store, read, reads)
    return told


def _feast_brings(store: FeatureStore) -> None:
    """Feast's own engine, view by view, as its `materialize` runs it."""
    with one_turn():
        for view in store.list_feature_views():
            store.provider.materialize_single_feature_view(
                config=store.config,
                feature_view=view,
                start_date=from_micros(AS_OF) - timedelta(days=1),
                end_date=from_micros(AS_OF),
                registry=store.registry,
                project=store.project,
                tqdm_builder=lambda _: None,
            )


def _feast_reads(store: FeatureStore, customers: list[str]) -> object:
    refs = [f"{f.theme}:{f.name}" for f in CATALOGUE.features]
    return store.get_online_features(refs, [{"customer_id": c} for c in customers]).to_dict()


def _compare(what: str, kind: str, turns: Sequence[Turn], rounds: int) -> dict[str, float]:
    """The medians of our turns and of Feast's, which alternate, and the ratio of them."""
    for turn in turns if rounds > 3 else []:
        turn()
    wall: list[list[float]] = [[] for _ in turns]
    cpu: list[list[float]] = [[] for _ in turns]
    for _ in range(rounds):
        for i, turn in enumerate(turns):
            began, used = time.perf_counter(), time.process_time()
            turn()
            wall[i].append(time.perf_counter() - began)
            cpu[i].append(time.process_time() - used)
    walls, cpus = [[statistics.median(t) for t in side] for side in (wall, cpu)]
    through = f", through Feast {walls[2] * 1e3:.2f}" if len(walls) > 2 else ""
    print(
        f"{kind:<11}{what:<9} ours {walls[0] * 1e3:9.2f} ms, Feast's {walls[1] * 1e3:10.2f} ms"
        f"{through}; wall {walls[1] / walls[0]:.1f}, CPU {cpus[1] / cpus[0]:.1f} times"
    )
    told = {"wall": walls[1] / walls[0], "cpu": cpus[1] / cpus[0], "ours_ms": walls[0] * 1e3}
    told["feast_ms"] = walls[1] * 1e3
    if len(walls) > 2:
        told["through_feast_ms"] = walls[2] * 1e3
    return {k: round(v, 3) for k, v in told.items()}


if __name__ == "__main__":
    main()
