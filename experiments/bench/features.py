"""The window engine against a bare scan of the columns it reads: CPU, memory, time.

    python -m experiments.bench.features --customers 100000 --dates 12 --features 60

Enters: a simulated bank, made once in `--home`. Leaves: a table, and JSON with `--json`. Scan and
engine take turns (A B A B), each in a process of its own, so that each peak of memory is its own;
compiling is done before and not counted.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pyarrow.dataset as pads

from domain.asof import from_micros, monthly_grid
from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from features import spending
from features.catalogue import Catalogue
from features.panel import compute_parts, known_customers
from features.programs import CLOCKS, compile_takes

CATALOGUES = {
    "60": Catalogue((spending.recency, spending.frequency, spending.monetary, spending.trend)),
    "76": Catalogue(spending.THEMES),
}
"""By the number of features: recency, frequency, money, trend; and regularity and mix besides."""


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="keep the bank here")
@click.option("--customers", default=100_000, show_default=True, help="size of the bank")
@click.option("--dates", default=12, show_default=True, help="monthly as_of dates")
@click.option("--features", type=click.Choice(list(CATALOGUES)), default="60", show_default=True)
@click.option("--rounds", default=3, show_default=True, help="turns of scan and engine")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write JSON here")
def main(
    home: Path | None,
    customers: int,
    dates: int,
    features: str,
    rounds: int,
    json_file: Path | None,
) -> None:
    """Measure the window engine on a simulated bank."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = home or Path(temporary)
        if not (folder / "dataset/dataset.json").is_file():
            write_bank(folder / "raw", BankConfig(customers=customers))
            ingest(SOURCES["bank"], folder / "raw", folder / "dataset")
        measured: dict[str, list[dict[str, float]]] = {"scan": [], "engine": []}
        _child("engine", folder, 1, features)  # compiles
        for _ in range(rounds):
            for what, found in measured.items():
                found.append(_child(what, folder, dates, features))
    best = {w: min(f, key=lambda m: m["cpu_seconds"]) for w, f in measured.items()}
    ratios = [
        e["cpu_seconds"] / s["cpu_seconds"]
        for e, s in zip(measured["engine"], measured["scan"], strict=True)
    ]
    told = {"rows": best["scan"]["rows"], "cpu_ratio": statistics.median(ratios), **best}
    for what, figures in best.items():
        print(what, {k: round(v, 2) for k, v in figures.items()})
    print(f"CPU: {told['cpu_ratio']:.1f} times the scan ({', '.join(f'{r:.1f}' for r in ratios)})")
    if json_file:
        json_file.write_text(json.dumps(told, indent=2), encoding="utf-8")


def _child(what: str, folder: Path, dates: int, features: str) -> dict[str, float]:
    """The figures of one turn in a fresh process."""
    asked = f"{what!r}, {str(folder)!r}, {dates}, {features!r}"
    code = f"from experiments.bench.features import turn; turn({asked})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def turn(what: str, folder: str, dates: int, features: str) -> None:
    """Scan or compute, and print the figures as JSON."""
    dataset, catalogue = open_dataset(Path(folder) / "dataset"), CATALOGUES[features]
    requests = known_customers(dataset, _grid(dataset, dates)) if what == "engine" else None
    began, cpu = time.monotonic(), time.process_time()
    if requests is None:
        figures = {"rows": float(_scan(dataset, catalogue)), "cells": 0.0}
    else:
        parts = compute_parts(dataset, requests, catalogue)
        cells = sum(p.num_rows * len(catalogue.names) for p in parts)
        figures = {"rows": float(dataset.tables["transactions"].rows), "cells": float(cells)}
    figures |= {
        "features": float(len(catalogue.names)),
        "cpu_seconds": time.process_time() - cpu,
        "seconds": time.monotonic() - began,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    print(json.dumps(figures))


def _scan(dataset: Dataset, catalogue: Catalogue) -> int:
    """The rows of the columns that the engine reads, decoded and let go."""
    [compiled] = compile_takes(catalogue)
    columns = ["customer_id", *CLOCKS, *compiled.columns]
    files = [str(f) for f in dataset.files("transactions")]
    rows = 0
    for batch in pads.dataset(files).to_batches(columns=columns):
        rows += batch.num_rows
    return rows


def _grid(dataset: Dataset, dates: int) -> tuple[int, ...]:
    last = from_micros(dataset.data_until)
    month = last.year * 12 + last.month - 1
    first = month - dates + 1
    begin, end = (f"{m // 12:04d}-{m % 12 + 1:02d}-01" for m in (first, month))
    return monthly_grid(begin, end)


if __name__ == "__main__":
    main()
