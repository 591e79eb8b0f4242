"""The mapping file: how one's own tables stand in their files, and what becomes of them.

Enters: `mapping.toml` of a folder; a table as it was read. Leaves: the mapping; the table under our
names, times with their zone, numbers with their separators, codes in our words. What does not fit
stays as it is, for the check to name row by row. It reads no table.

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

Where rows are to be chosen, joined into orders or computed, `sql` takes the place of the rest: one
SELECT over the table `file`, in DuckDB's words, that gives our columns.

    database = "postgresql+psycopg://reader@host/bank"   # the password stands in the environment
    [transactions]
    table = "public.bookings"         # a table or view of the database, in place of a file
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.errors import Fault, InputError
from domain.plan import StudyPlan
from events.convert import ZONED
from events.schema import TABLES
from events.shown import listed, shown

FILE = "mapping.toml"
_SEPARATORS = set(string.punctuation + " \t' ") - set('+-"\\')
Separator = Annotated[str, Field(min_length=1, max_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableMapping(_Strict):
    """How one table stands in its file; see the example in the module's text."""

    file: str | None = Field(default=None, pattern=r"^[^\x00]+$")
    delimiter: Separator = ","
    decimal: Separator = "."
    thousands: Annotated[str, Field(max_length=1)] = ""
    ignore: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    formats: dict[str, str] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    sql: str | None = None
    table: str | None = Field(default=None, min_length=1)

    @field_validator("delimiter", "decimal", "thousands")
    @classmethod
    def _is_separator(cls, text: str) -> str:
        if text and text not in _SEPARATORS:
            raise ValueError("a separator is one of the signs of ASCII, a blank or a tab")
        return text

    @model_validator(mode="after")
    def _are_told_apart(self) -> TableMapping:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same sign: tell them apart")
        return self


class FolderMapping(_Strict):
    """A mapping file: the zone of times without one, a plan, and one entry a table."""

    zone: str | None = None
    database: str | None = None
    plan: StudyPlan | None = None
    tables: dict[str, TableMapping] = {}

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        try:
            return name if name is None else ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such zone: write UTC, Europe/Prague, Asia/Shanghai") from None


def read_mapping(folder: Path) -> FolderMapping:
    """The folder's mapping, or the empty one.

    Raises:
        InputError: not TOML, an unknown key, table or column, a zone, format or plan that is none;
            all at once.
    """
    file = folder / FILE
    if not file.is_file():
        return FolderMapping()
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InputError(f"{FILE} is not TOML in UTF-8: {str(e)[:200]}") from None
    tops = ("zone", "database", "plan")
    tables = {k: v for k, v in raw.items() if k not in tops}
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise InputError(f"{FILE} names {listed(unknown)}: the tables are {', '.join(TABLES)}")
    rest = {k: raw[k] for k in tops if k in raw}
    try:
        mapping = FolderMapping.model_validate({**rest, "tables": tables})
    except ValidationError as e:
        raise InputError(f"{FILE} breaks rules; mend these places:", faults_of(e, FILE)) from None
    faults = tuple(f for t, how in mapping.tables.items() for f in _names(t, how))
    if faults:
        raise InputError(f"{FILE} breaks rules; mend these places:", faults)
    return mapping


def faults_of(error: ValidationError, file: str) -> tuple[Fault, ...]:
    """Every place that a model refused, without the values that stood there."""
    return tuple(
        Fault(
            f"{file}:" + ".".join(str(p) for p in err["loc"] if p != "tables"),
            err["type"],
            err["msg"].removeprefix("Value error, "),
        )
        for err in error.errors(include_url=False, include_input=False)
    )


def _names(table: str, how: TableMapping) -> Iterator[Fault]:
    """Names of ours that the table lacks, and formats that no time is written in."""
    ours = [c.name for c in TABLES[table].columns]
    for key in ("columns", "formats", "constants", "values"):
        for name in getattr(how, key):
            if name not in ours:
                where = f"{FILE}:{table}.{key}.{shown(name)}"
                yield Fault(where, "unknown_column", f"{table} has {listed(ours)}")
    twice = [v for v in how.columns.values() if list(how.columns.values()).count(v) > 1]
    for name in dict.fromkeys(twice):
        where = f"{FILE}:{table}.columns"
        yield Fault(where, "mapped_twice", f"{shown(name)} is mapped to two columns of ours")
    for name, form in how.formats.items():
        try:
            pd.to_datetime(pd.Series(["2000-01-01"]), format=form, errors="coerce")
        except ValueError as e:
            yield Fault(f"{FILE}:{table}.formats.{shown(name)}", "no_format", str(e)[:100])


