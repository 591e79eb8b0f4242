"""Runs the simulated bank, chunk by chunk of customers, into a folder of Parquet files.

Enters: a folder's path and a `BankConfig`. Leaves: `<out>/<table>/part-00000.parquet` and so on,
`<out>/plan.json`, and the truth in `<out>/truth/`. Memory holds one chunk at a time, whatever the
number of customers; the same configuration gives the same bytes. The folder appears whole or not.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from domain.errors import InputError
from events.bank import tables
from events.bank.config import BankConfig
from events.bank.interactions import interact, join_contacts
from events.bank.latent import Customers, draw_customers
from events.bank.life import LifeMonth, first_life, live_month
from events.bank.money import move_money
from events.bank.months import Months, grids, months_of, study_plan
from events.bank.purchases import buy, join_events
from events.bank.statements import (
    Statements,
    close_month,
    first_accounts,
    grant_loans,
    join_statements,
)
from events.bank.truth_tables import Moment, campaign_table, latent_table, outlook_table

Progress = Callable[[int, int], None]
TRUTH = "truth"
_MARK = "bank.json"


def simulate(
    out: Path,
    *,
    customers: int = 5_000,
    months: int = 30,
    seed: int = BankConfig.seed,
    drift_month: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a bank of so many customers and months; see `write_bank` for every other setting.

    Raises:
        InputError: a number out of range, or `out` holds something that is no simulated bank.
    """
    config = BankConfig(customers=customers, months=months, seed=seed, drift_month=drift_month)
    write_bank(out, config, progress)


def write_bank(out: Path, config: BankConfig, progress: Progress | None = None) -> None:
    """Write the bank to `out`, replacing an earlier simulated bank there.

    `progress` is called after each chunk with the customers done and the customers in all.

    Raises:
        InputError: `out` holds something that is no simulated bank.
    """
    _check_free(out)
    months = months_of(config)
    grids(months)
    fresh = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for part, start in enumerate(range(0, config.customers, config.chunk)):
            size = min(config.chunk, config.customers - start)
            for folder, table in chunk_tables(config, months, start, size):
                _write(fresh / folder / f"part-{part:05d}.parquet", table)
            if progress is not None:
                progress(start + size, config.customers)
        plan = study_plan(config).model_dump_json(indent=2)
        (fresh / "plan.json").write_text(plan + "\n", encoding="utf-8")
        mark = json.dumps(asdict(config), indent=2)
        (fresh / TRUTH / _MARK).write_text(mark + "\n", encoding="utf-8")
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def chunk_tables(
    config: BankConfig, months: Months, start: int, size: int
) -> Iterator[tuple[str, pa.Table]]:
    """Every table of one chunk of customers, with the folder it goes to."""
    customers = draw_customers(config, months, start, size)
    moments, paths, statements = _run(config, customers, months, start)
    yield "customers", tables.customers_table(config, customers, months)
    money = [
        events
        for path in paths
        for events in (
            *buy(config, customers, months, path),
            move_money(config, customers, months, path),
        )
    ]
    yield (
        "transactions",
        tables.transactions_table(config, customers, months, join_events(money)),
    )
    del money
    yield "statements", tables.statements_table(config, customers, months, statements)
    yield "loans", tables.loans_table(customers, grant_loans(config, customers, months))
    contacts = join_contacts([interact(config, customers, months, path) for path in paths])
    yield "interactions", tables.interactions_table(config, customers, months, contacts)
    yield f"{TRUTH}/customers", latent_table(customers)
    yield f"{TRUTH}/outlook", outlook_table(config, customers, months, moments)
    yield f"{TRUTH}/campaigns", campaign_table(config, customers, months, (moments, paths))


def _run(
    config: BankConfig, customers: Customers, months: Months, start: int
) -> tuple[list[Moment], list[LifeMonth], Statements]:
    """All months in turn: the states at each start, the paths, and the statements."""
    life = first_life(config, customers, months, start)
    accounts = first_accounts(config, customers, months)
    moments, paths, made = [], [], []
    for month in range(months.count):
        path, next_life = live_month(config, customers, months, month, life)
        closed, at_start, accounts = close_month(config, customers, months, path, accounts)
        moments.append(Moment(month, life, at_start))
        paths.append(path)
        made.append(closed)
        life = next_life
    return moments, paths, join_statements(made)


def _check_free(out: Path) -> None:
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
    if out.exists() and not (out / TRUTH / _MARK).is_file():
        raise InputError(
            f"{out.name} holds something that is no simulated bank: give a new or empty folder"
        )


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", row_group_size=1_000_000)
