"""The truth of purchases: P(no purchase in the horizon) and expected net spend, given the state.

Exact, by propagating the distribution over (engaged, fading, dormant) x (treated, not) through the
months of the horizon with the very rates of `events/bank/life.py`; no sampling. Campaigns not yet
sent at as_of count with their probability. Net spend is expected purchases times expected amount
times one minus the expected share refunded; that refunds lag by days is neglected (below 0.5 %).
Enters: customers and their states. Leaves: arrays over customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from events.bank.config import BankConfig
from events.bank.latent import Customers, mean_spend
from events.bank.life import (
    DORMANT,
    ENGAGED,
    FADING,
    Life,
    dropout_hazard,
    fade_probability,
    recover_probability,
    visit_rate,
)
from events.bank.months import PURCHASE_HORIZON, Months
from events.bank.purchases import REFUND_MEAN_PART
from events.bank.streams import Floats


@dataclass(frozen=True)
class Outlook:
    """Of each customer over the horizon: P(no purchase), expected net spend."""

    p_churn: Floats
    net_spend: Floats


def outlook(
    config: BankConfig,
    customers: Customers,
    months: Months,
    month: int,
    state: tuple[Life, bool | None],
) -> Outlook:
    """The outlook from the start of a month, over 90 days.

    `state`: the lives, and whether this month's campaign treats everybody (True), nobody (False)
    or, as it is, each by chance (None).
    """
    life, forced = state
    n = len(customers)
    occupied = np.zeros((3, 2, n))
    occupied[life.stage, life.treated.astype(np.int64), np.arange(n)] = 1.0
    silent = occupied.copy()
    bought = np.zeros(n)
    for step, days in _pieces(months, month):
        share = config.campaign_share if forced is None or step != month else float(forced)
        occupied = _campaign(months, step, occupied, share)
        silent = _campaign(months, step, silent, share)
        buys = visit_rate(config, customers, float(months.purchase[step]))
        drops = dropout_hazard(config, customers)
        exposure = -np.expm1(-drops * days) / drops
        bought += (occupied[:DORMANT] * buys * exposure).sum(axis=(0, 1))
        occupied = _within(occupied, drops, np.zeros_like(buys), days)
        silent = _within(silent, drops, buys, days)
        occupied = _month_end(config, customers, occupied)
        silent = _month_end(config, customers, silent)
    mean_visit = config.purchases_per_visit * mean_spend(customers, config.spend_sigma)
    kept = 1 - config.refund_share * REFUND_MEAN_PART
    return Outlook(
        p_churn=silent.sum(axis=(0, 1)),
        net_spend=bought * mean_visit * kept,
    )


def _pieces(months: Months, month: int) -> list[tuple[int, float]]:
    """The months of the horizon, and how many of their days lie in it."""
    left, pieces = PURCHASE_HORIZON, []
    while left > 0 and month < months.count:
        days = min(left, int(months.days[month]))
        pieces.append((month, float(days)))
        left, month = left - days, month + 1
    return pieces


def _campaign(months: Months, month: int, mass: Floats, share: float) -> Floats:
    """The campaign of the month redraws who is treated; a campaign that is over treats nobody."""
    total = mass.sum(axis=1, keepdims=True)
    if months.is_campaign(month):
        return np.concatenate([total * (1 - share), total * share], axis=1)
    if months.is_over(month):
        return np.concatenate([total, np.zeros_like(total)], axis=1)
    return mass


def _within(mass: Floats, drops: Floats, buys: Floats, days: float) -> Floats:
    """`days` of constant hazards: the alive who neither drop out nor (if counted) buy stay."""
    leaves = drops + buys
    stays = np.exp(-leaves * days)
    gone = mass[:DORMANT] * (drops / leaves) * (1 - stays)
    dormant = mass[DORMANT] + gone.sum(axis=0)
    return np.concatenate([mass[:DORMANT] * stays, dormant[None]])


def _month_end(config: BankConfig, customers: Customers, mass: Floats) -> Floats:
    """The stages move as in `live_month`, complaints averaged over."""
    fades = fade_probability(config, customers, customers.complain)
    recovers = recover_probability(config, customers.complain)
    returns = customers.come_back
    moved = np.empty_like(mass)
    moved[ENGAGED] = mass[ENGAGED] * (1 - fades) + mass[FADING] * recovers
    moved[ENGAGED] += mass[DORMANT] * returns
    moved[FADING] = mass[ENGAGED] * fades + mass[FADING] * (1 - recovers)
    moved[DORMANT] = mass[DORMANT] * (1 - returns)
    return moved
