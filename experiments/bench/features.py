"""The window engine against a bare scan of the columns it reads, and against what others do.

    python -m experiments.bench.features            # 10 million transactions, 50 million for growth
    python -m experiments.bench.features --quick    # 3 million

Enters: a simulated bank, made once in `--home`. Leaves: a table, plots of growth in docs/img with
`--plots`, and as the last line one JSON object. Everybody takes turns (A B A B), each turn in a
process of its own, so that each peak of memory is its own; compiling is told apart.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from events.dataset import Dataset, open_dataset
from experiments.bench import banks, figures, peers
from features import spending
from features.catalogue import Catalogue
from features.declare import Theme
from features.panel import compute_parts, known_customers


def shared(themes: Sequence[Theme]) -> Catalogue:
    """The features of the themes that the peers compute too, and those derived from them alone."""
    kept: set[str] = set()
    found = []
    for theme in themes:
        mine = replace(theme, declarations=[])
        for d in theme.declarations:
            if d.take.op in peers.OPERATIONS if d.take else kept.issuperset(d.inputs):
                kept.add(d.name)
                mine.declarations.append(d)
        found.append(mine)
    return Catalogue(found)


CATALOGUES = {
    "20": shared((spending.recency, spending.frequency)),
    "60": shared((spending.recency, spending.frequency, spending.monetary, spending.trend)),
    "76": Catalogue(spending.THEMES),
}
"""About so many features: recency and frequency; money and trend; regularity and mix besides."""
ONCE = ("pandas", "lifetimes")
"""Peers that are measured at one date only, once: twelve would take them minutes."""
SAMPLE = 500


@dataclass(frozen=True)
class Turn:
    """Who works on which bank, at how many dates, with which catalogue."""

    who: str
    bank: Path
    dates: int = 12
    features: str = "60"


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="keep the banks here")
@click.option("--quick", is_flag=True, help="3 million transactions instead of 10 and 50")
@click.option("--rounds", default=3, show_default=True, help="turns of everybody")
@click.option("--peer-rounds", default=2, show_default=True, help="turns of the slow peers")
@click.option("--peers/--no-peers", "against", default=True, help="measure against others")
@click.option("--plots", type=click.Path(path_type=Path), help="write the plots of growth here")
def main(
    home: Path | None, quick: bool, rounds: int, peer_rounds: int, against: bool, plots: Path | None
) -> None:
    """Measure the window engine on a simulated bank."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = home or Path(temporary)
        bank = banks.simulated(folder / ("3m" if quick else "10m"), 28_500 if quick else 100_000)
        told: dict[str, float] = {}
        if against:
            told |= {"jit_cpu_seconds": _compiling(bank)}
            told |= _against_peers(bank, rounds, peer_rounds)
        if plots:
            great = bank if quick else banks.copies(bank, folder / "50m", 5)
            told |= _growth(bank, great, min(rounds, 2), plots)
    print(json.dumps(told))


def _compiling(bank: Path) -> float:
    """The CPU seconds that the first run on a machine takes more than the second."""
    with tempfile.TemporaryDirectory() as cache:
        turn = Turn("engine", bank, 1)
        first, second = (_child(turn, {"NUMBA_CACHE_DIR": cache})["cpu_seconds"] for _ in range(2))
    return round(first - second, 1)


def _against_peers(bank: Path, rounds: int, peer_rounds: int) -> dict[str, float]:
    """The ratios that count, from turns in one run."""
    asked = [Turn("scan", bank), Turn("engine", bank), Turn("engine", bank, 1)]
    asked += [Turn(p, bank, 1 if p in ONCE else 12) for p in _installed()]
    measured: dict[Turn, list[dict[str, float]]] = {turn: [] for turn in asked}
    for i in range(rounds):
        for turn, found in measured.items():
            if i < (1 if turn.who in ONCE else peer_rounds if turn in asked[3:] else rounds):
                found.append(_child(turn))
                figures.tell(f"turn {i + 1} of {turn.who}, {turn.dates} dates", found[-1:])
    for turn, found in measured.items():
        figures.tell(f"{turn.who}, {turn.dates} dates", found)
    cpu = {t: statistics.median(m["cpu_seconds"] for m in found) for t, found in measured.items()}
    wall = {t: statistics.median(m["seconds"] for m in found) for t, found in measured.items()}
    scan, engine, one = asked[:3]
    best = min((t for t in asked[3:] if t.dates == 12), key=cpu.__getitem__)
    return {
        "transactions": measured[scan][0]["rows"],
        "panel12_ratio_vs_best_peer": round(cpu[best] / cpu[engine], 1),
        "panel12_wall_ratio_vs_best_peer": round(wall[best] / wall[engine], 1),
        "panel12_ratio_vs_scan": round(_paired(measured[engine], measured[scan]), 2),
        "one_date_ratio_vs_scan": round(_paired(measured[one], measured[scan]), 2),
        "peak_gib": round(max(m["peak_gib"] for m in measured[engine]), 2),
    }


def _paired(above: Sequence[dict[str, float]], below: Sequence[dict[str, float]]) -> float:
    """The median of the ratios of CPU, turn by turn."""
    pairs = zip(above, below, strict=True)
    return statistics.median(a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs)


