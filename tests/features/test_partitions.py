"""Panels by partition: the same bytes as in memory, also after a kill, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.panel import compute
from features.partitions import Means, compute_on_disk, panel_parts
from tests.features.scale_world import grid_of, in_order, same_bytes, small_bank

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet as pq
from events.dataset import open_dataset
from features.partitions import Means, compute_on_disk
from tests.features.scale_world import with_sizes

def die(done, of):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

root, folder = map(Path, sys.argv[1:])
compute_on_disk(with_sizes(open_dataset(root)), pq.read_table(root.parent / "requests.parquet"),
                folder, means=Means(5), progress=die)
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return small_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def asked(bank):
    return grid_of(bank)


@pytest.fixture(scope="module")
def whole(bank, asked):
    return in_order(compute(bank, asked))


def read(files) -> pa.Table:
    return in_order(pa.concat_tables(panel_parts(files)))


@pytest.mark.parametrize(("partitions", "threads"), [(1, 1), (7, 1), (7, 2)])
def test_partitions_on_disk_give_the_bytes_of_the_panel_in_memory(
    bank, asked, whole, tmp_path, partitions, threads
):
    told = []
    files = compute_on_disk(
        bank, asked, tmp_path, means=Means(partitions, "200MB", threads),
        progress=lambda *done: told.append(done),
    )  # fmt: skip
    assert same_bytes(read(files), whole)
    assert told == [(p + 1, partitions) for p in range(partitions)]
    assert {p.name for p in tmp_path.iterdir()} == {"job.json", *(f.name for f in files)}


def test_a_killed_run_goes_on_from_the_partitions_it_finished(bank, asked, whole, tmp_path):
    pq.write_table(asked, bank.root.parent / "requests.parquet")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(bank.root), str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    finished = {p: p.stat().st_mtime_ns for p in tmp_path.glob("panel-*.parquet")}
    assert len(finished) == 2
    (tmp_path / "panel-00002.half").write_bytes(b"half of a file")
    files = compute_on_disk(bank, asked, tmp_path, means=Means(5))
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    assert same_bytes(read(files), whole)
    other = compute_on_disk(bank, asked, tmp_path / "not killed", means=Means(5))
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in other]


def test_a_folder_of_another_job_begins_anew(bank, asked, whole, tmp_path):
    compute_on_disk(bank, asked.slice(0, 10), tmp_path, means=Means(9))
    files = compute_on_disk(bank, asked, tmp_path, means=Means(2))
    assert sorted(tmp_path.glob("panel-*")) == list(files)
    assert same_bytes(read(files), whole)


def test_a_partition_that_nobody_falls_into_is_an_empty_file(bank, asked, tmp_path):
    one = asked.slice(0, 1)
    files = compute_on_disk(bank, one, tmp_path, means=Means(3))
    assert sorted(pq.read_metadata(f).num_rows for f in files) == [0, 0, 1]
    assert same_bytes(read(files), in_order(compute(bank, one)))
