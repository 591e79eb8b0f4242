"""Commands of the front door: `simulate`, `check`, `connect` and `quality`.

Enters: arguments. Leaves: raw tables, a checked data set, reports. `cli.py` gathers them into the
command `tierline`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cli_options as opt
from cli_options import console
from domain.errors import NotFoundError
from domain.settings import DATA
from domain.workspace import Workspace

if TYPE_CHECKING:
    from events.ingest import Report

MOST_FAULTS = 20


def take_in(home: Path, source: str, data: Path | None) -> Report:
    """Read and check the raw tables of a source into its workspace.

    Raises:
        NotFoundError: no source of that name.
        InputError: tables that cannot be taken in.
    """
    from events.ingest import ingest
    from events.readers import SOURCES

    if source not in SOURCES:
        raise NotFoundError(f"no source {source!r}: there are {', '.join(sorted(SOURCES))}")
    reader = SOURCES[source]
    raw = Path(DATA.read(os.environ)) if reader.is_public else home / "raw"
    with opt.progress() as told:
        place = Workspace(home, source).dataset
        _, report = ingest(reader, data or raw / source, place, told=told)
    return report


@click.command()
@click.option("--customers", default=5000, show_default=True, help="how many, 100 to 5,000,000")
@click.option("--months", default=30, show_default=True, help="months of history")
@click.option(
    "--season",
    default=1.0,
    show_default=True,
    help="power of the yearly wave in purchases: 0 none, 1 mild, 4 moves who buys again",
)
@click.option("--drift-month", type=int, help="month from which customers behave differently")
@click.option("--until", help="first of a month at which the data ends [this month]")
@opt.seed
@opt.path("--out", "folder to write [HOME/raw/bank]")
@click.pass_obj
def simulate(home: Path, /, out: Path | None, until: str | None, **bank: Any) -> None:
    """Write a simulated bank: raw tables with their faults, and the truth beside them.

    \b
    Example:
      tierline simulate --customers 5000 --seed 7 --out raw
    """
    from events.bank.config import BankConfig
    from events.bank.simulate import write_bank

    out = out or home / "raw" / "bank"
    until = until or f"{datetime.now(UTC):%Y-%m}-01"
    with opt.progress() as advance:
        write_bank(
            out,
            BankConfig(until=until, **bank),
            lambda done, total: advance("simulate", done, total),
        )
    console.print(f"[bold]{bank['customers']:,}[/] customers until {until} in {out}")


@click.command()
@opt.source
@opt.data
@opt.as_json
@click.pass_obj
def check(home: Path, source: str, data: Path | None, json_file: Path | None) -> None:
    """Read and check raw tables: all faults at once, bad rows to quarantine, the rest made ready.

    \b
    Example:
      tierline check --source online_retail_ii --data ../shared/data/online_retail_ii
    """
    report = take_in(home, source, data)
    console.print(report.to_text(), markup=False, highlight=False)
    if json_file:
        json_file.write_text(report.to_json(), encoding="utf-8")


@click.command()
@click.argument("place")
@opt.path("--out", "folder for the mapping of a database")
@click.option("--force", is_flag=True, help="write the mapping anew where one stands")
@click.option("--rows", default=10_000, show_default=True, help="rows to look at in each table")
def connect(place: str, out: Path | None, force: bool, rows: int) -> None:
    """Propose the mapping of a file, a folder or a database, and check a sample with it.

    \b
    Example:
      tierline connect mine/orders.csv
      tierline connect postgresql+psycopg://reader@host/bank --out mine
    """
    from events.connect import connect as run_connect
    from events.shown import shown

    done = run_connect(place, out, force=force, rows=rows)
    for name, table in done.found:
        console.print(f"{shown(name)} -> {table or 'not used'}", markup=False, highlight=False)
    console.print(done.text, markup=False, highlight=False, soft_wrap=True)
    for fault in done.faults[:MOST_FAULTS]:
        line = f"{fault.path}: {fault.message} [{fault.rule}]"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    more = len(done.faults) - MOST_FAULTS
    said = "the sample has no fault" if not done.faults else f"{len(done.faults)} faults"
    console.print(said if more <= 0 else f"{said}, {more} of them not shown")


@click.command()
@opt.source
@opt.output("--html", "write the report as one HTML page here", "html_file")
@opt.as_json
@click.pass_obj
def quality(home: Path, source: str, html_file: Path | None, json_file: Path | None) -> None:
    """Tell how good a checked data set is, by table and month: completeness, lateness, drift.

    \b
    Example:
      tierline quality --source bank --html quality.html
    """
    from events.quality import quality as find_quality
    from events.quality_page import page

    found = find_quality(opt.dataset_of(Workspace(home, source)))
    for table in found.tables:
        worst = max((v for m in table.months for v in m.drift.values()), default=0.0)
        console.print(
            f"{table.table:<14}{table.rows:>12,} rows  {len(table.months):>4} months  "
            f"{sum(table.quarantine.values()):>8,} in quarantine  worst drift {worst:.2f}"
        )
    for file, text in ((html_file, page), (json_file, type(found).to_json)):
        if file:
            file.write_text(text(found), encoding="utf-8")


COMMANDS = (simulate, check, connect, quality)
