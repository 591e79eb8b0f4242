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
    """First versions; a tenth has a raise later; 3 % of first versions had a wrong income."""
    n = len(customers)
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.PROFILE)
    products = 1.0 + customers.has_card + customers.is_salaried + rng.poisson(0.3, n)
    changes = np.flatnonzero(rng.random(n) < CHANGE_SHARE)
    first = np.maximum(customers.join, months.starts[0])
    span = (months.starts[-1] - first) // 1_000_000
    changed = first + 1_000_000 + (rng.random(n) * (span - 1)).astype(np.int64) * 1_000_000
    raised = np.round(customers.income * (1.03 + 0.2 * rng.random(n)), -2)
    buys_home = rng.random(n) < 0.1
    wrong = rng.random(n) < CORRECTION_SHARE
    told = np.round(customers.income * np.where(rng.random(n) < 0.5, 0.1, 1.5), -2)
    wait = (rng.random(n) * 60 * 86_400 + 3600).astype(np.int64) * 1_000_000
    mended = np.flatnonzero(
        wrong & (first + wait < changed) & (customers.join + wait < months.starts[-1])
    )
    everyone = np.arange(n)
    who = np.concatenate([everyone, mended, changes])
    parts = np.repeat([0, 1, 2], [n, len(mended), len(changes)])
    told = np.where(np.isin(everyone, mended), told, customers.income)
    late_known = customers.join + wait
    return _sorted(
        Versions(
            who=who,
            happened=np.where(parts == 2, changed[who], customers.join[who]),
            known=np.select(
                [parts == 0, parts == 1], [customers.join[who], late_known[who]], changed[who]
            ),
            income=np.select(
                [parts == 0, parts == 1], [told[who], customers.income[who]], raised[who]
            ),
            owns_home=customers.owns_home[who] | ((parts == 2) & buys_home[who]),
            products=products[who] + (parts == 2),
        )
    )


def _sorted(rows: Versions) -> Versions:
    order = np.lexsort((rows.known, rows.happened, rows.who))
    return Versions(**{k: getattr(rows, k)[order] for k in rows.__dataclass_fields__})


def birth_days(customers: Customers) -> Ints:
    """Dates of birth as days since 1970."""
    return customers.birth_day


def employed_micros(customers: Customers) -> Ints:
    """Start of the current work, at midnight."""
    return customers.employed // MICROS_PER_DAY * MICROS_PER_DAY
