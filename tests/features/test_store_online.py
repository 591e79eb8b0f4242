"""Online: what was materialised comes back by customer, exactly, with its as_of."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import NotFoundError
from features import store as store_module
from features.online_config import sqlite_file
from features.repo import as_of_field
from features.store import FeatureRoom, matrix
from tests.features.feast_world import DAY, NAMES, T0, catalogue, panel, random_panel, requests

CUSTOMERS = [*(f"C{i:03d}" for i in range(60)), "客户 7", "a b"]
MOMENTS = [T0 - 30 * DAY, T0 - 10 * DAY, T0]


@pytest.fixture(scope="module")
def kept() -> pa.Table:
    return random_panel(5, CUSTOMERS, MOMENTS)


@pytest.fixture(scope="module")
def room(kept, tmp_path_factory) -> FeatureRoom:
    made = FeatureRoom(tmp_path_factory.mktemp("online") / "features", catalogue())
    made.write(kept)
    made.materialise(T0)
    return made


@pytest.fixture
def fresh(tmp_path) -> FeatureRoom:
    return FeatureRoom(tmp_path / "features", catalogue())


def stored(room: FeatureRoom) -> list[tuple]:
    with sqlite3.connect(sqlite_file(room.root)) as db:
        tables = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        rows = [
            (t, *row)
            for t in sorted(tables)
            for row in db.execute(
                f"SELECT entity_key, feature_name, value, event_ts FROM {t} ORDER BY 1, 2"
            )
        ]
    db.close()
    return rows


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
    newer = pq.read_table(fresh.views / f"{theme}.parquet").to_pandas()
    newer["as_of"] += timedelta(days=1)
    newer["computed_at"] += timedelta(days=1)
    newer[as_of_field(theme)] += DAY
    fresh.feast.write_to_online_store(theme, newer)
    assert fresh.online(["A"], ["alpha", "gamma"]).as_of.tolist() == [T0]
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
    with sqlite3.connect(sqlite_file(fresh.root)) as db:  # as if killed between two transactions
        db.execute("DELETE FROM tierline_steady")
        db.execute("DELETE FROM tierline_quick WHERE rowid % 3 = 0")
    db.close()
    assert stored(fresh) != whole
    FeatureRoom(fresh.root, catalogue()).materialise(T0)
    assert stored(fresh) == whole


def test_a_lost_online_store_is_made_anew(fresh):
    fresh.write(panel([("A", T0, {"alpha": 1.0})]))
    sqlite_file(fresh.root).unlink()
    again = FeatureRoom(fresh.root, catalogue())
    again.materialise(T0)
    assert again.online(["A"], ["alpha"]).values.tolist() == [[1.0]]


def test_a_materialised_view_is_never_closed_to_readers(room):
    """Feast's own materialize leaves a view of a killed run in a state that refuses every read."""
    states = {v.state.name for v in room.feast.list_feature_views()}
    assert states == {"STATE_UNSPECIFIED"}


def test_more_customers_than_one_transaction_holds_all_arrive(fresh, monkeypatch):
    monkeypatch.setattr(store_module, "ONLINE_BATCH", 7)
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
    other = FeatureRoom(room.root, catalogue())  # nothing opened yet: the threads race for it
    alone = room.online(CUSTOMERS, NAMES).values
    asked = requests([(c, T0) for c in CUSTOMERS])
    then = room.historical(asked, NAMES)

    def read(turn: int) -> bool:
        if turn % 4 == 0:
            return other.historical(asked, NAMES).equals(then)
        return np.array_equal(other.online(CUSTOMERS, NAMES).values, alone, equal_nan=True)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(48)))


def test_feast_itself_reads_the_same_values_through_a_feature_service(room):
    service = room.feast.get_feature_service("churn")
    answer = room.feast.get_online_features(
        service, [{"customer_id": c} for c in CUSTOMERS]
    ).to_dict()
    ours = room.online(CUSTOMERS, ["alpha", "gamma"]).values
    theirs = np.array([answer["alpha"], answer["gamma"]], dtype=float).T
    assert np.array_equal(ours, theirs, equal_nan=True)
