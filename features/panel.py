"""Panels: the catalogue's features of (customer, as_of) pairs, from the tables of a data set.

Enters: clean tables, requests (customer_id, as_of). Leaves: the same rows with one float64 column a
feature, null where a value is missing. A customer without any visible event in a table has no
values from it (thin is a state), nor from a window that ends before the first event; one with
events, but none in the window, has sums and counts of 0.
It computes, it keeps nothing.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from events.dataset import Dataset, clean_schema
from events.schema import INSTANT
from features.catalogue import CATALOGUE, Catalogue
from features.engine import Book, Requests
from features.formulas import Column
from features.offers import OFFERS
from features.programs import compile_takes
from features.spans import by_customer, count, spans, tables_of

PART_REQUESTS, PART_EVENTS = 50_000, 500_000
"""About so many requests and events are worked on at a time, by each thread."""
FEW = 1_000
"""Up to so many requests, only the events of their customers are read."""


def quiet_duckdb(**config: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB of one's own that prints nothing."""
    db = duckdb.connect(config=dict(config))
    db.execute("SET enable_progress_bar = false")
    return db


def known_customers(dataset: Dataset, as_of: Sequence[int]) -> pa.Table:
    """Requests (customer_id, as_of) of everybody with a visible row of any table at each as_of.

    By customer, then by as_of.
    """
    parts = [
        f"SELECT customer_id, greatest(happened_at, known_at) AS seen FROM read_parquet({files})"
        for table in OFFERS
        for files in [[str(f) for f in dataset.files(table)]]
        if files
    ]
    ids, since = pa.array([], pa.string()), np.empty(0, np.int64)
    if parts:
        with quiet_duckdb() as db:
            first = db.sql(
                "SELECT customer_id, epoch_us(min(seen)) AS seen "
                f"FROM ({' UNION ALL '.join(parts)}) GROUP BY customer_id"
            ).to_arrow_table()
        order = pc.sort_indices(first["customer_id"])
        first = first.take(order).combine_chunks()
        ids, since = first["customer_id"].cast(pa.string()), first["seen"].to_numpy()
    moments = np.sort(np.array(as_of, dtype=np.int64))
    who, when = np.nonzero(since[:, None] <= moments[None, :])
    return pa.table(
        {
            "customer_id": ids.take(pa.array(who)),
            "as_of": pa.array(moments[when], pa.int64()).cast(INSTANT),
        }
    )


def compute(
    dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE, threads: int = 0
) -> pa.Table:
    """The features of every request, in the order of the requests."""
    return pa.concat_tables(compute_parts(dataset, requests, catalogue, threads))


def compute_parts(
    dataset: Dataset, requests: pa.Table, catalogue: Catalogue = CATALOGUE, threads: int = 0
) -> Iterator[pa.Table]:
    """The same in parts, so that neither panel nor events need be held as a whole.

    Requests by customer and as_of come as they are worked on; where customers do not stand
    together, in one part.
    """
    if requests.num_rows <= FEW:
        tables = tables_of(dataset, catalogue, customers=requests["customer_id"].to_pylist())
        yield from compute_tables(tables, requests, catalogue, threads)
        return
    wanted = count(dataset, catalogue) if by_customer(requests) else 1
    for span in spans(requests, wanted):
        tables = tables_of(dataset, catalogue, between=span.bounds)
        yield from compute_tables(tables, span.requests, catalogue, threads)


def compute_tables(
    tables: Mapping[str, pa.Table],
    requests: pa.Table,
    catalogue: Catalogue = CATALOGUE,
    threads: int = 0,
) -> Iterator[pa.Table]:
    """The same over Arrow tables; a table that is not given is empty.

    `threads` (0: one a core) change the time it takes and nothing else.
    """
    asked = Requests.of(requests)
    order = np.lexsort((asked.as_of, asked.codes))
    if np.array_equal(order, np.arange(len(order))):
        yield from _in_order(tables, requests, asked, catalogue, threads)
    else:
        asked = Requests(asked.ids, asked.codes[order], asked.as_of[order])
        parts = _in_order(tables, requests.take(pa.array(order)), asked, catalogue, threads)
        yield pa.concat_tables(parts).take(pa.array(np.argsort(order)))


def _in_order(
    tables: Mapping[str, pa.Table],
    requests: pa.Table,
    asked: Requests,
    catalogue: Catalogue,
    threads: int,
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
    work = partial(_part, books, requests, asked, catalogue)
    yield from _spread(work, list(itertools.pairwise(ends.tolist())), threads or _cores())


def _spread(
    work: Callable[[tuple[int, int]], pa.Table], spans: Sequence[tuple[int, int]], threads: int
) -> Iterator[pa.Table]:
    """The parts in their order, worked on by some threads, few more of them than asked for."""
    if threads == 1 or len(spans) == 1:
        yield from map(work, spans)
        return
    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for span in spans:
            waiting.append(pool.submit(work, span))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _cores() -> int:
    """The cores that this process may use."""
    mine = getattr(os, "sched_getaffinity", None)
    return len(mine(0)) if mine else os.cpu_count() or 1


def _part(
    books: Sequence[Book],
    requests: pa.Table,
    asked: Requests,
    catalogue: Catalogue,
    span: tuple[int, int],
) -> pa.Table:
    """The panel of some requests."""
    begin, end = span
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
    return pa.table(
        {
            "customer_id": part["customer_id"],
            "as_of": part["as_of"].cast(INSTANT),
            **{n: pa.array(_finite(found[n]), from_pandas=True) for n in catalogue.names},
        }
    )


def _finite(column: Column) -> Column:
    column[~np.isfinite(column)] = np.nan
    return column
