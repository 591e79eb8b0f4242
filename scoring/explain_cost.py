"""What an explained decision costs: microseconds of one row, predicted from the trees alone.

Enters: a booster's text. Leaves: microseconds of one thread for the points and the exact reasons of
one row. Nothing is timed, so equal trees cost the same everywhere (I11).

Each split is walked down and up over its quadrature nodes, `WIDTH` at a time: a tree is as dear as
its splits times the lanes of its depth. What a tree and a row cost beside is the same for all. The
three constants were measured by `python -m experiments.explain_cost`; another machine has others,
and the same order of models.
"""

from __future__ import annotations

import numpy as np

from scoring.tree_tables import NODES, SPLITS, WIDTH, read_tables

ROW_US, TREE_US, LANE_US = 125.0, 0.1, 0.0101
"""Microseconds of a row, of a tree, and of a split for each `WIDTH` nodes of its tree."""


def explain_us(text: str) -> float:
    """Microseconds for one row of a booster.

    Raises:
        UnsupportedError: as `read_tables`.
    """
    trees, lanes = work(text)
    return ROW_US + TREE_US * trees + LANE_US * lanes


def work(text: str) -> tuple[int, int]:
    """How many trees have a split, and the sum over them of splits times lanes."""
    found = read_tables(text).trees
    lanes = -(-found[:, NODES] // WIDTH)
    return len(found), int(np.sum(found[:, SPLITS] * lanes))
