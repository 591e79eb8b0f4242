"""The customers table: what each told on joining, changes since, and corrections known later.

Enters: customers. Leaves: `Versions`, one entry a row of the table. A change has its own
`happened_at`; a correction has that of the version it mends and a later `known_at`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import Customers
from events.bank.months import Months
from events.bank.streams import Bools, Floats, Idea, Ints, stream

CHANGE_SHARE = 0.1
CORRECTION_SHARE = 0.03
GENDERS = ("male", "female")
MARITAL = ("single", "married", "divorced")


@dataclass(frozen=True)
class Versions:
    """Rows of the customers table: whose, since when, known when, and what differs."""

    who: Ints
    happened: Ints
    known: Ints
    income: Floats
    owns_home: Bools
    products: Floats


def versions(config: BankConfig, customers: Customers, months: Months) -> Versions:
    """First versions; a tenth has a raise later; 3 % of first versions had a wrong income.

    A correction is known up to 60 days after the version it mends.
    """
    n = len(customers)
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.PROFILE)
    products = 1.0 + customers.has_card + customers.is_salaried + rng.poisson(0.3, n)
    raised, wrong, slip, buys, moment, wait = rng.random((6, n))
    change = np.flatnonzero(raised < CHANGE_SHARE)
    begin = np.maximum(customers.join, months.starts[0])
    changed = begin + _seconds(1 + moment * ((months.starts[-1] - begin) / 1e6 - 1))
    mended = customers.join + _seconds(3600 + wait * 60 * 86_400)
    mend = np.flatnonzero((wrong < CORRECTION_SHARE) & (mended < months.starts[-1]))
    told = customers.income.copy()
    told[mend] = np.round(told[mend] * np.where(slip[mend] < 0.5, 0.1, 1.5), -2)
    income = np.round(customers.income * (1.03 + 0.2 * wait), -2)
    who = np.concatenate([np.arange(n), mend, change])
    later = np.repeat([False, True], [n + len(mend), len(change)])
    join = customers.join
    rows = Versions(
        who=who,
        happened=np.concatenate([join, join[mend], changed[change]]),
        known=np.concatenate([join, mended[mend], changed[change]]),
        income=np.concatenate([told, customers.income[mend], income[change]]),
        owns_home=customers.owns_home[who] | (later & (buys[who] < 0.1)),
        products=products[who] + later,
    )
    order = np.lexsort((rows.known, rows.happened, rows.who))
    return Versions(**{k: v[order] for k, v in vars(rows).items()})


def employed_micros(customers: Customers) -> Ints:
    """Start of the current work, at midnight."""
    return customers.employed // MICROS_PER_DAY * MICROS_PER_DAY


def _seconds(seconds: Floats) -> Ints:
    return np.asarray(seconds.astype(np.int64) * 1_000_000)
