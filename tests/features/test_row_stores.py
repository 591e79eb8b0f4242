"""The three stores of rows: the same verbs, the same answers, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.packed import HASH_BYTES
from features.row_stores import RowStore

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
VIEWS = ("quick", "steady", "third")
BYTES = st.binary(max_size=40)


@pytest.fixture
def rows(tmp_path, online, project) -> Iterator[RowStore]:
    made = online.open(tmp_path, project)
    yield made
    made.keep_only({})
    made.close()


def test_nothing_is_there_before_something_is_written(rows):
    assert rows.read(["A"], VIEWS) == {}
    rows.keep_only({"quick": b"x" * HASH_BYTES})
    rows.write({})
    rows.write({"A": {}})
    assert rows.read(["A"], VIEWS) == {}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.dictionaries(KEYS, st.dictionaries(st.sampled_from(VIEWS), BYTES), max_size=6),
        max_size=3,
    ),
    st.lists(st.sampled_from(VIEWS), min_size=1, unique=True),
)
def test_any_keys_and_bytes_come_back_as_a_dictionary_would_keep_them(rows, writes, views):
    rows.keep_only({})
    kept: dict[str, dict[str, bytes]] = {}
    for write in writes:
        rows.write(write)
        for customer, of_views in write.items():
            kept.setdefault(customer, {}).update(of_views)
    asked = [*kept, "nobody"]
    expected = {c: {v: r for v, r in found.items() if v in views} for c, found in kept.items()}
    assert rows.read(asked, views) == {c: found for c, found in expected.items() if found}


def test_only_rows_of_the_schemas_named_are_kept(rows):
    old, new = b"o" * HASH_BYTES, b"n" * HASH_BYTES
    rows.write(
        {
            "A": {"quick": new + b"1", "steady": old + b"2", "third": new},
            "B": {"quick": old, "steady": old + b"3"},
        }
    )
    rows.keep_only({"quick": new, "steady": old})
    assert rows.read(["A", "B"], VIEWS) == {
        "A": {"quick": new + b"1", "steady": old + b"2"},
        "B": {"steady": old + b"3"},
    }


def test_many_threads_read_and_write_at_once(rows):
    def work(turn: int) -> bool:
        mine = f"C{turn}"
        rows.write({mine: {v: bytes([turn]) * 50 for v in VIEWS}})
        return rows.read([mine], VIEWS) == {mine: {v: bytes([turn]) * 50 for v in VIEWS}}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))


def test_a_connection_that_the_server_ended_is_opened_anew(tmp_path, postgres_address, project):
    from features.online_config import OnlineConfig

    rows = OnlineConfig(postgres_address).open(tmp_path, project)
    rows.write({"A": {"quick": b"1"}})
    with psycopg.connect(postgres_address, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
    assert rows.read(["A"], VIEWS) == {"A": {"quick": b"1"}}
    rows.close()
