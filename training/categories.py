"""What the levels of a category stand for, learnt without telling a row its own outcome.

Enters: one target's problem and the rows that may be learnt from. Leaves: `Levels` for the bundle,
and the problem with statistics in the place of codes: those of a learning row out of fold, from
learning rows of other customers, those of every other row from all learning rows.

The statistic is the mean outcome of the level (of amounts in logs) with `m` rows of everybody's
mean added: `(sum + m * mean) / (n + m)`, where m is the variance within levels over that between
them. Source: Micci-Barreca, 2001; Morris, 1983, on m.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from scoring import categories
from scoring.categories import Levels

if TYPE_CHECKING:
    from training.tune import Problem

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
FOLDS = 5
LEAST_M, MOST_M = 1.0, 1e6


def learn_levels(problem: Problem, rows: Index) -> tuple[Levels, ...]:
    """The levels of every category, learnt from the rows."""
    return tuple(
        _levels(name, problem.X[rows, problem.names.index(name)], problem.learnt[rows])
        for name in problem.categories
    )


def encoded(
    problem: Problem, rows: Index, levels: tuple[Levels, ...] | None = None
) -> Problem:  # fmt: skip
    """The problem as its trees see it when they learn from the rows: numbers only.

    `levels`: `learn_levels` of the same rows, where they are known already.

    Raises:
        InputError: categories without folds.
    """
    if not problem.categories:
        return problem
    if problem.parts is None:
        raise InputError("categories need `parts`, the fold of each row by customer: give them")
    levels = learn_levels(problem, rows) if levels is None else levels
    X = categories.encoded(problem.X, problem.names, levels)
    for part in range(FOLDS):
        is_own = problem.parts[rows] == part
        own, others = rows[is_own], rows[~is_own]
        X[own] = categories.encoded(
            problem.X[own], problem.names, learn_levels(problem, others)
        )  # fmt: skip
    return replace(problem, X=X, categories=(), parts=None)


def _levels(name: str, codes: Floats, y: Floats) -> Levels:
    known = ~np.isnan(codes)
    kinds, place = np.unique(codes[known], return_inverse=True)
    y = y[known]
    if not y.size:
        return Levels(name, (), (), 0.0)
    n = np.bincount(place).astype(np.float64)
    total, mean = np.bincount(place, weights=y), float(y.mean())
    m = _rows_of_everybody(n, total / n, float(((y - (total / n)[place]) ** 2).sum()))
    told = (total + m * mean) / (n + m)
    return Levels(name, tuple(kinds.tolist()), tuple(told.tolist()), mean)


def _rows_of_everybody(n: Floats, means: Floats, within: float) -> float:
    """Variance within levels over that between them, by moments (one-way analysis of variance).

    Many where the levels do not differ, or none has two rows.
    """
    rows, levels = n.sum(), len(n)
    if rows <= levels or levels < 2:
        return MOST_M
    inside = within / (rows - levels)
    mean = (n * means).sum() / rows
    among = (n * (means - mean) ** 2).sum() - (levels - 1) * inside
    between = among / (rows - (n**2).sum() / rows)
    if between <= 0:
        return MOST_M
    return float(np.clip(inside / between, LEAST_M, MOST_M))
