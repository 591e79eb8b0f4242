"""The truth of credit: P(an account reaches 90 days past due within the horizon), given its state.

Numeric, no sampling: backward induction over the closings of the horizon on a grid of (mean
ability, `u`, days past due 0, 30, 60, 90 or more); the AR(1) step is integrated with the trapezoid
rule on a grid of `u` fine against its noise, the result interpolated in log-odds between the grid
points (relative error below 0.001). Enters: customers and account states. Leaves: probabilities.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import CLOSING_DAYS, Customers
from events.bank.months import CREDIT_HORIZON, Months
from events.bank.statements import CURE, Accounts, miss_probability
from events.bank.streams import Floats, Ints

_U = np.linspace(-5.5, 5.5, 111)
_MEANS = np.linspace(-6.0, 14.0, 201)
BAD = 3
"""Index of 90 or more days past due."""


def default_probability(
    config: BankConfig, customers: Customers, months: Months, month: int, accounts: Accounts
) -> Floats:
    """P(90 days past due at some closing within 180 days of the month's start).

    NaN where there is no open card account at that instant.
    """
    result = np.full(len(customers), np.nan)
    start = months.starts[month]
    is_open = customers.has_card & (customers.card_open <= start) & ~accounts.is_closed
    for day in CLOSING_DAYS:
        shifts = _shifts(months, month, int(day))
        table = _table(config.ability_sigma, config.ability_memory, shifts)
        rows = np.flatnonzero(is_open & (customers.closing_day == day))
        band = np.minimum(accounts.past_due[rows] // 30, BAD)
        result[rows] = _read(table, customers.ability[rows], accounts.u[rows], band)
    return result


def _shifts(months: Months, month: int, day: int) -> tuple[float, ...]:
    """Drift of ability at each closing in `(start, start + 180 days]`, in time order."""
    closings = months.starts + (day - 1) * MICROS_PER_DAY
    start = months.starts[month]
    last = start + CREDIT_HORIZON * MICROS_PER_DAY
    inside = np.flatnonzero((closings > start) & (closings <= last))
    return tuple(float(months.ability[m]) for m in inside)


@lru_cache(maxsize=64)
def _table(sigma: float, memory: float, shifts: tuple[float, ...]) -> Floats:
    """Log-odds of the default on the grid: shape (band, mean, u)."""
    noise = np.sqrt(1 - memory**2)
    step = np.exp(-0.5 * ((_U[None, :] - memory * _U[:, None]) / noise) ** 2)
    step /= step.sum(axis=1, keepdims=True)
    value = np.zeros((BAD + 1, len(_MEANS), len(_U)))
    bands = np.arange(BAD + 1)[:, None, None]
    for shift in reversed(shifts):
        theta = _MEANS[None, :, None] + sigma * _U[None, None, :] + shift
        miss = miss_probability(theta, bands * 30)
        worse = np.concatenate([value[1:BAD], np.ones((2, *value.shape[1:]))])
        same = np.concatenate([value[:BAD], np.ones((1, *value.shape[1:]))])
        after = miss * worse + (1 - miss) * (CURE * value[:1] + (1 - CURE) * same)
        value = after @ step.T
    value = value.clip(1e-12, 1 - 1e-12)
    return np.asarray(np.log(value / (1 - value)))


def _read(table: Floats, mean: Floats, u: Floats, band: Ints) -> Floats:
    """Probabilities by linear interpolation of log-odds between grid points."""
    i, f = _place(_MEANS, mean)
    j, g = _place(_U, u)
    low = table[band, i, j] * (1 - g) + table[band, i, j + 1] * g
    high = table[band, i + 1, j] * (1 - g) + table[band, i + 1, j + 1] * g
    return np.asarray(1 / (1 + np.exp(-(low * (1 - f) + high * f))))


def _place(grid: Floats, x: Floats) -> tuple[Ints, Floats]:
    """Index of the grid point below, and the fraction of the step beyond it."""
    at = ((x - grid[0]) / (grid[1] - grid[0])).clip(0, len(grid) - 1.000001)
    whole = at.astype(np.int64)
    return whole, at - whole
