"""Reader of a folder of CSV or Parquet files, with a mapping file for other column names.

Enters: a folder with `<table>.csv`, `<table>.csv.gz`, `<table>.parquet` or the parts of a table in
`<table>/`, and perhaps `mapping.toml` (see `events.mapping`). Leaves: raw tables under our names,
for the checks to judge. Without a mapping our own names are expected. A plan stands in `plan.json`,
or under `[plan]` of the mapping, or is made from the months that the tables cover.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from domain.asof import from_micros, is_mature, monthly_grid, parse_instant
from domain.errors import Fault, InputError
from domain.plan import StudyPlan, TargetPlan
from events.database import opened, rows
from events.files import ENDINGS, is_table, read_file
from events.mapping import FILE, FolderMapping, TableMapping, faults_of, ours, read_mapping
from events.readers.base import RawTable, Source
from events.schema import TABLES
from events.shown import listed, shown

HORIZON_DAYS = 90


def read(folder: Path) -> Iterator[RawTable]:
    """The raw tables that stand in the folder, one file after another.

    Raises:
        InputError: no table at all, or a file that cannot be read; says which and why.
    """
    mapping = read_mapping(folder)
    found = False
    for table, how in _of_database(mapping):
        found = True
        with opened(str(mapping.database)) as connection:
            data = rows(connection, str(how.table))
        yield RawTable(table, str(how.table), ours(data, table, how, mapping.zone, str(how.table)))
    for table, how, file in _in_files(folder, mapping):
        found = True
        name = str(file.relative_to(folder))
        data = read_file(file, name, how.delimiter)
        yield RawTable(table, name, ours(data, table, how, mapping.zone, name))
    if not found:
        names = ", ".join(f"{t}.csv" for t in TABLES)
        there = listed(sorted(f.name for f in folder.iterdir() if f.name != "plan.json"))
        raise InputError(
            f"{folder.name}/ holds no table (there is {there}): put {names} (or .parquet) there, "
            f"or name your files in {FILE}"
        )


def _in_files(folder: Path, mapping: FolderMapping) -> Iterator[tuple[str, TableMapping, Path]]:
    for table in TABLES:
        how = mapping.tables.get(table, TableMapping())
        for file in _files(folder, table, how):
            yield table, how, file


def count(folder: Path) -> int:
    """How many raw tables `read` yields."""
    mapping = read_mapping(folder)
    return len(_of_database(mapping)) + len(list(_in_files(folder, mapping)))


def _of_database(mapping: FolderMapping) -> list[tuple[str, TableMapping]]:
    named = [(t, how) for t, how in mapping.tables.items() if how.table is not None]
    if named and mapping.database is None:
        raise InputError(f"{FILE} names a table of a database and no database: add its address")
    return named


def _files(folder: Path, table: str, how: TableMapping) -> list[Path]:
    """The files of a table; none stands outside of the folder, and only one form of it is there."""
    if how.file is not None:
        file = folder / how.file
        if not _is_inside(folder, file):
            raise InputError(
                f"{FILE} maps {table} to {shown(how.file)}, outside of the folder: move it in"
            )
        if not file.is_file():
            raise InputError(f"{FILE} maps {table} to {shown(how.file)}, which is not there")
        return [file]
    if how.table is not None:
        return []
    single = [folder / f"{table}{end}" for end in ENDINGS]
    parts = sorted(f for f in (folder / table).glob("*") if f.is_file() and is_table(f))
    found = [f for f in single if f.is_file()]
    if len(found) + bool(parts) > 1:
        names = [f.name for f in found] + [f"{table}/"] * bool(parts)
        raise InputError(f"{table} stands in {listed(names)}: keep one, rows would count twice")
    for file in (*found, *parts):
        if not _is_inside(folder, file):
            raise InputError(f"{file.name} is a link that leads out of the folder: copy it in")
    return found or parts


def _is_inside(folder: Path, file: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def unread(folder: Path) -> tuple[Fault, ...]:
    """Files that look like tables and are read by nothing: a name misspelt is silent otherwise."""
    mapping = read_mapping(folder)
    told = {how.file for how in mapping.tables.values()} | {
        f"{t}{e}" for t in TABLES for e in ENDINGS
    }
    names = sorted(f.name for f in folder.iterdir() if f.is_file() and is_table(f))
    said = f"no table is called so: rename it to one of {', '.join(TABLES)}, or map it"
    return tuple(Fault(shown(n), "unread_file", said) for n in names if n not in told)


def plan(folder: Path) -> StudyPlan:
    """The plan of `plan.json`, of the mapping, or one made from the months the tables cover.

    Raises:
        InputError: a plan that is none, or tables too short for one.
    """
    file = folder / "plan.json"
    if file.exists():
        try:
            return StudyPlan.model_validate_json(file.read_text(encoding="utf-8"))
        except ValidationError as e:
            said = "plan.json is no plan; mend these places:"
            raise InputError(said, faults_of(e, file.name)) from None
    given = read_mapping(folder).plan
    return given if given is not None else made_plan(folder)


def made_plan(folder: Path) -> StudyPlan:
    """A plan over the months of the data: the last mature month tests, a horizon's gap before it.

    Raises:
        InputError: fewer than twelve months of data.
    """
    first, last = _reach(folder)
    start = from_micros(first)
    grid = monthly_grid(f"{start:%Y-%m}-01", f"{from_micros(last):%Y-%m}-01")
    mature = [t for t in grid[6:] if is_mature(t, HORIZON_DAYS, last)]
    train = [t for t in mature if mature and is_mature(t, HORIZON_DAYS, mature[-1])]
    if not train:
        raise InputError("the tables cover too few months for a plan: bring a year, or a plan.json")
    spend = TargetPlan(horizon_days=HORIZON_DAYS)
    return StudyPlan(
        split="time",
        train_as_of=tuple(from_micros(t) for t in train),
        test_as_of=(from_micros(mature[-1]),),
        split_key=f"{folder.name}:1",
        currency="units",
        targets={"value": spend, "churn": spend, "credit": spend},
    )


def _reach(folder: Path) -> tuple[int, int]:
    ends: list[pd.Timestamp] = []
    for raw in read(folder):
        if raw.table in ("transactions", "statements") and "happened_at" in raw.data.column_names:
            seen = pd.to_datetime(
                raw.data["happened_at"].to_pandas(), utc=True, errors="coerce", format="ISO8601"
            ).dropna()
            ends += [seen.min(), seen.max()] if len(seen) else []
    if not ends:
        raise InputError("neither transactions nor statements say when: bring one, or a plan.json")
    origin = pd.Timestamp(parse_instant("1970-01-01"), tz="UTC")
    micros = [(t - origin) // timedelta(microseconds=1) for t in (min(ends), max(ends))]
    return int(micros[0]), int(micros[1])


SOURCE = Source(
    "folder", "your own CSV or Parquet files, with a mapping file", read, plan, unread, count=count
)
BANK = Source("bank", "the simulated bank", read, plan, unread, count=count)
