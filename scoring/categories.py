"""Categories of many levels: what each level stands for, as the trees read it.

Enters: codes of a column (n,), NaN where missing. Leaves: the statistic of each code, learnt from
training rows and frozen in the bundle: the mean outcome of the level, drawn towards everybody's.
How it is learnt stands in `training/categories.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

Floats = NDArray[np.float64]
MOST_LEVELS = 1_000_000


@dataclass(frozen=True)
class Levels:
    """The statistic of each level of a category: `codes` ascending, and what a code that was never
    seen stands for.

    Raises:
        InputError: codes that do not ascend, a statistic that is missing, numbers that are none.
    """

    feature: str
    codes: tuple[float, ...]
    statistics: tuple[float, ...]
    unseen: float

    def __post_init__(self) -> None:
        if len(self.codes) != len(self.statistics) or len(self.codes) > MOST_LEVELS:
            raise InputError(
                f"{self.feature}: {len(self.codes)} codes with {len(self.statistics)} statistics: "
                f"give each code its statistic, at most {MOST_LEVELS:,}"
            )
        if not all(map(math.isfinite, (*self.codes, *self.statistics, self.unseen))):
            raise InputError(f"{self.feature}: codes and statistics must be finite numbers")
        if not all(a < b for a, b in pairwise(self.codes)):
            raise InputError(f"{self.feature}: codes must ascend, each once")

    def read(self, codes: Floats) -> Floats:
        """The statistic of each code; missing stays missing.

        >>> Levels("city", (3.0, 7.0), (0.2, 0.6), 0.5).read(np.array([7.0, 4.0, np.nan]))
        array([0.6, 0.5, nan])
        """
        if not self.codes:
            return np.where(np.isnan(codes), np.nan, self.unseen)
        known, told = self._table
        place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        found = np.where(known[place] == codes, told[place], self.unseen)
        return np.where(np.isnan(codes), np.nan, found)

    @cached_property
    def _table(self) -> tuple[Floats, Floats]:
        """Codes and statistics as arrays, made once: a decision reads one code of thousands."""
        return np.asarray(self.codes), np.asarray(self.statistics)

    def fields(self) -> dict[str, Any]:
        """Plain JSON; `levels_from` reads it."""
        return {
            "feature": self.feature,
            "codes": list(self.codes),
            "statistics": list(self.statistics),
            "unseen": self.unseen,
        }


def levels_from(fields: Mapping[str, Any]) -> Levels:
    """The levels of `Levels.fields`.

    Raises:
        InputError: as `Levels`.
    """
    return Levels(
        fields["feature"], tuple(fields["codes"]), tuple(fields["statistics"]), fields["unseen"]
    )


def encoded(X: Floats, features: tuple[str, ...], categories: tuple[Levels, ...]) -> Floats:
    """The matrix (n, k) with statistics where there are codes; the same matrix where there are
    no categories."""
    if not categories:
        return X
    found = X.copy()
    for levels in categories:
        column = features.index(levels.feature)
        found[:, column] = levels.read(X[:, column])
    return found
