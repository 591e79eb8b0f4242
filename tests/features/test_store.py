"""Offline: the point-in-time join through Feast and DuckDB, and panels kept all or nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError, NotFoundError
from events.schema import INSTANT
from features import panel_files
from features.store import FeatureRoom, matrix
from tests.features.feast_world import (
    DAY,
    NAMES,
    T0,
    as_of_join,
    catalogue,
    instants,
    panel,
    random_panel,
    requests,
)

MOMENTS = [T0 + k * 7 * DAY for k in range(8)]
CUSTOMERS = [*(f"C{i:03d}" for i in range(40)), "客户 7", "a b", "x:y"]


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return random_panel(1, CUSTOMERS, MOMENTS)


@pytest.fixture(scope="module")
def room(kept, tmp_path_factory) -> FeatureRoom:
    made = FeatureRoom(tmp_path_factory.mktemp("offline") / "features", catalogue())
    made.write(kept)
    return made


@pytest.fixture
def fresh(tmp_path) -> FeatureRoom:
    return FeatureRoom(tmp_path / "features", catalogue())


def one(room: FeatureRoom, at: int, name: str = "alpha", who: str = "A") -> float | None:
    return room.historical(requests([(who, at)]), [name])[name][0].as_py()


def test_every_request_gets_the_latest_row_known_by_then_as_a_plain_loop_finds_it(room, kept):
    rng = np.random.default_rng(2)
    near = [m + int(d) for m in MOMENTS for d in (-1, 0, 1, 10 * DAY, 10 * DAY + 1)]
    pairs = [(str(rng.choice([*CUSTOMERS, "nobody"])), int(rng.choice(near))) for _ in range(600)]
    pairs += pairs[:150]  # asked twice, and answered twice
    asked = requests([pairs[i] for i in rng.permutation(len(pairs))])
    names = ["years", "beta", "alpha", "gamma"]
    found = room.historical(asked, names)
    assert found.column_names == ["customer_id", "as_of", *names]
    assert found.select(["customer_id", "as_of"]).equals(asked)
    assert found.select(names).to_pylist() == as_of_join(kept, asked, names)


def test_so_many_rows_that_duckdb_answers_out_of_order_still_come_in_order(fresh):
    size = 30_000
    ids = [f"C{i:05d}" for i in range(size)]
    fresh.write(panel([(c, T0, {"alpha": float(i), "gamma": -i}) for i, c in enumerate(ids)]))
    order = np.random.default_rng(4).permutation(size)
    found = fresh.historical(requests([(ids[i], T0) for i in order]), ["gamma", "alpha"])
    assert np.array_equal(found["alpha"].to_numpy(), order)
    assert np.array_equal(found["gamma"].to_numpy(), -order)


def test_a_row_is_found_from_its_very_microsecond_on(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.5})]))
    assert [one(fresh, T0 + d) for d in (-1, 0, 1)] == [None, 1.5, 1.5]


def test_a_row_is_found_up_to_the_very_microsecond_its_view_allows(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.5, "gamma": 2.5})]))
    assert [one(fresh, T0 + 10 * DAY + d) for d in (0, 1)] == [1.5, None]
    assert [one(fresh, T0 + 400 * DAY + d, "gamma") for d in (0, 1)] == [2.5, None]


def test_the_latest_row_hides_older_ones_even_where_its_value_is_missing(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0}), ("A", T0 + DAY, {"alpha": None, "beta": 2.0})]))
    assert one(fresh, T0 + 2 * DAY) is None
    assert one(fresh, T0 + 2 * DAY, "beta") == 2.0


def test_a_row_computed_later_is_not_known_before_that(fresh):
    """Planted in the file: a correction of A's row, and a row of B, both computed 5 days late."""
    fresh.write(panel([("A", T0, {"alpha": 1.0}), ("B", T0, {"alpha": 3.0})]))
    file = fresh.views / "quick.parquet"
    first = pq.read_table(file)
    late = instants([T0 + 5 * DAY])
    index = first.schema.get_field_index("computed_at")
    correction = first.slice(0, 1).set_column(index, "computed_at", late)
    alpha = first.schema.get_field_index("alpha")
    correction = correction.set_column(alpha, "alpha", pa.array([2.0]))
    only_late = first.slice(1, 1).set_column(index, "computed_at", late)
    pq.write_table(pa.concat_tables([first.slice(0, 1), correction, only_late]), file)
    when = (0, DAY, 5 * DAY - 1, 5 * DAY, 6 * DAY)
    assert [one(fresh, T0 + d) for d in when] == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert [one(fresh, T0 + d, who="B") for d in when] == [None, None, None, 3.0, 3.0]


def test_a_row_counts_as_computed_at_its_as_of(room):
    rows = pq.read_table(room.views / "quick.parquet")
    assert rows["computed_at"].equals(rows["as_of"])
    assert rows.schema.field("as_of").type == INSTANT


