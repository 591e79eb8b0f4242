"""The buy-till-you-die models fitted by maximum likelihood.

Enters: histories of customers as arrays. Leaves: parameters of `scoring/buy_till_die.py`, or why
there are none. Amounts and days are scaled by their means, so that a unit changes no fit.
Source: Fader, Hardie and Lee (2005), likelihood of the BG/NBD; Fader and Hardie (2013), likelihood
of the Gamma-Gamma.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from domain.errors import InputError, NotEnoughDataError
from scoring.buy_till_die import BgNbd, GammaGamma

Floats = NDArray[np.float64]
LEAST_REPEAT = 100
"""Customers with a repeat purchase, or with an amount, that a fit needs."""
BOUND = float(np.log(1e4))
"""A scaled parameter this far from 1, either way, has no best value."""
STEEP = 1e-3
"""The largest slope of the mean log likelihood, in a log parameter, that counts as its top."""
DIGITS = 6


def fit_bg_nbd(x: Floats, t_x: Floats, age: Floats) -> BgNbd:
    """The parameters most likely to make these histories (`scoring/buy_till_die.py` names them).

    Raises:
        NotEnoughDataError: too few repeat buyers, or no best parameters.
    """
    _check_enough(int((x > 0).sum()), "customers with a repeat purchase day")
    unit = float(age.mean())
    t_x, age = t_x / unit, age / unit

    def slopes(theta: Floats) -> tuple[float, Floats]:
        value, slope = bg_nbd_likelihood(theta, x, t_x, age)
        return float(value.mean()), slope.mean(axis=1)

    r, alpha, a, b = _fit("BG/NBD", slopes, np.array([1.0, 1.0, 1.0, 1.0]))
    try:
        return BgNbd(rounded(r), rounded(alpha * unit), rounded(a), rounded(b))
    except InputError as e:
        raise NotEnoughDataError(f"BG/NBD: {e}") from None


def fit_gamma_gamma(count: Floats, amount: Floats) -> GammaGamma:
    """The parameters most likely to make these mean amounts (above 0) of so many purchase days.

    Raises:
        NotEnoughDataError: too few amounts, or no best parameters.
    """
    _check_enough(int((amount > 0).sum()), "customers with a mean amount above 0")
    count, amount = count[amount > 0], amount[amount > 0]
    unit = float(amount.mean())
    amount = amount / unit

    def slopes(theta: Floats) -> tuple[float, Floats]:
        value, slope = gamma_gamma_likelihood(theta, count, amount)
        return float(value.mean()), slope.mean(axis=1)

    p, q, v = _fit("Gamma-Gamma", slopes, np.array([2.0, 2.0, 1.0]))
    try:
        return GammaGamma(rounded(p), rounded(q), rounded(v * unit))
    except InputError as e:
        raise NotEnoughDataError(f"Gamma-Gamma: {e}") from None


def bg_nbd_likelihood(
    parameters: Sequence[float] | Floats, x: Floats, t_x: Floats, age: Floats
) -> tuple[Floats, Floats]:
    """Log likelihood (n,) and its slopes (4, n) at r, alpha, a, b."""
    r, alpha, a, b = parameters
    again = x > 0
    stayed = -(r + x) * np.log(alpha + age)
    left = np.full(len(x), -np.inf)
    left[again] = np.log(a) - np.log(b + x[again] - 1) - (r + x[again]) * np.log(alpha + t_x[again])
    both = np.logaddexp(stayed, left)
    gone = np.exp(left - both)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both
    value += gammaln(a + b) - gammaln(a + b + x) + gammaln(b + x) - gammaln(b)
    of_b = gone / np.where(again, b + x - 1, 1.0)
    rate = (1 - gone) * np.log(alpha + age) + gone * np.log(alpha + t_x)
    shared = digamma(a + b) - digamma(a + b + x)
    slope = [
        digamma(r + x) - digamma(r) + np.log(alpha) - rate,
        r / alpha - (r + x) * ((1 - gone) / (alpha + age) + gone / (alpha + t_x)),
        shared + gone / a,
        shared + digamma(b + x) - digamma(b) - of_b,
    ]
    return value, np.stack(slope)


def gamma_gamma_likelihood(
    parameters: Sequence[float] | Floats, count: Floats, amount: Floats
) -> tuple[Floats, Floats]:
    """Log likelihood (n,) and its slopes (3, n) at p, q, v."""
    p, q, v = parameters
    shape, total = p * count, v + count * amount
    value = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
    value += (shape - 1) * np.log(amount) + shape * np.log(count) - (shape + q) * np.log(total)
    spread = np.log(count * amount) - np.log(total)
    slope = [
        count * (digamma(shape + q) - digamma(shape) + spread),
        digamma(shape + q) - digamma(q) + np.log(v) - np.log(total),
        q / v - (shape + q) / total,
    ]
    return value, np.stack(slope)


def _fit(
    name: str, slopes: Callable[[Floats], tuple[float, Floats]], start: Floats
) -> tuple[float, ...]:
    def loss(logs: Floats) -> tuple[float, Floats]:
        theta = np.exp(logs)
        value, slope = slopes(theta)
        return -value, -slope * theta

    found = minimize(
        loss, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * len(start),
        options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-7},
    )  # fmt: skip
    theta = np.exp(found.x)
    shown = ", ".join(f"{v:.3g}" for v in theta)
    if (np.abs(found.x) > BOUND - 0.01).any():
        raise NotEnoughDataError(f"{name}: no best parameters, they run away ({shown})")
    if not np.isfinite(found.fun) or float(np.abs(found.jac).max()) > STEEP:
        raise NotEnoughDataError(f"{name}: the fit did not converge ({found.message})")
    return tuple(float(v) for v in theta)


def _check_enough(found: int, what: str) -> None:
    if found < LEAST_REPEAT:
        raise NotEnoughDataError(f"{found} {what}: {LEAST_REPEAT} are the least to fit from")


def rounded(value: float) -> float:
    """The value to so many digits as a fit means; the last of all differ between machines (I11)."""
    return float(f"{value:.{DIGITS}g}")
