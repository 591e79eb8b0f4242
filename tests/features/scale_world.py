"""A small bank with late and corrected rows, its requests and its panel, for what must equal it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.dataset import Dataset, TableInfo
from events.ingest import ingest
from events.readers import SOURCES
from features.panel import compute_tables, known_customers
from tests.features.panel_world import random_transactions, table_of


def small_bank(folder: Path, customers: int = 120) -> Dataset:
    """A data set of the simulated bank, and of six customers with odd events besides."""
    write_bank(folder / "raw", BankConfig(customers=customers, months=16, seed=7))
    dataset, _ = ingest(SOURCES["bank"], folder / "raw", folder / "dataset")
    odd = table_of("transactions", random_transactions(np.random.default_rng(3), 300))
    pq.write_table(odd, dataset.root / "transactions" / "part-99999.parquet")
    return with_sizes(dataset)


def with_sizes(dataset: Dataset) -> Dataset:
    """The data set with a name for what its files hold now."""
    tables = {
        name: TableInfo(
            sum(pq.read_metadata(f).num_rows for f in dataset.files(name)),
            "-".join(str(f.stat().st_size) for f in dataset.files(name)),
        )
        for name in dataset.tables
    }
    return dataclasses.replace(dataset, tables=tables)


def grid_of(dataset: Dataset, dates: int = 3) -> pa.Table:
    """Requests of everybody at some as_of, also while the odd events come in."""
    last = dataset.data_until
    recent = [last - 31 * MICROS_PER_DAY * i for i in range(dates)]
    return known_customers(dataset, [*recent, 1_590_000_000_000_000, 1_600_000_000_000_000])


def plain_panel(dataset: Dataset, requests: pa.Table) -> pa.Table:
    """The panel over every table read as it stands: what each other way of reading must give."""
    tables = {name: dataset.table(name) for name in dataset.tables}
    return pa.concat_tables(compute_tables(tables, requests)).combine_chunks()


def in_order(panel: pa.Table) -> pa.Table:
    """The panel by customer and as_of, in one chunk."""
    return panel.sort_by([("customer_id", "ascending"), ("as_of", "ascending")]).combine_chunks()


def same_bytes(a: pa.Table, b: pa.Table) -> bool:
    """Equal rows, types and bits; missing is missing."""
    if a.schema != b.schema or a.num_rows != b.num_rows:
        return False
    return all(_bits(a[name]) == _bits(b[name]) for name in a.column_names)


def _bits(column: pa.ChunkedArray) -> object:
    if not pa.types.is_floating(column.type):
        return column.to_pylist()
    known = column.is_valid().to_pylist()
    return known, column.fill_null(0.0).to_numpy().view(np.int64).tolist()
