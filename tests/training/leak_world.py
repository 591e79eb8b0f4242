"""A source of as many different people with what they bought, written by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from domain.plan import TargetPlan
from events.dataset import Dataset
from tests.training.label_world import buys, dataset_of, event, plan_of

CHURN = TargetPlan(horizon_days=90, active_days=200)
ASKED = plan_of((100,), (250,), churn=CHURN)


def book(n: int, **columns: Any) -> list[dict[str, Any]]:
    """Profiles of as many different people."""
    rng = np.random.default_rng(9)
    rows = []
    for i in range(n):
        born = date.fromordinal(int(rng.integers(712_000, 730_000)))
        income = float(np.round(np.exp(rng.normal(10, 1)), 0))
        rows.append(event(f"c{i:04d}", 1.0, birth_on=born, income=income, gender="male",
                          dependants=float(rng.integers(4)), **columns))  # fmt: skip
    return rows


def bought(ids: list[str]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        buys(c, d, float(rng.integers(1, 900))) for c in sorted(ids) for d in (80, 90, 95, 240, 245)
    ]


def source(root, customers, transactions, statements=()) -> Dataset:
    tables = {
        "customers": sorted(customers, key=lambda r: r["customer_id"]),
        "transactions": transactions,
    }
    return dataset_of(root, tables | ({"statements": statements} if statements else {}), ASKED)
