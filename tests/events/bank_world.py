"""Simulated banks in memory, made once a process, and what tests ask of them again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa

from events.bank.config import BankConfig
from events.bank.latent import Customers, draw_customers
from events.bank.months import Months, months_of
from events.bank.simulate import chunk_tables

SMALL = BankConfig(customers=600, months=18, seed=11)
BIG = BankConfig(customers=8000, seed=5)
DAY = pd.Timedelta(days=1)


@lru_cache(maxsize=4)
def world(config: BankConfig) -> dict[str, pa.Table]:
    """Every table of a bank, by folder."""
    months = months_of(config)
    parts: dict[str, list[pa.Table]] = {}
    for start in range(0, config.customers, config.chunk):
        size = min(config.chunk, config.customers - start)
        for name, table in chunk_tables(config, months, start, size):
            parts.setdefault(name, []).append(table)
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


@dataclass(frozen=True)
class Drawn:
    """A configuration with its months and one chunk of customers."""

    config: BankConfig
    months: Months
    customers: Customers


@lru_cache(maxsize=4)
def drawn(config: BankConfig) -> Drawn:
    """The customers of a bank as one chunk."""
    months = months_of(config)
    return Drawn(config, months, draw_customers(config, months, 0, config.customers))


@lru_cache(maxsize=2)
def true_transactions(config: BankConfig) -> pd.DataFrame:
    """Transactions in their last version, each once."""
    rows = world(config)["transactions"].to_pandas()
    return rows.sort_values("known_at", kind="stable").drop_duplicates("event_id", keep="last")


@lru_cache(maxsize=4)
def realised(config: BankConfig, as_of: pd.Timestamp) -> pd.DataFrame:
    """By customer: purchases and net spend in the 90 days after as_of, purchases in 180 before."""
    rows = true_transactions(config)
    after = rows[(rows.happened_at > as_of) & (rows.happened_at <= as_of + 90 * DAY)]
    before = rows[(rows.happened_at <= as_of) & (rows.happened_at > as_of - 180 * DAY)]
    sign = after.kind.map({"purchase": 1.0, "refund": -1.0}).fillna(0.0)
    return pd.DataFrame(
        {
            "purchases": (after.kind == "purchase").groupby(after.customer_id).sum(),
            "spend": (after.amount * sign).groupby(after.customer_id).sum(),
            "before": (before.kind == "purchase").groupby(before.customer_id).sum(),
        }
    )


def outlook_with_truth(config: BankConfig, as_of: pd.Timestamp) -> pd.DataFrame:
    """The true outlook at as_of beside what came true."""
    truth = world(config)["truth/outlook"].to_pandas()
    truth = truth[truth.as_of == as_of].set_index("customer_id")
    return truth.join(realised(config, as_of)).fillna({"purchases": 0, "spend": 0, "before": 0})


def as_ofs(config: BankConfig) -> list[pd.Timestamp]:
    """The instants of the true outlook, in order."""
    return sorted(world(config)["truth/outlook"]["as_of"].to_pandas().unique())


def auc(is_positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve by ranks (ties count half)."""
    ranks = pd.Series(score).rank().to_numpy()
    positive = np.asarray(is_positive, dtype=bool)
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def deviation(came_true: np.ndarray, probability: np.ndarray) -> float:
    """Standard deviations between the events seen and their true probabilities' sum."""
    spread = np.sqrt((probability * (1 - probability)).sum())
    return float((came_true.sum() - probability.sum()) / spread)
