"""Points: from a calibrated margin to integers, and integer reasons that add up to them.

Enters: calibrated margins and their real-valued parts. Leaves: `int64` points and reasons.
It knows no model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError

LARGEST = 2.0**53
"""Beyond it a float64 no longer holds every whole number."""


@dataclass(frozen=True)
class PointScale:
    """`anchor_points` at the calibrated margin `anchor_margin`; so many points more mean twice.

    Twice the odds of the good outcome (churn, credit), twice the expected amount (value).

    >>> scale = PointScale(anchor_margin=0.0)
    >>> scale.points(np.log([1.0, 2.0, 4.0, 0.5])).tolist()
    [500, 550, 600, 450]

    Raises:
        InputError: the anchor is not finite or the doubling is not positive.
    """

    anchor_margin: float
    anchor_points: int = 500
    points_to_double: int = 50

    def __post_init__(self) -> None:
        if not math.isfinite(self.anchor_margin):
            raise InputError(f"anchor_margin is {self.anchor_margin}: give a finite number")
        if self.points_to_double <= 0:
            raise InputError(
                f"points_to_double is {self.points_to_double}: give a whole number above 0"
            )

    @property
    def factor(self) -> float:
        """Points for one unit of calibrated margin."""
        return self.points_to_double / math.log(2.0)

    def real(self, calibrated: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points before rounding; never falls where the margin rises, in floating point too."""
        return self.anchor_points + self.factor * (calibrated - self.anchor_margin)

    def points(self, calibrated: NDArray[np.float64]) -> NDArray[np.int64]:
        """Whole points, halves to the even neighbour.

        Raises:
            InputError: a margin is not finite, or so large that points are no longer exact.
        """
        real = self.real(np.asarray(calibrated, dtype=np.float64))
        _check_size(real)
        return np.rint(real).astype(np.int64)


def whole_reasons(
    base: NDArray[np.float64], contributions: NDArray[np.float64], points: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Whole base (n,) and reasons (n, k) with `base + reasons.sum(axis=1) == points`, always.

    Largest remainder: every part is rounded down, and the points still missing go one each to the
    parts that lost most; ties go to the base, then to the earlier feature. Where the parts add up
    to their points within a half, every whole number lies within 1 of its part.

    The parts 500.3, 10.6, -4.5 and 0.1 add up to 506.5; rounded to 506, they lost 1 on the way
    down (500 + 10 - 5 + 0 = 505), and 10.6 lost most:

    >>> base, reasons = whole_reasons(
    ...     np.array([500.3]), np.array([[10.6, -4.5, 0.1]]), np.array([506])
    ... )
    >>> base.tolist(), reasons.tolist()
    ([500], [[11, -5, 0]])

    Raises:
        InputError: a part is not finite or too large.
    """
    whole = whole_parts(np.column_stack([base, contributions]), points)
    return whole[:, 0].copy(), whole[:, 1:].copy()


def whole_parts(parts: NDArray[np.float64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole parts (n, k) of each row that add up to its total, by largest remainder.

    >>> whole_parts(np.array([[1.5, -0.2, 0.7]]), np.array([2])).tolist()
    [[1, 0, 1]]

    Raises:
        InputError: a part is not finite or too large; a total other than 0 without any part.
    """
    _check_size(parts)
    if not parts.shape[1]:
        if np.any(totals):
            raise InputError("points without a part to carry them: give at least one")
        return np.empty(parts.shape, dtype=np.int64)
    floors = np.floor(parts)
    whole = floors.astype(np.int64)
    missing = np.asarray(totals, dtype=np.int64) - whole.sum(axis=1)
    each, extra = np.divmod(missing, whole.shape[1])
    order = np.argsort(floors - parts, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(whole.shape[1])[None, :], axis=1)
    whole += each[:, None] + (rank < extra[:, None])
    return whole


def _check_size(values: NDArray[np.float64]) -> None:
    if not (np.abs(values) <= LARGEST).all():
        raise InputError(
            "points are not finite or beyond 2^53: the booster, its calibration or its scale is "
            "damaged; train again"
        )
