"""Checked transactions full of corrections, repeats and keys of two customers, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import strategies as st

from events.check import Checked
from events.schema import TRANSACTIONS

START = datetime(2024, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["c1", "c2", "é", "Z"]),
            "happened_at": st.integers(0, 2).map(lambda d: START + timedelta(days=d)),
            "known_at": st.integers(3, 5).map(lambda d: START + timedelta(days=d)),
            "event_id": st.sampled_from("abcdefgh"),
            "kind": st.just("purchase"),
            "amount": st.sampled_from([1.0, 2.0]),
            "items": st.sampled_from([None, 1.0]),
        }
    ),
    max_size=40,
)


def table(rows: list[dict]) -> pa.Table:
    """The rows as a clean table of transactions."""
    return pa.Table.from_pylist(rows, schema=TRANSACTIONS.schema)


def checked(rows: list[dict], bad: int = 0, **columns: str) -> Checked:
    """A raw table whose check found these rows clean, and so many bad ones with such columns."""
    wrong = {"broken_rule": ["wrong_type"] * bad, **{n: [v] * bad for n, v in columns.items()}}
    return Checked(
        table(rows), pa.table(wrong, pa.schema([(n, pa.string()) for n in wrong])), (), ()
    )
