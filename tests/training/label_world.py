"""Events that a test writes by hand, as a data set on disk, and random ones with both clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.asof import MICROS_PER_DAY, from_micros, to_micros
from domain.plan import StudyPlan, TargetPlan
from events.dataset import Dataset, TableInfo, clean_schema

START = to_micros(datetime(2024, 1, 1, tzinfo=UTC))
Row = dict[str, Any]


def at(day: float) -> int:
    """The instant so many days after the start of these tests."""
    return START + round(day * MICROS_PER_DAY)


def event(
    customer: str, day: float, *, known: float | None = None, fixed: float | None = None, **what
) -> Row:
    """An event of a day, known then or later; `fixed`: the day a later version became known."""
    return {
        "customer_id": customer,
        "happened_at": at(day),
        "known_at": at(day if known is None else known),
        "superseded_at": None if fixed is None else at(fixed),
        **what,
    }


def buys(customer: str, day: float, amount: float = 10.0, **clocks) -> Row:
    return event(customer, day, kind="purchase", amount=amount, **clocks)


def owes(customer: str, day: float, days_past_due: float, **clocks) -> Row:
    return event(customer, day, days_past_due=days_past_due, **clocks)


def plan_of(train: Sequence[float], test: Sequence[float], **targets: TargetPlan) -> StudyPlan:
    return StudyPlan(
        split="time",
        train_as_of=tuple(from_micros(at(d)) for d in train),
        test_as_of=tuple(from_micros(at(d)) for d in test),
        split_key="labels",
        currency="EUR",
        targets=targets,
    )


def table_of(name: str, rows: Sequence[Row]) -> pa.Table:
    """The rows as a clean table; what they do not name is null."""
    columns = {}
    for field in clean_schema(name):
        found = [r.get(field.name) for r in rows]
        if pa.types.is_timestamp(field.type):
            columns[field.name] = pa.array(found, pa.int64()).cast(field.type)
        else:
            columns[field.name] = pa.array(found, field.type)
    return pa.table(columns)


def dataset_of(
    root: Path, tables: Mapping[str, Sequence[Row]], plan: StudyPlan, until: float = 1000
) -> Dataset:
    """The rows written to disk as a checked data set that reaches a day."""
    info = {}
    for name, rows in tables.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        pq.write_table(table_of(name, rows), root / name / "part-00000.parquet")
        info[name] = TableInfo(len(rows), "0" * 64)
    return Dataset(root, "by_hand", plan, at(until), info)


def random_rows(rng: np.random.Generator, size: int, days: Sequence[float]) -> list[Row]:
    """Transactions and statements in one; some lie on `days` or a microsecond beside them."""
    rows = []
    for _ in range(size):
        day = float(rng.integers(0, 400)) if rng.random() < 0.7 else float(rng.choice(days))
        late = float(rng.integers(1, 60)) if rng.random() < 0.2 else 0.0
        is_fixed = rng.random() < 0.15
        made = event(
            f"c{rng.integers(12)}",
            day,
            known=day + late,
            fixed=day + late + float(rng.integers(1, 60)) if is_fixed else None,
            kind=str(rng.choice(["purchase", "purchase", "refund", "fee", "inflow"])),
            amount=float(rng.integers(1, 100)),
            days_past_due=float(rng.choice([0, 0, 0, 29, 30, 31, 60])),
        )
        if rng.random() < 0.3:
            beside = int(rng.choice([-1, 1]))
            made["happened_at"] += beside
            made["known_at"] += beside
        rows.append(made)
    return rows
