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
        write_bank(folder / "raw", BankConfig(customers=customers))
        ingest(SOURCES["bank"], folder / "raw", folder / "dataset")
    return folder


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
                        ids = pc.binary_join_element_wise(
                            pa.scalar(chr(ord("a") + i)), rows["customer_id"], ""
                        )
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
