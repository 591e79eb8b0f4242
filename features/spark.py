"""Panels on a cluster: Spark brings a customer's events together, the same kernel walks them.

Enters: Spark frames of the clean tables and of the requests. Leaves: a frame of the panel, its rows
in no order. Needs the extra `spark`; nothing else in Tierline imports this module. The workers need
Tierline installed, or on their PYTHONPATH, and Parquet files with times in microseconds.

Tables and requests are laid into one frame of all their columns, which is parted by customer and
sorted, so that each worker sees a customer's rows one after the other; it computes some customers
at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from events.dataset import clean_schema
from events.schema import INSTANT
from features.catalogue import CATALOGUE, Catalogue
from features.panel import compute_tables
from features.programs import CLOCKS, compile_takes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROWS = 500_000
"""A worker holds about so many rows at a time, and at least those of one customer."""
REQUESTS = "requests"
_TABLE = "in_table"


def compute_on_spark(
    tables: Mapping[str, DataFrame],
    requests: DataFrame,
    catalogue: Catalogue = CATALOGUE,
    partitions: int = 200,
) -> DataFrame:
    """The features of every request, from the tables that are given; the others are empty.

    The session's time zone (`spark.sql.session.timeZone`) must be UTC.
    """
    from pyspark.sql import functions as sql

    laid = requests.select(
        "customer_id", sql.lit(REQUESTS).alias(_TABLE), sql.col("as_of").alias(f"{REQUESTS}__as_of")
    )
    for c in compile_takes(catalogue):
        if c.table in tables:
            columns = [sql.col(f"`{n}`").alias(f"{c.table}__{n}") for n in (*CLOCKS, *c.columns)]
            rows = tables[c.table].select("customer_id", sql.lit(c.table).alias(_TABLE), *columns)
            laid = laid.unionByName(rows, allowMissingColumns=True)
    wanted = "customer_id string, as_of timestamp, " + ", ".join(
        f"`{n}` double" for n in catalogue.names
    )
    return (
        laid.repartition(partitions, "customer_id")
        .sortWithinPartitions("customer_id", _TABLE)
        .mapInArrow(_worker(catalogue, ROWS), wanted)
    )


def _worker(
    catalogue: Catalogue, most: int
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What runs on the workers, over about `most` rows at a time."""

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_customers(batches, most):
            for part in compute_tables(*unlaid(rows, catalogue), catalogue, threads=1):
                yield from part.combine_chunks().to_batches()

    return work


def whole_customers(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Tables of at least `rows` rows (the last one less) that never part a customer."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) > rows:
            table = pa.Table.from_batches(held)
            last = pc.equal(table["customer_id"], table["customer_id"][-1])
            done = table.num_rows - int(pc.sum(last).as_py())
            if done:
                yield table.slice(0, done)
                held = table.slice(done).combine_chunks().to_batches()
    if held:
        yield pa.Table.from_batches(held)


def unlaid(rows: pa.Table, catalogue: Catalogue) -> tuple[dict[str, pa.Table], pa.Table]:
    """The clean tables and the requests that lie in one table, in the types they should have."""
    tables = {}
    for c in compile_takes(catalogue):
        schema = clean_schema(c.table)
        named = {n: f"{c.table}__{n}" for n in (*CLOCKS, *c.columns)}
        if named[CLOCKS[0]] in rows.column_names:
            own = rows.filter(pc.equal(rows[_TABLE], c.table))
            columns = {n: own[laid].cast(schema.field(n).type) for n, laid in named.items()}
            tables[c.table] = pa.table({"customer_id": own["customer_id"], **columns})
    asked = rows.filter(pc.equal(rows[_TABLE], REQUESTS))
    as_of = asked[f"{REQUESTS}__as_of"].cast(INSTANT)
    requests = pa.table({"customer_id": asked["customer_id"], "as_of": as_of})
    return tables, requests.sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
