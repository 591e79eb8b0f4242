"""The push path: events that arrive during the day are in the online row when `accept` returns.

Enters: checked rows of raw tables. Leaves: the customers' online rows, all views at once, as of
their last event. The row is a pure function of the events there are: those of the data set and
those that arrived, settled by the rules of ingest and walked by the same kernel. So doubled events
and events in any order come to the same bytes as one sorted run. Of one source, one process at a
time makes rows; the others wait for their turn.

An event that a correction moves to another customer leaves the first one with the next data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.workspace import Workspace
from events.dataset import SUPERSEDED, Dataset, has_dataset, open_dataset
from events.schema import INSTANT, TABLES
from events.settle import settle
from features.arrivals import Arrivals
from features.offers import OFFERS
from features.panel import compute_tables
from features.panel_files import LatestRows, matrix
from features.store import FeatureRoom, open_room
from features.views import layouts

BATCH = 2_000
"""Customers whose rows are made together."""


@dataclass(frozen=True)
class Pushed:
    """What became of pushed rows: `new` ones, and how many customers' rows were made again."""

    new: int
    repeated: int
    customers: int


class PushPath:
    """Arrived events of one source, and the online rows that they change."""

    def __init__(self, room: FeatureRoom, dataset: Path, arrivals: Arrivals) -> None:
        self.room = room
        self._dataset = dataset
        self._arrivals = arrivals
        self._base: tuple[Path, int] | None = None

    def accept(self, table: str, rows: pa.Table) -> Pushed:
        """Keep checked rows of a raw table, and bring their customers' rows online.

        The events are on disk before a row changes: after a kill in between, `recover` or the next
        call makes the rows. What is sent again changes nothing.

        Raises:
            StoreError: the events cannot be kept, or the online store does not answer.
            NotFoundError: no data set or no panel yet.
        """
        with self._arrivals.alone():
            new = self._arrivals.append(table, rows)
            made = self._bring(self._arrivals.pending())
        return Pushed(new, rows.num_rows - new, made)

    def warm(self) -> None:
        """Make the row of nobody once, so that the first event waits for no kernel and no panel.

        Nothing is kept. Without a data set there is nothing to make yet.
        """
        if has_dataset(self._dataset):
            none = TABLES["transactions"].schema.empty_table()
            settle(TABLES["transactions"], none)
            self.rows(open_dataset(self._dataset), ["-"])

    def recover(self) -> int:
        """Make the rows that a killed process left to be made; how many."""
        with self._arrivals.alone():
            return self._bring(self._arrivals.pending())

    def materialise(self) -> int:
        """Bring the last as_of of the panel online, then the rows of customers with newer events.

        What the data set holds by now is dropped from the arrivals. Rows of customers with newer
        events are never taken back to the panel's. Pushes wait for a part of the book at most. The
        last as_of (micros).
        """
        if self._arrivals.customers():
            with self._arrivals.alone():
                self._arrivals.forget(open_dataset(self._dataset).data_until)
        as_of = self._last_as_of()
        self.room.materialise(as_of, self._turn)
        newer = tuple(self._arrivals.customers())
        for begin in range(0, len(newer), BATCH):
            with self._arrivals.alone():
                self._bring(newer[begin : begin + BATCH])
        return as_of

    @contextmanager
    def _turn(self) -> Iterator[frozenset[str]]:
        with self._arrivals.alone():
            yield frozenset(self._arrivals.customers())

    def _bring(self, customers: Sequence[str]) -> int:
        if not customers:
            return 0
        dataset = open_dataset(self._dataset)
        for begin in range(0, len(customers), BATCH):
            some = customers[begin : begin + BATCH]
            self.room.served.write(self.rows(dataset, some))
            self._arrivals.done(some)
        return len(customers)

    def rows(self, dataset: Dataset, customers: Sequence[str]) -> LatestRows:
        """The features of customers as of the last event of each, or of the panel where later."""
        as_of = np.maximum(self._arrivals.seen(customers), self._last_as_of())
        tables = {table: self._events(dataset, table, customers) for table in OFFERS}
        return features_of(self.room, tables, customers, as_of)

    def _events(self, dataset: Dataset, table: str, customers: Sequence[str]) -> pa.Table:
        """The rows of the data set and those that arrived, settled together."""
        kept = dataset.table(table, customers=customers)
        arrived = self._arrivals.rows(table, customers)
        if not arrived.num_rows:
            return kept
        declared = TABLES[table].schema
        both = [kept.drop_columns([SUPERSEDED]).cast(declared), arrived]
        return settle(TABLES[table], pa.concat_tables(both))[0]

    def _last_as_of(self) -> int:
        views = self.room.views
        if self._base is None or self._base[0] != views:
            self._base = (views, self.room.latest()[0])
        return self._base[1]


def features_of(
    room: FeatureRoom,
    tables: dict[str, pa.Table],
    customers: Sequence[str],
    as_of: NDArray[np.int64],
) -> LatestRows:
    """The features of customers, each as of its own instant (micros), by view."""
    requests = pa.table(
        {
            "customer_id": pa.array(customers, pa.string()),
            "as_of": pa.array(as_of, pa.int64()).cast(INSTANT),
        }
    )
    panel = pa.concat_tables(compute_tables(tables, requests, room.catalogue))
    values = {view: matrix(panel, at.names) for view, at in layouts(room.catalogue).items()}
    return LatestRows(customers, as_of, values)


def open_push(workspace: Workspace, environ: Mapping[str, str]) -> PushPath:
    """The push path of a workspace, into the online store that the settings name."""
    room, arrivals = open_room(workspace, environ), Arrivals(workspace.arrivals)
    return PushPath(room, workspace.dataset, arrivals)
