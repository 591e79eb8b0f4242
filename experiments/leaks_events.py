"""Leaks planted into event tables: events of the bad only, columns that know, and broken clocks.

Enters: a data set with transactions, interactions and customers. Leaves: for each kind and strength
the finding, or the rule by which the check refuses the rows. Of the customers so many are kept that
features are computed anew for each plant.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.asof import MICROS_PER_DAY
from domain.tiers import Target
from domain.workspace import Workspace
from events.check import check_table
from events.dataset import Dataset
from events.schema import INSTANT, TABLES
from training.findings import Finding
from training.leakage import find_leaks
from training.matrix import labelled, write_features

NEEDED = ("customers", "interactions", "transactions")
KEPT, SHARES = 600, (1.0, 0.2)
Found = Iterator[tuple[str, str, Finding | None]]
Plant = Callable[[pa.Table, pa.Table], pa.Table]


def events_found(dataset: Dataset, seed: int) -> Found:
    """Every kind that can stand in the tables; a data set that lacks one of them is not asked."""
    if not all(n in dataset.tables and dataset.has(n) for n in NEEDED):
        return
    ids = pc.unique(dataset.table("customers", ["customer_id"])["customer_id"])
    some = ids.take(pa.array(np.random.default_rng(seed).permutation(len(ids))[:KEPT]))
    churn = labelled(dataset)[0]["churn"]
    churn = churn.filter(pc.is_in(churn["customer_id"], value_set=some))
    bad = churn.filter(pc.equal(churn["y"], 0.0))
    for kind, (table, names, plant) in _PLANTS.items():
        for share in SHARES:
            rng = np.random.default_rng(seed)
            chosen = bad.filter(pa.array(rng.random(bad.num_rows) < share))
            with tempfile.TemporaryDirectory() as folder:
                again = planted(dataset, Path(folder) / "dataset", some, {table: (chosen, plant)})
                found = _findings(again, Path(folder))
            ours = [f for f in found if f.where.partition(", ")[2].startswith(names)]
            yield (
                kind,
                f"for {share:.0%} of the bad",
                max(ours, key=lambda f: f.is_sure, default=None),
            )
    yield from _refused(dataset)


def planted(
    dataset: Dataset, root: Path, some: pa.Array, plants: dict[str, tuple[pa.Table, Plant]]
) -> Dataset:
    """The data set of some customers, with what a plant makes of a table."""
    for name in dataset.tables:
        rows = dataset.table(name)
        rows = rows.filter(pc.is_in(rows["customer_id"], value_set=some))
        if name in plants:
            chosen, plant = plants[name]
            rows = plant(rows, chosen).cast(rows.schema)
        (root / name).mkdir(parents=True)
        order = [("customer_id", "ascending"), ("happened_at", "ascending")]
        pq.write_table(rows.sort_by(order), root / name / "part-00000.parquet")
    return replace(dataset, root=root)


def _findings(dataset: Dataset, home: Path) -> tuple[Finding, ...]:
    workspace = Workspace(home, "red")
    workspace.root.mkdir()
    rows: dict[Target, pa.Table] = {"churn": labelled(dataset)[0]["churn"]}
    write_features(dataset, workspace, rows)
    plan = dataset.plan.model_copy(update={"targets": {"churn": dataset.plan.targets["churn"]}})
    return find_leaks(replace(dataset, plan=plan), workspace, 1).findings


def _day_before(rows: pa.Table, chosen: pa.Table, **told: object) -> pa.Table:
    """Rows with one event more for each that was chosen, known a day before its as_of."""
    when = pc.subtract(chosen["as_of"].cast(pa.int64()), MICROS_PER_DAY).cast(INSTANT)
    new = {
        "customer_id": chosen["customer_id"], "happened_at": when, "known_at": when,
        "event_id": pa.array([f"red-{i}" for i in range(chosen.num_rows)], pa.string()),
    }  # fmt: skip
    columns = [
        new[f.name] if f.name in new else pa.array([told.get(f.name)] * chosen.num_rows, f.type)
        for f in rows.schema
    ]
    return pa.concat_tables([rows, pa.Table.from_arrays(columns, schema=rows.schema)])


def _complaint(rows: pa.Table, chosen: pa.Table) -> pa.Table:
    return _day_before(rows, chosen, kind="complaint")


def _fee(rows: pa.Table, chosen: pa.Table) -> pa.Table:
    return _day_before(rows, chosen, kind="fee", amount=5.0)


def _emptied(rows: pa.Table, chosen: pa.Table) -> pa.Table:
    """Products set to none in every version of those who leave in the end."""
    gone = pc.is_in(rows["customer_id"], value_set=pc.unique(chosen["customer_id"]))
    products = pc.if_else(gone, pa.scalar(0.0), rows["products"])
    return rows.set_column(rows.schema.get_field_index("products"), "products", products)


_PLANTS: dict[str, tuple[str, tuple[str, ...], Plant]] = {
    "a complaint written for the bad": ("interactions", ("complaint", "interaction"), _complaint),
    "a fee booked for the bad": ("transactions", ("fee", "transaction", "outflow"), _fee),
    "a customer's column filled in the end": ("customers", ("products",), _emptied),
}


def _refused(dataset: Dataset) -> Found:
    """What the check of raw tables says of broken clocks."""
    rows = dataset.table("transactions").drop_columns(["superseded_at"]).slice(0, 1_000)
    now = int(pc.max(rows["known_at"].cast(pa.int64())).as_py())
    day = pa.scalar(MICROS_PER_DAY, pa.duration("us"))
    for strength, name, moved in (
        ("known a day before it happens", "known_at", pc.subtract(rows["happened_at"], day)),
        ("known after the day of the check", "known_at", pc.add(rows["known_at"], day)),
    ):
        spoilt = rows.set_column(rows.schema.get_field_index(name), name, moved.cast(INSTANT))
        faults = check_table(TABLES["transactions"], spoilt, "transactions", now).faults
        yield (
            "broken clocks",
            strength,
            next((Finding(f.rule, f.path, f.message, 1.0, is_sure=True) for f in faults), None),
        )
