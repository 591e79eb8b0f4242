"""Panels on disk: the same rows give the same bytes, and every last row is found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from domain.errors import NotFoundError
from events.schema import INSTANT
from features import panel_files
from features.panel_files import LatestRows, checked, columns_at, latest_rows, panel_hash
from features.store import FeatureRoom
from tests.features.feast_world import (
    DAY,
    NAMES,
    T0,
    THEME,
    catalogue,
    micros,
    panel,
    random_panel,
    requests,
)

MOMENTS = [T0 + k * 7 * DAY for k in range(6)]


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return random_panel(1, [*(f"C{i:03d}" for i in range(40)), "客户 7"], MOMENTS)


@pytest.fixture(scope="module")
def room(kept, tmp_path_factory) -> FeatureRoom:
    made = FeatureRoom(tmp_path_factory.mktemp("files") / "features", catalogue())
    made.write(kept)
    return made


def test_the_same_rows_in_any_order_and_any_missing_give_the_same_bytes(tmp_path, kept):
    rng = np.random.default_rng(3)
    shuffled = kept.take(rng.permutation(kept.num_rows)).select(
        ["gamma", "customer_id", "years", "alpha", "as_of", "beta"]
    )
    index = shuffled.schema.get_field_index("beta")
    with_nan = pc.fill_null(shuffled["beta"], float("nan"))
    shuffled = shuffled.set_column(index, "beta", with_nan)
    bytes_of = []
    for name, rows in (("one", kept), ("two", shuffled)):
        room = FeatureRoom(tmp_path / name, catalogue())
        room.write(rows)
        bytes_of.append([p.read_bytes() for p in sorted(room.views.glob("*.parquet"))])
    assert len(bytes_of[0]) == 2
    assert bytes_of[0] == bytes_of[1]


@pytest.mark.parametrize("cuts", [(), (1, 2, 3), (7, 7, 31), range(0, 140, 10)])
def test_a_panel_in_parts_gives_the_bytes_of_one_table(tmp_path, kept, monkeypatch, cuts):
    monkeypatch.setattr(panel_files, "GROUP_ROWS", 11)
    rows = kept.sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    parts = [rows.slice(a, b - a) for a, b in pairwise([0, *cuts, rows.num_rows])]
    bytes_of = []
    for name, given in (("one", rows), ("two", iter(parts))):
        room = FeatureRoom(tmp_path / name, catalogue())
        assert room.write(given) == rows.num_rows
        bytes_of.append([p.read_bytes() for p in sorted(room.views.glob("*.parquet"))])
        said = pq.read_metadata(room.views / "quick.parquet")
        assert [said.row_group(g).num_rows for g in range(said.num_row_groups)][:-1] == (
            [11] * (said.num_row_groups - 1)
        )
    assert bytes_of[0] == bytes_of[1]


def test_a_panel_of_nobody_is_kept_too(tmp_path):
    for name, given in (("one", panel([])), ("two", iter([]))):
        room = FeatureRoom(tmp_path / name, catalogue())
        assert room.write(given) == 0
        assert room.historical(requests([("A", T0)]), NAMES)["alpha"].to_pylist() == [None]


def test_the_latest_as_of_and_its_customers_are_told(room, kept):
    as_of, customers = room.latest()
    last = pc.max(kept["as_of"])
    assert as_of == last.cast(pa.int64()).as_py()
    there = kept.filter(pc.equal(kept["as_of"], last))["customer_id"].to_pylist()
    assert sorted(customers) == sorted(there)


@pytest.mark.parametrize("theme", [None, "quick", "steady"])
def test_the_columns_at_an_as_of_are_those_that_a_plain_loop_finds(room, kept, theme):
    rows = [r for r in kept.to_pylist() if micros(r["as_of"]) == MOMENTS[2]]
    rows.sort(key=lambda r: r["customer_id"])
    found = dict(columns_at(room.views, room.catalogue, MOMENTS[2], theme))
    assert list(found) == [n for n in NAMES if theme in (None, THEME[n])]
    for name, column in found.items():
        wanted = [np.nan if r[name] is None else r[name] for r in rows]
        assert np.array_equal(column, wanted, equal_nan=True)


def test_the_hash_of_a_panel_is_of_its_content_and_of_the_catalogue(tmp_path, kept):
    def written(name: str, rows: pa.Table, extra: tuple[str, ...] = ()) -> str:
        room = FeatureRoom(tmp_path / name, catalogue(extra=extra))
        room.write(rows)
        return panel_hash(room.views)

    first = written("one", kept)
    assert written("two", kept.slice(0, kept.num_rows)) == first
    assert written("three", kept.slice(1)) != first
    with pytest.raises(NotFoundError, match="tierline features"):
        panel_hash(tmp_path)


@pytest.mark.parametrize("part", [5, 50_000])
def test_the_latest_rows_are_those_that_a_plain_loop_finds(room, kept, monkeypatch, part):
    monkeypatch.setattr(panel_files, "PART_ROWS", part)
    as_of = MOMENTS[3]
    expected = {}
    for row in sorted(kept.to_pylist(), key=lambda r: r["as_of"]):
        if micros(row["as_of"]) <= as_of:
            expected[row["customer_id"]] = row
    found = {}
    for rows in latest_rows(room.views, room.catalogue, as_of):
        assert isinstance(rows, LatestRows)
        for i, customer in enumerate(rows.customers):
            told = {n: rows.values[THEME[n]][i][_place(n)] for n in NAMES}
            found[customer] = (int(rows.as_of[i]), told)
    assert set(found) == set(expected)
    for customer, (at, told) in found.items():
        row = expected[customer]
        assert at == micros(row["as_of"])
        for name in NAMES:
            wanted = np.nan if row[name] is None else row[name]
            assert np.array_equal(told[name], wanted, equal_nan=True), (customer, name)


def _place(name: str) -> int:
    return [n for n in NAMES if THEME[n] == THEME[name]].index(name)


def test_before_the_first_row_there_is_no_latest_one(tmp_path):
    room = FeatureRoom(tmp_path / "features", catalogue())
    room.write(panel([("A", T0, {"alpha": 1.0})]))
    assert list(latest_rows(room.views, room.catalogue, T0 - 1)) == []
    assert pq.read_table(room.views / "quick.parquet").num_rows == 1


def test_reading_holds_no_rows_that_are_past(tmp_path, monkeypatch):
    monkeypatch.setattr(panel_files, "GROUP_ROWS", 20_000)
    rng, rows = np.random.default_rng(5), 160_000
    columns = {name: rng.random(rows) for name in NAMES}
    who, at = [f"C{i:06d}" for i in range(rows)], pa.array([T0] * rows, pa.int64())
    table = pa.table({"customer_id": who, "as_of": at.cast(INSTANT), **columns})
    panel_files.write_files(checked([table], catalogue()), tmp_path, catalogue())
    del table, columns
    held = []
    for _ in latest_rows(tmp_path, catalogue(), T0, 10_000):
        held.append(pa.total_allocated_bytes())
    size = rows * len(NAMES) * 8
    assert len(held) == 16
    assert held[-2] - held[1] < size / 8