def ours(
    data: pa.Table, table: str, how: TableMapping, zone: str | None, file: str
) -> pa.Table:  # fmt: skip
    """The table under our names and in our words.

    Raises:
        InputError: the mapping names columns that are not there, or its `sql` does not run.
    """
    if how.sql is not None:
        data = selected(data, how.sql, f"{FILE}:{table}.sql")
    absent = [n for n in (*how.columns.values(), *how.ignore) if n not in data.column_names]
    if absent:
        there = f"there are {listed(data.column_names)}"
        faults = tuple(Fault(f"{file}:{shown(n)}", "missing_column", there) for n in absent)
        raise InputError("the mapping names columns that are not there:", faults)
    theirs = {v: k for k, v in how.columns.items()}
    columns: list[tuple[str, Any]] = []  # a name may stand twice: the check says so
    for name, column in zip(data.column_names, data.columns, strict=True):
        if name not in how.ignore:
            our = theirs.get(name, name)
            columns.append((our, _values(column, our, table, how, zone)))
    for name, constant in how.constants.items():
        columns.append((name, pa.array([constant] * data.num_rows, pa.string())))
    found = dict(columns)
    if "known_at" not in found and "happened_at" in found:
        columns.append(("known_at", found["happened_at"]))
    return pa.Table.from_arrays([c for _, c in columns], names=[n for n, _ in columns])


def selected(data: pa.Table, sql: str, place: str) -> pa.Table:
    """What one SELECT over the table `file` gives; it reaches nothing else.

    Raises:
        InputError: it is not one SELECT, or DuckDB refuses it.
    """
    try:
        with duckdb.connect(config={"threads": 2}) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.execute("SET enable_external_access = false")
            db.execute("SET python_enable_replacements = false")
            db.execute("SET lock_configuration = true")
            db.register("file", data)
            statements = db.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InputError(f"{place} is one SELECT over the table `file`, and nothing else")
            return db.sql(sql).to_arrow_table()
    except duckdb.Error as e:
        said = " ".join(str(e).split())[:300]
        raise InputError(f"{place} does not run: {said}") from None


def _values(
    column: pa.ChunkedArray, name: str, table: str, how: TableMapping, zone: str | None
) -> pa.Array | pa.ChunkedArray:  # fmt: skip
    declared = {c.name: c for c in TABLES[table].columns}.get(name)
    if declared is None:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if name in how.values:
        return _coded(column, how.values[name])
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if pa.types.is_floating(declared.type) and is_text:
        return _plain_numbers(column, how)
    if pa.types.is_timestamp(declared.type) or (pa.types.is_date(declared.type) and is_text):
        return _instants(column, how.formats.get(name), zone, pa.types.is_date(declared.type))
    return column


def _coded(column: pa.ChunkedArray, words: Mapping[str, str]) -> pa.Array:
    """Their codes in our words; a code that the mapping lacks stays, to be refused."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    texts = [words.get(v, v) for v in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _plain_numbers(column: pa.ChunkedArray, how: TableMapping) -> pa.ChunkedArray:
    """Numbers without separators of thousands, with a point.

    What is grouped in another way than declared gets a question mark, so that the check refuses it.
    """
    if how.decimal == "." and not how.thousands:
        return column
    point, group = _escaped(how.decimal), _escaped(how.thousands)
    whole = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)" if group else r"(\d+)"
    fits = pc.match_substring_regex(column, rf"^\s*[+-]?{whole}?({point}\d*)?([eE][+-]?\d+)?\s*$")
    plain = pc.replace_substring(column, how.thousands, "") if how.thousands else column
    plain = pc.replace_substring(plain, how.decimal, ".")
    odd = pc.binary_join_element_wise("?", column, "")
    return pc.if_else(pc.fill_null(fits, True), plain, odd)


def _escaped(sign: str) -> str:
    return f"\\x{{{ord(sign):x}}}" if sign else ""


def _instants(
    column: pa.ChunkedArray, form: str | None, zone: str | None, is_day: bool
) -> pa.Array | pa.ChunkedArray:  # fmt: skip
    """Times with the declared format and zone; what does not fit stays as it is, to be refused."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(column.type):
        if column.type.tz is not None or zone is None or is_day:
            return column
        local = column.to_pandas(date_as_object=False)
        return _placed(local, column.cast(pa.string()).to_pandas(), zone)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not is_text or (form is None and (zone is None or is_day)):
        return column
    text = column.to_pandas()
    if form is None:
        own = pc.fill_null(pc.match_substring_regex(column, ZONED), False).to_numpy()
        if own.all():
            return column
        local = pd.to_datetime(text.mask(own), format="ISO8601", errors="coerce")
    else:
        local = pd.to_datetime(text, format=form, errors="coerce", utc="%z" in form)
    if is_day:
        told = local.dt.strftime("%Y-%m-%d").where(local.notna(), text)
        return pa.array(told, pa.string(), from_pandas=True)
    return _placed(local, text, zone)


def _placed(local: pd.Series[Any], text: pd.Series[Any], zone: str | None) -> pa.Array:
    """Local times as instants of the zone; as text where there is no such hour, or no zone."""
    placed = local
    if local.dt.tz is None:
        if zone is None:
            told = local.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").where(local.notna(), text)
            return pa.array(told, pa.string(), from_pandas=True)
        placed = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    placed = placed.dt.tz_convert("UTC")
    if not (placed.isna() & text.notna()).any():
        return pa.array(placed.dt.as_unit("us"), from_pandas=True)
    hours = local.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").where(local.notna(), text)
    told = placed.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").where(placed.notna(), hours)
    return pa.array(told, pa.string(), from_pandas=True)
