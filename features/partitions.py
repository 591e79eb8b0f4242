"""Panels of data sets that outgrow memory: a span of customers at a time, each kept as a file.

Enters: a data set, requests, a folder. Leaves: the panel in the folder, one Parquet file a span of
customers, all of them together by customer and as_of. A run that was killed goes on after the last
file it finished, and the bytes are those of a run that was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from domain.decision import content_hash
from events.dataset import Dataset
from events.durable import replace_file
from features.catalogue import CATALOGUE, Catalogue
from features.panel import compute_tables
from features.spans import by_customer, count, spans, tables_of

ROWS = 65_536
"""Requests that are hashed at a time."""


def compute_on_disk(
    dataset: Dataset,
    requests: pa.Table,
    folder: Path,
    catalogue: Catalogue = CATALOGUE,
    wanted: int = 0,
    threads: int = 0,
) -> Iterator[Path]:
    """The files of the panel, in order, each as soon as it is made or where it already stands.

    `wanted`: in how many spans (0: by the number of events); it and `threads` change no value. What
    the folder held of another data set, catalogue, list of requests or state of our code is
    removed. One process at a time works in a folder.
    """
    keys = [("customer_id", "ascending"), ("as_of", "ascending")]
    asked = requests if by_customer(requests) else requests.sort_by(keys)
    wanted = wanted or count(dataset, catalogue)
    _begin(folder, _job(dataset, asked, catalogue, wanted))
    for place, span in enumerate(spans(asked, wanted)):
        file = folder / f"panel-{place:05d}.parquet"
        if not file.exists():
            tables = tables_of(dataset, catalogue, between=span.bounds)
            _write(compute_tables(tables, span.requests, catalogue, threads), file)
        yield file


def panel_parts(files: Iterable[Path]) -> Iterator[pa.Table]:
    """The panel that stands in files, some rows at a time."""
    for file in files:
        with pq.ParquetFile(file) as opened:
            for group in range(opened.num_row_groups):
                yield opened.read_row_group(group)


def _write(parts: Iterator[pa.Table], file: Path) -> None:
    """Write one file of the panel, all or nothing."""
    half = file.with_suffix(".half")
    first = next(parts)
    with pq.ParquetWriter(half, first.schema) as out:
        out.write_table(first)
        for part in parts:
            out.write_table(part)
    half.rename(file)


def _job(dataset: Dataset, requests: pa.Table, catalogue: Catalogue, wanted: int) -> str:
    """A hash of everything that decides the bytes of the files."""
    who, when, code = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for batch in requests.select(["customer_id", "as_of"]).to_batches(ROWS):
        who.update("\0".join([*batch["customer_id"].cast(pa.string()).to_pylist(), ""]).encode())
        when.update(batch["as_of"].cast(pa.int64()).to_numpy().tobytes())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        code.update(source.read_bytes())
    return content_hash(
        {
            "tables": {name: info.sha256 for name, info in dataset.tables.items()},
            "catalogue": catalogue.hash,
            "requests": [who.hexdigest(), when.hexdigest()],
            "spans": wanted,
            "written_by": [pa.__version__, code.hexdigest()],
        }
    )


def _begin(folder: Path, job: str) -> None:
    """Leave in the folder what an earlier run of the same job finished, nothing else of ours."""
    index = folder / "job.sha256"
    if not index.is_file() or index.read_text(encoding="utf-8") != job:
        index.unlink(missing_ok=True)
        for old in folder.glob("panel-*.parquet"):
            old.unlink()
    for half in folder.glob("*.half"):
        half.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(index, job.encode())