def test_extreme_numbers_come_back_bit_for_bit(fresh):
    values = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, -1e-300, 123456789012345.678]
    fresh.write(panel([(f"C{i}", T0, {"alpha": v}) for i, v in enumerate(values)]))
    asked = requests([(f"C{i}", T0) for i in range(len(values))])
    found = matrix(fresh.historical(asked, ["alpha"]), ["alpha"])[:, 0]
    assert found.view(np.int64).tolist() == np.array(values).view(np.int64).tolist()


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Shanghai"])
def test_the_time_zone_of_the_machine_moves_nothing(fresh, monkeypatch, zone):
    fresh.write(panel([("A", T0, {"alpha": 1.5})]))
    monkeypatch.setitem(os.environ, "TZ", zone)
    time.tzset()
    try:
        assert [one(fresh, T0 + d) for d in (-1, 0, 10 * DAY, 10 * DAY + 1)] == [
            None, 1.5, 1.5, None,
        ]  # fmt: skip
        fresh.materialise(T0 + 10 * DAY)
        online = fresh.online(["A"], ["alpha"])
        assert (online.values[0, 0], online.as_of[0]) == (1.5, T0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nothing_asked_is_nothing_answered_with_the_right_columns(room):
    empty = room.historical(requests([]), ["beta", "alpha"])
    assert empty.column_names == ["customer_id", "as_of", "beta", "alpha"]
    assert empty.num_rows == 0
    assert room.historical(requests([("C000", T0)]), []).num_rows == 1


def test_types_of_requests_may_differ_from_ours(room):
    asked = requests([("C000", MOMENTS[3])])
    other = pa.table(
        {
            "as_of": pc.cast(asked["as_of"], pa.timestamp("ns", "UTC")),
            "customer_id": pc.cast(asked["customer_id"], pa.large_string()).dictionary_encode(),
        }
    )
    assert room.historical(other, NAMES).equals(room.historical(asked, NAMES))


@pytest.mark.parametrize("lacking", ["customer_id", "as_of"])
def test_a_request_without_a_key_is_refused(room, lacking):
    asked = requests([("C000", T0), ("C001", T0)])
    with pytest.raises(InputError, match=lacking):
        room.historical(asked.drop_columns([lacking]), ["alpha"])
    index = asked.schema.get_field_index(lacking)
    hole = pa.array([None, asked[lacking][1].as_py()], asked[lacking].type)
    with pytest.raises(InputError, match=lacking):
        room.historical(asked.set_column(index, lacking, hole), ["alpha"])


def test_an_unknown_feature_and_an_empty_room_are_named(room, fresh):
    with pytest.raises(NotFoundError, match="delta"):
        room.historical(requests([("C000", T0)]), ["alpha", "delta"])
    with pytest.raises(NotFoundError, match="tierline features"):
        fresh.historical(requests([("A", T0)]), ["alpha"])
    with pytest.raises(NotFoundError, match="tierline features"):
        fresh.latest()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p.drop_columns(["beta"]), "lacks .'beta'."),
        (lambda p: p.append_column("delta", p["alpha"]), "has .'delta'."),
        (lambda p: p.append_column("alpha", p["alpha"]), "the panel"),
        (lambda p: pa.concat_tables([p, p.slice(0, 1)]), "1 rows of the panel repeat"),
        (lambda _: panel([("A", T0, {"alpha": float("inf")})]), "'alpha'.* infinite"),
        (lambda _: panel([("A", T0, {"gamma": float("-inf")})]), "'gamma'.* infinite"),
        (lambda p: p.drop_columns(["as_of"]), "as_of"),
        (lambda _: panel([(None, T0, {})]), "customer_id"),
        (lambda p: iter([p.slice(0, 9), p.slice(8)]), "goes back"),
        (lambda p: iter([p.slice(9), p.slice(0, 9)]), "goes back"),
        (lambda p: iter([p.slice(0, 9), p.slice(9).drop_columns(["beta"])]), "lacks .'beta'."),
    ],
)
def test_a_panel_that_breaks_a_rule_is_refused_and_the_one_before_stays(room, kept, spoil, said):
    before = (room.views, sorted(p.name for p in room.root.iterdir()))
    with pytest.raises(InputError, match=said):
        room.write(spoil(kept))
    assert (room.views, sorted(p.name for p in room.root.iterdir())) == before


def test_a_part_that_fails_leaves_the_panel_before_it_and_nothing_else(fresh):
    def parts():
        yield panel([("A", T0, {"alpha": 2.0})])
        raise KeyboardInterrupt

    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    with pytest.raises(KeyboardInterrupt):
        fresh.write(parts())
    assert one(fresh, T0) == 1.0
    assert list(fresh.root.glob("panel-*")) == [fresh.views]


def dying(real, left: list[int]):
    """The same function; the process is killed when the steps that are left run out."""

    def called(*given, **named):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)

    return called


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("moment", range(1, 8))
def test_a_run_killed_at_any_step_leaves_the_old_panel_or_the_new_one(fresh, moment):
    """Two groups into two files, the link, its renaming: the seventh step does not come."""
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    child = os.fork()
    if child == 0:
        panel_files.GROUP_ROWS, left = 1, [moment]
        pq.ParquetWriter.write_table = dying(pq.ParquetWriter.write_table, left)
        Path.symlink_to, Path.rename = dying(Path.symlink_to, left), dying(Path.rename, left)
        fresh.write(panel([(c, T0, {"alpha": 2.0})]) for c in "AB")
        os._exit(0)
    end = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert end == (-signal.SIGKILL if moment < 7 else 0)
    assert one(FeatureRoom(fresh.root, catalogue()), T0) == (1.0 if moment < 7 else 2.0)
    fresh.write(panel([(c, T0, {"alpha": 3.0}) for c in "AB"]))
    assert one(fresh, T0, who="B") == 3.0
    assert list(fresh.root.glob("panel-*")) == [fresh.views]


def test_what_a_killed_run_left_is_cleared_by_the_next(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    left = fresh.root / "panel-000000000000"
    left.mkdir()
    (left / "quick.parquet").write_bytes(b"half")
    assert one(fresh, T0) == 1.0
    fresh.write(panel([("A", T0, {"alpha": 2.0})]))
    assert one(fresh, T0) == 2.0
    assert list(fresh.root.glob("panel-*")) == [fresh.views]


def test_a_room_opened_before_reads_the_new_panel(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    other = FeatureRoom(fresh.root, catalogue())
    assert one(other, T0) == 1.0
    fresh.write(panel([("A", T0, {"alpha": 2.0})]))
    assert one(other, T0) == 2.0
