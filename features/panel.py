"""Panels: the catalogue's features of (customer, as_of) pairs, from the tables of a data set.

Enters: clean tables, requests (customer_id, as_of). Leaves: the same rows with one float64 column a
feature, null where a value is missing. A customer without any visible event in a table has no
values from it (thin is a state), nor from a window that ends before the first event; one with
events, but none in the window, has sums and counts of 0.
It computes, it keeps nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER
from events.dataset import SUPERSEDED, Dataset, clean_schema
from events.schema import INSTANT
from features import kernel, operations, running, shuffle
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Column, Take
from features.offers import OFFERS, Condition, Key, Offer, Value

CLOCKS = ("happened_at", "known_at", SUPERSEDED)
PART_REQUESTS, PART_EVENTS = 50_000, 500_000
"""About so many requests and events are worked on at a time."""
FEW = 1_000
"""Up to so many requests, only the events of their customers are read."""
_DAY = float(MICROS_PER_DAY)
T = TypeVar("T")


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
    takes = sorted(takes, key=lambda named: (named[1].where, named[1].days, named[1].ago))
    windows = sorted({(t.days, t.ago) for _, t in takes})
    bit = {c: 1 << i for i, c in enumerate(conditions)}
    needs = _used(tuple(sorted(t.where)) for _, t in takes)
    runs = _used(run for _, t in takes for run in _runs(offer, t))
    steps = [
        (
            operations.OPERATIONS.index(t.op),
            needs.index(tuple(sorted(t.where))),
            values.index(t.value) if t.value in values else 0,
            windows.index((t.days, t.ago)),
            keys.index(t.value) if t.value in keys else 0,
            *[*map(runs.index, _runs(offer, t)), -1, -1, -1, -1][: running.MOST_RUNS],
        )
        for _, t in takes
    ]
    compiled = [
        (
            running.RUNS.index(run.kind),
            needs.index(run.where),
            -1 if run.what is None else (keys if run.what in keys else values).index(run.what),
            sum(bit[c] for c in run.share) or round(run.half_life * MICROS_PER_DAY),
        )
        for run in runs
    ]
    return Compiled(
        table, tuple(n for n, _ in takes), values, conditions, keys,
        kernel.Programs(
            np.array(windows, dtype=np.int64).reshape(-1, 2),
            np.array([sum(bit[c] for c in where) for where in needs], dtype=np.int64),
            np.array(compiled, dtype=np.int64).reshape(-1, 4),
            np.array(steps, dtype=np.int64).reshape(-1, 5 + running.MOST_RUNS),
        ),
        np.array([t.scale for _, t in takes]),
    )  # fmt: skip


class Run(NamedTuple):
    """What runs along: a kind of the kernel, over which need, of what, with its detail."""

    kind: str
    where: tuple[str, ...]
    what: str | None
    share: tuple[str, ...]
    half_life: float


def _runs(offer: Offer, take: Take) -> tuple[Run, ...]:
    """What the kernel keeps running for a take: kind, need, value or key, bits of a share."""
    in_time = take.op == "distinct" and offer.keys[str(take.value)].rule != "category"
    kinds = running.RUNNING.get("distinct_in_time" if in_time else take.op, ())
    where = tuple(sorted(take.where))
    return tuple(Run(kind, where, take.value, take.share, take.half_life) for kind in kinds)


def _used(names: Iterator[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(n for n in names if n is not None))


def known_customers(dataset: Dataset, as_of: Sequence[int]) -> pa.Table:
    """Requests (customer_id, as_of) of everybody with a visible row of any table at each as_of.

    By customer, then by as_of.
    """
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
    ids = np.array(sorted(first), dtype=object)
    since = np.array([first[c] for c in ids], dtype=np.int64)
    moments = np.sort(np.array(as_of, dtype=np.int64))
    who, when = np.nonzero(since[:, None] <= moments[None, :])
    return pa.table(
        {
            "customer_id": pa.array(ids[who], pa.string()),
            "as_of": pa.array(moments[when], pa.int64()).cast(INSTANT),
        }
    )


def compute(dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE) -> pa.Table:
    """The features of every request, in the order of the requests."""
    parts = list(compute_parts(dataset, requests, catalogue))
    return pa.concat_tables(parts)


def compute_parts(
    dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE
) -> Iterator[pa.Table]:
    """The same in parts, so that memory stays bounded."""
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
    order = np.lexsort((asked.as_of, asked.codes))
    if np.array_equal(order, np.arange(len(order))):
        yield from _in_order(tables, requests, asked, catalogue)
    else:
        asked = Requests(asked.ids, asked.codes[order], asked.as_of[order])
        parts = _in_order(tables, requests.take(pa.array(order)), asked, catalogue)
        yield pa.concat_tables(parts).take(pa.array(np.argsort(order)))


def _in_order(
    tables: Mapping[str, pa.Table], requests: pa.Table, asked: Requests, catalogue: Catalogue
) -> Iterator[pa.Table]:
    """Panels of requests by customer and as_of, some customers at a time: arrays that fit into the
    processor's cache are made and let go several times faster than those of the whole book."""
    books = [
        Book.of(c, tables.get(c.table, clean_schema(c.table).empty_table()), asked.ids)
        for c in compile_takes(catalogue)
    ]
    rows = sum(len(book.codes) for book in books)
    parts = max(1, -(-rows // PART_EVENTS), -(-requests.num_rows // PART_REQUESTS))
    ends = np.linspace(0, requests.num_rows, parts + 1).astype(np.int64)
    for begin, end in itertools.pairwise(ends.tolist()):
        codes, as_of = asked.codes[begin:end], asked.as_of[begin:end]
        first, last = (int(codes[0]), int(codes[-1]) + 1) if codes.size else (0, 0)
        found: dict[str, Column] = {}
        for book in books:
            found.update(book.engine(first, last).run(codes - first, as_of))
        for declaration in catalogue.declarations:
            if declaration.formula is not None:
                inputs = [found[name] for name in declaration.inputs]
                with np.errstate(all="ignore"):
                    found[declaration.name] = declaration.formula(*inputs)
        part = requests.slice(begin, end - begin)
        yield pa.table(
            {
                "customer_id": part["customer_id"],
                "as_of": part["as_of"].cast(INSTANT),
                **{n: pa.array(_finite(found[n]), from_pandas=True) for n in catalogue.names},
            }
        )


def _finite(column: Column) -> Column:
    column[~np.isfinite(column)] = np.nan
    return column


@dataclass(frozen=True)
class Requests:
    """Requests with their customers coded; any order, any number of as_of a customer."""

    ids: pa.Array
    codes: NDArray[np.int64]
    as_of: NDArray[np.int64]

    @staticmethod
    def of(requests: pa.Table) -> Requests:
        """The coded requests of (customer_id, as_of); codes follow the order of the ids."""
        encoded = _encoded(requests["customer_id"])
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return Requests(
            encoded.dictionary.take(pa.array(order)),
            rank[encoded.indices.to_numpy()],
            requests["as_of"].cast(pa.int64()).to_numpy(),
        )


@dataclass(frozen=True)
class Book:
    """The rows of one table by customer, `codes` (n,) rising; customers not asked for are left out.

    The tables of a data set stand by customer already; others are brought into that order.
    """

    compiled: Compiled
    table: pa.Table
    codes: NDArray[np.int64]

    @staticmethod
    def of(compiled: Compiled, table: pa.Table, ids: pa.Array) -> Book:
        """The book of the customers `ids`."""
        encoded = _encoded(table["customer_id"])
        place = pc.fill_null(pc.index_in(encoded.dictionary, value_set=ids), -1)
        place = place.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = place[encoded.indices.to_numpy()] if len(place) else np.empty(0, np.int64)
        wanted = codes >= 0
        if not wanted.all():
            table, codes = table.filter(pa.array(wanted)), codes[wanted]
        if (np.diff(codes) < 0).any():
            order = np.argsort(codes, kind="stable")
            table, codes = table.take(pa.array(order)), codes[order]
        return Book(compiled, table, codes)

    def engine(self, first: int, last: int) -> Engine:
        """The engine over the customers from `first` to before `last`, coded from 0 on."""
        begin, end = np.searchsorted(self.codes, [first, last]).tolist()
        rows = self.table.slice(begin, end - begin)
        return Engine.of(self.compiled, rows, self.codes[begin:end] - first, last - first)


@dataclass(frozen=True)
class Engine:
    """The events of some customers in time order, and the programs to run on them."""

    compiled: Compiled
    starts: NDArray[np.int64]
    events: shuffle.Events

    @staticmethod
    def of(
        compiled: Compiled, table: pa.Table, codes: NDArray[np.int64], customers: int
    ) -> Engine:  # fmt: skip
        """The engine over the rows of a table, `codes` saying whose each of them is."""
        offer = OFFERS[compiled.table]
        raw = Raw(table)
        happened, known, superseded = (raw.micros(c) for c in CLOCKS)
        events = shuffle.Events(
            happened,
            known,
            superseded,
            _filled(compiled.values, lambda v: raw.value(offer.values[v]), len(codes), np.float64),
            raw.bits([offer.conditions[c] for c in compiled.conditions]),
            _filled(compiled.keys, lambda k: raw.key(offer.keys[k]), len(codes), np.int32),
        )
        order, starts = shuffle.together(codes, shuffle.sealed(events), customers)
        return Engine(compiled, starts, shuffle.sealed(shuffle.ordered(events, order)))

    def run(self, codes: NDArray[np.int64], as_of: NDArray[np.int64]) -> dict[str, Column]:
        """The values of every program for requests in order of customer and as_of."""
        members = np.bincount(codes, minlength=len(self.starts) - 1)
        starts = np.concatenate([[0], np.cumsum(members)]).astype(np.int64)
        out = np.empty((len(self.compiled.names), len(codes)))
        kernel.walk(self.starts, self.events, starts, as_of, self.compiled.programs, out)
        for place in np.flatnonzero(self.compiled.scales != 1):
            out[place] *= self.compiled.scales[place]
        return dict(zip(self.compiled.names, out, strict=True))


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return pa.array([], pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


N = TypeVar("N", np.float64, np.int32)


def _filled(
    names: Sequence[str], row: Callable[[str], NDArray[N]], width: int, kind: type[N]
) -> NDArray[N]:
    """The row of every name, one below the other; one empty row where there are no names."""
    out = np.empty((len(names), width), kind) if names else np.zeros((1, width), kind)
    for place, name in enumerate(names):
        out[place] = row(name)
    return out


class Raw:
    """A clean table as the arrays that its offer names; columns are decoded once."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._codes: dict[str, tuple[pa.Array, NDArray[np.int32]]] = {}
        self._days: dict[str, tuple[NDArray[np.int32], int]] = {}
        self._micros: dict[str, NDArray[np.int64]] = {}

    def micros(self, column: str) -> NDArray[np.int64]:
        """A clock in microseconds, read only; null is never."""
        if column not in self._micros:
            found = self.table[column].cast(pa.int64())
            found = (pc.fill_null(found, NEVER) if found.null_count else found).to_numpy()
            self._micros[column] = found
        return self._micros[column]

    def codes(self, column: str) -> tuple[pa.Array, NDArray[np.int32]]:
        """The texts of a column, and the place of each row's among them; null: one past them."""
        if column not in self._codes:
            encoded = _encoded(self.table[column])
            places = encoded.indices.cast(pa.int32())
            if places.null_count:
                places = pc.fill_null(places, len(encoded.dictionary))
            self._codes[column] = (encoded.dictionary, places.to_numpy())
        return self._codes[column]

    def days(self, column: str) -> tuple[NDArray[np.int32], int]:
        """The UTC day of an instant since the first one that occurs, and which that is."""
        if column not in self._days:
            days = self.micros(column) // MICROS_PER_DAY
            first = int(days.min()) if days.size else 0
            self._days[column] = ((days - first).astype(np.int32), first)
        return self._days[column]

    def value(self, value: Value) -> NDArray[np.float64]:
        """A number of every event, NaN where it is missing."""
        first = _numbers(self.table[value.columns[0]])
        if value.rule == "net":
            texts, places = self.codes(value.columns[1])
            sign = np.append(np.where(np.asarray(texts) == "refund", -1.0, 1.0), 1.0)
            return np.asarray(first * sign[places])
        if value.rule == "ratio":
            below = _numbers(self.table[value.columns[1]])
            with np.errstate(all="ignore"):
                return np.where(below > 0, first / below, np.nan)
        return first

    def bits(self, conditions: Sequence[Condition]) -> NDArray[np.uint32]:
        """The conditions that each event meets, the first one in the lowest bit."""
        bits = np.zeros(self.table.num_rows, np.uint32)
        lookups: dict[str, NDArray[np.uint32]] = {}
        for place, condition in enumerate(conditions):
            if condition.rule == "one_of":
                texts = self.codes(condition.column)[0].to_pylist()
                lookup = lookups.setdefault(condition.column, np.zeros(len(texts) + 1, np.uint32))
                for code, text in enumerate(texts):
                    lookup[code] |= np.uint32((text in condition.allowed) << place)
            else:
                bits |= self._meets(condition).astype(np.uint32) << np.uint32(place)
        for column, lookup in lookups.items():
            bits |= lookup[self.codes(column)[1]]
        return bits

    def _meets(self, condition: Condition) -> NDArray[np.bool_]:
        column = self.table[condition.column]
        if condition.rule == "present":
            return np.asarray(pc.is_valid(column).to_numpy(), dtype=bool)
        if condition.rule == "weekend":
            days, first = self.days(condition.column)
            of_day = (np.arange(days.max(initial=0) + 1) + first + 3) % 7 >= 5
            return np.asarray(of_day[days])
        return _numbers(column) >= condition.minimum

    def key(self, key: Key) -> NDArray[np.int32]:
        """What tells the kinds of events apart, as codes; days and months grow with time."""
        if key.rule == "category":
            texts, places = self.codes(key.column)
            return np.append(np.arange(len(texts), dtype=np.int32), np.int32(-1))[places]
        days, first = self.days(key.column)
        if key.rule == "day":
            return days
        calendar = np.arange(first, first + days.max(initial=0) + 1).astype("datetime64[D]")
        months = calendar.astype("datetime64[M]").astype(np.int32)
        return np.asarray((months - months[0])[days])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column as float64: flags 0 and 1, instants and dates in days since 1970, null NaN."""
    if pa.types.is_timestamp(column.type):
        days = pc.divide(column.cast(pa.int64()).cast(pa.float64()), _DAY)
    elif pa.types.is_date(column.type):
        days = column.cast(pa.int32()).cast(pa.float64())
    else:
        days = column.cast(pa.float64())
    return np.asarray(days.to_numpy(), dtype=np.float64)
