"""Features online: packed rows written many customers at a time, and read back as one matrix.

Enters: the latest rows of a panel, rows of the push path, customer ids. Leaves: rows of features,
each view with its as_of. Freshness is told, not judged. What one call writes for a customer, all
views of it, is seen whole or not at all, and reading goes on meanwhile. It needs no Feast.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.errors import NotFoundError
from features.catalogue import Catalogue
from features.packed import Rows
from features.panel_files import LatestRows
from features.row_stores import Found, RowStore
from features.views import layouts, longest_age, themes

BATCH = 2_000
"""Customers a transaction of the online store."""
MARK = "\x00schemas"
"""No customer: its rows hold the schemas of the last complete run, one a view."""
Turn = Callable[[], AbstractContextManager[frozenset[str]]]
_MICRO = timedelta(microseconds=1)
_NEVER = np.iinfo(np.int64).max


def at_once() -> AbstractContextManager[frozenset[str]]:
    """A turn that is always there, with nobody to leave alone."""
    return nullcontext(frozenset())


@dataclass(frozen=True)
class OnlineRows:
    """`values` (n, k) float64, NaN missing; `as_of` (n,) int64 micros, 0 = customer not known.

    `by_view` (n, v) is the as_of of the row of each of the `views` that were read, 0 = none.
    """

    values: NDArray[np.float64]
    as_of: NDArray[np.int64]
    views: tuple[str, ...]
    by_view: NDArray[np.int64]


class OnlineFeatures:
    """The features of one catalogue in a store of packed rows; may be shared by threads."""

    def __init__(self, store: RowStore, catalogue: Catalogue) -> None:
        self._store = store
        self._layouts = layouts(catalogue)
        self._ages = {t: longest_age(found) // _MICRO for t, found in themes(catalogue).items()}
        self._theme = {f.name: f.theme for f in catalogue.features}
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def bring(self, parts: Iterable[LatestRows], as_of: int, turn: Turn) -> None:
        """Write the rows that are not older than their view allows at `as_of` (micros).

        Each part waits for its `turn`, which gives the customers that are left as they are.
        Rerunning, also after a kill, gives the same bytes; a complete run drops the rows of other
        schemas, which nobody could read.
        """
        for rows in parts:
            with turn() as but:
                self.write(rows, as_of, but)
        own = {view: layout.hash for view, layout in self._layouts.items()}
        if self._store.read([MARK], list(own)).get(MARK) != own:
            self._store.keep_only(own)
            self._store.write({MARK: own})

    def write(
        self, rows: LatestRows, as_of: int | None = None, but: frozenset[str] = frozenset()
    ) -> None:
        """Write some customers' rows, every view of a customer at once.

        With `as_of` (micros), without those that are older than their view allows at it.
        """
        packed = {
            view: layout.pack(Rows.of(rows.values[view], rows.as_of))
            for view, layout in self._layouts.items()
        }
        latest = rows.as_of if as_of is None else as_of
        alive = {view: (rows.as_of + age >= latest).tolist() for view, age in self._ages.items()}
        keyed = (
            (customer, {v: packed[v][i] for v in packed if alive[v][i]})
            for i, customer in enumerate(rows.customers)
            if customer not in but
        )
        while batch := dict(itertools.islice(keyed, BATCH)):
            self._store.write(batch)

    def read(
        self, customers: Sequence[str], names: Sequence[str], now: int | None = None
    ) -> OnlineRows:
        """The features of customers, in the order asked.

        The as_of of a customer is that of the oldest row that gave a value. Values are told as they
        stand, however old; with `now` (micros) those older than their view's TTL at that instant
        are missing.

        Raises:
            NotFoundError: a name that the catalogue lacks.
            StoreError: the store does not answer, or holds rows of another schema.
        """
        plan = self._plan(tuple(names))
        size, views = len(customers), tuple(plan)
        values = np.full((size, len(names)), np.nan)
        by_view = np.zeros((size, len(views)), dtype=np.int64)
        asked = list(dict.fromkeys(customers))
        found: Found = self._store.read(asked, views) if asked and views else {}
        for column, view in enumerate(views):
            there = np.array([i for i, c in enumerate(customers) if view in found.get(c, {})], int)
            if not there.size:
                continue
            rows = self._layouts[view].unpack([found[customers[i]][view] for i in there])
            mine, place = plan[view]
            read, at = rows.values[:, place], rows.as_of
            if now is not None:
                alive = at + self._ages[view] >= now
                read, at = np.where(alive[:, None], read, np.nan), np.where(alive, at, 0)
            values[np.ix_(there, mine)] = read
            by_view[there, column] = at
        oldest = np.where(by_view > 0, by_view, _NEVER).min(axis=1, initial=_NEVER)
        return OnlineRows(values, np.where(oldest == _NEVER, 0, oldest), views, by_view)

    def close(self) -> None:
        """Let the store's connections go."""
        self._store.close()

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        """Of each view to read: the columns of the answer, and the places in the row."""
        if names not in self._plans:
            check_names(names, self._theme)
            grouped: dict[str, tuple[list[int], list[int]]] = {}
            for column, name in enumerate(names):
                mine, place = grouped.setdefault(self._theme[name], ([], []))
                mine.append(column)
                place.append(self._layouts[self._theme[name]].place[name])
            self._plans[names] = {v: (np.array(m), np.array(p)) for v, (m, p) in grouped.items()}
        return self._plans[names]


_Plan = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


def check_names(names: Sequence[str], known: Mapping[str, str]) -> None:
    """Nothing, where every name is known.

    Raises:
        NotFoundError: one is not.
    """
    unknown = [n for n in names if n not in known]
    if unknown:
        raise NotFoundError(f"no features {unknown[:5]}: see docs/features.md")
