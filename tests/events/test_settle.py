"""The rules across rows, against a slow loop that says them one row at a time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from events.dataset import SUPERSEDED
from events.schema import TABLES, TRANSACTIONS
from events.settle import ANOTHERS, DUPLICATE, settle
from tests.events.rows_world import ROWS, table

NAMES = [c.name for c in TRANSACTIONS.columns]


def place(row: dict) -> tuple:
    """Where a row stands: column by column, text by its bytes, no value last."""
    values = [row[n] for n in NAMES]
    return tuple((v is None, v.encode() if isinstance(v, str) else v) for v in values)


def slowly(rows: list[dict]) -> tuple[list[dict], list[dict]]:
    """What counts and what does not, a row at a time."""
    kept: list[dict] = []
    wrong: list[dict] = []
    for event in {r["event_id"] for r in rows}:
        versions = sorted(
            (r for r in rows if r["event_id"] == event), key=lambda r: (r["known_at"], place(r))
        )
        stays: list[dict] = []
        for row in versions:
            if row["customer_id"] != versions[0]["customer_id"]:
                wrong.append({**row, "broken_rule": ANOTHERS})
            elif stays and stays[-1]["known_at"] == row["known_at"]:
                wrong.append({**row, "broken_rule": DUPLICATE})
            else:
                stays.append(row)
        ends = [*(r["known_at"] for r in stays[1:]), None]
        kept += [{**r, SUPERSEDED: end} for r, end in zip(stays, ends, strict=True)]
    return sorted(kept, key=place), sorted(wrong, key=place)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_rows_are_settled_as_a_slow_loop_settles_them(rows):
    clean = table(rows)
    settled, twice = settle(TRANSACTIONS, clean)
    kept, wrong = slowly(clean.to_pylist())
    assert settled.to_pylist() == kept
    assert twice.to_pylist() == [{"broken_rule": r.pop("broken_rule"), **r} for r in wrong]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_begins_with_the_customer_and_the_clocks_and_its_key_is_required(name):
    columns = TABLES[name].columns
    assert [c.name for c in columns[:3]] == ["customer_id", "happened_at", "known_at"]
    assert all(TABLES[name].column(k).required for k in TABLES[name].key)
