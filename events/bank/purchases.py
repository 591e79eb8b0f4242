"""Purchases and refunds of one month: visits, and on the day of each one purchase or more.

Enters: the path of a month. Leaves: `Events`, columns of equal length. Nothing here knows of
drop-out: exposure and rate come from `events/bank/life.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import LOG_PRICE, Customers
from events.bank.life import LifeMonth
from events.bank.months import Months
from events.bank.streams import Floats, Idea, Ints, stream

KINDS = ("purchase", "refund", "inflow", "outflow", "fee", "interest")
PURCHASE, REFUND, INFLOW, OUTFLOW, FEE, INTEREST = range(6)
NO_CODE = -1
MIDNIGHT_SHARE = 0.01
"""Share of purchases booked at the midnight that ends their day."""
REFUND_DAYS = 6.0
REFUND_MEAN_PART = 0.825
"""Half of the refunds are of the whole amount, half of an even part from 0.3 to 1."""

_HOURS_UTC = np.array(
    [3, 4, 5, 6, 7, 6, 5, 5, 5, 6, 7, 8, 8, 7, 5, 3, 1.5, 0.8, 0.4, 0.3, 0.3, 0.4, 0.8, 1.8]
)
_HOUR_ENDS = np.concatenate([[0.0], np.cumsum(_HOURS_UTC) / _HOURS_UTC.sum()])


@dataclass(frozen=True)
class Events:
    """Money that moved: `who` indexes the chunk's customers, codes index the names above."""

    who: Ints
    happened: Ints
    kind: Ints
    amount: Floats
    channel: Ints
    category: Ints
    items: Floats

    def __len__(self) -> int:
        return len(self.who)


def join_events(parts: list[Events]) -> Events:
    """All parts one after the other."""
    columns = {k: np.concatenate([getattr(p, k) for p in parts]) for k in _COLUMNS}
    return Events(**columns)


_COLUMNS = ("who", "happened", "kind", "amount", "channel", "category", "items")


def at_hours(days: Floats) -> Ints:
    """Microseconds of days with a fraction, the fraction bent to the hours people are awake.

    The day stays the same, and order within a day too; midnight itself is never hit.
    """
    whole = np.floor(days)
    hours = np.interp(days - whole, _HOUR_ENDS, np.arange(25) / 24)
    micros = whole.astype(np.int64) * MICROS_PER_DAY
    seconds = (hours * 86_400).astype(np.int64).clip(1, 86_399)
    return np.asarray(micros + seconds * 1_000_000)


def pick(cumulative: Floats, uniforms: Floats) -> Ints:
    """The category of each uniform by its row of cumulative shares."""
    return np.asarray((uniforms[:, None] >= cumulative[:, :-1]).sum(axis=1))


def buy(
    config: BankConfig, customers: Customers, months: Months, path: LifeMonth
) -> tuple[Events, Events]:
    """The purchases of a month, and the refunds they lead to (which may fall later)."""
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.PURCHASES, path.month)
    visitor = np.repeat(np.arange(len(customers)), rng.poisson(path.visits * path.alive))
    visit_day = path.entry[visitor] + rng.random(len(visitor)) * path.alive[visitor]
    sizes = rng.geometric(1 / config.purchases_per_visit, len(visitor))
    who, day = np.repeat(visitor, sizes), np.repeat(visit_day, sizes)
    n = len(who)
    day += (np.floor(day) + 1 - day) * rng.random(n) ** 12 * 0.999
    offset = at_hours(day)
    late_booked = rng.random(n) < MIDNIGHT_SHARE
    offset = np.where(late_booked, (offset // MICROS_PER_DAY + 1) * MICROS_PER_DAY, offset)
    category = pick(np.cumsum(customers.mix, axis=1)[who], rng.random(n))
    channel = pick(np.cumsum(customers.channels, axis=1)[who], rng.random(n))
    noise = config.spend_sigma * rng.standard_normal(n)
    amount = np.exp(customers.spend_log[who] + LOG_PRICE[category] + noise)
    bought = Events(
        who=who,
        happened=months.starts[path.month] + offset,
        kind=np.full(n, PURCHASE),
        amount=np.maximum(np.round(amount, 2), 0.01),
        channel=channel,
        category=category,
        items=1 + rng.poisson(1.2, n).astype(np.float64),
    )
    return bought, _refunds(config, bought, rng)


def _refunds(config: BankConfig, bought: Events, rng: np.random.Generator) -> Events:
    """A share of purchases comes back after a few days, wholly or in part."""
    back = np.flatnonzero(rng.random(len(bought)) < config.refund_share)
    n = len(back)
    part = np.where(rng.random(n) < 0.5, 1.0, 0.3 + 0.7 * rng.random(n))
    wait = (rng.exponential(REFUND_DAYS, n) * 86_400 + 3600).astype(np.int64) * 1_000_000
    return Events(
        who=bought.who[back],
        happened=bought.happened[back] + wait,
        kind=np.full(n, REFUND),
        amount=np.round(bought.amount[back] * part, 2),
        channel=bought.channel[back],
        category=bought.category[back],
        items=bought.items[back],
    )
