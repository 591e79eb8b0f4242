"""Buy till you die: how alive a customer is, how often they will buy, how much they will spend.

Enters: fitted parameters and one customer's history: `x` purchase days after the first, `t_x` and
`age`, days from the first to the last of them and to now. Leaves: one number. Every answer is
defined for any parameters above 0, without overflow; who fits them stands in
`training/buy_till_die.py`.
Source: Fader, Hardie and Lee (2005), Counting Your Customers the Easy Way; Fader and Hardie (2013),
The Gamma-Gamma Model of Monetary Value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.errors import InputError

NEAR = 1e-5
"""So close to a removable singularity the mean of both sides is taken, off by its square."""
LARGEST = 20.0
"""Of r and a: customers more alike than this are one, and the sums below would lose digits."""
LEAST_ALPHA = 0.05
"""Purchases are counted by days: no rate asks for less, and the sums below would grow long."""
EXACT = 1e-17


@dataclass(frozen=True)
class BgNbd:
    """Purchase rates are Gamma(r, alpha) over customers; after each one they leave with a chance
    that is Beta(a, b).

    Raises:
        InputError: a parameter is not finite or not above 0; r or a is above `LARGEST`, alpha below
            `LEAST_ALPHA`.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        _check_positive(self.r, self.alpha, self.a, self.b)
        if max(self.r, self.a) > LARGEST:
            raise InputError(f"r {self.r}, a {self.a}: up to {LARGEST} customers differ at all")
        if self.alpha < LEAST_ALPHA:
            raise InputError(f"alpha is {self.alpha}: {LEAST_ALPHA} days are the least")

    def p_alive(self, x: float, t_x: float, age: float) -> float:
        """The chance that the customer has not left; 1 without a repeat purchase."""
        if x <= 0:
            return 1.0
        left = (self.r + x) * math.log((self.alpha + age) / (self.alpha + t_x))
        left += math.log(self.a) - math.log(self.b + x - 1.0)
        return 1.0 / (1.0 + math.exp(left)) if left < 700.0 else 0.0

    def p_no_purchase(self, x: float, t_x: float, age: float, days: float) -> float:
        """The chance of no purchase in the coming days: left, or alive and silent.

        Of a customer who is alive the rate is Gamma(r + x, alpha + age).
        """
        silent = math.exp((self.r + x) * -math.log1p(days / (self.alpha + age)))
        return 1.0 - self.p_alive(x, t_x, age) * (1.0 - silent)

    def purchases(self, x: float, t_x: float, age: float, days: float) -> float:
        """The expected number of purchase days in the coming days (their equation 10).

        Euler's transformation takes the powers that grow with x out of the series, so that nothing
        overflows.
        """
        z = days / (self.alpha + age + days)
        a, c = self.a, self.a + self.b + x - 1.0
        if abs(a - 1.0) < NEAR / 2 or abs(c) < NEAR / 2:
            expected = (self._of_alive(x, z, a - NEAR) + self._of_alive(x, z, a + NEAR)) / 2
        else:
            expected = self._of_alive(x, z, a)
        return self.p_alive(x, t_x, age) * max(expected, 0.0)

    def _of_alive(self, x: float, z: float, a: float) -> float:
        c = a + self.b + x - 1.0
        curve = _hypergeometric(a + self.b - 1.0 - self.r, a - 1.0, c, z)
        return c / (a - 1.0) * (1.0 - math.exp((a - 1.0) * math.log1p(-z)) * curve)


@dataclass(frozen=True)
class GammaGamma:
    """Amounts are Gamma(p, rate) for a customer, and the rates Gamma(q, v) over customers.

    Raises:
        InputError: a parameter is not finite or not above 0; or q at most 1, with no finite mean.
    """

    p: float
    q: float
    v: float

    def __post_init__(self) -> None:
        _check_positive(self.p, self.q, self.v)
        if self.q <= 1.0:
            raise InputError(f"q is {self.q}: above 1 the mean amount is finite")

    def mean(self, count: float, amount: float) -> float:
        """The expected amount of a purchase day, after `count` of them with this mean.

        A mean below 0, more refunded than bought, counts as 0.
        """
        total = self.v + count * max(amount, 0.0)
        return self.p * total / (self.p * count + self.q - 1.0)


def _hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1 for 0 <= z < 1 by its series (scipy 1.17 answers inf or nan for some z > 0.9)."""
    total, term, n, least = 1.0, 1.0, 0, max(abs(a), abs(b))
    while n < least or abs(term) > EXACT * abs(total):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        n += 1
    return total


def _check_positive(*parameters: float) -> None:
    if not all(0.0 < p < math.inf for p in parameters):
        raise InputError(f"parameters {parameters}: give finite numbers above 0")
