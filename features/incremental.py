"""A panel brought up to date: only the customers whose events changed are computed again.

Enters: the panel before, the data sets before and after, the requests. Leaves: the panel that a
full run over the data set after would give, bit for bit, because the values of a request come from
its customer's events alone. The catalogue must be the one that the panel before was computed with.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.errors import InputError
from events.dataset import Dataset
from events.schema import INSTANT
from features.catalogue import CATALOGUE, Catalogue
from features.panel import compute_tables, quiet_duckdb
from features.programs import CLOCKS, compile_takes
from features.spans import tables_of

KEYS = ("customer_id", "as_of")


def changed_customers(
    before: Dataset, after: Dataset, catalogue: Catalogue = CATALOGUE
) -> tuple[str, ...]:
    """Who has other rows in a table that the catalogue reads, in order.

    Rows are compared by the number of a customer's rows and the sum of their 64-bit hashes; a table
    whose files are the same is not read.
    """
    found: set[str] = set()
    with quiet_duckdb() as db:
        for c in compile_takes(catalogue):
            if before.tables.get(c.table) == after.tables.get(c.table):
                continue
            columns = ", ".join(f'"{n}"' for n in (*CLOCKS, *c.columns))
            old, new = (_digests(d, c.table, columns) for d in (before, after))
            rows = db.sql(
                f"SELECT customer_id FROM (({old} EXCEPT {new}) UNION ({new} EXCEPT {old}))"
            ).fetchall()
            found.update(customer for (customer,) in rows)
    return tuple(sorted(found))


def updated(
    panel: pa.Table,
    dataset: Dataset,
    requests: pa.Table,
    changed: tuple[str, ...],
    catalogue: Catalogue = CATALOGUE,
) -> pa.Table:
    """The features of every request: of the panel where its customer has not changed and the
    request stands in it, computed from the data set where not.

    Raises:
        InputError: the columns of the panel are not those of the catalogue.
    """
    if panel.column_names != [*KEYS, *catalogue.names]:
        raise InputError(
            f"the panel before has {len(panel.column_names)} columns, not the {len(KEYS)} keys and "
            f"{len(catalogue.names)} features of this catalogue in order: compute it in full"
        )
    place = _places(panel, requests)
    again = pc.is_in(requests["customer_id"], value_set=pa.array(changed, pa.string()))
    place[again.to_numpy(zero_copy_only=False)] = -1
    missing = np.flatnonzero(place < 0)
    fresh = _compute(dataset, requests.take(pa.array(missing)), catalogue)
    place[missing] = panel.num_rows + np.arange(len(missing))
    return pa.concat_tables([panel, fresh]).take(pa.array(place))


def _digests(dataset: Dataset, table: str, columns: str) -> str:
    """The query for (customer_id, rows, sum of hashes)."""
    files = [str(f) for f in dataset.files(table)]
    if not files:
        return "(SELECT NULL AS customer_id, 0 AS n, 0::HUGEINT AS hashes WHERE false)"
    return (
        f"(SELECT customer_id, count(*) AS n, sum(hash({columns})::HUGEINT) AS hashes "
        f"FROM read_parquet({files}) GROUP BY customer_id)"
    )


def _places(panel: pa.Table, requests: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where each request stands in the panel; -1: nowhere."""
    known = panel.select(KEYS).append_column("place", pa.array(np.arange(panel.num_rows)))
    asked = pa.table({n: requests[n].cast(known.schema.field(n).type) for n in KEYS})
    asked = asked.append_column("row", pa.array(np.arange(requests.num_rows)))
    joined = asked.join(known, list(KEYS)).sort_by("row")
    return np.array(pc.fill_null(joined["place"], -1).to_numpy(), dtype=np.int64)


def _compute(dataset: Dataset, requests: pa.Table, catalogue: Catalogue) -> pa.Table:
    """The features of some requests; only the events of their customers are read."""
    customers = pc.unique(requests["customer_id"]).to_pylist()
    tables = tables_of(dataset, catalogue, customers=customers)
    asked = pa.table(
        {"customer_id": requests["customer_id"], "as_of": requests["as_of"].cast(INSTANT)}
    )
    return pa.concat_tables(compute_tables(tables, asked, catalogue))
