"""Panels: the catalogue's features of (customer, as_of) pairs, from the tables of a data set.

Enters: clean tables, requests (customer_id, as_of). Leaves: the same rows with one float64 column a
feature, null where a value is missing. A customer without any visible event in a table has no
values from it (thin is a state), nor from a window that ends before the first event; one with
events, but none in the window, has sums and counts of 0.
It computes, it keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER
from events.dataset import SUPERSEDED, Dataset, clean_schema
from events.schema import INSTANT
from features import kernel
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Column, Take
from features.offers import OFFERS, Condition, Key, Value

CLOCKS = ("happened_at", "known_at", SUPERSEDED)
PART_ROWS = 500_000
FEW = 1_000
"""Up to so many requests, only the events of their customers are read."""
_DAY = float(MICROS_PER_DAY)


@dataclass(frozen=True)
class Compiled:
    """The takes of one table as the kernel wants them; step `i` of `programs` fills `names[i]`."""

    table: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    conditions: tuple[str, ...]
    keys: tuple[str, ...]
    programs: kernel.Programs
    scales: NDArray[np.float64]

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns to read, besides customer and clocks."""
        offer = OFFERS[self.table]
        names = (*self.values, *self.conditions, *self.keys)
        raw = [c for n in names for c in offer.columns_of(n)]
        return tuple(dict.fromkeys(c for c in raw if c not in CLOCKS))


def compile_takes(catalogue: Catalogue) -> tuple[Compiled, ...]:
    """The programs of every table that the catalogue reads."""
    by_table: dict[str, list[tuple[str, Take]]] = {}
    for declaration in catalogue.declarations:
        if declaration.take is not None:
            by_table.setdefault(declaration.take.table, []).append(
                (declaration.name, declaration.take)
            )
    return tuple(_compile(table, takes) for table, takes in by_table.items())


def _compile(table: str, takes: list[tuple[str, Take]]) -> Compiled:
    offer = OFFERS[table]
    values = _used(t.value for _, t in takes if t.value in offer.values)
    keys = _used(t.value for _, t in takes if t.value in offer.keys)
    conditions = _used(c for _, t in takes for c in (*t.where, *t.share))
    windows = sorted({(t.days, t.ago) for _, t in takes})
    bit = {c: 1 << i for i, c in enumerate(conditions)}
    takes = sorted(takes, key=lambda named: (named[1].days, named[1].ago, named[1].where))
    steps = [
        (
            kernel.OPERATIONS.index(t.op),
            values.index(t.value) if t.value in values else 0,
            sum(bit[c] for c in t.where),
            sum(bit[c] for c in t.share),
            windows.index((t.days, t.ago)),
            keys.index(t.value) if t.value in keys else 0,
        )
        for _, t in takes
    ]
    return Compiled(
        table, tuple(n for n, _ in takes), values, conditions, keys,
        kernel.Programs(np.array(windows, dtype=np.int64), np.array(steps, dtype=np.int64)),
        np.array([t.scale for _, t in takes]),
    )  # fmt: skip


def _used(names: Iterator[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for n in names if n is not None))


def known_customers(dataset: Dataset, as_of: Sequence[int]) -> pa.Table:
    """Requests (customer_id, as_of) of everybody with a visible row of any table at each as_of."""
    first: dict[str, int] = {}
    for table in OFFERS:
        rows = dataset.table(table, ["customer_id", "happened_at", "known_at"])
        clocks = [rows[c].cast(pa.int64()) for c in ("happened_at", "known_at")]
        seen = pc.max_element_wise(*clocks)
        table_first = pa.table({"id": rows["customer_id"], "seen": seen})
        table_first = table_first.group_by("id").aggregate([("seen", "min")])
        for customer, moment in zip(
            table_first["id"].to_pylist(), table_first["seen_min"].to_pylist(), strict=True
        ):
            first[customer] = min(moment, first.get(customer, NEVER))
    ids = sorted(first)
    since = np.array([first[c] for c in ids], dtype=np.int64)
    parts = []
    for moment in as_of:
        members = np.flatnonzero(since <= moment)
        parts.append(
            pa.table(
                {
                    "customer_id": pa.array([ids[i] for i in members], pa.string()),
                    "as_of": pa.array(np.full(members.size, moment), pa.int64()).cast(INSTANT),
                }
            )
        )
    return pa.concat_tables(parts)


