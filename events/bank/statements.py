"""Monthly card statements driven by a latent ability to pay, and loans.

Between two closings `u` of each account makes one AR(1) step with mean 0 and variance 1; at the
closing a payment is missed with probability `sigmoid(-theta)`,
`theta = ability + ability_sigma * u + drift - penalty(days past due)`. A miss rolls days past due
by 30; otherwise what is past due is cured with probability `CURE`, or stays. Beyond 180 days the
account is closed. Enters: customers, months, account states. Leaves: statements and next states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import Customers
from events.bank.life import DORMANT, LifeMonth
from events.bank.months import Months
from events.bank.streams import Bools, Floats, Idea, Ints, stream

STATUSES = ("unused", "paid_in_full", "revolving", "past_due")
UNUSED, PAID_IN_FULL, REVOLVING, PAST_DUE = range(4)
CURE = 0.6
PENALTY = np.array([0.0, 1.8, 2.6, 3.2])
"""What 0, 30, 60, 90 or more days past due take from the log-odds of paying."""
WRITE_OFF_DAYS = 180
_COLUMNS = ("who", "happened", "status", "past_due", "bill", "paid")


@dataclass(frozen=True)
class Accounts:
    """Each customer's card account: ability step `u`, days past due, last bill."""

    u: Floats
    past_due: Ints
    bill: Floats
    is_closed: Bools


@dataclass(frozen=True)
class Statements:
    """`who` indexes the chunk's customers; `status` indexes `STATUSES`."""

    who: Ints
    happened: Ints
    status: Ints
    past_due: Ints
    bill: Floats
    paid: Floats

    def __len__(self) -> int:
        return len(self.who)


@dataclass(frozen=True)
class Loans:
    """Loans granted: principal, months and payment due a month."""

    who: Ints
    happened: Ints
    amount: Floats
    term: Ints
    payment: Floats


def sigmoid(x: Floats) -> Floats:
    """`1 / (1 + exp(-x))`."""
    return np.asarray(1 / (1 + np.exp(-x)))


def miss_probability(theta: Floats, past_due: Ints) -> Floats:
    """Probability of missing the payment due, from ability (with drift) and days past due."""
    return sigmoid(PENALTY[np.minimum(past_due // 30, 3)] - theta)


def join_statements(parts: list[Statements]) -> Statements:
    """All parts one after the other."""
    return Statements(**{k: np.concatenate([getattr(p, k) for p in parts]) for k in _COLUMNS})


def first_accounts(config: BankConfig, customers: Customers, months: Months) -> Accounts:
    """Every account at its stationary ability, nothing due."""
    n = len(customers)
    start = int(customers.number[0]) - 1
    rng = stream(config.seed, start, Idea.STATEMENTS, months.count + 1)
    return Accounts(
        u=rng.standard_normal(n),
        past_due=np.zeros(n, dtype=np.int64),
        bill=np.zeros(n),
        is_closed=np.zeros(n, dtype=bool),
    )


def close_month(
    config: BankConfig, customers: Customers, months: Months, path: LifeMonth, accounts: Accounts
) -> tuple[Statements, Accounts, Accounts]:
    """Statements of the month that begins at `months.starts[path.month]`.

    Returns them, the accounts at its very start (closings of that midnight done, since a closing
    at as_of is known at as_of), and the accounts after the month.
    """
    month = path.month
    n, start = len(customers), int(months.starts[month])
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.STATEMENTS, month)
    shock, spend = rng.standard_normal((2, n))
    miss, cure, full = rng.random((3, n))
    memory = config.ability_memory
    u = memory * accounts.u + np.sqrt(1 - memory**2) * shock
    theta = customers.ability + config.ability_sigma * u + float(months.ability[month])
    happened = start + (customers.closing_day - 1) * MICROS_PER_DAY
    is_open = customers.has_card & (customers.card_open <= happened) & ~accounts.is_closed
    due = accounts.past_due
    missed = (miss < miss_probability(theta, due)) & is_open
    after = np.where(missed, due + 30, np.where(cure < CURE, 0, due))
    is_closed = accounts.is_closed | (after > WRITE_OFF_DAYS)
    paid = np.where(missed, 0.0, _paid(accounts.bill, theta, due, full))
    bill = _billed(customers, path, u, after, (accounts.bill, spend))
    status = np.select(
        [after > 0, bill == 0, paid >= accounts.bill],
        [PAST_DUE, UNUSED, PAID_IN_FULL],
        default=REVOLVING,
    )
    settled = Accounts(
        u=u,
        past_due=np.where(is_open, np.minimum(after, WRITE_OFF_DAYS), due),
        bill=np.where(is_open, bill, accounts.bill),
        is_closed=np.where(is_open, is_closed, accounts.is_closed),
    )
    who = np.flatnonzero(is_open & (happened <= months.starts[-1]))
    made = Statements(
        who=who,
        happened=happened[who],
        status=status[who],
        past_due=settled.past_due[who],
        bill=bill[who],
        paid=paid[who],
    )
    return made, _where(customers.closing_day == 1, settled, accounts), settled


def _paid(bill: Floats, theta: Floats, due: Ints, full: Floats) -> Floats:
    """What is paid when something is: all, or a part that grows with ability; at least 5 %."""
    pays_all = full < sigmoid(1.2 * (theta - 3.0))
    part = 0.05 + 0.9 * sigmoid(theta - 3.5) * full
    rest = np.where(due > 0, np.maximum(part, 0.2), part)
    return np.asarray(np.round(bill * np.where(pays_all, 1.0, rest), 2))


def _billed(
    customers: Customers, path: LifeMonth, u: Floats, past_due: Ints, last: tuple[Floats, Floats]
) -> Floats:
    """The new bill: limit times a utilisation that rises as ability falls; unpaid ones grow."""
    bill, noise = last
    used = sigmoid(-0.8 + 0.9 * customers.use - 0.6 * u + 0.4 * noise)
    idle = (noise < -1.8) | ((path.stage == DORMANT) & (noise < 0))
    fresh = np.where(idle, 0.0, customers.limit * used)
    grown = np.minimum(np.maximum(fresh, bill * 1.02), customers.limit * 1.2)
    return np.asarray(np.round(np.where(past_due > 0, grown, fresh), 2))


def _where(mask: Bools, a: Accounts, b: Accounts) -> Accounts:
    return Accounts(
        u=np.where(mask, a.u, b.u),
        past_due=np.where(mask, a.past_due, b.past_due),
        bill=np.where(mask, a.bill, b.bill),
        is_closed=np.where(mask, a.is_closed, b.is_closed),
    )


def grant_loans(config: BankConfig, customers: Customers, months: Months) -> Loans:
    """At most one loan a customer, granted at an even instant of the data after joining."""
    n = len(customers)
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.LOANS)
    has = rng.random(n) < config.loan_share
    first = np.maximum(customers.join, months.starts[0])
    span = (months.starts[-1] - first) // 1_000_000
    happened = first + (rng.random(n) * span).astype(np.int64) * 1_000_000
    amount = np.round(customers.income * np.exp(0.6 * rng.standard_normal(n) - 0.7), -2) + 1000
    term = rng.choice([12, 24, 36, 48, 60], n)
    rate = 0.05 / 12
    payment = np.round(amount * rate / (1 - (1 + rate) ** -term), 2)
    who = np.flatnonzero(has)
    return Loans(who, happened[who], amount[who], term[who], payment[who])
