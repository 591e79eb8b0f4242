"""A mapping proposed from the first rows of a table: by names, by types and by what stands in it.

Enters: the name of a table and a sample of its rows. Leaves: which table of ours it is like, which
column means which of ours, how times and numbers are written, what the codes mean; and notes where
a human has to say. It guesses nothing that could be read in two ways: that is left for a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from events.convert import ZONED
from events.schema import TABLES, Column, Table
from events.words import ARTICLE, PRICE, QUANTITY, code_of, likeness, names_table, plain, split

FORMATS = tuple(
    f"{day}{clock}"
    for day in (
        "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d",
        "%Y年%m月%d日", "%d %b %Y", "%b %d, %Y",
    )
    for clock in ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
)  # fmt: skip
_GROUPED = {
    (".", ","): r"^\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*$",
    (",", "."): r"^\s*[+-]?\d{1,3}(\.\d{3})+(,\d*)?\s*$",
    (".", " "): r"^\s*[+-]?\d{1,3}( \d{3})+(\.\d*)?\s*$",
    (",", " "): r"^\s*[+-]?\d{1,3}( \d{3})+(,\d*)?\s*$",
}


@dataclass(frozen=True)
class Proposal:
    """How one table of theirs becomes one of ours, and what a human has to look at."""

    table: str
    columns: dict[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    formats: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    decimal: str = "."
    thousands: str = ""
    sql: str | None = None
    needs_zone: bool = False
    notes: tuple[str, ...] = ()

    @property
    def fit(self) -> float:
        """How much of our table the columns make."""
        required = [c.name for c in TABLES[self.table].columns if c.required]
        return len(self.columns) + 3 * len(set(required) & set(self.columns))


def propose(name: str, rows: pa.Table) -> Proposal | None:
    """The likeliest table of ours for a table of theirs; None where no customer and no time is."""
    found = [_as(TABLES[t], rows) for t in TABLES]
    liked = [(p.fit + 8 * names_table(name, p.table), p) for p in found]
    usable = [(fit, p) for fit, p in liked if {"customer_id", "happened_at"} <= set(p.columns)]
    if not usable:
        return None
    best = max(usable, key=lambda pair: pair[0])[1]
    return _of_lines(rows, best) if best.table == "transactions" else best


def _as(table: Table, rows: pa.Table) -> Proposal:
    columns = _matched(table, rows)
    theirs = {n: rows[n] for n in columns.values()}
    notes: list[str] = []
    formats, needs_zone = _times(table, columns, theirs, notes)
    decimal, thousands = _separators(table, columns, theirs, notes)
    values = dict(_codes(table, columns, theirs, notes))
    constants = {}
    if "kind" not in columns and table.name == "transactions" and "amount" in columns:
        constants = {"kind": "purchase"}
        notes.append("no column says the kind: every row is taken for a purchase")
    missing = [c.name for c in table.columns if c.required and c.name not in {*columns, *constants}]
    notes += [f"no column found for {m}: add it to columns" for m in missing if m != "known_at"]
    ignore = tuple(n for n in rows.column_names if n not in columns.values())
    return Proposal(
        table.name, columns, ignore, formats, constants, values, decimal, thousands,
        needs_zone=needs_zone, notes=tuple(notes),
    )  # fmt: skip


def _matched(table: Table, rows: pa.Table) -> dict[str, str]:
    """Our columns and theirs, the surest pairs first, each used once."""
    pairs = sorted(
        (
            (-likeness(theirs, ours.name), not ours.required, place, ours.name, theirs)
            for place, theirs in enumerate(rows.column_names)
            for ours in table.columns
            if likeness(theirs, ours.name) and _could_be(rows[theirs], ours)
        ),
    )
    columns: dict[str, str] = {}
    for *_, ours, theirs in pairs:
        if ours not in columns and theirs not in columns.values():
            columns[ours] = theirs
    return {c.name: columns[c.name] for c in table.columns if c.name in columns}


def _could_be(column: pa.ChunkedArray, ours: Column) -> bool:
    """Whether what stands in a column can be read as one of ours."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return False
    is_time = pa.types.is_temporal(kind)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if pa.types.is_timestamp(ours.type) or pa.types.is_date(ours.type):
        return is_time or (is_text and _looks_like_time(column))
    if pa.types.is_floating(ours.type):
        return not is_time and (not is_text or _looks_like_number(column))
    return not is_time


def _texts(column: pa.ChunkedArray) -> list[str]:
    """The texts of a column that hold something."""
    return [t for t in column.cast(pa.string()).drop_null().to_pylist() if t.strip()]


def _looks_like_number(column: pa.ChunkedArray) -> bool:
    texts = _texts(column)
    return bool(texts) and sum(
        bool(re.match(r"^\s*[+-]?[\d.,' ]+$", t)) for t in texts
    ) > 0.8 * len(texts)


def _looks_like_time(column: pa.ChunkedArray) -> bool:
    texts = _texts(column)
    return bool(texts) and (_is_iso(texts) or bool(_fitting(texts)))


def _is_iso(texts: list[str]) -> bool:
    found = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce", utc=True)
    dashed = sum(bool(re.match(r"^\s*\d{4}-\d{2}-\d{2}", t)) for t in texts)
    return bool(found.notna().mean() > 0.8) and dashed > 0.8 * len(texts)


def _fitting(texts: list[str]) -> list[str]:
    """The formats that read as many of the texts as any does, at least four fifths."""
    shares = {f: _share(texts, f) for f in FORMATS}
    best = max(shares.values())
    return [f for f, share in shares.items() if share == best] if best > 0.8 else []


