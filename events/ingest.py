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
    declared,
    open_dataset,
)
from events.given import GIVEN, GivenTable
from events.readers.base import RawTable, Source
from events.schema import STATEMENTS, TABLES, Table

MOST_BAD = 0.2
PART_ROWS = 4_000_000
GROUP_ROWS = 65_536
"""Rows a group of a Parquet part: one customer is read without decoding a million other rows."""
CLOSE_DAYS = 20
DUPLICATE, ANOTHERS = "duplicate", "key_of_another_customer"


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
        notes, given = source.notes(data), source.given(data)
        kept, bad, faults = _check_all(source.read(data), moment, given)
    except (duckdb.Error, OSError, pa.ArrowException, UnicodeDecodeError) as e:
        said = str(e).splitlines()[0][:300].replace(str(data), data.name)
        raise InputError(f"{data.name}/ does not hold {source.name} as it should: {said}") from None
    faults += notes
    work = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        index: dict[str, TableInfo] = {}
        lost: dict[str, int] = {}
        for name, clean in kept.items():
            settled, twice = settle(declared(name, given), clean)
            wrong = _together([bad[name], _as_text(twice)])
            lost[name] = wrong.num_rows
            faults += _repeats(declared(name, given), twice)
            faults += _too_close(settled) if name == STATEMENTS.name else []
            index[name] = _write(work, name, settled)
            _set_apart(work, name, wrong)
        rows = {name: clean.num_rows + bad[name].num_rows for name, clean in kept.items()}
        report = Report(source.name, rows, lost, tuple(faults))
        content = {
            "source": source.name,
            "plan": plan.model_dump(mode="json"),
            "data_until": max(0, *map(_latest, kept.values())),
            "tables": {name: asdict(info) for name, info in index.items()},
            **({"given": given.model_dump(mode="json")} if given is not None else {}),
        }
        (work / "dataset.json").write_text(json.dumps(content, indent=2, sort_keys=True), "utf-8")
        (work / "check.json").write_text(report.to_json(), "utf-8")
        _swap(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return open_dataset(out), report


def settle(table: Table, clean: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows with `superseded_at`, sorted, and the rows that cannot stand, with their rule.

    Of rows with one key and one `known_at` the first in sorted order stays, the others are
    `duplicate`. Of one key known at several instants each version is superseded when the next is
    known. A key that names an event of one customer first and of another one later is no
    correction: the later rows are `key_of_another_customer`.
    """
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    key = ", ".join(f'"{k}"' for k in table.key)
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("clean", clean)
        db.execute(
            f"CREATE VIEW numbered AS SELECT *, CASE WHEN customer_id <> first_value(customer_id) "
            f"OVER (PARTITION BY {key} ORDER BY known_at, {columns}) "
            f"THEN '{ANOTHERS}' WHEN row_number() OVER "
            f"(PARTITION BY {key}, customer_id, known_at ORDER BY {columns}) > 1 "
            f"THEN '{DUPLICATE}' END AS {RULE} FROM clean"
        )
        settled = db.sql(
            f"SELECT {columns}, lead(known_at) OVER (PARTITION BY {key} ORDER BY known_at) "
            f"AS {SUPERSEDED} FROM numbered WHERE {RULE} IS NULL "
            f"ORDER BY customer_id, happened_at, known_at, {columns}"
        ).to_arrow_table()
        twice = db.sql(
            f"SELECT {RULE}, {columns} FROM numbered WHERE {RULE} IS NOT NULL ORDER BY {columns}"
        ).to_arrow_table()
    return settled.cast(clean_schema(table)), twice


def _repeats(table: Table, twice: pa.Table) -> list[Fault]:
    key = ", ".join(table.key)
    said = {
        DUPLICATE: f"rows repeat a {key} that was known at the same instant",
        ANOTHERS: f"rows have a {key} that named an event of another customer before",
    }
    faults = []
    for rule, text in said.items():
        count = pc.sum(pc.equal(twice[RULE], rule)).as_py() or 0
        if count:
            whole = f"{count:,} {text}; see the quarantine"
            faults.append(Fault(f"{table.name}:{key}", rule, whole))
    return faults


def _too_close(statements: pa.Table) -> list[Fault]:
    """Statements of one account that close less than `CLOSE_DAYS` apart: told, and kept."""
    with duckdb.connect(config={"threads": 2}) as db:
        db.register("statements", statements)
        found = db.execute(
            "SELECT count(*) FROM (SELECT happened_at - lag(happened_at) OVER (PARTITION BY "
            "customer_id, account_id ORDER BY happened_at) AS gap FROM statements "
            f"WHERE {SUPERSEDED} IS NULL) WHERE gap < INTERVAL {CLOSE_DAYS} DAY"
        ).fetchone()
    count = found[0] if found else 0
    said = (
        f"{count:,} statements close less than {CLOSE_DAYS} days after the one before of their "
        "account, one a month is expected; they are kept"
    )
    return [Fault("statements:happened_at", "too_close", said)] if count else []


def _check_all(
    raws: Iterable[RawTable], now: int, given: GivenTable | None
) -> tuple[dict[str, pa.Table], dict[str, pa.Table], list[Fault]]:
    clean: dict[str, list[pa.Table]] = {}
    bad: dict[str, list[pa.Table]] = {}
    faults: list[Fault] = []
    fatal: list[Fault] = []
    for raw in raws:
        if raw.table not in TABLES and not (given is not None and raw.table == GIVEN):
            fatal.append(Fault(raw.file, "unknown_table", f"there are {', '.join(TABLES)}"))
            continue
        found = check_table(declared(raw.table, given), raw.data, raw.file, now)
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


def _as_text(rows: pa.Table) -> pa.Table:
    return pa.table({n: pc.cast(rows[n], pa.string(), safe=False) for n in rows.column_names})


def _write(work: Path, name: str, rows: pa.Table) -> TableInfo:
    folder = work / name
    folder.mkdir()
    digest = hashlib.sha256()
    for part, start in enumerate(range(0, max(rows.num_rows, 1), PART_ROWS)):
        file = folder / f"part-{part:05d}.parquet"
        part_rows = rows.slice(start, PART_ROWS)
        pq.write_table(part_rows, file, compression="zstd", row_group_size=GROUP_ROWS)
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return TableInfo(rows.num_rows, digest.hexdigest())


def _set_apart(work: Path, name: str, wrong: pa.Table) -> None:
    """Keep the rows that may not count, where there are any."""
    if wrong.num_rows:
        (work / "quarantine").mkdir(exist_ok=True)
        pq.write_table(wrong, work / "quarantine" / f"{name}.parquet")


def _swap(work: Path, out: Path) -> None:
    """Put `work` in the place of `out`; `open_dataset` takes up a swap that was cut short."""
    old = before_swap(out)
    if out.exists():
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
    work.rename(out)
    shutil.rmtree(old, ignore_errors=True)
