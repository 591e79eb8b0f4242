"""Bringing together: the disk hands on what memory does, whatever the sizes; order, told steps."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import gather
from events.gather import Gathered, in_order
from events.schema import TRANSACTIONS
from events.settle import order
from tests.events.rows_world import ROWS, START, checked, table

NAME = TRANSACTIONS.name


def gathered(folder: Path, files: list[list[dict]], held: int, step: int):
    """All that comes of files, with so many rows in memory and at a time; and what was told."""
    told: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "HELD", held)
        patch.setattr(gather, "STEP", step)
        patch.setattr(gather, "PARTITIONS", 5)
        patch.setattr(gather, "SAMPLED", 1)
        taken = Gathered(folder)
        for place, rows in enumerate(files):
            taken.add(TRANSACTIONS, checked(rows, place % 3, **{f"theirs_{place % 2}": "x"}))
        settled = taken.settle(NAME, lambda done, total: told.append((done, total)))
        kept, twice = list(settled.kept), list(settled.twice)
        wrong = list(taken.wrong(NAME))
    counts = taken.clean[NAME], taken.bad[NAME], taken.latest, settled.rules
    return kept, twice, wrong, taken.wrong_schema(NAME), counts, told


def joined(tables: list[pa.Table]) -> list[dict]:
    return pa.concat_tables(tables, promote_options="default").to_pylist()


@settings(max_examples=20, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3), st.integers(0, 30), st.integers(5, 40))
def test_the_disk_hands_on_what_memory_does(files, held, step):
    with tempfile.TemporaryDirectory() as folder:
        memory = gathered(Path(folder) / "no", files, 10_000, step)
        disk = gathered(Path(folder) / "it's", files, held, step)
        assert not (Path(folder) / "no").exists()
    for one, other in zip(memory[:3], disk[:3], strict=True):
        assert joined(one) == joined(other)
    assert [t[0].schema for t in memory[:2]] == [t[0].schema for t in disk[:2]]
    assert memory[3] == disk[3]
    assert memory[4] == disk[4]


def many(customers: list[str]) -> list[dict]:
    row = {"happened_at": START, "known_at": START, "kind": "fee", "amount": 1.0}
    return [{**row, "customer_id": c, "event_id": f"e{i}"} for i, c in enumerate(customers)]


def test_ranges_are_of_about_one_size_and_no_customer_is_cut(tmp_path):
    customers = [f"c{i % 50:02d}" for i in range(1000)]
    kept, *_ = gathered(tmp_path / "disk", [many(customers)], 0, 100)
    sizes = [rows.num_rows for rows in kept]
    assert len(sizes) > 5
    assert max(sizes) <= 200
    seen = [set(rows["customer_id"].to_pylist()) for rows in kept]
    assert all(max(a) < min(b) for a, b in pairwise(seen))


def test_one_customer_may_have_more_rows_than_a_step(tmp_path):
    kept, *_ = gathered(tmp_path / "disk", [many(["c"] * 300)], 0, 60)
    assert sum(rows.num_rows for rows in kept) == 300


def test_the_steps_that_are_told_go_up_and_end_with_all(tmp_path):
    *_, told = gathered(tmp_path / "disk", [many([f"c{i}" for i in range(200)])], 0, 20)
    totals = {total for _, total in told}
    assert len(told) > 9
    assert len(totals) == 1
    assert [d for d, _ in told] == sorted(d for d, _ in told)
    assert told[-1][0] == told[-1][1]


@settings(max_examples=20, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(5, 40))
def test_files_that_stand_by_customer_are_read_in_order_of_every_column(files, step):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "STEP", step)
        patch.setattr(gather, "SAMPLED", 2)
        paths = [Path(folder) / f"{i}.parquet" for i in range(len(files))]
        for path, rows in zip(paths, files, strict=True):
            pq.write_table(table(rows).sort_by("customer_id"), path, row_group_size=3)
        found = list(in_order(paths, order(TRANSACTIONS)))
    every = [(c.name, "ascending") for c in TRANSACTIONS.columns]
    whole = pa.concat_tables([table(rows) for rows in files]).sort_by(every)
    assert pa.concat_tables(found).equals(whole)


def test_a_settled_partition_is_gone_from_disk(tmp_path):
    gathered(tmp_path / "disk", [many(["a", "b"])], 0, 10)
    assert not list((tmp_path / "disk").rglob("clean-*/**/*.parquet"))