def _share(texts: list[str], form: str) -> float:
    found = pd.to_datetime(pd.Series(texts), format=form, errors="coerce")
    return float(found.notna().mean())


def _times(
    table: Table, columns: dict[str, str], theirs: dict[str, pa.ChunkedArray], notes: list[str]
) -> tuple[dict[str, str], bool]:
    """The format of each time that is text, and whether some time names no zone."""
    formats: dict[str, str] = {}
    needs_zone = False
    for ours, name in columns.items():
        declared, column = table.column(ours).type, theirs[name]
        is_instant = pa.types.is_timestamp(declared)
        if not (is_instant or pa.types.is_date(declared)):
            continue
        if pa.types.is_temporal(column.type):
            needs_zone |= is_instant and getattr(column.type, "tz", None) is None
            continue
        texts = _texts(column)
        if _is_iso(texts):
            zoned = pc.match_substring_regex(pa.array(texts, pa.string()), ZONED)
            needs_zone |= is_instant and not pc.all(zoned).as_py()
            continue
        needs_zone |= is_instant
        fitting = _fitting(texts)
        if len(fitting) == 1:
            formats[ours] = fitting[0]
        else:
            notes.append(
                f"{name} can be read as {' or '.join(fitting)}: add the right one to formats"
            )
    return formats, needs_zone


def _separators(
    table: Table, columns: dict[str, str], theirs: dict[str, pa.ChunkedArray], notes: list[str]
) -> tuple[str, str]:
    """The sign before the decimals and the one between thousands."""
    texts = [
        t
        for ours, name in columns.items()
        if pa.types.is_floating(table.column(ours).type)
        for t in _texts(theirs[name])
    ]
    grouped = {
        signs: sum(bool(re.match(form, t)) for t in texts) for signs, form in _GROUPED.items()
    }
    commas = sum(bool(re.match(r"^\s*[+-]?\d+,\d+\s*$", t)) for t in texts)
    points = sum(bool(re.match(r"^\s*[+-]?\d+\.\d+\s*$", t)) for t in texts)
    by_three = sum(bool(re.match(r"^\s*[+-]?\d{1,3}[.,]\d{3}\s*$", t)) for t in texts)
    unsure = by_three and by_three == len([t for t in texts if "," in t or "." in t])
    if unsure and (commas or grouped[(",", ".")]):
        notes.append("1,234 or 1.234 may be thousands or decimals: set decimal and thousands")
        return ".", ""
    decimal = "," if commas > points or grouped[(",", ".")] > grouped[(".", ",")] else "."
    thousands = [s for (d, s), count in grouped.items() if d == decimal and count]
    return decimal, thousands[0] if thousands else ""


def _codes(
    table: Table, columns: dict[str, str], theirs: dict[str, pa.ChunkedArray], notes: list[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """What the codes of a column mean, where they are not ours already."""
    for ours, name in columns.items():
        allowed = table.column(ours).allowed
        if not allowed:
            continue
        codes = sorted(set(_texts(theirs[name])))
        if len(codes) > 50:
            notes.append(f"{name} holds {len(codes)} codes: it may be no {ours}")
            continue
        known = {c: code_of(c, allowed) for c in codes}
        unknown = [c for c, means in known.items() if means is None]
        if unknown:
            notes.append(f"{len(unknown)} codes of {name} are not known: add them to values.{ours}")
        mapped = {c: means for c, means in known.items() if means is not None and means != c}
        mapped |= dict.fromkeys(unknown, "")
        if mapped:
            yield ours, mapped


def _of_lines(rows: pa.Table, made: Proposal) -> Proposal:
    """Where each row is a line of an order (quantity and price, no amount): orders, by SQL."""
    by = {plain(n): n for n in rows.column_names}
    quantity, price, article = (
        next((by[w] for w in by if w in split(words)), None) for words in (QUANTITY, PRICE, ARTICLE)
    )
    if "amount" in made.columns or quantity is None or price is None:
        return made
    who, when = made.columns["customer_id"], made.columns["happened_at"]
    order = made.columns.get("event_id")
    pieces = f"CAST({_q(quantity)} AS DOUBLE)", f"CAST({_q(price)} AS DOUBLE)"
    number = f"CAST({_q(when)} AS VARCHAR)"
    number = f"coalesce(CAST({_q(order)} AS VARCHAR), {number})" if order else number
    items = f",\n       CAST(count(DISTINCT {_q(article)}) AS DOUBLE) AS items" if article else ""
    sql = f"""
SELECT CAST(who AS VARCHAR) AS customer_id,
       max({_q(when)}) AS happened_at,
       concat_ws(' ', kind, who, number) AS event_id,
       kind,
       sum(abs(quantity * price)) AS amount{items}
FROM (
    SELECT *, {_q(who)} AS who, {pieces[0]} AS quantity, {pieces[1]} AS price,
           CASE WHEN {pieces[0]} < 0 THEN 'refund' ELSE 'purchase' END AS kind,
           {number} AS number
    FROM file
)
WHERE who IS NOT NULL AND price > 0 AND quantity <> 0
GROUP BY who, kind, number
"""
    note = (
        "each row is a line of an order: the SQL below joins the lines of a customer and an order, "
        "leaves lines without a customer out, and takes a negative quantity for a refund"
    )
    formats = {"happened_at": made.formats["happened_at"]} if made.formats else {}
    return Proposal(
        "transactions", formats=formats, sql=sql, needs_zone=made.needs_zone, notes=(note,)
    )


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
