"""Checks of one raw table against its schema: every fault at once, bad rows apart.

Enters: the raw Arrow table of one file. Leaves: clean rows in the schema's types, bad rows with
the first rule each breaks, and the faults (file, column, rows, rule). Nothing is dropped and no
value is named: a fault says row numbers, the values stand in the quarantine file only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.errors import Fault
from domain.ids import ID_PATTERN, MAX_ID_LENGTH
from events.convert import convert
from events.schema import Column, Table
from events.shown import listed, shown

RULE = "broken_rule"
SHOWN_ROWS = 5
MOST_UNKNOWN = 20

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Checked:
    """What one raw table came to: `clean` and `bad` rows together are the rows that arrived."""

    clean: pa.Table
    bad: pa.Table
    faults: tuple[Fault, ...]
    fatal: tuple[Fault, ...]


def check_table(table: Table, raw: pa.Table, file: str, now: int) -> Checked:
    """The rows of `raw` parted into clean and bad.

    `now` (micros): an event known later comes from the future. `fatal` holds the faults of the
    table itself (a column missing, unknown, or twice); then nothing is clean.
    """
    fatal = _columns(table, raw, file)
    if fatal:
        return Checked(table.schema.empty_table(), pa.table({}), (), fatal)
    arrays: dict[str, pa.Array] = {}
    first = np.zeros(raw.num_rows, dtype=np.int16)
    faults: list[Fault] = []
    for column in table.columns:
        present = column.name in raw.column_names
        source = raw[column.name] if present else pa.nulls(raw.num_rows, column.type)
        if column.unit == "id" and not column.required:
            source = _filled(source)
        arrays[column.name], broken = convert(source, column)
        if column.required:
            absent = _mask(pc.is_null(source))
            broken.append(("missing_value", "a value is required", absent | _blank(source)))
        for rule, said, mask in (*broken, *_values(column, arrays[column.name])):
            _note(faults, first, f"{file}:{column.name}", rule, said, mask)
    for name, rule, said, mask in _clocks(arrays, now):
        _note(faults, first, f"{file}:{name}", rule, said, mask)
    bad = first > 0
    converted = pa.table(arrays, schema=_open(table.schema))
    clean = converted.filter(pa.array(~bad)).cast(table.schema)
    rules = np.array(["", *(f.rule for f in faults)], dtype=object)
    wrong = _quarantine(raw, bad, rules[first[bad]], file)
    return Checked(clean, wrong, tuple(faults), ())


def _open(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.with_nullable(True) for f in schema])


def _columns(table: Table, raw: pa.Table, file: str) -> tuple[Fault, ...]:
    names = raw.column_names
    known = [c.name for c in table.columns]
    faults = [
        Fault(
            f"{file}:{c.name}",
            "missing_column",
            f"{table.name} needs it: map one of {listed(names)} to it",
        )
        for c in table.columns
        if c.required and c.name not in names
    ]
    said = f"no column of {table.name}: map it to one of {', '.join(known)}, or ignore it"
    unknown = [n for n in dict.fromkeys(names) if n not in known]
    faults += [Fault(f"{file}:{shown(n)}", "unknown_column", said) for n in unknown[:MOST_UNKNOWN]]
    if len(unknown) > MOST_UNKNOWN:
        more = f"{len(unknown) - MOST_UNKNOWN:,} more columns are none of {table.name}"
        faults.append(Fault(file, "unknown_column", more))
    faults += [
        Fault(f"{file}:{shown(n)}", "column_twice", "it stands twice in the header: keep one")
        for n in dict.fromkeys(names)
        if names.count(n) > 1
    ]
    return tuple(faults)


def _note(
    faults: list[Fault], first: NDArray[np.int16], path: str, rule: str, said: str, mask: Mask
) -> None:  # fmt: skip
    """Tell a fault; `first` holds the number, from 1 on, of the first fault of each row."""
    rows = np.flatnonzero(mask)
    if not rows.size:
        return
    shown = ", ".join(str(r + 1) for r in rows[:SHOWN_ROWS])
    more = f" and {rows.size - SHOWN_ROWS:,} more" if rows.size > SHOWN_ROWS else ""
    faults.append(Fault(path, rule, f"{said}; row {shown}{more}"))
    first[rows[first[rows] == 0]] = len(faults)


def _mask(array: pa.Array | pa.ChunkedArray) -> Mask:
    filled = pc.fill_null(array, False)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=bool)


def _blank(array: pa.Array | pa.ChunkedArray) -> Mask:
    """Where text holds nothing but white space."""
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return np.zeros(len(array), dtype=bool)
    return _mask(pc.equal(pc.utf8_trim_whitespace(array), ""))


def _filled(array: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """An id that need not be there, without the blanks that stand for none."""
    blank = _blank(array)
    return pc.if_else(pa.array(blank), pa.scalar(None, array.type), array) if blank.any() else array


def _values(column: Column, array: pa.Array) -> Iterator[tuple[str, str, Mask]]:
    if column.unit == "id":
        yield from _identifiers(array)
    if column.allowed:
        known = pc.is_in(array, value_set=pa.array(column.allowed, pa.string()))
        wrong = _mask(pc.invert(known)) & ~_mask(pc.is_null(array))
        yield "not_allowed", f"allowed are {', '.join(column.allowed)}", wrong
    if pa.types.is_floating(column.type):
        yield (
            "not_finite",
            "NaN and infinite are no numbers: leave it empty",
            _mask(pc.invert(pc.is_finite(array))),
        )
    if column.minimum is not None:
        yield "below_minimum", f"at least {column.minimum:g}", _mask(pc.less(array, column.minimum))
    if column.maximum is not None:
        above = pc.and_(pc.greater(array, column.maximum), pc.is_finite(array))
        yield "above_maximum", f"at most {column.maximum:g}", _mask(above)


def _identifiers(array: pa.Array) -> Iterator[tuple[str, str, Mask]]:
    long = _mask(pc.greater(pc.utf8_length(array), MAX_ID_LENGTH))
    yield "id_too_long", f"an id has at most {MAX_ID_LENGTH} characters", long
    odd = _mask(pc.invert(pc.match_substring_regex(array, ID_PATTERN))) & ~long
    yield "id_characters", "an id has no control or invisible characters, no blank at its ends", odd


def _clocks(arrays: dict[str, pa.Array], now: int) -> Iterator[tuple[str, str, str, Mask]]:
    happened, known = arrays["happened_at"], arrays["known_at"]
    early = _mask(pc.greater(happened, known))
    yield (
        "known_at",
        "known_before_it_happened",
        "an event is known when or after it happens",
        early,
    )
    limit = pa.scalar(now, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    late = _mask(pc.greater(known, limit))
    yield "known_at", "from_the_future", "it lies after the moment of this check", late
    for name, what in (("birth_on", "birth"), ("joined_at", "joining"), ("employed_since", "work")):
        if name in arrays:
            moment = arrays[name].cast(happened.type)
            broken = _mask(pc.greater(moment, known))
            yield name, "after_the_event", f"{what} lies after the row was known", broken


def _quarantine(raw: pa.Table, bad: Mask, broken: NDArray[np.object_], file: str) -> pa.Table:
    rows = np.flatnonzero(bad)
    text = {
        name: pc.cast(raw[name].take(rows), pa.string(), safe=False)
        if not pa.types.is_nested(raw[name].type)
        else pa.array([str(v) for v in raw[name].take(rows)], pa.string())
        for name in raw.column_names
    }
    return pa.table(
        {
            "file": pa.array([file] * rows.size, pa.string()),
            "row": pa.array(rows + 1, pa.int64()),
            RULE: pa.array(broken, pa.string()),
            **text,
        }
    )
