"""Spans of customers: a data set read some customers at a time, because it stands by customer.

Enters: a data set, requests by customer. Leaves: the requests of one span of customers after the
other, and the clean rows of these customers. Parquet keeps the least and greatest customer of every
group of rows, so a span costs its own rows; of a table that does not stand by customer every span
reads all of it, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from events.dataset import Dataset
from features.catalogue import Catalogue
from features.programs import CLOCKS, compile_takes

EVENTS = 2_000_000
"""About so many events are in memory at a time; arrays of more are slower to make."""


@dataclass(frozen=True)
class Span:
    """Requests of the customers from the first bound on and before the second; None: no bound."""

    requests: pa.Table
    bounds: tuple[str | None, str | None]


def tables_of(dataset: Dataset, catalogue: Catalogue, **whose: Any) -> dict[str, pa.Table]:
    """What a catalogue reads of every table; `whose`: `customers` or `between`, as there."""
    return {
        c.table: dataset.table(
            c.table, ["customer_id", *CLOCKS, *c.columns], dictionary=True, **whose
        )
        for c in compile_takes(catalogue)
    }


def count(dataset: Dataset, catalogue: Catalogue) -> int:
    """In how many spans the events of a catalogue are read: it follows from their number alone."""
    read = {c.table for c in compile_takes(catalogue)}
    rows = sum(info.rows for name, info in dataset.tables.items() if name in read)
    return max(1, -(-rows // EVENTS))


def spans(requests: pa.Table, wanted: int) -> Iterator[Span]:
    """The requests, which stand by customer, in at most `wanted` spans of about as many."""
    ids, rows = requests["customer_id"], requests.num_rows
    cuts = {0}
    for cut in np.linspace(0, rows, wanted + 1).astype(int).tolist()[1:-1]:
        while 0 < cut < rows and ids[cut].as_py() == ids[cut - 1].as_py():
            cut -= 1
        cuts.add(cut)
    begins = sorted(cuts)
    bounds = [None, *(ids[b].as_py() for b in begins[1:]), None]
    for begin, end, span in zip(begins, [*begins[1:], rows], pairwise(bounds), strict=True):
        yield Span(requests.slice(begin, end - begin), span)


def by_customer(requests: pa.Table) -> bool:
    """Whether a customer's requests stand together, customers in the order of their bytes."""
    ids = requests["customer_id"].cast(pa.string())
    behind = pc.less(ids.slice(1), ids.slice(0, max(len(ids) - 1, 0)))
    return not pc.any(behind, min_count=0).as_py()
