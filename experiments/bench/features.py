"""The window engine against a bare scan of the columns it reads, and against what others do.

    python -m experiments.bench.features              # 10 and 50 million transactions
    python -m experiments.bench.features --quick      # 3 million
    python -m experiments.bench.features --hundred    # 100 million, taken in, computed and kept

Enters: a simulated bank, made once in `--home`. Leaves: lines of figures, plots of growth with
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from events.dataset import Dataset, open_dataset
from experiments.bench import banks, figures, peers
from experiments.bench import hundred as hundred_
from experiments.bench.figures import Figures
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
    "times": shared((spending.recency, spending.frequency)),
    "shared": shared((spending.recency, spending.frequency, spending.monetary, spending.trend)),
    "spending": Catalogue(spending.THEMES),
}
"""Recency and frequency; with money and trend all that the peers compute too; every feature of the
table, regularity and mix included."""
ONE_DATE = ("pandas", "lifetimes")
"""Peers that are measured at one date: twelve would take them minutes."""
SLOW_SECONDS = 60
"""Who takes longer for a turn has no second one."""
SAMPLE = 500
GROWTH_ROUNDS = 2


@dataclass(frozen=True)
class Turn:
    """Who works on which bank, at how many dates, with which catalogue."""

    who: str
    bank: Path
    dates: int = 12
    features: str = "shared"

    @property
    def name(self) -> str:
        """As it is called in the figures."""
        if self.who == "engine":
            return f"engine, {len(CATALOGUES[self.features].names)} features, {self.dates} dates"
        return "scan" if self.who == "scan" else f"{self.who}, {self.dates} dates"


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="keep the banks here")
@click.option("--quick", is_flag=True, help="3 million transactions instead of 10 and 50")
@click.option(
    "--hundred", is_flag=True, help="100 million raw transactions, from files to features"
)
@click.option("--rounds", default=3, show_default=True, help="turns of engine and scan")
@click.option("--peer-rounds", default=2, show_default=True, help="turns of a peer, if not slow")
@click.option("--peers/--no-peers", "against", default=True, help="measure against others")
@click.option("--plots", type=click.Path(path_type=Path), help="write the plots of growth here")
def main(home: Path | None, quick: bool, hundred: bool, plots: Path | None, **turns: int) -> None:
    """Measure the window engine on a simulated bank."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = home or Path(temporary)
        if hundred:
            raw = banks.raw(folder / "10m", 100_000)
            great = banks.raw_copies(raw, folder / "100m", 10)
            told = hundred_.measured(great, 12, folder / "hundred")
        else:
            name, customers = ("3m", 28_500) if quick else ("10m", 100_000)
            bank = banks.simulated(folder / name, customers)
            told = _in_turns(bank, turns)
            great = bank if quick else banks.copies(bank, folder / "50m", 5)
            told |= _growth(bank, great, plots) if plots or not quick else {}
    print(json.dumps(told))


def _compiling(bank: Path) -> dict[str, float]:
    """CPU seconds of compiling, once on a machine, and of loading that in every process."""
    with tempfile.TemporaryDirectory() as cache:
        turn = Turn("engine", bank, 1)
        first, again = (_child(turn, {"NUMBA_CACHE_DIR": cache})["kernel_seconds"] for _ in "ab")
    return {"jit_cpu_seconds": round(first - again, 1), "load_cpu_seconds": round(again, 2)}


def _in_turns(bank: Path, turns: Mapping[str, int]) -> dict[str, Any]:
    """The ratios that count, from turns in one run."""
    jit = _compiling(bank)
    scan, engine, one = Turn("scan", bank), Turn("engine", bank), Turn("engine", bank, 1)
    present, absent = _peers() if turns["against"] else ([], list(peers.PEERS))
    others = [Turn(p, bank, 1 if p in ONE_DATE else 12) for p in present]
    measured: dict[Turn, list[Figures]] = {turn: [] for turn in (scan, engine, one, *others)}
    for i in range(turns["rounds"]):
        for turn, found in measured.items():
            slow = any(f["seconds"] > SLOW_SECONDS for f in found)
            if turn not in others or (i < turns["peer_rounds"] and not slow):
                found.append(_child(turn))
                figures.tell(f"turn {i + 1}: {turn.name}", found[-1:])
    for turn, found in measured.items():
        figures.tell(turn.name, found)
    return {
        "transactions": measured[scan][0]["rows"],
        "features": measured[engine][0]["features"],
        "peers": present,
        "peers_left_out": absent,
        **_against_best([measured[t] for t in others if t.dates == 12], measured[engine]),
        "panel12_ratio_vs_scan": round(_paired(measured[engine], measured[scan]), 2),
        "one_date_ratio_vs_scan": round(_paired(measured[one], measured[scan]), 2),
        "peak_gib": round(max(m["peak_gib"] for m in measured[engine]), 2),
        **jit,
    }


