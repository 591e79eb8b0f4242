"""Exact SHAP values of a LightGBM booster, tree path dependent: the numbers of `pred_contrib`.

Enters: a booster (or its text) and rows. Leaves: contributions. It knows no points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.lanes import aligned
from scoring.shap_kernels import ROWS, add_blocks, map_rows
from scoring.tree_tables import Tables, read_tables

Floats = NDArray[np.float64]
CHUNK = 16
"""Blocks that go through all trees together: their columns and results stay in the cache."""


@dataclass(frozen=True)
class TreeShap:
    """The tables of a booster, ready to explain rows."""

    tables: Tables

    def explain(self, X: Floats) -> Floats:
        """Contributions (n, classes * (features + 1)); the last of each class is the mean output."""
        tables = self.tables
        width = tables.features + 1
        classes = len(tables.expected)
        out = np.empty((len(X), classes * width))
        step = CHUNK * ROWS
        for begin in range(0, len(X), step):
            rows = X[begin : begin + step]
            blocks = -(-len(rows) // ROWS)
            mapped = aligned(blocks * len(tables.columns) * ROWS).reshape(blocks, -1, ROWS)
            map_rows(rows, *self._columns(), mapped)
            phi = aligned(blocks * classes * width * ROWS).reshape(blocks, -1, ROWS)
            add_blocks(*tables[:4], mapped, phi, classes, self._room())
            out[begin : begin + step] = phi.transpose(0, 2, 1).reshape(blocks * ROWS, -1)[
                : len(rows)
            ]
        out[:, width - 1 :: width] = tables.expected
        return out

    def _columns(self) -> Any:
        words, columns = [], []
        for c in self.tables.columns:
            columns.append((c.feature, c.kind, int(c.low), len(words), len(words) + len(c.words)))
            words += c.words
        return np.array(columns, dtype=np.int64).reshape(-1, 5), np.array(words, dtype=np.int64)

    def _room(self) -> Any:
        t = self.tables.trees
        splits, products = int(t[:, 1].max()), int((t[:, 1] * t[:, 2]).max())
        return (aligned(products * ROWS), aligned(splits * ROWS), np.zeros(2*splits+1, np.int64))


def explain(booster: Any, X: Floats) -> Floats:
    """As `booster.predict(X, pred_contrib=True)`."""
    text = booster if isinstance(booster, str) else booster.model_to_string()
    return TreeShap(read_tables(text)).explain(X)
