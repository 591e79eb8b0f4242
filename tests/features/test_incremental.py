"""A panel brought up to date equals a full run, and only changed customers are computed."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from features import incremental
from features.incremental import changed_customers, updated
from features.panel import compute, known_customers
from tests.features.panel_world import table_of
from tests.features.scale_world import grid_of, same_bytes, small_bank, with_sizes

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return small_bank(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def after(before, tmp_path_factory):
    """A day later: one new event, one that was known late, one corrected, one customer anew."""
    root = tmp_path_factory.mktemp("after") / "dataset"
    shutil.copytree(before.root, root)
    dataset = dataclasses.replace(before, root=root)
    now = before.data_until
    late = {"happened_at": now - 90 * DAY, "known_at": now + DAY}
    rows = [
        {"customer_id": "C0000001", "happened_at": now + DAY, "known_at": now + DAY},
        {"customer_id": "C0000002", **late},
        {"customer_id": "new", "happened_at": now, "known_at": now},
    ]
    filled = [{"kind": "purchase", "amount": 5.0, "superseded_at": None, **r} for r in rows]
    pq.write_table(table_of("transactions", filled), root / "transactions/part-99998.parquet")
    odd = root / "transactions/part-99999.parquet"
    table = pq.read_table(odd)
    place = table.column_names.index("superseded_at")
    [third] = [pc.index(table["customer_id"], "c3").as_py()]
    fixed = table["superseded_at"].to_pylist()
    fixed[third] = 1_595_000_000_000_000
    column = pa.array([f if isinstance(f, int) else f and int(f.timestamp() * 1e6) for f in fixed])
    kind = table.schema.field(place).type
    pq.write_table(table.set_column(place, "superseded_at", column.cast(kind)), odd)
    return with_sizes(dataset)


def test_only_who_has_other_rows_has_changed(before, after):
    assert changed_customers(before, before) == ()
    assert changed_customers(before, after) == ("C0000001", "C0000002", "c3", "new")
    assert changed_customers(after, before) == changed_customers(before, after)


def one_row_else(dataset, root, change):
    """The data set with one transaction of C0000003 changed, and nothing else."""
    shutil.copytree(dataset.root, root)
    file = root / "transactions/part-00000.parquet"
    table = pq.read_table(file)
    rows = table.to_pylist()
    place = next(i for i, r in enumerate(rows) if r["customer_id"] == "C0000003")
    rows[place : place + 1] = change(rows[place])
    pq.write_table(pa.Table.from_pylist(rows, table.schema), file)
    return with_sizes(dataclasses.replace(dataset, root=root))


HOUR = timedelta(hours=1)
CHANGES = {
    "it happened later": lambda r: [{**r, "happened_at": r["happened_at"] + HOUR}],
    "it was known later": lambda r: [{**r, "known_at": r["known_at"] + 9 * HOUR}],
    "it was corrected": lambda r: [{**r, "superseded_at": r["known_at"] + 99 * HOUR}],
    "its amount is another": lambda r: [{**r, "amount": (r["amount"] or 0.0) + 1.0}],
    "it is gone": lambda _: [],
    "it stands twice": lambda r: [r, r],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_customer_has_changed_by_any_change_of_one_row(before, tmp_path, what):
    after = one_row_else(before, tmp_path / "dataset", CHANGES[what])
    assert with_sizes(before).tables != after.tables
    assert changed_customers(before, after) == ("C0000003",)
    asked = grid_of(after)
    found = updated(compute(before, asked), after, asked, changed_customers(before, after))
    assert same_bytes(found, compute(after, asked))


def test_an_updated_panel_has_the_bytes_of_a_full_run(before, after, monkeypatch):
    asked = grid_of(after)
    panel = compute(before, grid_of(before).slice(3))
    changed = changed_customers(before, after)
    assert not same_bytes(compute(before, asked), compute(after, asked))
    computed = []
    full = incremental.compute_tables

    def watched(tables, requests, catalogue):
        computed.extend(requests["customer_id"].to_pylist())
        return full(tables, requests, catalogue)

    monkeypatch.setattr(incremental, "compute_tables", watched)
    found = updated(panel, after, asked, changed)
    assert same_bytes(found, compute(after, asked))
    unknown = grid_of(before).slice(0, 3)["customer_id"].to_pylist()
    assert set(computed) == {*changed, *unknown}


def test_a_new_as_of_is_computed_for_everybody(before):
    asked = grid_of(before)
    today = asked.filter(pc.equal(asked["as_of"], pc.max(asked["as_of"])))
    rest = asked.filter(pc.less(asked["as_of"], pc.max(asked["as_of"])))
    found = updated(compute(before, rest), before, today, ())
    assert same_bytes(found, compute(before, today))


def test_a_window_moves_on_though_nobody_acted(before):
    """A year after the last event: nobody has changed, and what was in a window has left it."""
    last = before.data_until
    asked = known_customers(before, [last, last + 365 * DAY])
    panel = compute(before, known_customers(before, [last]))
    found = updated(panel, before, asked, changed_customers(before, before))
    assert same_bytes(found, compute(before, asked))
    counts = found["purchase_count_90d"].to_numpy().reshape(-1, 2)
    assert np.nansum(counts[:, 0]) > 0
    assert np.nansum(counts[:, 1]) == 0


def test_a_panel_of_another_catalogue_is_refused(before):
    asked = grid_of(before)
    panel = compute(before, asked.slice(0, 2)).drop_columns(["balance_last"])
    with pytest.raises(InputError, match="compute it in full"):
        updated(panel, before, asked, ())