def compute(dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE) -> pa.Table:
    """The features of every request, in the order of the requests."""
    parts = list(compute_parts(dataset, requests, catalogue))
    return pa.concat_tables(parts)


def compute_parts(
    dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE
) -> Iterator[pa.Table]:
    """The same in parts of some 500,000 requests, so that memory stays bounded."""
    compiled = compile_takes(catalogue)
    few = requests["customer_id"].to_pylist() if requests.num_rows <= FEW else None
    tables = {
        c.table: dataset.table(
            c.table, ["customer_id", *CLOCKS, *c.columns], customers=few, dictionary=True
        )
        for c in compiled
    }
    yield from compute_tables(tables, requests, catalogue)


def compute_tables(
    tables: Mapping[str, pa.Table], requests: pa.Table, catalogue: Catalogue = CATALOGUE
) -> Iterator[pa.Table]:
    """The same over Arrow tables; a table that is not given is empty."""
    asked = Requests.of(requests)
    engines = [
        Engine.of(c, tables.get(c.table, clean_schema(c.table).empty_table()), asked)
        for c in compile_takes(catalogue)
    ]
    for begin in range(0, max(requests.num_rows, 1), PART_ROWS):
        rows = slice(begin, min(begin + PART_ROWS, requests.num_rows))
        found: dict[str, Column] = {}
        for engine in engines:
            found.update(engine.run(asked, rows))
        for declaration in catalogue.declarations:
            if declaration.formula is not None:
                inputs = [found[name] for name in declaration.inputs]
                with np.errstate(all="ignore"):
                    found[declaration.name] = declaration.formula(*inputs)
        part = requests.slice(rows.start, rows.stop - rows.start)
        yield pa.table(
            {
                "customer_id": part["customer_id"],
                "as_of": part["as_of"].cast(INSTANT),
                **{n: pa.array(_finite(found[n]), from_pandas=True) for n in catalogue.names},
            }
        )


def _finite(column: Column) -> Column:
    return np.where(np.isfinite(column), column, np.nan)


@dataclass(frozen=True)
class Requests:
    """Requests with their customers coded; any order, any number of as_of a customer."""

    ids: pa.Array
    codes: NDArray[np.int64]
    as_of: NDArray[np.int64]

    @staticmethod
    def of(requests: pa.Table) -> Requests:
        """The coded requests of (customer_id, as_of)."""
        encoded = _encoded(requests["customer_id"])
        return Requests(
            encoded.dictionary,
            encoded.indices.to_numpy().astype(np.int64),
            requests["as_of"].cast(pa.int64()).to_numpy(),
        )


