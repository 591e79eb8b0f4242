"""Reader of a folder of CSV or Parquet files, with a small mapping file for other column names.

Enters: a folder with `<table>.csv`, `<table>.parquet` or `<table>/part-*.parquet`, and perhaps
`mapping.toml`. Leaves: raw tables under our names, for the checks to judge. Without a mapping our
own names are expected. A plan stands in `plan.json`, or under `[plan]` of the mapping, or is made
from the months that the tables cover.

Example of `mapping.toml`, all keys optional:

    zone = "Europe/Prague"            # of times written without one; else they are refused
    [transactions]
    file = "bookings.csv"             # default: transactions.csv
    delimiter = ";"
    decimal = ","                     # default "."
    thousands = "."                   # default none: "1.234,50" is then refused
    ignore = ["remark"]               # columns that are left behind
    columns = { customer_id = "KUNDE", happened_at = "BUCHUNG", event_id = "NR", amount = "BETRAG" }
    formats = { happened_at = "%d.%m.%Y %H:%M" }
    constants = { kind = "purchase" }
    values = { kind = { "K" = "purchase", "R" = "refund" } }
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.asof import from_micros, is_mature, monthly_grid, parse_instant
from domain.errors import Fault, InputError
from domain.plan import StudyPlan, TargetPlan
from events.readers.base import RawTable, Source
from events.schema import TABLES

HORIZON_DAYS = 90


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableMapping(_Strict):
    """How one table stands in its file; see the example in the module's text."""

    file: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Annotated[str, Field(min_length=1, max_length=1)] = "."
    thousands: Annotated[str, Field(max_length=1)] = ""
    ignore: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    formats: dict[str, str] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}


class FolderMapping(_Strict):
    """A mapping file: the zone of times without one, a plan, and one entry a table."""

    zone: str | None = None
    plan: StudyPlan | None = None
    tables: dict[str, TableMapping] = {}


def read_mapping(folder: Path) -> FolderMapping:
    """The folder's mapping, or the empty one.

    Raises:
        InputError: not TOML, an unknown key or table, a plan that is none; all at once.
    """
    file = folder / "mapping.toml"
    if not file.is_file():
        return FolderMapping()
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        tables = {k: v for k, v in raw.items() if k not in ("zone", "plan")}
        unknown = sorted(set(tables) - set(TABLES))
        if unknown:
            raise InputError(f"mapping.toml names {unknown}: the tables are {', '.join(TABLES)}")
        rest = {k: raw[k] for k in ("zone", "plan") if k in raw}
        return FolderMapping.model_validate({**rest, "tables": tables})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise InputError(f"mapping.toml is not TOML in UTF-8: {e}") from None
    except ValidationError as e:
        faults = tuple(
            Fault("mapping.toml:" + ".".join(map(str, err["loc"])), err["type"], err["msg"])
            for err in e.errors(include_url=False, include_input=False)
        )
        raise InputError("mapping.toml breaks rules; mend these places:", faults) from None


def read(folder: Path) -> Iterator[RawTable]:
    """The raw tables that stand in the folder, one file after another.

    Raises:
        InputError: no table at all, or a file that cannot be read; says which and why.
    """
    mapping = read_mapping(folder)
    found = False
    for table in TABLES:
        how = mapping.tables.get(table, TableMapping())
        for file in _files(folder, table, how):
            found = True
            data = _read_file(file, how)
            name = str(file.relative_to(folder))
            yield RawTable(table, name, _ours(data, table, how, mapping.zone, name))
    if not found:
        names = ", ".join(f"{t}.csv" for t in TABLES)
        raise InputError(f"{folder.name}/ holds no table: put {names} (or .parquet) there")


def _files(folder: Path, table: str, how: TableMapping) -> list[Path]:
    if how.file is not None:
        if not (folder / how.file).is_file():
            raise InputError(f"mapping.toml maps {table} to {how.file}, which is not there")
        return [folder / how.file]
    single = [folder / f"{table}{end}" for end in (".csv", ".parquet")]
    return [f for f in single if f.is_file()] or sorted((folder / table).glob("*.parquet"))


