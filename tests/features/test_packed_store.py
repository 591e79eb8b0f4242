"""The packed store behind Feast: equal to Feast's own stores on the same data, on real servers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.repo_config import RepoConfig
from feast.types import Float64, Int64, String

from domain.asof import from_micros
from domain.errors import InputError
from features.online_config import OnlineConfig
from features.packed_store import layout_of
from features.repo import build
from features.store import FeatureRoom
from features.views import ENTITY
from tests.features.feast_world import AGES, DAY, T0, catalogue, panel, random_panel

CUSTOMERS = [*(f"C{i:03d}" for i in range(40)), "客户 7", "a b", "nobody"]
REFS = ["quick:alpha", "quick:beta", "steady:gamma", "steady:years"]


def stock(online: OnlineConfig, root) -> dict:
    """Feast's own store on the same server."""
    if online.kind == "redis":
        return {"type": "redis", "connection_string": online.address.partition("://")[2]}
    if online.kind == "postgresql":
        said = online.parts
        return {"type": "postgres", "sslmode": "disable", "database": said.pop("dbname"), **said}
    return {"type": "sqlite", "path": str(root / "stock.db")}


def feast_bring(store: FeatureStore, as_of: int) -> None:
    """Materialise through Feast's own engine, view by view."""
    from features.offline import one_turn

    end = from_micros(as_of)
    with one_turn():
        for view in store.list_feature_views():
            store.provider.materialize_single_feature_view(
                config=store.config, feature_view=view, registry=store.registry,
                start_date=end - timedelta(days=AGES[view.name]), end_date=end,
                project=store.project, tqdm_builder=lambda _: None,
            )  # fmt: skip


def answer(store: FeatureStore) -> dict:
    rows = [{"customer_id": c} for c in CUSTOMERS]
    return store.get_online_features(REFS, rows).to_dict()


@pytest.fixture
def room(tmp_path, online, project) -> Iterator[FeatureRoom]:
    made = FeatureRoom(tmp_path / "features", catalogue(), online, project=project)
    made.write(random_panel(3, CUSTOMERS[:-1], [T0 - 30 * DAY, T0 - 10 * DAY, T0]))
    yield made
    made.served.close()


@pytest.fixture
def theirs(room, project) -> Iterator[FeatureStore]:
    """Feast with its own store, over the same panel."""
    registry = {"registry_type": "file", "path": str(room.root / "stock_registry.db")}
    config = RepoConfig(
        project=f"{project}_stock", provider="local", registry=registry,
        offline_store={"type": "duckdb"}, online_store=stock(room._online, room.root),
        materialization={"pull_latest_features": True}, entity_key_serialization_version=3,
    )  # fmt: skip
    made = FeatureStore(config=config)
    made.apply(build(room.catalogue, room.views))
    yield made
    connection = getattr(made.provider.online_store, "_conn", None)
    if connection is not None:
        connection.close()


def test_the_packed_store_answers_what_feasts_own_store_answers(room, theirs):
    room.materialise(T0)
    feast_bring(theirs, T0)
    ours, stocks = answer(room.feast), answer(theirs)
    assert ours == stocks
    known = [v for n, column in ours.items() if n != "customer_id" for v in column]
    assert any(v is None for v in known)
    assert sum(v is not None for v in known) > 100


def test_our_bulk_read_is_what_feast_reads_through_a_feature_service(room):
    room.materialise(T0)
    service = room.feast.get_feature_service("churn")
    found = room.feast.get_online_features(service, [{"customer_id": c} for c in CUSTOMERS])
    ours = room.online(CUSTOMERS, ["alpha", "gamma"]).values
    told = found.to_dict()
    theirs = np.array([told["alpha"], told["gamma"]], dtype=float).T
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_feasts_engine_writes_the_very_bytes_that_our_bulk_write_does(room, project):
    room.materialise(T0)
    rows = room._online.open(room.root, project)
    bulk = rows.read(CUSTOMERS, ["quick", "steady"])
    rows.keep_only({})
    assert rows.read(CUSTOMERS, ["quick", "steady"]) == {}
    feast_bring(room.feast, T0)
    assert rows.read(CUSTOMERS, ["quick", "steady"]) == bulk
    assert len(bulk) > 30
    rows.close()


def test_a_row_pushed_through_feast_is_read_by_us_to_the_microsecond(room):
    pushed = pd.DataFrame(
        {
            "customer_id": ["C001", "new"], "as_of": [from_micros(T0 + 7)] * 2,
            "computed_at": [from_micros(T0 + 7)] * 2, "alpha": [1.25, None], "beta": [-0.0, 3.0],
        }
    )  # fmt: skip
    room.feast.write_to_online_store("quick", pushed)
    found = room.online(["C001", "new"], ["alpha", "beta"])
    assert found.as_of.tolist() == [T0 + 7, T0 + 7]
    assert str(found.values.tolist()) == "[[1.25, -0.0], [nan, 3.0]]"


def test_feast_tells_the_instant_of_a_row_exactly(room):
    room.write(panel([("A", T0, {"alpha": 1.0})]))
    room.materialise(T0)
    answer = room.feast.get_online_features(["quick:alpha"], [{"customer_id": "A"}]).proto
    assert answer.results[-1].event_timestamps[0].ToMicroseconds() == T0


def test_tearing_down_drops_every_row_of_the_project_and_no_other(room, project):
    room.materialise(T0)
    other = FeatureRoom(room.root, catalogue(), room._online, project=f"{project}_o")
    other.materialise(T0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        room.feast.provider.online_store.teardown(room.feast.config, [], [])
    assert (room.online(CUSTOMERS, ["alpha"]).as_of == 0).all()
    assert (other.online(CUSTOMERS, ["alpha"]).as_of > 0).any()
    other.served.close()


def test_a_view_that_packed_rows_cannot_hold_is_refused():
    customer = Entity(name=ENTITY, join_keys=["customer_id"], value_type=ValueType.STRING)
    fields = [Field(name="customer_id", dtype=String), Field(name="a", dtype=Float64)]
    source = FileSource(name="s", path="s.parquet", timestamp_field="as_of")
    whole = Field(name="count", dtype=Int64)
    view = FeatureView(name="v", entities=[customer], schema=[*fields, whole], source=source)
    with pytest.raises(InputError, match="count"):
        layout_of(view)
