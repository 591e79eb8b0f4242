"""The Feast repository: generated from the catalogue, without code, each object exactly once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from feast import FeatureService, FeatureView
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.types import Float64

from domain.errors import InputError
from domain.tiers import TARGETS
from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Take, Theme, Words
from features.given import own_catalogue
from features.repo import build
from features.store import FeatureRoom
from features.views import themes
from tests.events.given_world import folder
from tests.features.feast_world import AGES, T0, catalogue, panel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> list:
    return build(CATALOGUE, tmp_path_factory.mktemp("views"))


def views(objects) -> dict[str, FeatureView]:
    return {o.name: o for o in objects if isinstance(o, FeatureView)}


def services(objects) -> dict[str, FeatureService]:
    return {o.name: o for o in objects if isinstance(o, FeatureService)}


def listed(service: FeatureService) -> list[str]:
    return [f.name for p in service.feature_view_projections for f in p.features]


def registry(file: Path) -> Registry:
    found = Registry()
    found.ParseFromString(file.read_bytes())
    return found


def small(name: str) -> Catalogue:
    theme = Theme("quick", 10)
    theme.single(name, Take("recency", "transactions"), Words("days", "特征", "Feature"))
    return Catalogue((theme,))


def test_every_feature_is_one_float64_field_of_its_themes_view(objects):
    fields = {(view.name, f.name): f for view in views(objects).values() for f in view.features}
    assert list(fields) == [(t, f.name) for t, fs in themes(CATALOGUE).items() for f in fs]
    for feature in CATALOGUE.features:
        field = fields[feature.theme, feature.name]
        assert field.dtype == Float64
        assert field.description == feature.en
        assert field.tags["zh"] == feature.zh
        assert field.tags["unit"] == feature.unit
        assert field.tags["personal"] == feature.personal.value
        directions = {
            t: int(field.tags[f"better_{t}"]) for t in TARGETS if f"better_{t}" in field.tags
        }
        assert directions == dict(feature.better)


def test_every_view_has_one_key_a_time_to_live_and_two_clocks(objects):
    for name, view in views(objects).items():
        assert view.join_keys == ["customer_id"]
        ages = [f.max_age_days for f in CATALOGUE.features if f.theme == name]
        assert view.ttl == timedelta(days=max(ages))
        assert view.batch_source.timestamp_field == "as_of"
        assert view.batch_source.created_timestamp_column == "computed_at"
    small_ages = {n: v.ttl.days for n, v in views(build(catalogue(), Path("views"))).items()}
    assert small_ages == AGES


@pytest.mark.parametrize("target", TARGETS)
def test_a_service_lists_exactly_the_features_its_target_may_use(objects, target):
    names = listed(services(objects)[target])
    assert sorted(names) == sorted(CATALOGUE.for_target(target))
    assert len(names) == len(set(names))


def test_no_service_lists_a_protected_feature(objects):
    protected = {f.name for f in CATALOGUE.features if f.protected}
    assert protected
    for service in services(objects).values():
        assert not protected & set(listed(service))


def test_a_target_that_may_use_nothing_has_no_service():
    theme = Theme("steady", 400)
    theme.single("years", Take("age", "customers.birth_on"), Words("years", "年龄", "Age"))
    assert services(build(Catalogue((theme,)), Path("views"))) == {}


@pytest.mark.parametrize("name", ["gap_y", "as_of", "event_timestamp"])
def test_a_name_that_feast_would_lose_is_refused(name):
    with pytest.raises(InputError, match=name):
        build(small(name), Path("views"))


def has_no_code(found: Registry) -> None:
    for kind in ("on_demand_feature_views", "stream_feature_views", "saved_datasets"):
        assert not getattr(found, kind), kind
    for view in found.feature_views:
        assert not view.spec.HasField("feature_transformation")
        assert not view.spec.HasField("stream_source")
    raw = found.SerializeToString()
    for sign in (b"dill", b"pickle", b"\x80\x04\x95", b"\x80\x05\x95", b"def ", b"lambda"):
        assert sign not in raw


def test_the_registry_holds_no_code(tmp_path):
    room = FeatureRoom(tmp_path / "features", catalogue())
    room.write(panel([("A", T0, {"alpha": 1.0})]))
    found = registry(room.views / "registry.db")
    assert len(found.feature_views) == 2
    has_no_code(found)


def test_importing_the_repository_makes_no_feast_object():
    import features.repo as module

    assert not [v for v in vars(module).values() if isinstance(v, FeatureView | FeatureService)]


def applied(tmp_path: Path, **settings: str) -> Registry:
    """The registry that the command `feast apply` makes of our repository."""
    folder = tmp_path / "features"
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "features", folder, ignore=ours)
    done = subprocess.run(
        [sys.executable, "-m", "feast.cli.cli", "apply"],
        cwd=folder,
        env={
            **os.environ,
            "TIERLINE_HOME": str(tmp_path / "home"),
            "PYTHONPATH": str(ROOT),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return registry(tmp_path / ".tierline" / "feast_registry.db")


def test_the_command_feast_finds_every_object_exactly_once(tmp_path):
    found = applied(tmp_path)
    assert sorted(v.spec.name for v in found.feature_views) == sorted(themes(CATALOGUE))
    assert sorted(s.spec.name for s in found.feature_services) == sorted(TARGETS)
    assert [e.spec.name for e in found.entities if e.spec.name != "__dummy"] == ["customer"]
    paths = {v.spec.batch_source.file_options.uri for v in found.feature_views}
    assert paths == {
        str(tmp_path / "home" / "bank" / "features" / "live" / f"{t}.parquet")
        for t in themes(CATALOGUE)
    }


def test_the_command_feast_finds_the_catalogue_of_a_ready_made_table(tmp_path):
    workspace = Workspace(tmp_path / "home", "given")
    ingest(SOURCES["given"], folder(tmp_path / "raw"), workspace.dataset)
    found = applied(tmp_path, TIERLINE_SOURCE="given")
    [view] = found.feature_views
    own = own_catalogue(workspace)
    assert (view.spec.name, own.names[0]) == ("given", "visits")
    assert [f.name for f in view.spec.features] == list(own.names)
    assert {f.name: f.tags["zh"] for f in view.spec.features}["visits"] == "到访次数"
    listed = {s.spec.name: {f.name for p in s.spec.features for f in p.feature_columns}
              for s in found.feature_services}  # fmt: skip
    assert listed == dict.fromkeys(TARGETS, set(own.names) - {"age"})
    has_no_code(found)
