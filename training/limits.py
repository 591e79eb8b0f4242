"""Intervals that are right for small groups: of a rate, and of how far groups lie apart.

Enters: rates with their rows, or figures with limits of their own. Leaves: limits. Groups count as
independent of each other; where the same customers stand in two, the limits err on the wide side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, studentized_range

Floats = NDArray[np.float64]
LEVEL = 0.95


class Limits(NamedTuple):
    """A figure with its lower and upper limit."""

    value: float
    low: float
    high: float


class Link(NamedTuple):
    """A scale on which chance is much the same at every value, the way back, and its slope."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]
    low: float
    high: float


LOGIT = Link(logit, expit, lambda v: 1 / (v * (1 - v)), 0.0, 1.0)
ATANH = Link(np.arctanh, np.tanh, lambda v: 1 / (1 - v * v), -1.0, 1.0)
LOG = Link(np.log, np.exp, lambda v: 1 / v, 0.0, np.inf)


@cache
def deviations(groups: int = 1) -> float:
    """Standard deviations that a limit lies away, so that all pairs of groups hold at `LEVEL`.

    Source: Agresti, Bini, Bertaccini and Ryu, Simultaneous confidence intervals for comparing
    binomial parameters, Biometrics 64 (2008): the studentised range over the root of 2.

    >>> [round(deviations(k), 3) for k in (1, 2, 6)]
    [1.96, 1.96, 2.85]
    """
    if groups < 3:
        return float(norm.ppf(0.5 + LEVEL / 2))
    return float(studentized_range.ppf(LEVEL, groups, np.inf) / np.sqrt(2))


def wilson(rate: float, rows: float, z: float) -> Limits:
    """A rate of so many rows, by the score test; it has width at 0 and 1 too.

    Source: Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927).

    >>> [round(v, 4) for v in wilson(81 / 263, 263, deviations())]
    [0.308, 0.2553, 0.3662]
    """
    middle, half = score_interval(rate, rows, z)
    low, high = float(middle - half), float(middle + half)
    return Limits(rate, low if rate > 0 else 0.0, high if rate < 1 else 1.0)


def score_interval(
    rate: Floats | float, rows: Floats | float, z: float
) -> tuple[Floats, Floats]:  # fmt: skip
    """The middle and half the width of `wilson`, of one rate or of many."""
    whole = rows + z * z
    half = z * np.sqrt(rows * rate * (1 - rate) + z * z / 4) / whole
    return np.asarray((rows * rate + z * z / 2) / whole), np.asarray(half)


def effective_rows(hits: Floats, customers: Sequence[str]) -> float:
    """How many independent rows tell as much as these, of which a customer may have several.

    Rows by the design effect; at a rate of 0 or 1, which shows none, customers.
    Source: Rao and Scott, A simple method for the analysis of clustered binary data, Biometrics 48
    (1992).

    >>> effective_rows(np.array([1.0, 0.0, 1.0, 0.0]), "abcd")
    4.0
    >>> effective_rows(np.array([1.0, 1.0, 0.0, 0.0]), "aabb")
    2.0
    """
    _, codes = np.unique(np.asarray(list(customers)), return_inverse=True)
    off = hits - hits.mean()
    alone = float(off @ off)
    if alone == 0:
        return float(codes.max() + 1)
    together = float((np.bincount(codes, weights=off) ** 2).sum())
    return len(hits) * min(1.0, alone / together) if together > 0 else float(len(hits))


def of_draws(value: float, drawn: Floats, link: Link, rows: float, z: float) -> Limits:
    """A figure by the spread of resamples, on the scale of its link.

    A figure at an end of its range does not spread: there it is taken as a rate of `rows`, the
    fewest independent ones that it can rest on.
    """
    if link.low < value < link.high:
        middle, half = link.there(value), z * link.slope(value) * float(np.nanstd(drawn, ddof=1))
        return Limits(value, float(link.back(middle - half)), float(link.back(middle + half)))
    if not np.isfinite(link.high):
        return Limits(value, link.low, link.high)
    wide = link.high - link.low
    _, low, high = wilson((value - link.low) / wide, rows, z)
    return Limits(value, link.low + wide * low, link.low + wide * high)


def difference(a: Limits, b: Limits) -> Limits:
    """`a` minus `b`, from the limits of each.

    Source: Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998), method 10; for figures of any kind Zou and Donner,
    Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008).

    >>> z = deviations()
    >>> [round(v, 4) for v in difference(wilson(56 / 70, 70, z), wilson(48 / 80, 80, z))]
    [0.2, 0.0524, 0.3339]
    """
    gap = a.value - b.value
    return Limits(
        gap,
        gap - float(np.hypot(a.value - a.low, b.high - b.value)),
        gap + float(np.hypot(a.high - a.value, b.value - b.low)),
    )


def ratio(a: Limits, b: Limits) -> Limits:
    """`a` by `b`, neither below 0; without an upper limit where `b` may be 0.

    Source: Donner and Zou, Closed-form confidence intervals for functions of the normal mean and
    standard deviation, Statistical Methods in Medical Research 21 (2012): MOVER-R, here with the
    root taken below the line, so that no difference of like numbers is divided by one.

    >>> z = deviations()
    >>> [round(v, 3) for v in ratio(wilson(0.5, 100, z), wilson(0.8, 100, z))]
    [0.625, 0.498, 0.773]
    """
    both = a.value * b.value

    def limit(mine: float, other: float, way: int) -> float:
        above, below = mine * (2 * a.value - mine), other * (2 * b.value - other)
        root = both + np.sqrt(max(both * both - above * below, 0.0))
        if way < 0:
            return float(above / root) if root > 0 else 0.0
        return float(root / below) if below > 0 else np.inf

    value = a.value / b.value if b.value > 0 else np.inf
    return Limits(value, limit(a.low, b.high, -1), limit(a.high, b.low, 1))


def widest(figures: Sequence[Limits]) -> Limits:
    """The largest less the least of figures whose limits lie `deviations` of them all away.

    The limits are those of whichever pair reaches farthest, so that a pair of large groups which
    surely differ is not hidden behind a small group that differs more, perhaps by chance.
    """
    pairs = [difference(a, b) for a, b in permutations(figures, 2)]
    low, high = max(p.low for p in pairs), max(p.high for p in pairs)
    return Limits(max(p.value for p in pairs), max(low, 0.0), high)


def least(figures: Sequence[Limits]) -> Limits:
    """The least by the largest, of figures not below 0 and not all 0; as `widest`."""
    pairs = [ratio(a, b) for a, b in permutations(figures, 2)]
    value, low, high = (min(p[i] for p in pairs) for i in range(3))
    return Limits(value, low, min(high, 1.0))
