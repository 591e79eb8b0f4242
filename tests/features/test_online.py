"""Online: what was brought comes back by customer, exactly, with its as_of, on every server."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pyarrow as pa
import pytest

from domain.errors import NotFoundError, StoreError
from features import online as online_module
from features.online import MARK, at_once
from features.online_config import OnlineConfig, sqlite_file
from features.packed import Rows
from features.panel_files import LatestRows
from features.row_stores import RowStore
from features.store import FeatureRoom, matrix
from features.views import layouts
from tests.features.feast_world import DAY, NAMES, T0, catalogue, panel, random_panel, requests
from tests.servers import free_port

CUSTOMERS = [*(f"C{i:03d}" for i in range(60)), "客户 7", "a b"]
MOMENTS = [T0 - 30 * DAY, T0 - 10 * DAY, T0]


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return random_panel(5, CUSTOMERS, MOMENTS)


@pytest.fixture
def fresh(tmp_path, online, project) -> Iterator[FeatureRoom]:
    made = FeatureRoom(tmp_path / "features", catalogue(), online, project=project)
    yield made
    made.served.close()


@pytest.fixture
def room(fresh, kept) -> FeatureRoom:
    fresh.write(kept)
    fresh.materialise(T0)
    return fresh


def again(room: FeatureRoom) -> FeatureRoom:
    """The same room, nothing opened yet."""
    return FeatureRoom(room.root, catalogue(), room._online, project=room.project)


def stored(room: FeatureRoom, customers: Sequence[str] = CUSTOMERS) -> dict[str, dict[str, bytes]]:
    """Every row of these customers, and the mark, as bytes."""
    return rows_of(room).read([*customers, MARK], ["quick", "steady"])


def rows_of(room: FeatureRoom) -> RowStore:
    return room._online.open(room.root, room.project)


def test_values_come_in_the_order_asked_and_unknown_customers_are_as_of_zero(room, kept):
    asked = ["客户 7", "nobody", "C003", "a b", "C003"]
    names = ["years", "beta", "alpha", "gamma"]
    found = room.online(asked, names, now=T0)
    expected = matrix(room.historical(requests([(c, T0) for c in asked]), names), names)
    assert np.array_equal(found.values, expected, equal_nan=True)
    assert found.as_of[1] == 0
    assert np.isnan(found.values[1]).all()
    assert np.array_equal(found.values[2], found.values[4], equal_nan=True)


def test_the_as_of_is_exact_to_the_microsecond_and_that_of_the_oldest_row(fresh):
    early = T0 - 50 * DAY
    fresh.write(panel([("A", T0, {"alpha": 1.0}), ("B", early, {"gamma": 2.0}), ("C", T0, {})]))
    fresh.materialise(early)
    fresh.materialise(T0)
    found = fresh.online(["A", "B", "C"], NAMES)
    assert found.as_of.tolist() == [T0, early, T0]
    assert found.as_of.dtype == np.int64
    assert np.isnan(found.values[2]).all()  # known, and nothing to say


@pytest.mark.parametrize("theme", ["quick", "steady"])
def test_a_customer_is_as_old_as_the_oldest_theme_that_gave_a_value(fresh, theme):
    fresh.write(panel([("A", T0, {"alpha": 1.0, "gamma": 2.0})]))
    fresh.materialise(T0)
    layout = layouts(catalogue())[theme]
    newer = layout.pack(Rows.of(np.ones((1, len(layout.names))), np.array([T0 + DAY])))
    rows_of(fresh).write({"A": {theme: newer[0]}})
    found = fresh.online(["A"], ["alpha", "gamma"])
    assert found.as_of.tolist() == [T0]
    assert dict(zip(found.views, found.by_view[0].tolist(), strict=True)) == {
        "quick": T0, "steady": T0, theme: T0 + DAY,
    }  # fmt: skip
    only = {"quick": "alpha", "steady": "gamma"}[theme]
    assert fresh.online(["A"], [only]).as_of.tolist() == [T0 + DAY]


def test_rows_older_than_their_view_allows_are_not_brought_online(fresh):
    rows = [
        (who, T0 - age, {"alpha": 1.0, "gamma": 2.0})
        for who, age in (
            ("exact", 10 * DAY),
            ("late", 10 * DAY + 1),
            ("old", 400 * DAY),
            ("lost", 400 * DAY + 1),
        )
    ]
    fresh.write(panel(rows))
    fresh.materialise(T0)
    found = fresh.online(["exact", "late", "old", "lost"], ["alpha", "gamma"])
    assert np.isnan(found.values).tolist() == [
        [False, False], [True, False], [True, False], [True, True],
    ]  # fmt: skip
    assert (found.as_of == 0).tolist() == [False, False, False, True]


def test_rows_after_the_as_of_are_not_brought_online(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0}), ("A", T0 + 1, {"alpha": 9.0})]))
    fresh.materialise(T0)
    assert fresh.online(["A"], ["alpha"]).values.tolist() == [[1.0]]


def test_what_expired_online_stands_with_its_age_and_is_missing_where_now_is_given(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0, "gamma": 2.0})]))
    fresh.materialise(T0)
    told = fresh.online(["A"], ["alpha", "gamma"])
    assert (told.values.tolist(), told.as_of.tolist()) == ([[1.0, 2.0]], [T0])
    at_the_end = fresh.online(["A"], ["alpha", "gamma"], now=T0 + 10 * DAY)
    assert at_the_end.values.tolist() == [[1.0, 2.0]]
    after = fresh.online(["A"], ["alpha", "gamma"], now=T0 + 10 * DAY + 1)
    assert np.isnan(after.values).tolist() == [[True, False]]
    gone = fresh.online(["A"], ["alpha"], now=T0 + 10 * DAY + 1)
    assert gone.as_of.tolist() == [0]


def test_materialising_again_also_after_a_kill_gives_the_same_rows(fresh, kept):
    fresh.write(kept)
    fresh.materialise(T0)
    whole = stored(fresh)
    fresh.materialise(T0)
    assert stored(fresh) == whole
    assert len(whole) > 50


KILLED = """
import os, signal, sys
from pathlib import Path
from features import online
from features.online_config import OnlineConfig
from features.store import FeatureRoom
from tests.servers import free_port
from tests.features.feast_world import T0, catalogue

