"""Gauss-Legendre nodes and weights on [0, 1], correctly rounded, so the same on every machine.

Enters: how many nodes. Leaves: float64 nodes and weights. `numpy.polynomial.legendre.leggauss`
finds eigenvalues with LAPACK, whose last bits depend on the machine; here the roots are found in
decimal arithmetic of 50 digits and rounded once.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache
from math import cos, pi

import numpy as np
from numpy.typing import NDArray

_DIGITS = 50
_STEPS = 8


@cache
def gauss_legendre(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights (count,), exact for polynomials up to degree `2 * count - 1` over [0, 1].

    >>> nodes, weights = gauss_legendre(2)
    >>> round(float(weights @ nodes**3), 15)
    0.25

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 25.4.29 and 25.4.30.
    """
    nodes, weights = np.empty(count), np.empty(count)
    with localcontext() as here:
        here.prec = _DIGITS
        for i in range(count):
            x = Decimal(cos(pi * (i + 0.75) / (count + 0.5)))
            for _ in range(_STEPS):  # Newton doubles the digits: 8 steps are ample for 50
                value, slope = _legendre(count, x)
                x -= value / slope
            _, slope = _legendre(count, x)
            nodes[i] = float((1 - x) / 2)
            weights[i] = float(1 / ((1 - x * x) * slope * slope))
    return nodes, weights


def _legendre(degree: int, x: Decimal) -> tuple[Decimal, Decimal]:
    """The Legendre polynomial of a degree and its slope at x."""
    before, here = Decimal(1), x
    for k in range(2, degree + 1):
        before, here = here, ((2 * k - 1) * x * here - (k - 1) * before) / k
    return here, degree * (x * here - before) / (x * x - 1)
