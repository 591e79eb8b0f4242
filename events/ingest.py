"""Raw tables in, a checked data set out: read, check, mark corrections, sort, write.

Enters: a source and its folder. Leaves: clean Parquet tables with `dataset.json`, the bad rows
under `quarantine/`, and a report. The folder appears whole or not at all; the same input gives the
same bytes. One raw table is in memory at a time; `events.gather` says where the others are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.errors import Fault, InputError
from events.check import Checked, check_table
from events.dataset import (
    SUPERSEDED,
    Dataset,
    TableInfo,
    before_swap,
    declared,
    open_dataset,
)
from events.gather import Gathered
from events.given import GIVEN
from events.readers.base import Source
from events.schema import STATEMENTS, TABLES, Table
from events.settle import ANOTHERS, DUPLICATE

MOST_BAD = 0.2
PART_ROWS = 4_000_000
GROUP_ROWS = 65_536
"""Rows a group of a Parquet part: one customer is read without decoding a million other rows."""
CLOSE_DAYS = 20
WRONG_ROWS = 1 << 20
"""Rows a group of the quarantine."""

Progress = Callable[[str, int, int | None], None]


def _tell_nobody(_: str, __: int, ___: int | None) -> None:
    return None


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
    source: Source, data: Path, out: Path, *, now: int | None = None, told: Progress = _tell_nobody
) -> tuple[Dataset, Report]:
    """The checked data set of a source, written to `out`, and the report of its check.

    `now` (micros, default: this moment): what is known later comes from the future. `told` hears of
    every step: what is done, how far, of how many (None: nobody knows before the end).

    Raises:
        InputError: no folder, no table, a table whose columns are wrong, more than a fifth of a
            table's rows bad; every fault is named, and what stood in `out` stays as it was.
    """
    if not data.is_dir():
        raise InputError(f"no folder {data.name}/: give the folder of the raw tables with --data")
    moment = time.time_ns() // 1000 if now is None else now
    work = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    gathered = Gathered(work / "gathered")
    try:
        with _readable(source, data):
            plan, notes, given = source.plan(data), source.notes(data), source.given(data)
        faults = [*_gather(_checked(source, data, moment, told), gathered), *notes]
        index: dict[str, TableInfo] = {}
        lost: dict[str, int] = {}
        for name in sorted(gathered.tables):
            settled = gathered.settle(name, partial(told, f"settle {name}"))
            faults += _repeats(gathered.tables[name], settled.rules)
            close: Counter[str] = Counter()
            index[name] = _write(work, name, _watched(settled.kept, close, name))
            faults += _too_close(close)
            lost[name] = gathered.bad[name] + settled.rules.total()
            if lost[name]:
                wrong = chain(gathered.wrong(name), map(_as_text, settled.twice))
                _set_apart(work / "quarantine", name, wrong, gathered.wrong_schema(name))
        rows = {name: gathered.clean[name] + gathered.bad[name] for name in index}
        report = Report(source.name, rows, lost, tuple(faults))
        content = {
            "source": source.name,
            "plan": plan.model_dump(mode="json"),
            "data_until": gathered.latest,
            "tables": {name: asdict(info) for name, info in index.items()},
            **({"given": given.model_dump(mode="json")} if given is not None else {}),
        }
        (work / "dataset.json").write_text(json.dumps(content, indent=2, sort_keys=True), "utf-8")
        (work / "check.json").write_text(report.to_json(), "utf-8")
        shutil.rmtree(work / "gathered", ignore_errors=True)
        _swap(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return open_dataset(out), report


def _repeats(table: Table, rules: Counter[str]) -> list[Fault]:
    key = ", ".join(table.key)
    said = {
        DUPLICATE: f"rows repeat a {key} that was known at the same instant",
        ANOTHERS: f"rows have a {key} that named an event of another customer before",
    }
    return [
        Fault(f"{table.name}:{key}", rule, f"{rules[rule]:,} {text}; see the quarantine")
        for rule, text in said.items()
        if rules[rule]
    ]


def _watched(spans: Iterable[pa.Table], close: Counter[str], name: str) -> Iterator[pa.Table]:
    """The spans; of statements it is counted which close less than `CLOSE_DAYS` apart."""
    for rows in spans:
        if name == STATEMENTS.name:
            close[name] += _close(rows)
        yield rows


def _close(statements: pa.Table) -> int:
    with duckdb.connect(config={"threads": 2}) as db:
        db.register("statements", statements)
        found = db.execute(
            "SELECT count(*) FROM (SELECT happened_at - lag(happened_at) OVER (PARTITION BY "
            "customer_id, account_id ORDER BY happened_at) AS gap FROM statements "
            f"WHERE {SUPERSEDED} IS NULL) WHERE gap < INTERVAL {CLOSE_DAYS} DAY"
        ).fetchone()
    return found[0] if found else 0


def _too_close(close: Counter[str]) -> list[Fault]:
    """Statements of one account that close too soon after another: told, and kept."""
    return [
        Fault(
            f"{name}:happened_at",
            "too_close",
            f"{count:,} statements close less than {CLOSE_DAYS} days after the one before of their "
            "account, one a month is expected; they are kept",
        )
        for name, count in close.items()
        if count
    ]


@contextmanager
def _readable(source: Source, data: Path) -> Iterator[None]:
    """Say of what breaks inside that the folder does not hold what it should."""
    try:
        yield
    except (duckdb.Error, OSError, pa.ArrowException, UnicodeDecodeError) as e:
        said = str(e).splitlines()[0][:300].replace(str(data), data.name)
        raise InputError(f"{data.name}/ does not hold {source.name} as it should: {said}") from None


def _checked(
    source: Source, data: Path, now: int, told: Progress
) -> Iterator[tuple[Table | None, Checked]]:
    """Every raw table checked, one in memory at a time; no table: its name is none of ours."""
    with _readable(source, data):
        given, total = source.given(data), source.count(data)
        for place, raw in enumerate(source.read(data), 1):
            if raw.table not in TABLES and not (given is not None and raw.table == GIVEN):
                fault = Fault(raw.file, "unknown_table", f"there are {', '.join(TABLES)}")
                yield None, Checked(pa.table({}), pa.table({}), (), (fault,))
                continue
            table = declared(raw.table, given)
            yield table, check_table(table, raw.data, raw.file, now)
            told("read", place, total)


def _gather(checked: Iterable[tuple[Table | None, Checked]], gathered: Gathered) -> list[Fault]:
    """Take in all rows; the faults that stop nothing.

    Raises:
        InputError: faults that stop, all at once, or no rows.
    """
    faults: list[Fault] = []
    fatal: list[Fault] = []
    for table, found in checked:
        fatal += found.fatal
        faults += found.faults
        if table is not None and not found.fatal:
            gathered.add(table, found)
    for name in sorted(gathered.tables):
        total = gathered.clean[name] + gathered.bad[name]
        if gathered.bad[name] > MOST_BAD * total:
            share = gathered.bad[name] / total
            fatal.append(Fault(name, "too_many_bad_rows", f"{share:.0%} of {total:,} rows are bad"))
    if fatal:
        raise InputError("the tables cannot be read; mend these places:", (*fatal, *faults))
    if not gathered.clean.total():
        raise InputError(f"no rows at all: a folder holds at least one of {', '.join(TABLES)}")
    return faults


def _as_text(rows: pa.Table) -> pa.Table:
    return pa.table({n: pc.cast(rows[n], pa.string(), safe=False) for n in rows.column_names})


def pieces(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of so many, the last one of fewer; one table at least."""
    held: list[pa.Table] = []
    free = size
    for rows in tables:
        while rows.num_rows > free:
            yield pa.concat_tables([*held, rows.slice(0, free)])
            rows, held, free = rows.slice(free), [], size
        held.append(rows)
        free -= rows.num_rows
    yield pa.concat_tables(held)


