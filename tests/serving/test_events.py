"""Pushed events: every fault at once and none kept; right ones as ingest would have them."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.asof import parse_instant
from domain.decision import EventsRequest
from domain.errors import InputError
from events.schema import TABLES
from features.offers import OFFERS
from serving.app import make_app
from serving.desk import Desk
from serving.events import checked_events
from tests.serving.test_app import Client, post

NOW = parse_instant("2026-06-01")
GOOD = {
    "customer_id": "pushed-1", "happened_at": "2026-05-01T10:00:00Z", "event_id": "p1",
    "kind": "purchase", "amount": 12.5, "channel": "online", "category": None, "items": 2,
}  # fmt: skip


def asked(*rows: dict, table: str = "transactions") -> EventsRequest:
    return EventsRequest(table=table, rows=list(rows))


def faults(*rows: dict, table: str = "transactions") -> set[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        checked_events(asked(*rows, table=table), NOW)
    assert "pushed-1" not in str(caught.value)
    return {(f.path, f.rule) for f in caught.value.faults}


def test_right_rows_have_the_types_of_their_table_and_are_known_when_they_happened():
    late = {**GOOD, "event_id": "p2", "known_at": "2026-05-03T10:00:00+08:00"}
    rows = checked_events(asked(GOOD, late), NOW)
    assert rows.schema == TABLES["transactions"].schema
    told = rows.select(["amount", "items", "category"]).to_pylist()
    assert told == [{"amount": 12.5, "items": 2.0, "category": None}] * 2
    assert rows["known_at"][0] == rows["happened_at"][0]
    assert rows["known_at"][1].as_py().isoformat() == "2026-05-03T02:00:00+00:00"


def test_every_fault_is_named_with_its_column_at_once():
    assert faults(
        {**GOOD, "amount": -1}, {**GOOD, "kind": "gift"},
        {**GOOD, "happened_at": "2026-05-01T10:00:00"}, {**GOOD, "known_at": "2026-04-01T00:00Z"},
        {**GOOD, "happened_at": "2027-01-01T00:00:00Z"}, {**GOOD, "customer_id": " x"},
    ) == {
        ("rows:amount", "below_minimum"), ("rows:kind", "not_allowed"),
        ("rows:happened_at", "no_zone"), ("rows:known_at", "no_zone"),
        ("rows:known_at", "known_before_it_happened"), ("rows:known_at", "from_the_future"),
        ("rows:customer_id", "id_characters"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "table", "found"),
    [
        ([{**GOOD, "colour": "red"}], "transactions", ("rows:colour", "unknown_column")),
        ([{"customer_id": "a"}], "transactions", ("rows:happened_at", "missing_column")),
        ([GOOD, {**GOOD, "items": "two"}], "transactions", ("rows:items", "mixed_types")),
        ([GOOD], "outcomes", ("table", "unknown_table")),
        ([GOOD], "../x", ("table", "unknown_table")),
        ([{}], "transactions", ("rows:customer_id", "missing_column")),
    ],
)
def test_what_no_table_can_take_is_refused(rows, table, found):
    assert found in faults(*rows, table=table)


@pytest.fixture
def own(workspace, bank, monkeypatch) -> Desk:
    """A desk with online features of its own."""
    import shutil

    (workspace.root / "features").unlink()
    shutil.copytree(bank.root / "features", workspace.root / "features", symlinks=True)
    monkeypatch.setenv("TIERLINE_STALE_DAYS", "100000")
    return Desk(workspace)


def client(desk: Desk) -> Client:
    return Client(make_app(desk, token="", max_body=100_000))


def test_a_pushed_event_is_in_the_next_decision_and_the_record_replays(own):
    from serving.replay import replay

    ask = client(own)
    decide = {"customer_ids": ["pushed-1"], "purpose": "crm"}
    [before] = post(ask, decide).json()["decisions"]
    assert before["status"] == "missing"
    told = post(
        ask, {"table": "transactions", "rows": [GOOD, {**GOOD, "event_id": "p2"}]}, "/events"
    )
    assert (told.status_code, told.json()) == (200, {"new": 2, "repeated": 0, "customers": 1})
    [after] = post(ask, decide).json()["decisions"]
    values = own.log.get(after["decision_id"]).features
    if "purchase_count_ever" in values:
        assert values["purchase_count_ever"] == 2
    assert after["status"] == "fresh"
    assert after["as_of"] >= "2026-05-01T10:00:00Z"
    again = post(ask, {"table": "transactions", "rows": [GOOD]}, "/events")
    assert again.json() == {"new": 0, "repeated": 1, "customers": 1}
    assert replay(own.workspace, after["decision_id"]).equal


def test_one_wrong_row_keeps_all_rows_out(own):
    rows = [GOOD, {**GOOD, "event_id": "p2", "amount": -1}]
    told = post(client(own), {"table": "transactions", "rows": rows}, "/events")
    assert told.status_code == 422
    [fault] = told.json()["error"]["faults"]
    assert fault["path"] == "rows:amount"
    assert "row 2" in fault["message"]
    assert own.push._arrivals.customers() == {}


CELL = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
NAME = st.sampled_from([*GOOD, "known_at", "x"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.dictionaries(NAME, CELL | st.just("2026-05-01T10:00:00Z")), max_size=4),
    st.sampled_from([*(t for t in OFFERS if t != "customers"), "outcomes"]),
)
def test_nothing_that_arrives_is_a_5xx_nor_kept(desk, rows, table):
    body = json.dumps({"table": table, "rows": rows}).encode("utf-8", "surrogatepass")
    told = post(client(desk), body, "/events")
    assert 400 <= told.status_code < 500, told.text
    assert desk.push._arrivals.customers() == {}