@dataclass(frozen=True)
class Engine:
    """The events of one table brought together by customer, and the programs to run on them."""

    compiled: Compiled
    starts: NDArray[np.int64]
    events: kernel.Events

    @staticmethod
    def of(compiled: Compiled, table: pa.Table, asked: Requests) -> Engine:
        """The engine over the events of the asked customers; the others are left behind."""
        offer = OFFERS[compiled.table]
        encoded = _encoded(table["customer_id"])
        place = pc.index_in(encoded.dictionary, value_set=asked.ids)
        place = pc.fill_null(place, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        codes = place[encoded.indices.to_numpy()] if len(place) else np.empty(0, np.int64)
        wanted = codes >= 0
        if not wanted.all():
            table, codes = table.filter(pa.array(wanted)), codes[wanted]
        happened, known, superseded = (
            pc.fill_null(table[c].cast(pa.int64()), NEVER).to_numpy() for c in CLOCKS
        )
        bits = np.zeros(len(codes), np.uint32)
        for i, name in enumerate(compiled.conditions):
            bits |= _condition(offer.conditions[name], table).astype(np.uint32) << np.uint32(i)
        events = kernel.Events(
            happened,
            known,
            superseded,
            _floats([_value(offer.values[v], table) for v in compiled.values], len(codes)),
            bits,
            _codes([_key(offer.keys[k], table) for k in compiled.keys], len(codes)),
        )
        order, starts = kernel.together(codes, events, len(asked.ids))
        if not np.array_equal(order, np.arange(len(order))):
            events = kernel.ordered(events, order)
        return Engine(compiled, starts, events)

    def run(self, asked: Requests, rows: slice) -> dict[str, Column]:
        """The values of every program for a slice of the requests, in their order."""
        codes, as_of = asked.codes[rows], asked.as_of[rows]
        order = np.lexsort((as_of, codes))
        members = np.bincount(codes, minlength=len(asked.ids))
        starts = np.concatenate([[0], np.cumsum(members)]).astype(np.int64)
        out = np.full((len(codes), len(self.compiled.names)), np.nan)
        kernel.walk(self.starts, self.events, starts, as_of[order], self.compiled.programs, out)
        back = np.empty_like(out)
        back[order] = out * self.compiled.scales
        return {n: back[:, i] for i, n in enumerate(self.compiled.names)}


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return pa.array([], pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _floats(rows: list[NDArray[np.float64]], width: int) -> NDArray[np.float64]:
    return np.stack(rows) if rows else np.zeros((1, width))


def _codes(rows: list[NDArray[np.int32]], width: int) -> NDArray[np.int32]:
    return np.stack(rows) if rows else np.zeros((1, width), np.int32)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column as float64: flags 0 and 1, instants and dates in days since 1970, null NaN."""
    if pa.types.is_timestamp(column.type):
        days = pc.divide(column.cast(pa.int64()).cast(pa.float64()), _DAY)
    elif pa.types.is_date(column.type):
        days = column.cast(pa.int32()).cast(pa.float64())
    else:
        days = column.cast(pa.float64())
    return np.asarray(days.to_numpy(), dtype=np.float64)


def _value(value: Value, table: pa.Table) -> NDArray[np.float64]:
    first = _numbers(table[value.columns[0]])
    if value.rule == "net":
        refunded = _is_one_of(table[value.columns[1]], ("refund",))
        return np.where(refunded, -first, first)
    if value.rule == "ratio":
        below = _numbers(table[value.columns[1]])
        with np.errstate(all="ignore"):
            return np.where(below > 0, first / below, np.nan)
    return first


def _is_one_of(column: pa.ChunkedArray, allowed: tuple[str, ...]) -> NDArray[np.bool_]:
    encoded = _encoded(column)
    truth = pc.is_in(encoded.dictionary, value_set=pa.array(allowed, pa.string()))
    lookup = np.append(truth.to_numpy(zero_copy_only=False).astype(bool), False)
    places = pc.fill_null(encoded.indices, len(lookup) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(lookup[places], dtype=bool)


def _condition(condition: Condition, table: pa.Table) -> NDArray[np.bool_]:
    column = table[condition.column]
    if condition.rule == "one_of":
        return _is_one_of(column, condition.allowed)
    if condition.rule == "present":
        return np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), dtype=bool)
    if condition.rule == "weekend":
        days = column.cast(pa.int64()).to_numpy() // MICROS_PER_DAY
        return np.asarray((days + 3) % 7 >= 5)
    return _numbers(column) >= condition.minimum


def _key(key: Key, table: pa.Table) -> NDArray[np.int32]:
    column = table[key.column]
    if key.rule == "category":
        encoded = _encoded(column)
        codes = pc.fill_null(encoded.indices.cast(pa.int32()), -1)
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int32)
    unit = "D" if key.rule == "day" else "M"
    moments = column.cast(pa.int64()).to_numpy().astype("datetime64[us]")
    steps = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    return np.asarray(steps - (steps.min() if steps.size else 0), dtype=np.int32)
