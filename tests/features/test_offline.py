"""Feast's offline side: what it may not do, and registries in a file and in a team's database."""

from __future__ import annotations

import ibis
import psycopg
import pyarrow as pa
import pytest

from domain.errors import TierlineError
from features.online_config import FILE, RegistryConfig
from features.store import FeatureRoom
from features.views import themes
from tests.features.feast_world import NAMES, T0, catalogue, panel, requests

SIGNS = (b"dill", b"cloudpickle", b"pickle", b"\x80\x04\x95", b"\x80\x05\x95", b"def ", b"lambda")
"""What serialised Python code and objects look like."""


@pytest.fixture(params=["file", "postgresql"])
def registry(request) -> RegistryConfig:
    if request.param == "file":
        return FILE
    return RegistryConfig(request.getfixturevalue("postgres_address"))


@pytest.fixture
def room(tmp_path, registry, project) -> FeatureRoom:
    made = FeatureRoom(tmp_path / "features", catalogue(), registry=registry, project=project)
    made.write(panel([("C000", T0, {"alpha": 1.0, "gamma": 2.0})]))
    return made


@pytest.fixture
def plain(tmp_path, project) -> FeatureRoom:
    """A room whose registry is a file, for what has nothing to do with registries."""
    made = FeatureRoom(tmp_path / "features", catalogue(), project=project)
    made.write(panel([("C000", T0, {"alpha": 1.0, "gamma": 2.0})]))
    return made


def one(room: FeatureRoom, at: int, name: str = "alpha", who: str = "C000") -> float | None:
    return room.historical(requests([(who, at)]), [name])[name][0].as_py()


def held(room: FeatureRoom, address: str | None) -> dict[str, bytes]:
    """Everything that a registry holds, by its place."""
    if address is None:
        return {"registry.db": (room.views / "registry.db").read_bytes()}
    found = {}
    with psycopg.connect(address) as db:
        names = db.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (table,) in names:
            rows = db.execute(f'SELECT * FROM "{table}"').fetchall()
            found[table] = b"\n".join(
                bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode()
                for row in rows for v in row
            )  # fmt: skip
    return found


def test_a_registry_answers_offline_and_online_and_is_the_same_in_a_file_and_in_sql(room):
    assert one(room, T0) == 1.0
    room.materialise(T0)
    answer = room.feast.get_online_features(["quick:alpha"], [{"customer_id": "C000"}]).to_dict()
    assert answer["alpha"] == [1.0]
    views = {v.name: v for v in room.feast.list_feature_views()}
    assert sorted(views) == sorted(themes(catalogue()))
    assert {f.name: f.tags["zh"] for f in views["quick"].features}["alpha"] == "特征alpha"


def test_the_registry_holds_no_code(room, registry):
    address = registry.address if registry.is_sql else None
    found = held(room, address)
    whole = b"".join(found.values())
    assert b"alpha" in whole  # or we looked at the wrong place
    assert [sign for sign in SIGNS if sign in whole] == []
    for table in ("on_demand_feature_views", "stream_feature_views", "saved_datasets"):
        assert found.get(table, b"") == b""
    assert room.feast.list_on_demand_feature_views() == []
    assert room.feast.list_stream_feature_views() == []
    for view in room.feast.list_feature_views():
        assert getattr(view, "feature_transformation", None) is None
        assert getattr(view, "udf", None) is None


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 1], [0, 1, 1, 2]])
def test_lost_or_doubled_rows_stop_the_run(plain, rows):
    """The join itself never does this; a store that does must not reach training."""

    class Store:
        def get_historical_features(self, **_):
            return self

        def to_arrow(self):
            return pa.table({"request_row": rows, "alpha": [0.5] * len(rows)})

    class Broken(FeatureRoom):
        feast = Store()

    with pytest.raises(TierlineError, match=f"3 rows went .* {len(rows)} came out"):
        Broken(plain.root, catalogue()).historical(requests([("C000", T0)] * 3), ["alpha"])


def test_a_read_leaves_nothing_behind_in_duckdb(plain):
    def views() -> int:
        count = "SELECT count(*) FROM duckdb_views() WHERE NOT internal"
        return ibis.get_backend().con.execute(count).fetchone()[0]

    before = views()
    plain.historical(requests([("C000", T0)]), NAMES)
    assert views() == before


def test_a_changed_catalogue_replaces_the_registered_one(room, registry):
    room.write(panel([("C000", T0, {"alpha": 1.0})]))
    wider = FeatureRoom(
        room.root, catalogue(extra=["epsilon"]), registry=registry, project=room.project
    )
    wider.write(panel([("C000", T0, {"epsilon": 4.0})], wider.catalogue.names))
    assert one(wider, T0, "epsilon") == 4.0
    room.write(panel([("C000", T0, {"alpha": 1.0})]))
    fields = [f.name for f in room.feast.get_feature_view("quick").features]
    assert fields == ["alpha", "beta"]


def test_a_theme_that_is_gone_leaves_the_registry(room, registry):
    from features.catalogue import Catalogue
    from features.declare import Take, Theme, Words

    only = Theme("quick", 10)
    only.single("alpha", Take("recency", "transactions"), Words("days", "特征", "Feature"))
    narrow = FeatureRoom(room.root, Catalogue((only,)), registry=registry, project=room.project)
    narrow.write(panel([("C000", T0, {"alpha": 3.0})], ["alpha"]))
    assert [v.name for v in narrow.feast.list_feature_views()] == ["quick"]
    assert one(narrow, T0) == 3.0


def test_sources_that_share_a_registry_do_not_see_each_other(room, registry, tmp_path, project):
    other = FeatureRoom(
        tmp_path / "other", catalogue(extra=["epsilon"]), registry=registry, project=f"{project}_o"
    )
    other.write(panel([("C000", T0, {"epsilon": 9.0})], other.catalogue.names))
    assert [f.name for f in room.feast.get_feature_view("quick").features] == ["alpha", "beta"]
    assert one(room, T0) == 1.0
    assert one(other, T0, "epsilon") == 9.0
