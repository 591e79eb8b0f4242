"""Points and reasons of the whole book at once, some customers at a time, into one Parquet file.

Enters: a bundle, and the features of customers: a panel on disk, or named columns from anywhere.
Leaves: batches of `customer_id`, `as_of` and, for each target, `<target>_points`, `<target>_base`
and `<target>_reasons`, a struct of whole points by feature: base + reasons = points in every row
(I1), the bits that a decision has. Nothing is decided or recorded here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.errors import BundleError
from domain.tiers import Target
from events.schema import INSTANT
from features.catalogue import Catalogue
from features.panel_files import LatestRows, latest_rows
from features.views import AS_OF, ENTITY_KEY, themes
from scoring.bundle import Bundle
from scoring.scorer import Scorer, by_month

Places = NDArray[np.int64]
ROWS = 1_024
"""Customers that are scored at a time, on each thread."""
GROUP = 8_192
"""Customers that are in memory at a time, a group of rows in the file."""
ORIGIN = b"tierline.bundle"
"""The key of the file's metadata that names the bundle's hash."""
_WHOLE = pa.int64()
_KEYS = (pa.field(ENTITY_KEY, pa.string(), False), pa.field(AS_OF, INSTANT, False))


def schema_of(scorers: Mapping[Target, Scorer]) -> pa.Schema:
    """The columns that scoring a book gives, targets and features in the scorers' order."""
    fields = list(_KEYS)
    for target, scorer in scorers.items():
        reasons = pa.struct([pa.field(name, _WHOLE) for name in scorer.features])
        named = {"points": _WHOLE, "base": _WHOLE, "reasons": reasons}
        fields += [pa.field(f"{target}_{what}", kind) for what, kind in named.items()]
    return pa.schema(fields)


def features_of(scorers: Mapping[Target, Scorer]) -> tuple[str, ...]:
    """Every feature that a scorer reads, once, sorted."""
    return tuple(sorted({name for scorer in scorers.values() for name in scorer.features}))


def score_rows(
    scorers: Mapping[Target, Scorer],
    customers: pa.Array,
    as_of: pa.Array,
    column: Callable[[str], NDArray[np.float64]],
) -> pa.RecordBatch:
    """The scores of some customers; `column` gives a feature's values, NaN where missing.

    Raises:
        InputError: an infinite value.
    """
    arrays, instants = [customers, as_of], as_of.cast(pa.int64()).to_numpy(zero_copy_only=False)
    for scorer in scorers.values():
        X = np.column_stack([column(name) for name in scorer.features]).astype(np.float64)
        found = np.empty((len(X), 2 + len(scorer.features)), dtype=np.int64)
        for now, rows in by_month(scorer, instants):
            told = now.explain(X[rows])
            found[rows] = np.column_stack([told.points, told.base_points, told.reasons])
        points, base, *reasons = (pa.array(each) for each in np.ascontiguousarray(found.T))
        arrays += [points, base, pa.StructArray.from_arrays(reasons, names=list(scorer.features))]
    return pa.RecordBatch.from_arrays(arrays, schema=schema_of(scorers))


def score_book(bundle: Bundle, views: Path, catalogue: Catalogue, as_of: int, out: Path) -> int:
    """Write the scores of every customer that a panel has at `as_of` (micros); how many they are.

    The file appears whole or not at all. Its rows are by customer, its bytes the same on any number
    of threads.

    Raises:
        BundleError: the bundle was made with another catalogue.
        InputError: an infinite value.
    """
    if bundle.catalogue_hash != catalogue.hash:
        raise BundleError(
            f"bundle {bundle.hash[:12]} was made with another catalogue than the features in use: "
            "train again, or go back to the version that made it"
        )
    half = out.with_name(f".{out.name}.half")
    schema = schema_of(bundle.scorers).with_metadata({ORIGIN: bundle.hash.encode()})
    written, threads = 0, os.cpu_count() or 1
    try:
        with (
            # statistics of every reason of every group would stand in memory until the end
            pq.ParquetWriter(half, schema, write_statistics=[ENTITY_KEY, AS_OF]) as file,
            ThreadPoolExecutor(threads) as pool,
        ):
            for rows in latest_rows(views, catalogue, as_of, GROUP):
                work = partial(_score, bundle, catalogue, rows)
                batches = pool.map(work, _parts(rows, as_of))
                written += _write(file, pa.Table.from_batches(batches, schema))
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
    return written


def _write(file: pq.ParquetWriter, group: pa.Table) -> int:
    """How many rows it has; nobody holds it while the next one is scored."""
    file.write_table(group)
    return int(group.num_rows)


def _parts(rows: LatestRows, as_of: int) -> Iterator[Places]:
    """The places of the rows at `as_of`, `ROWS` at a time."""
    places = np.flatnonzero(rows.as_of == as_of)
    for begin in range(0, len(places), ROWS):
        yield places[begin : begin + ROWS]


def _score(
    bundle: Bundle, catalogue: Catalogue, rows: LatestRows, places: Places
) -> pa.RecordBatch:
    where = {
        f.name: (theme, i)
        for theme, found in themes(catalogue).items()
        for i, f in enumerate(found)
    }

    def column(name: str) -> NDArray[np.float64]:
        theme, i = where[name]
        values: NDArray[np.float64] = rows.values[theme][places, i]
        return values

    customers = pa.array([rows.customers[i] for i in places.tolist()], pa.string())
    return score_rows(bundle.scorers, customers, pa.array(rows.as_of[places]).cast(INSTANT), column)
