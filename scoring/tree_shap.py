"""Exact SHAP values of a LightGBM booster, tree path dependent: the numbers of `pred_contrib`.

Enters: a booster and rows. Leaves: contributions. It knows no points and no bundle.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from scoring.lanes import aligned
from scoring.shap_kernels import ROWS, Model, Room, add_blocks, add_row, map_rows
from scoring.tree_tables import NODES, SPLITS, WIDTH, Tables, read_tables

Floats = NDArray[np.float64]

BLOCKS = 16
"""Blocks that go through all trees together: their columns and results stay in the cache."""
ALONE = 3
"""Up to so many rows left over are cheaper one by one than as a block."""


def explain(booster: lgb.Booster, X: Floats) -> Floats:
    """Contributions (n, features + 1) of each row and feature, the last one the mean output.

    They add up to the raw score; several classes stand one behind the other, as `pred_contrib` has
    them. Rows beyond the first few cost the same each; keep a `TreeShap` to explain again.

    Raises:
        UnsupportedError: as `read_tables`.
        InputError: as `TreeShap.explain`.
    """
    return TreeShap(read_tables(booster.model_to_string())).explain(X)


@dataclass(frozen=True, eq=False)
class TreeShap:
    """A booster's tables, ready to explain rows; any number of threads may share it."""

    tables: Tables

    def explain(self, X: Floats, threads: int = 1) -> Floats:
        """Contributions (n, classes * (features + 1)) of the rows X (n, features), float64.

        The same bits for a row in any batch, on any number of threads.

        Raises:
            InputError: not a matrix with a column a feature.
        """
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.tables.features:
            raise InputError(
                f"rows have shape {X.shape}: the booster takes (n, {self.tables.features})"
            )
        width = self.tables.features + 1
        out = np.empty((len(X), len(self.tables.expected) * width))
        step = ROWS * BLOCKS
        parts = [slice(begin, begin + step) for begin in range(0, len(X), step)]
        if threads > 1 and len(parts) > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda part: self._fill(X[part], out[part]), parts))
        else:
            for part in parts:
                self._fill(X[part], out[part])
        out[:, width - 1 :: width] = self.tables.expected
        return out

    def _fill(self, X: Floats, out: Floats) -> None:
        alone = len(X) % ROWS if len(X) % ROWS <= ALONE else 0
        together = len(X) - alone
        if together:
            self._fill_blocks(X[:together], out[:together])
        for row in range(together, len(X)):
            self._fill_row(X[row : row + 1], out[row])

    def _fill_blocks(self, X: Floats, out: Floats) -> None:
        blocks, columns = -(-len(X) // ROWS), len(self.tables.columns)
        mapped = aligned(blocks * columns * ROWS).reshape(blocks, columns, ROWS)
        phi = aligned(blocks * out.shape[1] * ROWS).reshape(blocks, out.shape[1], ROWS)
        map_rows(X, *self._columns, mapped)
        splits, _, products = self._sizes
        agreed = np.empty(2 * splits + 1, dtype=np.int64)
        room = Room(aligned(products * ROWS), aligned(splits * ROWS), agreed, np.empty(0))
        add_blocks(self._model, mapped, phi, room)
        out[:] = phi.transpose(0, 2, 1).reshape(blocks * ROWS, -1)[: len(X)]

    def _fill_row(self, X: Floats, out: Floats) -> None:
        mapped = np.empty((1, len(self.tables.columns), 1))
        map_rows(X, *self._columns, mapped)
        splits, sums, _ = self._sizes
        room = Room(aligned(sums), aligned(splits + WIDTH), np.empty(2 * splits + 1), aligned(sums))
        out[:] = 0.0
        add_row(self._model, mapped.reshape(-1), out, room)

    @cached_property
    def _model(self) -> Model:
        """The tables, flat and on cache lines."""
        t = self.tables
        ints = aligned(t.ints.size // 2).view(np.int32)
        floats, terms = aligned(t.floats.size), aligned(t.terms.size)
        ints[:], floats[:], terms[:] = t.ints.reshape(-1), t.floats.reshape(-1), t.terms
        return Model(ints, floats, t.trees, terms)

    @cached_property
    def _columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The columns (c, 5) as `map_rows` reads them, and their words."""
        rows: list[tuple[int, ...]] = []
        words: list[int] = []
        for c in self.tables.columns:
            rows.append((c.feature, c.kind, c.low, len(words), len(words) + len(c.words)))
            words += c.words
        return np.array(rows, dtype=np.int64).reshape(-1, 5), np.array(words, dtype=np.int64)

    @cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """The most splits of a tree; the room for all its padded nodes, and for its bare nodes."""
        if not len(self.tables.trees):
            return 0, 0, 0
        splits, nodes = self.tables.trees[:, SPLITS], self.tables.trees[:, NODES]
        lanes = -(-nodes // WIDTH) * WIDTH
        return (
            int(splits.max()),
            int(((splits + WIDTH) * lanes).max()),
            int((splits * nodes).max()),
        )
