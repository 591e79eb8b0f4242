"""Readers of ready-made feature tables: any that a `given.toml` declares, and three public ones.

Enters: a folder with the table, and `given.toml` where the table is your own. Leaves: the declared
columns and the label. What each public column means stands in `events/readers/tables/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from domain.asof import to_micros
from domain.errors import Fault, InputError
from domain.plan import StudyPlan
from events.convert import CALENDAR
from events.files import read_file
from events.given import FILE, GIVEN, GivenColumn, GivenTable, read_given
from events.readers.base import RawTable, Source
from events.schema import INSTANT, PERSON_ID
from events.shown import listed, shown

PUBLIC = ("give_me_some_credit", "av_bank_churn", "bankchurners")


def declared_in(folder: Path) -> GivenTable:
    """The declaration that stands beside the table.

    Raises:
        InputError: there is none, or it breaks rules.
    """
    file = folder / FILE
    if not file.is_file():
        raise InputError(f"{folder.name}/ holds no {FILE}: docs/data.md shows one")
    return read_given(file.read_text(encoding="utf-8-sig"))


def declared(name: str) -> GivenTable:
    """The declaration of a public table."""
    text = files("events.readers.tables").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return read_given(text, f"{name}.toml")


def _source(name: str) -> Source:
    """The reader of one public table; its declaration is read when it is asked for."""

    def read(folder: Path) -> Iterator[RawTable]:
        return raw_tables(declared(name), folder)

    def plan(_: Path) -> StudyPlan:
        return declared(name).plan

    text = "a ready-made feature table"
    return Source(name, text, read, plan, given=lambda _: declared(name), is_public=True)


def raw_tables(given: GivenTable, folder: Path) -> Iterator[RawTable]:
    """The declared columns and the label of the table in a folder.

    Raises:
        InputError: no file, or columns that are not there.
    """
    file = folder / given.file
    if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        raise InputError(f"{folder.name}/ does not hold {shown(given.file)}: put the table there")
    data = read_file(file, given.file)
    person = [] if given.person_id is None else [given.person_id]
    wanted = dict.fromkeys([given.id, given.label, *person, *(c.column for c in given.columns)])
    absent = [n for n in wanted if n not in data.column_names]
    if absent:
        there = f"there are {listed(data.column_names)}"
        faults = tuple(Fault(f"{given.file}:{shown(n)}", "missing_column", there) for n in absent)
        raise InputError("the declaration names columns that are not there:", faults)
    as_of = _instants(given.as_of, data.num_rows)
    later = _instants(given.as_of + timedelta(days=given.horizon_days), data.num_rows)
    columns = {c.name: _numbers(data[c.column], c, to_micros(given.as_of)) for c in given.columns}
    who = {"customer_id": data[given.id], "happened_at": as_of, "known_at": as_of}
    whose = pa.table({**who, **columns})
    for theirs in person:
        whose = whose.append_column(PERSON_ID.name, data[theirs])
    yield RawTable(GIVEN, given.file, whose)
    is_bad = pc.equal(data[given.label].cast(pa.string()), given.bad)
    yield RawTable(
        "outcomes",
        given.file,
        pa.table(
            {
                "customer_id": data[given.id],
                "happened_at": later,
                "known_at": later,
                "decided_at": as_of,
                "is_bad": is_bad,
            }
        ),
    )


def _instants(moment: datetime, rows: int) -> pa.Array:
    return pa.array(np.full(rows, to_micros(moment)), pa.int64()).cast(INSTANT)


def _numbers(column: pa.ChunkedArray, declared: GivenColumn, as_of: int) -> Any:
    """A column as numbers; text that is none stays, for the check to name."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if declared.missing:
        column = _without(column, declared.missing)
    if declared.days_since:
        form = "ISO8601" if declared.days_since is True else declared.days_since
        return _days_since(column.cast(pa.string()), form, as_of)
    if declared.values or declared.is_one_of:
        texts = column.cast(pa.string())
        known = declared.values or dict.fromkeys(declared.is_one_of, 1.0)
        found = pc.index_in(texts, value_set=pa.array(list(known), pa.string()))
        numbers = pa.array(list(known.values()), pa.float64()).take(found.combine_chunks())
        if declared.values:
            return numbers
        flags = pc.fill_null(numbers, 0.0)
        return pc.if_else(pc.is_valid(texts).combine_chunks(), flags, None)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column


def _without(column: pa.ChunkedArray, missing: Sequence[float | str]) -> pa.ChunkedArray:
    """The column without the values that stand for none; in text, numbers as they are written."""
    numbers = pa.array([m for m in missing if not isinstance(m, str)], pa.float64())
    texts = [m for m in missing if isinstance(m, str)]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        gone = pa.array([*numbers.cast(pa.string()).to_pylist(), *texts], column.type)
    else:
        gone = numbers.cast(column.type)
    return pc.if_else(pc.is_in(column, value_set=gone), pa.scalar(None, column.type), column)


def _days_since(text: pa.ChunkedArray, form: str, as_of: int) -> pa.Array:
    """Days from each date to as_of, as text; a date that cannot be read, or lies beyond the
    calendar, gets a question mark, so that the check refuses it."""
    days = pd.to_datetime(text.to_pandas(), errors="coerce", utc=True, format=form)
    days = days.where(days.dt.year.between(CALENDAR[0], CALENDAR[1] - 1))
    gap = (pd.Timestamp(as_of, unit="us", tz="UTC") - days) / pd.Timedelta(days=1)
    told = pa.array(gap.to_numpy(dtype=np.float64), from_pandas=True).cast(pa.string())
    is_empty = pc.equal(pc.utf8_trim_whitespace(text), "")
    odd = pc.if_else(pc.fill_null(is_empty, True), None, pc.binary_join_element_wise("?", text, ""))
    return pc.coalesce(told, odd.combine_chunks())


SOURCE = Source(
    "given",
    "your own feature table, declared in given.toml",
    lambda folder: raw_tables(declared_in(folder), folder),
    lambda folder: declared_in(folder).plan,
    given=declared_in,
)
SOURCES = tuple(_source(name) for name in PUBLIC)
