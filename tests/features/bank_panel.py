"""Features of a small simulated bank: what the page of features is drawn from."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.dataset import open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from features.panel import compute, known_customers
from training.matrix import serving_as_of

BANK = BankConfig(customers=600, months=24, seed=7, until="2026-01-01")


@lru_cache(maxsize=1)
def bank_panel() -> pa.Table:
    """Every feature of every customer of the bank where its data ends."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_bank(folder / "raw", BANK)
        ingest(SOURCES["bank"], folder / "raw", folder / "dataset")
        dataset = open_dataset(folder / "dataset")
        return compute(dataset, known_customers(dataset, [serving_as_of(dataset)]))