def _read_file(file: Path, how: TableMapping) -> pa.Table:
    try:
        if file.suffix == ".parquet":
            return pq.read_table(file)
        _check_utf8(file)
        header = pacsv.open_csv(
            file, parse_options=pacsv.ParseOptions(delimiter=how.delimiter)
        ).schema.names
        text = pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )
        options = pacsv.ParseOptions(delimiter=how.delimiter, newlines_in_values=True)
        return pacsv.read_csv(file, parse_options=options, convert_options=text)
    except (pa.ArrowInvalid, OSError) as e:
        raise InputError(f"{file.name} cannot be read: {str(e).splitlines()[0][:200]}") from None


def _check_utf8(file: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as e:
                raise InputError(
                    f"{file.name} is not UTF-8 at byte {at + e.start}: save it as UTF-8"
                ) from None
            at += len(block)


def _ours(
    data: pa.Table, table: str, how: TableMapping, zone: str | None, file: str
) -> pa.Table:  # fmt: skip
    absent = [theirs for theirs in how.columns.values() if theirs not in data.column_names]
    if absent:
        faults = tuple(
            Fault(f"{file}:{name}", "missing_column", f"there are {data.column_names}")
            for name in absent
        )
        raise InputError("the mapping names columns that are not there:", faults)
    theirs = {v: k for k, v in how.columns.items()}
    columns: list[tuple[str, Any]] = []  # a name may stand twice: the check says so
    for name, column in zip(data.column_names, data.columns, strict=True):
        if name not in how.ignore:
            ours = theirs.get(name, name)
            columns.append((ours, _values(column, ours, table, how, zone)))
    for name, constant in how.constants.items():
        columns.append((name, pa.array([constant] * data.num_rows, pa.string())))
    found = dict(columns)
    if "known_at" not in found and "happened_at" in found:
        columns.append(("known_at", found["happened_at"]))
    return pa.Table.from_arrays([c for _, c in columns], names=[n for n, _ in columns])


def _values(
    column: pa.ChunkedArray, name: str, table: str, how: TableMapping, zone: str | None
) -> pa.Array | pa.ChunkedArray:  # fmt: skip
    declared = {c.name: c for c in TABLES[table].columns}.get(name)
    if declared is None:
        return column
    if name in how.values:
        text = column.cast(pa.string()).to_pandas()
        return pa.array(text.map(lambda v: how.values[name].get(v, v)), pa.string())
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if pa.types.is_floating(declared.type) and is_text:
        if how.thousands:
            column = pc.replace_substring(column, how.thousands, "")
        return column if how.decimal == "." else pc.replace_substring(column, how.decimal, ".")
    if pa.types.is_timestamp(declared.type):
        return _instants(column, how.formats.get(name), zone, is_text)
    return column


def _instants(
    column: pa.ChunkedArray, form: str | None, zone: str | None, is_text: bool
) -> pa.Array | pa.ChunkedArray:  # fmt: skip
    """Times with the declared format and zone; what does not fit stays as it is, to be refused."""
    if pa.types.is_timestamp(column.type):
        naive = column.type.tz is None and zone is not None
        return pc.assume_timezone(column.cast(pa.timestamp("us")), zone) if naive else column
    if not is_text or (form is None and zone is None):
        return column
    text = column.to_pandas()
    parsed = pd.to_datetime(text, format=form or "ISO8601", errors="coerce")
    if parsed.isna().to_numpy().sum() > text.isna().to_numpy().sum():
        return column
    if parsed.dt.tz is None and zone is not None:
        parsed = parsed.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return pa.array(parsed.dt.as_unit("us"), from_pandas=True)


def plan(folder: Path) -> StudyPlan:
    """The plan of `plan.json`, of the mapping, or one made from the months the tables cover.

    Raises:
        InputError: a plan that is none, or tables too short for one.
    """
    file = folder / "plan.json"
    if file.is_file():
        try:
            return StudyPlan.model_validate_json(file.read_text(encoding="utf-8"))
        except ValidationError as e:
            raise InputError(
                f"plan.json is no plan: {e.error_count()} faults, first: {e}"
            ) from None
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


SOURCE = Source("folder", "your own CSV or Parquet files, with a mapping file", read, plan)
BANK = Source("bank", "the simulated bank", read, plan)
