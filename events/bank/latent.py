"""Draws customers: who they are, and the latent values that drive everything they do.

Enters: a `BankConfig` and a chunk. Leaves: `Customers`, one entry a customer. Protected attributes
(age, gender, marital status, children) move no rate and no ability to pay by themselves; they only
go along with income, education, employment and home as the formulas below say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.months import Months
from events.bank.streams import Bools, Floats, Idea, Ints, stream

DAYS_PER_MONTH = 30.0
CATEGORIES = (
    "groceries",
    "dining",
    "travel",
    "fuel",
    "health",
    "fashion",
    "home",
    "electronics",
    "leisure",
    "utilities",
)
POPULARITY = np.array([0.24, 0.14, 0.05, 0.09, 0.07, 0.1, 0.08, 0.05, 0.09, 0.09])
LOG_PRICE = np.array([-0.2, -0.3, 1.3, 0.0, 0.2, 0.3, 0.5, 1.1, -0.1, -0.1])
CHANNELS = ("online", "branch", "pos", "app")
CHANNEL_SHARES = np.array([0.3, 0.06, 0.34, 0.3])
REGIONS = ("north", "south", "east", "west", "centre")
CLOSING_DAYS = np.array([1, 5, 10, 15, 20, 25])


@dataclass(frozen=True)
class Customers:
    """A chunk of customers, every field an array over them.

    `number` is the customer's number in the bank, `join` the instant of joining. `rate`: visits a
    day, each of one purchase or more, and `hazard`: drop-outs a day, both when engaged; `fade`,
    `complain`, `come_back`: probabilities a month; `lift`: added by an acting campaign to the log
    visit rate, `hold`: taken by it from the log drop-out hazard. `ability`: mean log-odds of
    paying a card bill.
    """

    number: Ints
    join: Ints
    birth_day: Ints
    is_female: Bools
    marital: Ints
    children: Ints
    education: Ints
    income: Floats
    employed: Ints
    owns_home: Bools
    owns_car: Bools
    region: Ints
    satisfaction: Floats
    rate: Floats
    hazard: Floats
    fade: Floats
    complain: Floats
    come_back: Floats
    lift: Floats
    hold: Floats
    spend_log: Floats
    mix: Floats
    channels: Floats
    app_rate: Floats
    is_salaried: Bools
    has_card: Bools
    card_open: Ints
    closing_day: Ints
    limit: Floats
    use: Floats
    ability: Floats

    def __len__(self) -> int:
        return len(self.number)


def mean_spend(customers: Customers, sigma: float) -> Floats:
    """Expected amount of one purchase of each customer: log-normal, over the category mix."""
    by_category = customers.mix @ np.exp(LOG_PRICE)
    return np.asarray(np.exp(customers.spend_log + sigma**2 / 2) * by_category)


def draw_customers(config: BankConfig, months: Months, start: int, n: int) -> Customers:
    """The `n` customers from number `start` (0 is the first)."""
    rng = stream(config.seed, start, Idea.CUSTOMERS)
    join = _joined(rng, months, n)
    who = _profile(rng, months, join)
    income_z = np.log(who["income"] / 90_000) / 0.5
    satisfaction = rng.standard_normal(n)
    has_app = rng.random(n) < np.where(who["age"] < 40, 0.7, 0.5)
    rate = np.maximum(rng.gamma(config.rate_shape, 1 / config.rate_shape, n), 0.02)
    has_card = rng.random(n) < config.card_share
    use = rng.standard_normal(n)
    ability = config.ability_mean + 0.5 * income_z + 0.2 * (who["education"] - 2)
    ability += 0.3 * who["owns_home"] - 0.6 * use + 0.5 * rng.standard_normal(n)
    limit = np.maximum(who["income"] / 12 * np.exp(0.5 * rng.standard_normal(n)) * 2, 2000)
    card_delay = (rng.exponential(40, n) * MICROS_PER_DAY).astype(np.int64)
    alpha = 6 * POPULARITY
    mix = rng.standard_gamma(np.broadcast_to(alpha, (n, len(alpha)))) + 1e-9
    channels = rng.standard_gamma(np.broadcast_to(4 * CHANNEL_SHARES, (n, 4))) + 1e-9
    return Customers(
        number=np.arange(start + 1, start + n + 1, dtype=np.int64),
        join=join,
        birth_day=who["birth_day"],
        is_female=who["is_female"],
        marital=who["marital"],
        children=who["children"],
        education=who["education"],
        income=who["income"],
        employed=who["employed"],
        owns_home=who["owns_home"],
        owns_car=rng.random(n) < 0.35 + 0.1 * np.tanh(income_z),
        region=rng.choice(len(REGIONS), n, p=[0.2, 0.25, 0.3, 0.1, 0.15]),
        satisfaction=satisfaction,
        rate=rate * config.visits_per_month / DAYS_PER_MONTH,
        hazard=config.dropout_per_month / DAYS_PER_MONTH * np.exp(-0.4 * satisfaction),
        fade=np.minimum(config.fade_per_month * np.exp(-0.4 * satisfaction), 0.9),
        complain=1 - np.exp(-config.complaints_per_month * np.exp(-0.5 * satisfaction)),
        come_back=np.minimum(config.return_per_month * np.exp(0.3 * satisfaction), 0.9),
        lift=0.1 + 0.3 * has_app + 0.1 * satisfaction,
        hold=0.3 + 0.4 * np.tanh(satisfaction),
        spend_log=np.log(150) + 0.3 * income_z + 0.6 * rng.standard_normal(n),
        mix=mix / mix.sum(axis=1, keepdims=True),
        channels=channels / channels.sum(axis=1, keepdims=True),
        app_rate=has_app * rng.gamma(1.5, 2.0, n) / DAYS_PER_MONTH,
        is_salaried=rng.random(n) < config.salary_share,
        has_card=has_card,
        card_open=np.where(has_card, join + card_delay, np.iinfo(np.int64).max),
        closing_day=rng.choice(CLOSING_DAYS, n),
        limit=np.asarray(np.round(limit / 1000) * 1000, dtype=np.float64),
        use=use,
        ability=ability,
    )


def _joined(rng: np.random.Generator, months: Months, n: int) -> Ints:
    """60 % joined up to twelve years before the data, 40 % evenly within it."""
    first, last = int(months.starts[0]), int(months.starts[-2])
    before = first - (rng.exponential(900, n).clip(1, 4380) * MICROS_PER_DAY).astype(np.int64)
    within = rng.integers(first, last, n)
    join = np.where(rng.random(n) < 0.6, before, within)
    return np.asarray(join // 1_000_000 * 1_000_000)


def _profile(rng: np.random.Generator, months: Months, join: Ints) -> dict[str, np.ndarray]:
    """Who they are: age first; education, work, home and income go along with it.

    log income = log 90,000 + 0.25 (education - 2) + 0.006 (age - 42) - 0.05 if female + 0.45 noise.
    """
    n = len(join)
    end_day = int(months.starts[-1] // MICROS_PER_DAY)
    age_at_join = rng.gamma(6.0, 4.0, n) + 18.0
    birth_day = (join // MICROS_PER_DAY - age_at_join * 365.25).astype(np.int64)
    age = (end_day - birth_day) / 365.25
    education = rng.choice(5, n, p=[0.03, 0.17, 0.35, 0.35, 0.1])
    is_female = rng.random(n) < 0.5
    noise = 0.45 * rng.standard_normal(n)
    log_income = np.log(90_000) + 0.25 * (education - 2) + 0.006 * (age - 42) + noise
    worked = rng.random(n) * np.maximum(age_at_join - 18, 0.5) * 0.8
    p_married = 1 / (1 + np.exp(-(age - 32) / 5))
    marital = np.where(rng.random(n) < p_married, 1 + (rng.random(n) < 0.15), 0)
    children = rng.poisson(np.where(marital > 0, 1.1, 0.1))
    p_home = 1 / (1 + np.exp(-((age - 40) / 10 + 0.8 * (log_income - np.log(90_000)))))
    return {
        "age": age,
        "birth_day": birth_day,
        "is_female": is_female,
        "marital": marital,
        "children": children,
        "education": education,
        "income": np.round(np.exp(log_income - 0.05 * is_female), -2),
        "employed": join - (worked * 365.25 * MICROS_PER_DAY).astype(np.int64),
        "owns_home": rng.random(n) < p_home,
    }
