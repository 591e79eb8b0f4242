"""Arrived events: on disk when told, each once, whatever the order; who is pending is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from events.schema import TABLES
from features.arrivals import Arrivals
from tests.features.panel_world import at, row, table_of


@pytest.fixture
def arrivals(tmp_path) -> Arrivals:
    return Arrivals(tmp_path / "home" / "arrivals.db")


def events(table: str, *rows: dict) -> pa.Table:
    return table_of(table, rows).drop_columns(["superseded_at"]).cast(TABLES[table].schema)


def spend(customer: str, day: float, event: str, amount: float = 1.5, **more) -> dict:
    return row(customer, day, event_id=event, kind="purchase", amount=amount, **more)


def test_nothing_arrived(arrivals):
    assert arrivals.customers() == {}
    assert arrivals.pending() == ()
    assert arrivals.rows("transactions", ["A"]) == TABLES["transactions"].schema.empty_table()


def test_rows_of_every_table_come_back_as_they_went_in(arrivals):
    told = {
        "transactions": events("transactions", spend("A", 1.25, "e1", 0.1 + 0.2, category="食品"),
                               spend("A", 2, "e2", known=3)),
        "customers": events("customers", row("A", 0, birth_on=-3653, owns_home=True, income=1e12)),
        "statements": events("statements", row("A", 5, account_id="a", status="unused",
                                                days_past_due=0.0, bill=-12.5)),
        "interactions": events("interactions", row("A", 6, event_id="i", kind="contact")),
        "loans": events("loans", row("A", 7, loan_id="l", amount=5.0)),
    }  # fmt: skip
    for table, rows in told.items():
        assert arrivals.append(table, rows) == rows.num_rows
    for table, rows in told.items():
        assert arrivals.rows(table, ["A"]).sort_by("happened_at") == rows
    assert arrivals.rows("loans", ["B"]).num_rows == 0


def test_a_row_that_comes_again_stands_once_and_another_version_of_it_beside(arrivals):
    first = events("transactions", spend("A", 1, "e1"), spend("B", 1, "e2"))
    assert arrivals.append("transactions", first) == 2
    assert arrivals.append("transactions", first) == 0
    other = events("transactions", spend("A", 1, "e1", known=2), spend("A", 1, "e1", amount=9.0))
    assert arrivals.append("transactions", pa.concat_tables([other, first])) == 2
    assert arrivals.rows("transactions", ["A"]).num_rows == 3


def test_customers_are_pending_until_done_also_for_another_process(arrivals):
    arrivals.append("transactions", events("transactions", spend("A", 1, "e"), spend("B", 4, "f")))
    again = Arrivals(arrivals._file)
    assert again.pending() == ("A", "B")
    again.done(["A"])
    assert arrivals.pending() == ("B",)
    arrivals.append("transactions", events("transactions", spend("A", 1, "e")))  # known already
    assert arrivals.pending() == ("A", "B")


def test_the_last_instant_is_that_of_the_later_clock(arrivals):
    arrivals.append(
        "transactions",
        events("transactions", spend("A", 5, "e", known=9), spend("A", 8, "f"), spend("B", 2, "g")),
    )
    assert arrivals.customers() == {"A": at(9), "B": at(2)}
    assert arrivals.seen(["B", "nobody", "A"]).tolist() == [at(2), 0, at(9)]


def test_what_the_data_set_holds_by_now_is_forgotten(arrivals):
    arrivals.append(
        "transactions",
        events("transactions", spend("A", 5, "e", known=9), spend("A", 8, "f"), spend("B", 2, "g")),
    )
    arrivals.forget(at(8))
    assert arrivals.customers() == {"A": at(9)}


def test_threads_append_one_after_another(arrivals):
    def push(turn: int) -> int:
        with arrivals.alone():
            rows = events("transactions", *(spend(f"c{turn}", i, f"{turn}-{i}") for i in range(20)))
            return arrivals.append("transactions", rows)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(push, range(12))) == 240
    assert len(arrivals.customers()) == 12