online.BATCH = 7
room = FeatureRoom(Path(sys.argv[1]), catalogue(), OnlineConfig(sys.argv[2]), project=sys.argv[3])
store, written = room.served._store, []
write = store.write

def dying(rows):
    write(rows)
    written.append(rows)
    if len(written) == 4:
        print("half", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

store.write = dying
room.materialise(T0)
"""


def test_a_process_killed_while_materialising_leaves_whole_rows_and_the_next_run_all(fresh, kept):
    fresh.write(kept)
    command = [sys.executable, "-c", KILLED, str(fresh.root), fresh._online.address, fresh.project]
    died = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "half\n"), died.stderr[-2000:]
    half = stored(fresh)
    assert len(half) == 4 * 7
    assert MARK not in half
    fresh.materialise(T0)
    whole = stored(fresh)
    assert len(whole) > 50
    assert MARK in whole
    assert {c: whole[c] for c in half} == half
    untouched = again(fresh)
    untouched.project = f"{fresh.project}_b"
    untouched.materialise(T0)
    assert stored(untouched) == whole


def test_who_reads_while_features_are_brought_online_sees_whole_customers_of_one_time(fresh):
    """Generation g has the value g in every feature: a customer of two generations is half one."""
    ids = [f"C{i:03d}" for i in range(200)]
    layout = layouts(catalogue())
    stop, seen = threading.Event(), []

    def bring() -> None:
        for g in range(1, 30):
            values = {v: np.full((len(ids), len(at.names)), float(g)) for v, at in layout.items()}
            fresh.served.bring([LatestRows(ids, np.full(len(ids), T0 + g), values)], T0, at_once)
        stop.set()

    def watch() -> bool:
        whole = True
        while not stop.is_set():
            found = fresh.online(ids, NAMES)
            seen.append(found.by_view.max())
            known = found.as_of > 0
            one_time = found.by_view[known] == found.as_of[known][:, None]
            one_value = found.values[known] == (found.as_of[known] - T0)[:, None]
            whole &= bool(one_time.all() and one_value.all())
        return whole

    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    with ThreadPoolExecutor(3) as pool:
        watching = [pool.submit(watch) for _ in range(2)]
        pool.submit(bring).result()
        assert all(w.result() for w in watching)
    assert len(set(seen)) > 3  # or nobody read while it was written


def test_rows_of_another_schema_are_an_error_and_never_values(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0, "beta": 2.0})]))
    fresh.materialise(T0)
    wider = FeatureRoom(
        fresh.root, catalogue(extra=["epsilon"]), fresh._online, project=fresh.project
    )
    with pytest.raises(StoreError, match=r"row of quick with the schema [0-9a-f]{32}, this cat"):
        wider.online(["A"], ["alpha"])
    assert wider.online(["A"], ["gamma"]).as_of.tolist() == [T0]  # a view that did not change


def test_bringing_another_catalogue_online_drops_the_rows_that_nobody_can_read(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0}), ("gone", T0, {"alpha": 1.0, "gamma": 3.0})]))
    fresh.materialise(T0)
    wider = FeatureRoom(
        fresh.root, catalogue(extra=["epsilon"]), fresh._online, project=fresh.project
    )
    wider.write(panel([("A", T0 + 1, {"epsilon": 4.0})], wider.catalogue.names))
    wider.materialise(T0 + 1)
    found = wider.online(["A", "gone"], ["epsilon", "gamma"])
    assert found.by_view.tolist() == [[T0 + 1, T0 + 1], [0, T0]]
    assert found.values[0, 0] == 4.0
    assert found.values[1, 1] == 3.0


def test_customers_to_leave_alone_are_left_alone(fresh):
    fresh.write(panel([(c, T0, {"alpha": 1.0}) for c in ("A", "B")]))
    fresh.materialise(T0, lambda: nullcontext(frozenset({"A"})))
    assert fresh.online(["A", "B"], ["alpha"]).as_of.tolist() == [0, T0]


def test_projects_of_one_server_do_not_meet(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    fresh.materialise(T0)
    other = again(fresh)
    other.project = f"{fresh.project}_other"
    assert other.online(["A"], ["alpha"]).as_of.tolist() == [0]
    rows_of(other).keep_only({})
    assert fresh.online(["A"], ["alpha"]).as_of.tolist() == [T0]


def test_a_lost_online_store_is_made_anew(tmp_path):
    fresh = FeatureRoom(tmp_path / "features", catalogue())
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    fresh.materialise(T0)
    sqlite_file(fresh.root).unlink()
    for rest in fresh.root.glob("online.db-*"):
        rest.unlink()
    after = again(fresh)
    after.materialise(T0)
    assert after.online(["A"], ["alpha"]).values.tolist() == [[1.0]]


def test_a_store_that_is_gone_is_told_without_its_address(tmp_path, project):
    port = free_port()
    for address in (
        f"redis://127.0.0.1:{port},password=hush",
        f"postgresql://me:hush@127.0.0.1:{port}/d",
    ):
        room = FeatureRoom(tmp_path / "f", catalogue(), OnlineConfig(address), project=project)
        with pytest.raises(StoreError, match="TIERLINE_ONLINE") as caught:
            room.online(["A"], ["alpha"])
        assert "hush" not in str(caught.value)


def test_a_materialised_view_is_never_closed_to_readers(room):
    """Feast's own materialize leaves a view of a killed run in a state that refuses every read."""
    room.materialise(T0)
    states = {v.state.name for v in room.feast.list_feature_views()}
    assert states == {"STATE_UNSPECIFIED"}


def test_more_customers_than_one_transaction_holds_all_arrive(fresh, monkeypatch):
    monkeypatch.setattr(online_module, "BATCH", 7)
    ids = [f"C{i:03d}" for i in range(50)]
    fresh.write(panel([(c, T0, {"alpha": float(i)}) for i, c in enumerate(ids)]))
    fresh.materialise(T0)
    assert fresh.online(ids, ["alpha"]).values[:, 0].tolist() == list(range(50))


def test_a_newer_panel_takes_the_place_of_the_older(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0, "beta": 5.0})]))
    fresh.materialise(T0)
    fresh.write(panel([("A", T0 + DAY, {"alpha": 2.0})]))
    fresh.materialise(T0 + DAY)
    found = fresh.online(["A"], ["alpha", "beta"])
    assert found.as_of.tolist() == [T0 + DAY]
    assert found.values[0, 0] == 2.0
    assert np.isnan(found.values[0, 1])


def test_a_thousand_customers_in_one_call(room):
    asked = [f"C{i:03d}" for i in range(1000)]
    found = room.online(asked, NAMES)
    assert found.values.shape == (1000, len(NAMES))
    assert (found.as_of[60:] == 0).all()
    single = [room.online([c], NAMES).values[0] for c in asked[:5]]
    assert np.array_equal(found.values[:5], np.array(single), equal_nan=True)


def test_nobody_and_nothing_asked(room):
    assert room.online([], NAMES).values.shape == (0, len(NAMES))
    assert room.online(["C000"], []).values.shape == (1, 0)
    with pytest.raises(NotFoundError, match="delta"):
        room.online(["C000"], ["delta"])


def test_threads_share_a_room(room):
    """Reads of both kinds at once: every thread sees what one alone sees."""
    other = again(room)  # nothing opened yet: the threads race for it
    alone = room.online(CUSTOMERS, NAMES).values
    asked = requests([(c, T0) for c in CUSTOMERS])
    then = room.historical(asked, NAMES)

    def read(turn: int) -> bool:
        if turn % 4 == 0:
            return other.historical(asked, NAMES).equals(then)
        return np.array_equal(other.online(CUSTOMERS, NAMES).values, alone, equal_nan=True)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(48)))
