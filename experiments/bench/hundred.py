"""A hundred million raw transactions on one machine: taken in, features computed, kept, registered.

Enters: raw tables made of copies. Leaves: lines of progress, and the seconds, CPU and memory of
each step. One process does it all; its peak counts whatever its threads held.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from events.ingest import ingest
from events.readers import SOURCES
from experiments.bench import banks
from features import spending
from features.catalogue import Catalogue
from features.panel import known_customers
from features.partitions import compute_on_disk, panel_parts
from features.store import FeatureRoom

CATALOGUE = Catalogue(spending.THEMES)


def measured(raw: Path, dates: int, folder: Path) -> dict[str, float]:
    """The figures of one run in a process of its own; what it wrote is removed."""
    code = f"from experiments.bench.hundred import run; run({str(raw)!r}, {dates}, {str(folder)!r})"
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=os.environ, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(done.stdout, end="")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run(raw: str, dates: int, folder: str) -> None:
    """Data set, requests, features and the room of a bank; prints figures as JSON."""
    steps = _Steps()
    dataset, _ = ingest(SOURCES["bank"], Path(raw), Path(folder) / "dataset", told=steps.told)
    taken_in = steps.figures()
    steps.done(f"{dataset.tables['transactions'].rows:,} transactions taken in")
    requests = known_customers(dataset, banks.grid(dataset, dates))
    steps.done(f"{requests.num_rows:,} requests of {dates} dates")
    files = list(
        _told(compute_on_disk(dataset, requests, Path(folder) / "parts", CATALOGUE), steps)
    )
    size = sum(f.stat().st_size for f in files) / 2**30
    steps.done(f"{len(files)} files of the panel, {size:.1f} GiB")
    room = FeatureRoom(Path(folder) / "features", CATALOGUE)
    rows = room.write(_rows(files))
    steps.done(f"{rows:,} rows kept and registered")
    print(
        json.dumps(
            {
                "hundred_transactions": dataset.tables["transactions"].rows,
                "hundred_dates": dates,
                "hundred_rows": rows,
                **{f"hundred_ingest_{k}": round(v, 2) for k, v in taken_in.items()},
                "hundred_features": len(CATALOGUE.names),
                **{f"hundred_{k}": round(v, 2) for k, v in steps.figures().items()},
            }
        )
    )


def _told(files: Iterable[Path], steps: _Steps) -> Iterator[Path]:
    for file in files:
        steps.done(f"  {file.name}")
        yield file


def _rows(files: list[Path]) -> Iterator[pa.Table]:
    """The panel, each file removed once it was read."""
    for file in files:
        yield from panel_parts([file])
        file.unlink()


class _Steps:
    """Seconds, CPU and peak memory since the beginning."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def figures(self) -> dict[str, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "seconds": time.monotonic() - self.began,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_gib": used.ru_maxrss / 2**20,
        }

    def told(self, what: str, done: int, total: int | None) -> None:
        """Tell of one step of many."""
        self.done(f"  {what} {done}/{total}")

    def done(self, what: str) -> None:
        """Tell what is done, on the terminal that the figures do not go to."""
        f = self.figures()
        print(
            f"{what}: {f['seconds']:.0f} s, CPU {f['cpu_seconds']:.0f} s, "
            f"peak {f['peak_gib']:.2f} GiB",
            file=sys.stderr, flush=True,
        )  # fmt: skip
