"""What every reader owes: tables that pass the checks, a plan, labels out of reach of features."""

from __future__ import annotations

from pathlib import Path

import duckdb

from events.dataset import Dataset
from events.ingest import Report, ingest
from events.readers import SOURCES


def taken(name: str, data_folder: Path, out: Path) -> tuple[Dataset, Report]:
    """The data set of a source, held to what every source owes."""
    dataset, report = ingest(SOURCES[name], data_folder / name, out)
    assert not report.faults, report.to_text()
    assert sum(report.quarantined.values()) == 0
    assert dataset.plan.split_key == f"{name}:20261122"
    return dataset, report


def ask(dataset: Dataset, query: str) -> list[tuple]:
    """SQL over the clean tables."""
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for name in dataset.tables:
            db.register(name, dataset.table(name))
        return db.sql(query).fetchall()
