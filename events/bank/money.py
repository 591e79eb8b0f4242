"""Money of the current account: salary, outflow, fees, interest, and the balance after each event.

Enters: the path of a month. Leaves: `Events`; and balances of sorted events. Only salaried
customers have a balance: of the others we see purchases, not the account behind them.
"""

from __future__ import annotations

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import Customers, mean_spend
from events.bank.life import DORMANT, LifeMonth
from events.bank.months import Months
from events.bank.purchases import FEE, INFLOW, INTEREST, NO_CODE, OUTFLOW, Events, join_events
from events.bank.streams import Bools, Floats, Idea, Ints, hashed_uniforms, stream

PAYDAYS = np.array([5, 10, 15, 25])
MONTHLY_FEE = 10.0
STICKY_SHARE = 0.5
"""Share of salaried customers whose salary keeps coming after they drop out."""


def move_money(config: BankConfig, customers: Customers, months: Months, path: LifeMonth) -> Events:
    """Salary, outflow, monthly fee and quarterly interest of one month."""
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.MONEY, path.month)
    n, start = len(customers), int(months.starts[path.month])
    level, share, small, day, hour = rng.random((5, n))
    sticky = _fixed(config, customers, 1) < STICKY_SHARE
    here = customers.join <= start
    paid = customers.is_salaried & here & ((path.stage != DORMANT) | sticky)
    payday = PAYDAYS[(_fixed(config, customers, 2) * len(PAYDAYS)).astype(np.int64)]
    salary = customers.income / 12 * (0.95 + 0.1 * level)
    pay_at = (
        start + (payday - 1) * MICROS_PER_DAY + (3600 * (1 + hour)).astype(np.int64) * 1_000_000
    )
    spent = (
        customers.rate * 30 * config.purchases_per_visit * mean_spend(customers, config.spend_sigma)
    )
    out = np.maximum(customers.income / 12 - spent, 0) * (0.6 + 0.8 * share)
    out_at = start + ((1 + day * 27) * 86_400).astype(np.int64) * 1_000_000
    end = np.full(n, int(months.starts[path.month + 1]))
    stays = (path.alive > 0) & (path.entry + path.alive >= months.days[path.month])
    charged = (_fixed(config, customers, 3) < 0.25) & stays
    earns = customers.is_salaried & here & (path.month % 3 == 2)
    return join_events(
        [
            _flow(INFLOW, paid, pay_at, salary),
            _flow(OUTFLOW, paid & (out > 1), out_at, out),
            _flow(FEE, charged, end, np.full(n, MONTHLY_FEE)),
            _flow(INTEREST, earns, end, 1 + 19 * small),
        ]
    )


def balances(config: BankConfig, customers: Customers, events: Events) -> Floats:
    """Balance after each event, of events sorted by customer and time; NaN without an account."""
    signs = np.array([-1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
    running = np.cumsum(np.round(signs[events.kind] * events.amount * 100).astype(np.int64))
    first = np.searchsorted(events.who, np.arange(len(customers)))
    before = np.concatenate([[0], running])[first]
    opening = np.round(customers.income * _fixed(config, customers, 4) * 0.5 * 100).astype(np.int64)
    cents = running - before[events.who] + opening[events.who]
    return np.where(customers.is_salaried[events.who], cents / 100.0, np.nan)


def _fixed(config: BankConfig, customers: Customers, salt: int) -> Floats:
    """A uniform a customer that is the same in every month."""
    return hashed_uniforms((config.seed, int(Idea.MONEY), salt), customers.number)


def _flow(kind: int, mask: Bools, happened: Ints, amount: Floats) -> Events:
    who = np.flatnonzero(mask)
    n = len(who)
    none = np.full(n, NO_CODE)
    return Events(
        who=who,
        happened=happened[who],
        kind=np.full(n, kind),
        amount=np.round(amount[who], 2),
        channel=none,
        category=none,
        items=np.full(n, np.nan),
    )
