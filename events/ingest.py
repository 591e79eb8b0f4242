"""Raw tables in, a checked data set out: read, check, mark corrections, sort, write.

Enters: a source and its folder. Leaves: clean Parquet tables with `dataset.json`, the bad rows
under `quarantine/`, and a report. The folder appears whole or not at all; the same input gives the
same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import Fault, InputError
from events.check import RULE, check_table
from events.dataset import (
    SUPERSEDED,
    Dataset,
    TableInfo,
    before_swap,
    clean_schema,
    open_dataset,
)
from events.readers.base import RawTable, Source
from events.schema import TABLES, Table

MOST_BAD = 0.2
PART_ROWS = 4_000_000
_SECOND = 1_000_000


@dataclass(frozen=True)
class Report:
    """What a check found: rows that arrived, rows in quarantine, faults; by table."""

    source: str
    rows: Mapping[str, int]
    quarantined: Mapping[str, int]
    faults: tuple[Fault, ...]

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False)

    def to_text(self) -> str:
        """The report as lines for a terminal."""
        lines = [f"{self.source}: {sum(self.rows.values()):,} rows"]
        for name, rows in self.rows.items():
            lines.append(
                f"  {name:<14}{rows:>12,} rows  {self.quarantined[name]:>8,} in quarantine"
            )
        lines += [f"  {f.path}: {f.message} [{f.rule}]" for f in self.faults]
        return "\n".join(lines)


def ingest(
    source: Source, data: Path, out: Path, *, now: int | None = None
) -> tuple[Dataset, Report]:
    """The checked data set of a source, written to `out`, and the report of its check.

    `now` (micros, default: this moment): what is known later comes from the future.

    Raises:
        InputError: no folder, no table, a table whose columns are wrong, more than a fifth of a
            table's rows bad; every fault is named, and what stood in `out` stays as it was.
    """
    if not data.is_dir():
        raise InputError(f"no folder {data.name}/: give the folder of the raw tables with --data")
    moment = time.time_ns() // 1000 if now is None else now
    try:
        plan = source.plan(data)
        kept, bad, faults = _check_all(source.read(data), moment)
    except (duckdb.Error, OSError, pa.ArrowException, UnicodeDecodeError) as e:
        said = str(e).splitlines()[0][:300].replace(str(data), data.name)
        raise InputError(f"{data.name}/ does not hold {source.name} as it should: {said}") from None
    work = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        index: dict[str, TableInfo] = {}
        rows: dict[str, int] = {}
        lost: dict[str, int] = {}
        until = 0
        for name, clean in kept.items():
            rows[name] = clean.num_rows + bad[name].num_rows
            until = max(until, _latest(clean))
            settled, twice = settle(TABLES[name], clean)
            wrong = _together([bad[name], _twice(twice)])
            lost[name] = wrong.num_rows
            if twice.num_rows:
                key = ", ".join(TABLES[name].key)
                said = f"{twice.num_rows:,} rows repeat a {key} that was known at the same instant"
                faults.append(Fault(f"{name}:{key}", "duplicate", f"{said}; see the quarantine"))
            index[name] = _write(work, name, settled)
            if wrong.num_rows:
                (work / "quarantine").mkdir(exist_ok=True)
                pq.write_table(wrong, work / "quarantine" / f"{name}.parquet")
        report = Report(source.name, rows, lost, tuple(faults))
        content = {
            "source": source.name,
            "plan": plan.model_dump(mode="json"),
            "data_until": until,
            "tables": {name: asdict(info) for name, info in index.items()},
        }
        (work / "dataset.json").write_text(json.dumps(content, indent=2, sort_keys=True), "utf-8")
        (work / "check.json").write_text(report.to_json(), "utf-8")
        _swap(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return open_dataset(out), report


def settle(table: Table, clean: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows with `superseded_at`, sorted, and the rows that stand twice.

    Of rows with one key and one `known_at` the first in sorted order stays, the others stand
    twice. Of one key known at several instants each version is superseded when the next is known.
    """
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    key = ", ".join(f'"{k}"' for k in table.key)
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("clean", clean)
        db.execute(
            f"CREATE VIEW numbered AS SELECT *, row_number() OVER "
            f"(PARTITION BY {key}, known_at ORDER BY {columns}) AS copy FROM clean"
        )
        settled = db.sql(
            f"SELECT {columns}, lead(known_at) OVER (PARTITION BY {key} ORDER BY known_at) "
            f"AS {SUPERSEDED} FROM numbered WHERE copy = 1 "
            f"ORDER BY customer_id, happened_at, known_at, {columns}"
        ).to_arrow_table()
        twice = db.sql(
            f"SELECT {columns} FROM numbered WHERE copy > 1 ORDER BY {columns}"
        ).to_arrow_table()
    return settled.cast(clean_schema(table.name)), twice


def _check_all(
    raws: Iterable[RawTable], now: int
) -> tuple[dict[str, pa.Table], dict[str, pa.Table], list[Fault]]:
    clean: dict[str, list[pa.Table]] = {}
    bad: dict[str, list[pa.Table]] = {}
    faults: list[Fault] = []
    fatal: list[Fault] = []
    for raw in raws:
        if raw.table not in TABLES:
            fatal.append(Fault(raw.file, "unknown_table", f"there are {', '.join(TABLES)}"))
            continue
        found = check_table(TABLES[raw.table], raw.data, raw.file, now)
        fatal += found.fatal
        faults += found.faults
        clean.setdefault(raw.table, []).append(found.clean)
        bad.setdefault(raw.table, []).append(found.bad)
    kept = {name: _together(parts) for name, parts in sorted(clean.items())}
    wrong = {name: _together(parts) for name, parts in sorted(bad.items())}
    for name, rows in kept.items():
        total = rows.num_rows + wrong[name].num_rows
        if total and wrong[name].num_rows > MOST_BAD * total:
            share = wrong[name].num_rows / total
            fatal.append(Fault(name, "too_many_bad_rows", f"{share:.0%} of {total:,} rows are bad"))
    if fatal:
        raise InputError("the tables cannot be read; mend these places:", (*fatal, *faults))
    if not any(rows.num_rows for rows in kept.values()):
        raise InputError(f"no rows at all: a folder holds at least one of {', '.join(TABLES)}")
    return kept, wrong, faults


def _together(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts, promote_options="default")


def _latest(clean: pa.Table) -> int:
    latest = pc.max(clean["happened_at"])
    return int(latest.cast(pa.int64()).as_py()) if latest.is_valid else 0


def _twice(twice: pa.Table) -> pa.Table:
    text = {n: pc.cast(twice[n], pa.string(), safe=False) for n in twice.column_names}
    return pa.table({RULE: pa.array(["duplicate"] * twice.num_rows, pa.string()), **text})


def _write(work: Path, name: str, rows: pa.Table) -> TableInfo:
    folder = work / name
    folder.mkdir()
    digest = hashlib.sha256()
    for part, start in enumerate(range(0, max(rows.num_rows, 1), PART_ROWS)):
        file = folder / f"part-{part:05d}.parquet"
        pq.write_table(rows.slice(start, PART_ROWS), file, compression="zstd")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return TableInfo(rows.num_rows, digest.hexdigest())


def _swap(work: Path, out: Path) -> None:
    """Put `work` in the place of `out`; `open_dataset` takes up a swap that was cut short."""
    old = before_swap(out)
    if out.exists():
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
    work.rename(out)
    shutil.rmtree(old, ignore_errors=True)