def _write(work: Path, name: str, spans: Iterable[pa.Table]) -> TableInfo:
    folder, count = work / name, 0
    folder.mkdir(parents=True)
    digest = hashlib.sha256()
    for part, rows in enumerate(pieces(spans, PART_ROWS)):
        file = folder / f"part-{part:05d}.parquet"
        with pq.ParquetWriter(file, rows.schema, compression="zstd") as out:
            for group in pieces([rows], GROUP_ROWS):
                out.write_table(group.combine_chunks(), row_group_size=GROUP_ROWS)
        digest.update(hashlib.sha256(file.read_bytes()).digest())
        count += rows.num_rows
    return TableInfo(count, digest.hexdigest())


def _set_apart(folder: Path, name: str, wrong: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Keep the rows that may not count; `schema` has the columns of all of them."""
    folder.mkdir(exist_ok=True)
    none = schema.empty_table()
    whole = (pa.concat_tables([none, rows], promote_options="default") for rows in wrong)
    with pq.ParquetWriter(folder / f"{name}.parquet", schema) as out:
        for group in pieces(whole, WRONG_ROWS):
            out.write_table(group.combine_chunks())


def _swap(work: Path, out: Path) -> None:
    """Put `work` in the place of `out`; `open_dataset` takes up a swap that was cut short."""
    old = before_swap(out)
    if out.exists():
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
    work.rename(out)
    shutil.rmtree(old, ignore_errors=True)