def _against_best(others: Sequence[list[Figures]], engine: list[Figures]) -> dict[str, Any]:
    """How many times the best peer's CPU and wall time the engine takes; null where none ran."""

    def ratio(what: str) -> float | None:
        medians = [statistics.median(f[what] for f in found) for found in others]
        mine = statistics.median(f[what] for f in engine)
        return round(min(medians) / mine, 1) if medians else None

    return {
        "panel12_ratio_vs_best_peer": ratio("cpu_seconds"),
        "panel12_wall_ratio_vs_best_peer": ratio("seconds"),
    }


def _paired(above: Sequence[Figures], below: Sequence[Figures]) -> float:
    """The median of the ratios of CPU, turn by turn."""
    pairs = zip(above, below, strict=True)
    return statistics.median(a["cpu_seconds"] / b["cpu_seconds"] for a, b in pairs)


def _growth(bank: Path, great: Path, plots: Path | None) -> dict[str, float]:
    """The figures of the greatest bank; CPU by rows, dates and features, where plots are wanted."""
    banks_ = [bank, great] if great != bank else [bank]
    lines = {
        "rows": [Turn("engine", b) for b in banks_],
        "dates": [Turn("engine", bank, d) for d in (1, 3, 6, 12, 24)],
        "features": [Turn("engine", bank, 12, f) for f in CATALOGUES],
    }
    scans = [Turn("scan", b) for b in banks_]
    last, scan = lines["rows"][-1], scans[-1]
    turns = {t for line in (*lines.values(), scans) for t in line} if plots else {last, scan}
    found: dict[Turn, list[Figures]] = {t: [] for t in turns}
    for _ in range(GROWTH_ROUNDS):
        for turn in sorted(turns, key=str):
            found[turn].append(_child(turn))
    for turn in sorted(turns, key=str):
        figures.tell(f"{found[turn][0]['rows']:,.0f} transactions: {turn.name}", found[turn])
    if plots:
        best = {t: min(m, key=lambda f: f["cpu_seconds"]) for t, m in found.items()}
        drawn = {w: [(best[t], t.dates) for t in line] for w, line in lines.items()}
        figures.growth(drawn, [best[t] for t in scans], plots)
    return {
        "great_transactions": found[last][0]["rows"],
        "great_ratio_vs_scan": round(_paired(found[last], found[scan]), 2),
        "great_peak_gib": round(max(f["peak_gib"] for f in found[last]), 2),
    }


def _peers() -> tuple[list[str], list[str]]:
    """The peers that can be measured, and those that cannot, which are named with the reason."""
    absent = [p for p in peers.PEERS if find_spec(p) is None]
    for peer in absent:
        print(f"{peer} is not installed and left out: it comes with the extra `bench`")
    return [p for p in peers.PEERS if p not in absent], absent


def _child(turn: Turn, environment: dict[str, str] | None = None) -> Figures:
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
    """Scan or compute, and print the figures as JSON; the values of a sample must agree.

    The engine's compiled code is loaded, or compiled, before the clock starts.
    """
    dataset, catalogue = open_dataset(Path(bank) / "dataset"), CATALOGUES[features]
    moments = banks.grid(dataset, dates)
    requests = _known(dataset, Path(bank), moments) if who == "engine" else None
    cpu = _cpu()
    if requests is not None:
        list(compute_parts(dataset, requests.slice(0, 1), catalogue))
    kernel = _cpu() - cpu
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
        "kernel_seconds": kernel,
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
