"""Banks to measure on: simulated ones, and great ones made of copies with other customers.

Enters: how many customers. Leaves: a folder with `dataset/`, made once.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.asof import from_micros, monthly_grid
from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES


def simulated(folder: Path, customers: int) -> Path:
    """A simulated bank, some 105 transactions a customer."""
    if not (folder / "dataset/dataset.json").is_file():
        ingest(SOURCES["bank"], raw(folder, customers), folder / "dataset")
    return folder


def raw(folder: Path, customers: int) -> Path:
    """The raw tables of a simulated bank."""
    if not (folder / "raw").is_dir():
        write_bank(folder / "raw", BankConfig(customers=customers))
    return folder / "raw"


def raw_copies(raw: Path, folder: Path, times: int) -> Path:
    """The raw transactions so many times, each time of other customers and under other keys."""
    if (folder / "plan.json").is_file():
        return folder
    (folder / "transactions").mkdir(parents=True, exist_ok=True)
    for i in range(times):
        for file in sorted((raw / "transactions").glob("*.parquet")):
            rows = pq.read_table(file)
            for name in ("customer_id", "event_id"):
                rows = rows.set_column(
                    rows.column_names.index(name), rows.schema.field(name), _copied(rows[name], i)
                )
            pq.write_table(rows, folder / f"transactions/{i:03d}-{file.name}", compression="zstd")
    (folder / "plan.json").write_bytes((raw / "plan.json").read_bytes())
    return folder


def _copied(ids: pa.ChunkedArray, copy: int) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(pa.scalar(chr(ord("a") + copy)), ids, "")


def copies(bank: Path, folder: Path, times: int) -> Path:
    """The transactions of a bank so many times, each time of other customers; sorted as before."""
    source, root = open_dataset(bank / "dataset"), folder / "dataset"
    if (root / "dataset.json").is_file():
        return folder
    (root / "transactions").mkdir(parents=True, exist_ok=True)
    number = 0
    for i in range(times):
        for file in source.files("transactions"):
            with pq.ParquetFile(file) as opened:
                place = root / f"transactions/part-{number:05d}.parquet"
                with pq.ParquetWriter(place, opened.schema_arrow, compression="zstd") as out:
                    for group in range(opened.num_row_groups):
                        rows = opened.read_row_group(group)
                        ids = _copied(rows["customer_id"], i)
                        at = rows.column_names.index("customer_id")
                        field = rows.schema.field(at)
                        out.write_table(rows.set_column(at, field, ids))
            number += 1
    said = json.loads((source.root / "dataset.json").read_text(encoding="utf-8"))
    one = said["tables"]["transactions"]
    said["tables"] = {
        "transactions": {"rows": one["rows"] * times, "sha256": f"{one['sha256']}x{times}"}
    }
    (root / "dataset.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def grid(dataset: Dataset, dates: int) -> tuple[int, ...]:
    """So many firsts of a month, the last one of the month in which the data ends."""
    last = from_micros(dataset.data_until)
    month = last.year * 12 + last.month - 1
    first = month - dates + 1
    begin, end = (f"{m // 12:04d}-{m % 12 + 1:02d}-01" for m in (first, month))
    return monthly_grid(begin, end)
