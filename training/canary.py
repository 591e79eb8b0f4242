"""The canary: events planted after as_of, or known after it, move no feature of a source (I3).

Enters: a data set and pairs (customer, as_of), drawn here from all labelled rows. Leaves: the names
of features that moved. The rows of these customers, outcomes too, are copied to a folder of their
own, where each is planted twice more, its numbers a thousandfold and its flags the other way: as
one that happens a microsecond after as_of, and as one that had happened and was not known yet; the
versions that stand there are corrected a microsecond after as_of.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.asof import NEVER, visible
from events.dataset import Dataset
from events.schema import INSTANT
from features.given import panel
from features.programs import CLOCKS

Ints = NDArray[np.int64]


def sample(tables: Iterable[pa.Table], most: int) -> pa.Table:
    """At most so many pairs (customer, as_of), a customer once: of all that are labelled for any
    target, spread over the customers and, one customer after the other, over their as_of."""
    every = pa.concat_tables(t.select(["customer_id", "as_of"]) for t in tables)
    every = every.group_by(["customer_id", "as_of"]).aggregate([])
    every = every.sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    first = np.unique(every["customer_id"].to_numpy(zero_copy_only=False), return_index=True)[1]
    counts = np.diff(np.append(first, every.num_rows))
    some = np.arange(0, first.size, -(-first.size // most))
    return every.take(pa.array(first[some] + np.arange(some.size) % counts[some]))


def moved(dataset: Dataset, pairs: pa.Table) -> tuple[str, ...]:
    """The features that what came later moved, for pairs with one as_of a customer."""
    ids, moments = pairs["customer_id"].to_pylist(), pairs["as_of"].cast(pa.int64()).to_pylist()
    when = dict(zip(ids, moments, strict=True))
    asked = pairs.select(["customer_id", "as_of"])
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, is_planted in (("past", False), ("planted", True)):
            root = Path(folder) / name
            for table in dataset.tables:
                if dataset.has(table):
                    rows = dataset.table(table, customers=ids)
                    _write(root / table, planted(rows, when) if is_planted else past(rows, when))
            found.append(panel(replace(dataset, root=root), asked))
    before, after = found
    return tuple(n for n in before.column_names if not _same(before[n], after[n]))


def past(rows: pa.Table, when: Mapping[str, int]) -> pa.Table:
    """Only the rows that count at the customer's as_of."""
    happened, known, superseded = _micros(rows)
    return rows.filter(pa.array(visible(happened, known, superseded, _as_of(rows, when))))


def planted(rows: pa.Table, when: Mapping[str, int]) -> pa.Table:
    """The rows, corrected after as_of, with the two that nothing may see beside each."""
    as_of = _as_of(rows, when)
    after = as_of + 1
    happened, known, superseded = _micros(rows)
    ends = np.where(superseded > as_of, after, superseded)
    corrected = _clocked(rows, (happened, known, ends))
    great = _great(rows)
    never = np.full(rows.num_rows, NEVER)
    ahead = _clocked(great, (np.maximum(happened, after), np.maximum(known, after), never))
    late = _clocked(great, (np.minimum(happened, as_of), after, never))
    return pa.concat_tables([corrected, ahead, late])


def _micros(rows: pa.Table) -> tuple[Ints, Ints, Ints]:
    happened, known, superseded = (
        pc.fill_null(rows[c].cast(pa.int64()), NEVER).to_numpy() for c in CLOCKS
    )
    return happened, known, superseded


def _as_of(rows: pa.Table, when: Mapping[str, int]) -> Ints:
    return np.array([when[c] for c in rows["customer_id"].to_pylist()], dtype=np.int64)


def _great(rows: pa.Table) -> pa.Table:
    """Every number a thousandfold and one more, every flag the other way."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_floating(field.type):
            rows = rows.set_column(place, field, pc.add(pc.multiply(rows[field.name], 1e3), 1.0))
        elif pa.types.is_boolean(field.type):
            rows = rows.set_column(place, field, pc.invert(rows[field.name]))
    return rows


def _clocked(rows: pa.Table, clocks: tuple[Ints, Ints, Ints]) -> pa.Table:
    for name, micros in zip(CLOCKS, clocks, strict=True):
        place = rows.schema.get_field_index(name)
        column = pa.array(micros, pa.int64(), mask=micros == NEVER).cast(INSTANT)
        rows = rows.set_column(place, rows.schema.field(place), column)
    return rows


def _write(folder: Path, rows: pa.Table) -> None:
    folder.mkdir(parents=True)
    order = [("customer_id", "ascending"), ("happened_at", "ascending"), ("known_at", "ascending")]
    pq.write_table(rows.sort_by(order), folder / "part-00000.parquet")


def _same(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(a.type):
        return bool(a.equals(b))
    return np.array_equal(a.to_numpy(), b.to_numpy(), equal_nan=True)
