"""Panels of data sets that outgrow memory: events by customer in files, one file at a time.

Enters: a data set, requests, a folder. Leaves: the panel in the folder, one Parquet file a
partition, its rows by customer and as_of. DuckDB writes the events of every table into partitions
by a hash of the customer and spills to disk where it must; each partition is then computed as if it
were a data set of its own. A run that was killed goes on after the last file it finished, and the
bytes are those of a run that was not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from domain.decision import content_hash
from events.dataset import Dataset, clean_schema
from events.schema import INSTANT
from features.catalogue import CATALOGUE, Catalogue
from features.panel import compute_tables, quiet_duckdb
from features.programs import CLOCKS, compile_takes

EVENTS_A_PARTITION = 6_000_000
"""About so many events are in memory at a time."""
REQUESTS = "requests"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Means:
    """What a run may use: partitions (0: by the number of events), DuckDB's memory, threads (0: one
    a core). Nothing here changes a value."""

    partitions: int = 0
    memory: str = "1GB"
    threads: int = 0


def compute_on_disk(
    dataset: Dataset,
    requests: pa.Table,
    folder: Path,
    catalogue: Catalogue = CATALOGUE,
    means: Means = Means(),
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """The files of the panel, in order, made or already there.

    `progress` is called with the partitions done and in all. What the folder held of another data
    set, catalogue or list of requests is removed. One process at a time works in a folder.
    """
    rows = sum(info.rows for info in dataset.tables.values())
    partitions = means.partitions or max(1, -(-rows // EVENTS_A_PARTITION))
    _begin(folder, _job(dataset, requests, catalogue, partitions))
    files = tuple(folder / f"panel-{p:05d}.parquet" for p in range(partitions))
    if not all(f.exists() for f in files) and not (folder / "events").exists():
        _part_events(dataset, requests, folder, catalogue, partitions, means)
    for p, file in enumerate(files):
        if not file.exists():
            _compute_partition(folder, p, file, catalogue, means.threads)
        shutil.rmtree(folder / "events" / f"{p}", ignore_errors=True)
        if progress is not None:
            progress(p + 1, partitions)
    shutil.rmtree(folder / "events", ignore_errors=True)
    return files


def panel_parts(files: Sequence[Path]) -> Iterator[pa.Table]:
    """The panel that stands in files, some rows at a time."""
    for file in files:
        with pq.ParquetFile(file) as opened:
            for group in range(opened.num_row_groups):
                yield opened.read_row_group(group)


def _job(dataset: Dataset, requests: pa.Table, catalogue: Catalogue, partitions: int) -> str:
    """A hash of everything that decides the bytes of the files."""
    asked = hashlib.sha256()
    for batch in requests.select(["customer_id", "as_of"]).to_batches():
        asked.update("\0".join(batch["customer_id"].cast(pa.string()).to_pylist()).encode())
        asked.update(batch["as_of"].cast(pa.int64()).to_numpy().tobytes())
    return content_hash(
        {
            "tables": {name: info.sha256 for name, info in dataset.tables.items()},
            "catalogue": catalogue.hash,
            "requests": asked.hexdigest(),
            "partitions": partitions,
            "written_by": [duckdb.__version__, pa.__version__],
        }
    )


def _begin(folder: Path, job: str) -> None:
    """Leave in the folder what an earlier run of the same job finished, nothing else of ours."""
    index = folder / "job.json"
    if not index.is_file() or json.loads(index.read_text(encoding="utf-8")) != {"job": job}:
        index.unlink(missing_ok=True)
        shutil.rmtree(folder / "events", ignore_errors=True)
        for old in folder.glob("panel-*.parquet"):
            old.unlink()
    for half in (*folder.glob("*.half"), *folder.glob("*.spill")):
        shutil.rmtree(half) if half.is_dir() else half.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps({"job": job}), encoding="utf-8")


def _part_events(
    dataset: Dataset, requests: pa.Table, folder: Path, catalogue: Catalogue,
    partitions: int, means: Means,
) -> None:  # fmt: skip
    """Write `events/<partition>/<table>/`, all or nothing."""
    half = folder / "events.half"
    config = {"memory_limit": means.memory, "preserve_insertion_order": "false"}
    config["temp_directory"] = str(folder / "sort.spill")
    with quiet_duckdb(**config) as db:
        if means.threads:
            db.execute(f"SET threads = {means.threads}")
        db.execute("SET partitioned_write_flush_threshold = 65536")
        db.register(REQUESTS, requests.select(["customer_id", "as_of"]))
        sources = {REQUESTS: (REQUESTS, ["customer_id", "as_of"])}
        for c in compile_takes(catalogue):
            files = [str(f) for f in dataset.files(c.table)]
            if files:
                columns = ["customer_id", *CLOCKS, *c.columns]
                sources[c.table] = (f"read_parquet({files})", columns)
        for table, (source, columns) in sources.items():
            named = ", ".join(f'"{c}"' for c in columns)
            place = half / table
            place.mkdir(parents=True)
            db.execute(
                f"COPY (SELECT {named}, hash(customer_id) % {partitions} AS p FROM {source}) "
                f"TO '{place}' (FORMAT parquet, PARTITION_BY (p), OVERWRITE_OR_IGNORE)"
            )
    for p in range(partitions):
        for table in sources:
            (half / f"{p}").mkdir(exist_ok=True)
            if (half / table / f"p={p}").exists():
                (half / table / f"p={p}").rename(half / f"{p}" / table)
    half.rename(folder / "events")


def _compute_partition(
    folder: Path, p: int, file: Path, catalogue: Catalogue, threads: int
) -> None:
    """Write one file of the panel, all or nothing."""
    place = folder / "events" / f"{p}"
    tables = {
        c.table: _read(place / c.table, ["customer_id", *CLOCKS, *c.columns], c.table)
        for c in compile_takes(catalogue)
    }
    asked = _read(place / REQUESTS, ["customer_id", "as_of"], None)
    asked = asked.sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    half = file.with_suffix(".half")
    writer: pq.ParquetWriter | None = None
    for part in compute_tables(tables, asked, catalogue, threads):
        writer = writer or pq.ParquetWriter(half, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()
        half.rename(file)


def _read(place: Path, columns: list[str], table: str | None) -> pa.Table:
    """The rows of one partition; none where nothing fell into it. Text is read as dictionaries."""
    fields = [pa.field("customer_id", pa.string()), pa.field("as_of", INSTANT)]
    schema = pa.schema(fields if table is None else [clean_schema(table).field(c) for c in columns])
    files = sorted(str(f) for f in place.glob("*.parquet"))
    if not files:
        return schema.empty_table()
    text = [f.name for f in schema if table is not None and pa.types.is_string(f.type)]
    format_ = pads.ParquetFileFormat(dictionary_columns=text)
    found = pads.dataset(files, format=format_).to_table(columns=columns)
    kept = [
        found[f.name] if f.name in text else found[f.name].cast(f.type) for f in schema
    ]  # fmt: skip
    return pa.table(dict(zip(columns, kept, strict=True)))