def _growth(bank: Path, great: Path, rounds: int, plots: Path) -> dict[str, float]:
    """CPU by rows, dates and features, as plots; the figures of the greatest bank."""
    banks_ = [bank, great] if great != bank else [bank]
    lines = {
        "rows": [Turn("engine", b) for b in banks_],
        "dates": [Turn("engine", bank, d) for d in (1, 3, 6, 12, 24)],
        "features": [Turn("engine", bank, 12, f) for f in CATALOGUES],
    }
    scans = [Turn("scan", b) for b in banks_]
    turns = {t for line in (*lines.values(), scans) for t in line}
    found: dict[Turn, list[dict[str, float]]] = {t: [] for t in turns}
    for _ in range(rounds):
        for turn in sorted(turns, key=str):
            found[turn].append(_child(turn))
    best = {t: min(m, key=lambda f: f["cpu_seconds"]) for t, m in found.items()}
    figures.growth(
        {w: [(best[t], t.dates) for t in line] for w, line in lines.items()},
        [best[t] for t in scans],
        plots,
    )
    last = Turn("engine", banks_[-1])
    figures.tell(f"engine, {best[last]['rows']:,.0f} transactions", found[last])
    figures.tell("scan of the same", found[scans[-1]])
    return {
        "great_transactions": best[last]["rows"],
        "great_ratio_vs_scan": round(_paired(found[last], found[scans[-1]]), 2),
        "great_peak_gib": round(best[last]["peak_gib"], 2),
    }


def _installed() -> list[str]:
    """The peers that can be measured; the others are named with the reason."""
    found = []
    for peer in peers.PEERS:
        if find_spec(peer) is None:
            print(f"{peer} is not installed and left out: it comes with the extra `bench`")
        else:
            found.append(peer)
    return found


def _child(turn: Turn, environment: dict[str, str] | None = None) -> dict[str, float]:
    """The figures of one turn in a fresh process.

    Raises:
        CalledProcessError: the turn failed, or a peer's values are not the engine's.
    """
    asked = f"{turn.who!r}, {str(turn.bank)!r}, {turn.dates}, {turn.features!r}"
    code = f"from experiments.bench.features import take_turn; take_turn({asked})"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def take_turn(who: str, bank: str, dates: int, features: str) -> None:
    """Scan or compute, and print the figures as JSON; the values of a sample must agree."""
    dataset, catalogue = open_dataset(Path(bank) / "dataset"), CATALOGUES[features]
    moments = banks.grid(dataset, dates)
    requests = _known(dataset, Path(bank), moments) if who == "engine" else None
    began, cpu, cells, sample = time.monotonic(), _cpu(), 0, []
    if who == "scan":
        _scan(dataset, catalogue)
    elif requests is not None:
        for part in compute_parts(dataset, requests, catalogue):
            cells += part.num_rows * len(catalogue.names)
    else:
        for frame in peers.run(who, dataset, moments, catalogue):
            cells += frame.num_rows * (frame.num_columns - 1)
            sample = [frame]
    figures_ = {
        "rows": float(dataset.tables[peers.TABLE].rows),
        "cells": float(cells),
        "features": float(len(catalogue.names)),
        "cpu_seconds": _cpu() - cpu,
        "seconds": time.monotonic() - began,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    if who in peers.PEERS and who != "lifetimes":
        _agree(dataset, catalogue, moments[-1], sample[0])
    print(json.dumps(figures_))


def _agree(dataset: Dataset, catalogue: Catalogue, as_of: int, frame: pa.Table) -> None:
    """Stop where a peer's values are not ours; of several events of one instant any is last."""
    theirs = frame.sort_by("customer_id").slice(0, SAMPLE).to_pandas().set_index("customer_id")
    requests = pa.table(
        {
            "customer_id": pa.array(theirs.index, pa.string()),
            "as_of": pa.array([as_of] * len(theirs), pa.int64()).cast(pa.timestamp("us", "UTC")),
        }
    )
    ours = pa.concat_tables(compute_parts(dataset, requests, catalogue)).to_pandas()
    for name, take in peers.takes_of(catalogue).items():
        a, b = ours[name].to_numpy(float), theirs[name].to_numpy(float)
        if take.op != "last" and not np.allclose(a, b, rtol=1e-6, atol=1e-6, equal_nan=True):
            raise SystemExit(f"{name} differs: a benchmark of different values says nothing")


def _cpu() -> float:
    return time.process_time()


def _scan(dataset: Dataset, catalogue: Catalogue) -> int:
    """The rows of the columns that the engine reads, decoded and let go."""
    files = [str(f) for f in dataset.files(peers.TABLE)]
    columns = peers.columns_of(catalogue)
    return sum(batch.num_rows for batch in pads.dataset(files).to_batches(columns=columns))


def _known(dataset: Dataset, bank: Path, moments: tuple[int, ...]) -> pa.Table:
    """Everybody known at each date, kept beside the bank: who is asked for is not measured."""
    kept = bank / f"requests-{len(moments)}.parquet"
    if not kept.is_file():
        pq.write_table(known_customers(dataset, moments), kept)
    return pq.read_table(kept)


if __name__ == "__main__":
    main()
