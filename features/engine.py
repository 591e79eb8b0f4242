"""The events of some customers, ready for the kernel, from tables that hold anybody's.

Enters: a table's rows, coded customers, compiled programs. Leaves: the values of the programs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import columns, kernel, shuffle
from features.formulas import Column
from features.offers import OFFERS
from features.programs import CLOCKS, Compiled


@dataclass(frozen=True)
class Requests:
    """Requests with their customers coded; any order, any number of as_of a customer."""

    ids: pa.Array
    codes: NDArray[np.int64]
    as_of: NDArray[np.int64]

    @staticmethod
    def of(requests: pa.Table) -> Requests:
        """The coded requests of (customer_id, as_of); codes follow the order of the ids."""
        encoded = columns.encoded(requests["customer_id"])
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
        encoded = columns.encoded(table["customer_id"])
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
        raw = columns.Raw(table)
        happened, known, superseded = (raw.micros(c) for c in CLOCKS)
        n = len(codes)
        events = shuffle.Events(
            happened,
            known,
            superseded,
            columns.filled(compiled.values, lambda v: raw.value(offer.values[v]), n, np.float64),
            raw.bits([offer.conditions[c] for c in compiled.conditions]),
            columns.filled(compiled.keys, lambda k: raw.key(offer.keys[k]), n, np.int32),
        )
        order, starts = shuffle.together(codes, shuffle.sealed(events), customers)
        return Engine(compiled, starts, shuffle.sealed(shuffle.ordered(events, order)))

    def run(self, codes: NDArray[np.int64], as_of: NDArray[np.int64]) -> dict[str, Column]:
        """The values of every program for requests in order of customer and as_of."""
        members = np.bincount(codes, minlength=len(self.starts) - 1)
        starts = np.concatenate([[0], np.cumsum(members)]).astype(np.int64)
        out = np.empty((len(self.compiled.names), len(codes)))
        asked = shuffle.read_only(as_of)
        kernel.walk(self.starts, self.events, starts, asked, self.compiled.programs, out)
        for place in np.flatnonzero(self.compiled.scales != 1):
            out[place] *= self.compiled.scales[place]
        return dict(zip(self.compiled.names, out, strict=True))
