"""The life of a customer as a Markov chain: engaged, fading, dormant; treated by campaigns or not.

At the start of a month a campaign may treat (at random). Within the month an engaged or fading
customer visits at a constant rate and drops out with a constant hazard. At its end the stage moves:
engaged -> fading (far more often after a complaint), fading -> engaged, dormant -> engaged.
Enters: customers, months, states. Leaves: the path of one month and the next state. The same rates
and transition probabilities serve the truth (`events/bank/truth.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.latent import Customers
from events.bank.months import Months
from events.bank.streams import Bools, Floats, Idea, Ints, stream

ENGAGED, FADING, DORMANT = 0, 1, 2


@dataclass(frozen=True)
class Life:
    """Where each customer stands at the start of a month, before its campaign is sent."""

    stage: Ints
    treated: Bools


@dataclass(frozen=True)
class LifeMonth:
    """What one month held: exposure, intensity, complaint, campaign.

    `entry`: day of the month on which exposure begins (0 unless joining in it), `alive`: days from
    there until drop-out, month end, or 0 if dormant or not yet a customer; `visits`: visits a day
    while alive; `complaint`: its day in the month, NaN if none; `sent`: treated by a campaign
    of this month; `stage`: at the month's start.
    """

    month: int
    entry: Floats
    alive: Floats
    visits: Floats
    complaint: Floats
    sent: Bools
    eligible: Bools
    stage: Ints


def visit_rate(config: BankConfig, customers: Customers, factor: float) -> Floats:
    """Visits a day by (stage engaged or fading, treated): shape (2, 2, n)."""
    by_stage = np.array([1.0, config.fading_purchase_factor])[:, None, None]
    by_campaign = np.exp(np.stack([np.zeros(len(customers)), customers.lift]))[None]
    return np.asarray(customers.rate * factor * by_stage * by_campaign)


def dropout_hazard(config: BankConfig, customers: Customers) -> Floats:
    """Drop-outs a day by (stage engaged or fading, treated): shape (2, 2, n)."""
    by_stage = np.array([1.0, config.fading_dropout_factor])[:, None, None]
    by_campaign = np.exp(np.stack([np.zeros(len(customers)), -customers.hold]))[None]
    return np.asarray(customers.hazard * by_stage * by_campaign)


def fade_probability(config: BankConfig, customers: Customers, complained: Floats) -> Floats:
    """P(engaged -> fading) at a month's end, for complaint indicators (or probabilities)."""
    return complained * config.fade_after_complaint + (1 - complained) * customers.fade


def recover_probability(config: BankConfig, complained: Floats) -> Floats:
    """P(fading -> engaged) at a month's end: a quarter of the usual after a complaint."""
    return config.recover_per_month * (1 - 0.75 * complained)


def first_life(config: BankConfig, customers: Customers, months: Months, start: int) -> Life:
    """The state at the first month: old customers are 12 % dormant and 12 % fading."""
    rng = stream(config.seed, start, Idea.LIFE, months.count + 1)
    drawn = rng.choice(3, len(customers), p=[0.76, 0.12, 0.12])
    stage = np.where(customers.join < months.starts[0], drawn, ENGAGED)
    return Life(stage=stage.astype(np.int64), treated=np.zeros(len(customers), dtype=bool))


def live_month(
    config: BankConfig, customers: Customers, months: Months, month: int, life: Life
) -> tuple[LifeMonth, Life]:
    """One month of every customer and the state at the next month's start."""
    n, days = len(customers), float(months.days[month])
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.LIFE, month)
    chosen, waits, complains, moves = rng.random((4, n))
    complaint_day = rng.random(n) * days
    eligible = (customers.join <= months.starts[month]) & months.is_campaign(month)
    treated = np.where(eligible, chosen < config.campaign_share, life.treated)
    treated &= not months.is_over(month)
    alive_stage = np.minimum(life.stage, FADING)
    at = (alive_stage, treated.astype(np.int64), np.arange(n))
    entry = ((customers.join - months.starts[month]) / MICROS_PER_DAY).clip(0, days)
    dropout = -np.log1p(-waits) / dropout_hazard(config, customers)[at]
    is_alive = life.stage != DORMANT
    alive = np.where(is_alive, np.minimum(dropout, days - entry), 0.0)
    complained = complains < customers.complain
    heard = complained & (complaint_day >= entry) & (complaint_day < entry + alive)
    path = LifeMonth(
        month=month,
        entry=entry,
        alive=alive,
        visits=visit_rate(config, customers, float(months.purchase[month]))[at],
        complaint=np.where(heard, complaint_day, np.nan),
        sent=eligible & treated,
        eligible=eligible,
        stage=life.stage,
    )
    stayed = is_alive & (dropout >= days - entry)
    joined = customers.join < months.starts[month + 1]
    after = _moved(config, customers, life.stage, stayed, complained, moves)
    return path, Life(stage=np.where(joined, after, life.stage), treated=treated)


def _moved(
    config: BankConfig,
    customers: Customers,
    stage: Ints,
    stayed: Bools,
    complained: Bools,
    moves: Floats,
) -> Ints:
    """The stage after the month's end, by one uniform a customer."""
    said = complained.astype(np.float64)
    fades = moves < fade_probability(config, customers, said)
    recovers = moves < recover_probability(config, said)
    returns = moves < customers.come_back
    engaged = np.where(fades, FADING, ENGAGED)
    fading = np.where(recovers, ENGAGED, FADING)
    stays = np.where(stage == ENGAGED, engaged, fading)
    dormant = np.where((stage == DORMANT) & returns, ENGAGED, DORMANT)
    return np.where(stayed, stays, dormant).astype(np.int64)
