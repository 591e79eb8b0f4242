"""The scale on which trees learn amounts: logs beyond the mean of their date.

Enters: a problem, the as_of of each row, the rows that may teach. Leaves: the problem with the unit
in which amounts are told before `log1p`, and with what a date tells of everybody.
Reasons: docs/decisions/0014.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.tune import Problem

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
UNITS = 4
"""So many units are the middle one of the amounts above 0."""


def unit_of(amount: Floats) -> float:
    """The amount at which `log1p(amount / unit)` turns from counting to logs; 1 without amounts.

    >>> unit_of(np.array([0.0, 0.0, 40.0, 100.0, 900.0]))
    25.0
    """
    paid = amount[amount > 0]
    return float(np.median(paid)) / UNITS if paid.size else 1.0


def date_levels(learnt: Floats, as_of: Index, rows: Index) -> Floats:
    """For every row the mean of what `rows` of its as_of learn; NaN where none of that date do.

    >>> date_levels(np.array([1.0, 3.0, 8.0, 9.0]), np.array([5, 5, 5, 6]), np.array([0, 1]))
    array([ 2.,  2.,  2., nan])
    """
    level = np.full(len(learnt), np.nan)
    for instant in np.unique(as_of[rows]):
        level[as_of == instant] = learnt[rows[as_of[rows] == instant]].mean()
    return level


def on_scale(problem: Problem, as_of: Index, rows: Index) -> Problem:
    """The problem with the unit of its amounts and the level of each date.

    What a date says of everybody is then the calibration's to tell; trees that learn it too take it
    for something that the customers did.
    """
    if not problem.is_amount:
        return problem
    found = replace(problem, unit=unit_of(problem.y[rows]))
    return replace(found, level=date_levels(found.learnt, as_of, rows))
