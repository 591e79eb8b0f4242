"""Spans: every request once, no customer parted, and no row of a table forgotten or read twice."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import spans as spans_
from features.catalogue import CATALOGUE
from features.panel import compute, compute_parts
from features.spans import by_customer, count, spans, tables_of
from tests.features.scale_world import grid_of, plain_panel, same_bytes, small_bank

WHOSE = {"between": (None, "C0000008"), "customers": ["C0000003", "C0000001"]}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return small_bank(tmp_path_factory.mktemp("bank"))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=2), max_size=30), st.integers(1, 9))
def test_spans_hold_every_request_in_order_and_each_customer_in_one(ids, wanted):
    ids = sorted(ids)
    asked = pa.table({"customer_id": pa.array(ids, pa.string()), "n": list(range(len(ids)))})
    found = list(spans(asked, wanted))
    assert 1 <= len(found) <= wanted
    assert pa.concat_tables(s.requests for s in found)["n"].to_pylist() == list(range(len(ids)))
    for span in found:
        first, end = span.bounds
        for customer in span.requests["customer_id"].to_pylist():
            assert (first is None or first <= customer) and (end is None or customer < end)
    edges = [s.bounds for s in found]
    assert (edges[0][0], edges[-1][1]) == (None, None)
    assert [a[1] for a in edges[:-1]] == [b[0] for b in edges[1:]]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=2), max_size=12))
def test_order_by_customer_is_that_of_the_bytes(ids):
    asked = pa.table({"customer_id": pa.array(ids, pa.string())})
    assert by_customer(asked) == (ids == sorted(ids, key=str.encode))


@pytest.mark.parametrize("wanted", [2, 7])
def test_the_spans_of_every_table_together_are_the_table(bank, wanted):
    asked = grid_of(bank)
    read = [tables_of(bank, CATALOGUE, between=s.bounds) for s in spans(asked, wanted)]
    for name, table in tables_of(bank, CATALOGUE).items():
        parts = pa.concat_tables(r[name] for r in read)
        key = ["customer_id", "happened_at", "known_at"]
        held = [
            sorted(map(repr, t.select(key).to_pylist())) for t in (parts.cast(table.schema), table)
        ]
        assert held[0] == held[1]
        assert all(r[name].num_rows < table.num_rows for r in read if table.num_rows)


def test_a_panel_in_spans_has_the_bytes_of_one_over_all_events(bank, monkeypatch):
    asked = grid_of(bank)
    assert count(bank, CATALOGUE) == 1
    whole = plain_panel(bank, asked)
    monkeypatch.setattr(spans_, "EVENTS", 3_000)
    assert count(bank, CATALOGUE) > 3
    monkeypatch.setattr("features.panel.FEW", 0)
    parts = list(compute_parts(bank, asked))
    assert len(parts) == count(bank, CATALOGUE)
    assert same_bytes(pa.concat_tables(parts).combine_chunks(), whole)
    turned = asked.sort_by("as_of")
    assert same_bytes(compute(bank, turned), whole.sort_by("as_of"))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_come_in_order_whatever_the_threads_also_where_one_parts_a_customer(
    bank, monkeypatch, threads
):
    asked = grid_of(bank).slice(0, 150)
    whole = plain_panel(bank, asked)
    monkeypatch.setattr("features.panel.PART_REQUESTS", 7)
    monkeypatch.setattr("features.panel.FEW", 0)
    parts = list(compute_parts(bank, asked, threads=threads))
    assert len(parts) == 22
    ends = [p["customer_id"][-1] == q["customer_id"][0] for p, q in pairwise(parts)]
    assert any(ends)
    assert same_bytes(pa.concat_tables(parts).combine_chunks(), whole)


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("whose", WHOSE)
def test_only_the_groups_of_the_customers_asked_for_are_read(bank, tmp_path, whose, dictionary):
    """The last group, of other customers, is damaged."""
    rows = pq.read_table(bank.files("transactions")[0])
    place = tmp_path / "transactions" / "part-00000.parquet"
    place.parent.mkdir()
    pq.write_table(rows, place, row_group_size=500)
    said = pq.read_metadata(place)
    last = said.row_group(said.num_row_groups - 1).column(0)
    content = bytearray(place.read_bytes())
    begin = last.dictionary_page_offset
    content[begin : begin + last.total_compressed_size] = b"\xff" * last.total_compressed_size
    place.write_bytes(content)
    damaged = dataclasses.replace(bank, root=tmp_path)
    asked = {whose: WHOSE[whose]}
    found = damaged.table("transactions", ["amount"], dictionary=dictionary, **asked)
    wanted = WHOSE["customers"] if whose == "customers" else [f"C000000{i}" for i in range(1, 8)]
    held = [c in wanted for c in rows["customer_id"].to_pylist()]
    assert found["amount"].to_pylist() == rows.filter(pa.array(held))["amount"].to_pylist()
    with pytest.raises(OSError):
        damaged.table("transactions", ["customer_id"], dictionary=dictionary)
