"""Cluster bench: the book scored and a winner learnt, on one machine and on a local cluster.

    python -m experiments.bench.cluster book --source bank --rows 1000000
    python -m experiments.bench.cluster spark --source bank --rows 200000
    python -m experiments.bench.cluster dask --source bank --rows 400000

Enters: a workspace with features and a bundle (`tierline run`). Leaves: rows a second, peak memory,
CPU of all processes of a cluster, first and warm (the second time in one session).
The customers are made up: each value is drawn by itself from the source's panel. `spark` needs
Java and the extra. It is imported by nobody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.settings import HOME
from domain.workspace import Workspace
from events.dataset import open_dataset
from events.schema import INSTANT
from features.panel_files import checked, latest_rows, write_files
from features.store import open_room
from features.views import themes
from scoring.book import score_book
from scoring.bundle import load_bundle
from training.matrix import labelled, material
from training.tune import Best, Problem, fit_booster

PART = 50_000
BEST = Best(
    {
        "learning_rate": 0.03, "num_leaves": 12, "min_data_in_leaf": 150, "lambda_l2": 20.0,
        "feature_fraction": 0.4, "bagging_fraction": 0.5, "bagging_freq": 1,
    },
    200,
    0.0,
)  # fmt: skip


@click.group()
@click.option("--home", default=HOME.default, type=click.Path(path_type=Path))
@click.pass_context
def main(ctx: click.Context, home: Path) -> None:
    """Measure one of the three."""
    ctx.obj = home


def _workspace(home: Path, source: str) -> tuple[Workspace, Path, str]:
    workspace = Workspace(home, source)
    newest = max(workspace.bundles.iterdir(), key=lambda p: p.stat().st_mtime)
    return workspace, newest, newest.name


def people(workspace: Workspace, rows: int) -> Iterator[pa.Table]:
    """So many customers at the last as_of, `PART` at a time."""
    room = open_room(workspace, os.environ)
    as_of, _ = room.latest()
    found = next(latest_rows(room.views, room.catalogue, as_of))
    names = [f.name for group in themes(room.catalogue).values() for f in group]
    values = np.column_stack(list(found.values.values()))
    rng = np.random.default_rng(1)
    for begin in range(0, rows, PART):
        n = min(PART, rows - begin)
        drawn = np.take_along_axis(values, rng.integers(0, len(values), (n, len(names))), axis=0)
        columns = {m: pa.array(drawn[:, i], from_pandas=True) for i, m in enumerate(names)}
        who = pa.array([f"P{begin + i:08d}" for i in range(n)])
        at = pa.array([as_of] * n, pa.int64()).cast(INSTANT)
        yield pa.table({"customer_id": who, "as_of": at, **columns})


@main.command()
@click.option("--source", required=True)
@click.option("--rows", default=100_000)
@click.pass_obj
def book(home: Path, source: str, rows: int) -> None:
    """`tierline score` over a book of so many customers, in a process of its own."""
    workspace, bundle, bundle_hash = _workspace(home, source)
    catalogue = open_room(workspace, os.environ).catalogue
    with tempfile.TemporaryDirectory() as folder:
        write_files(checked(people(workspace, rows), catalogue), Path(folder), catalogue)
        words = [str(home), source, str(bundle), bundle_hash, folder]
        code = "import sys; from experiments.bench.cluster import score; score(*sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", code, *words], stdout=-1, check=True)
    found = json.loads(done.stdout)
    print(f"{found['rows']:,} rows, {found['seconds']:.1f} s, {found['cpu']:.1f} s CPU, "
          f"{found['rows'] / found['seconds']:,.0f} rows/s, peak {found['mib']:,.0f} MiB "
          f"({found['before']:,.0f} before; Arrow's share {found['arrow']:,.0f}), "
          f"file {found['file'] / 2**20:,.0f} MiB, its footer {found['footer'] / 2**20:.2f} MiB "
          f"for {found['groups']} groups")  # fmt: skip


def score(home: str, source: str, bundle: str, bundle_hash: str, folder: str) -> None:
    """Score the book of a folder; prints figures as JSON."""
    room = open_room(Workspace(Path(home), source), os.environ)
    as_of, _ = room.latest()
    loaded, out = load_bundle(Path(bundle), bundle_hash), Path(folder) / "book.parquet"
    before = peak()
    began, began_cpu = time.perf_counter(), time.process_time()
    rows = score_book(loaded, Path(folder), room.catalogue, as_of, out)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    mib, size, told = peak(), out.stat().st_size, pq.read_metadata(out)
    print(
        json.dumps(
            {
                "rows": rows,
                "seconds": seconds,
                "cpu": cpu,
                "mib": mib,
                "before": before,
                "arrow": pa.default_memory_pool().max_memory() / 2**20,
                "file": size,
                "footer": told.serialized_size,
                "groups": told.num_row_groups,
            }
        )
    )


def peak() -> float:
    """The most memory that this process had, in MiB, since its program began (Linux)."""
    said = Path("/proc/self/status").read_text(encoding="ascii")
    return int(said.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    """Prints the seconds of what happens within, and the CPU of this process and all below it."""
    began, began_cpu = time.perf_counter(), cpu()
    yield
    seconds = time.perf_counter() - began
    print(f"{what}: {rows:,} rows, {seconds:.1f} s, {cpu() - began_cpu:.1f} s CPU, "
          f"{rows / seconds:,.0f} rows/s")  # fmt: skip


def cpu() -> float:
    """CPU seconds of this process and of those that it started and that still run."""
    import psutil

    here = psutil.Process()
    spent = [one.cpu_times() for one in (here, *here.children(recursive=True))]
    return sum(one.user + one.system for one in spent)


@main.command()
@click.option("--source", required=True)
@click.option("--rows", default=100_000)
@click.pass_obj
def spark(home: Path, source: str, rows: int) -> None:
    """The same on a Spark cluster of two workers of one core each, twice: first and warm."""
    os.environ.update(
        SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost", PYSPARK_PYTHON=sys.executable
    )
    from pyspark.sql import SparkSession

    from scoring.spark import score_on_spark

    began = time.perf_counter()
    session = (
        SparkSession.builder.master("local-cluster[2,1,2048]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", str(Path(__file__).parents[2]))
        .getOrCreate()
    )
    print(f"session {time.perf_counter() - began:.1f} s")
    workspace, bundle, bundle_hash = _workspace(home, source)
    loaded = load_bundle(bundle, bundle_hash)
    with tempfile.TemporaryDirectory() as folder:
        panel = Path(folder) / "panel"
        panel.mkdir()
        for i, part in enumerate(people(workspace, rows)):
            pq.write_table(part, panel / f"part-{i:05d}.parquet")
        for turn in ("first", "warm"):
            with timed(f"Spark, {turn}", rows):
                scored = score_on_spark(session.read.parquet(str(panel)), loaded)
                scored.write.parquet(f"{folder}/{turn}")
    session.stop()


@main.command()
@click.option("--source", required=True)
@click.option("--rows", default=100_000)
@click.pass_obj
def dask(home: Path, source: str, rows: int) -> None:
    """A churn booster of 200 trees, here on one thread and by two Dask workers of one thread."""
    from distributed import Client, LocalCluster

    from training.cluster import fit_on_dask

    workspace, *_ = _workspace(home, source)
    dataset = open_dataset(workspace.dataset)
    made = material(dataset, workspace, "churn", labelled(dataset)[0]["churn"], 1).problem
    drawn = np.random.default_rng(1).integers(0, len(made.y), rows)
    problem = Problem(made.X[drawn], made.y[drawn], made.names, made.monotone, False)
    everybody = np.arange(rows)
    with timed(f"here, {len(made.names)} features", rows):
        fit_booster(problem, everybody, BEST, 1)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **options) as cluster, Client(cluster) as client:
        for turn in ("first", "warm"):
            with timed(f"Dask, {turn}", rows):
                fit_on_dask(client, problem, everybody, BEST, 1)


if __name__ == "__main__":
    main()
