"""Panels by span on disk: the bytes of those in memory, also after a kill; nothing left behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from events.dataset import Dataset, TableInfo
from features import partitions
from features.catalogue import CATALOGUE
from features.panel import compute
from features.partitions import compute_on_disk, panel_parts
from tests.features.scale_world import grid_of, in_order, plain_panel, same_bytes, small_bank

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet as pq
from events.dataset import open_dataset
from features.partitions import compute_on_disk
from tests.features.scale_world import with_sizes

root, folder = map(Path, sys.argv[1:])
write_table, written = pq.ParquetWriter.write_table, 0

def dying(self, *rows):
    global written
    write_table(self, *rows)
    written += 1
    if written == 3:
        os.kill(os.getpid(), signal.SIGKILL)

pq.ParquetWriter.write_table = dying
asked = pq.read_table(root.parent / "requests.parquet")
list(compute_on_disk(with_sizes(open_dataset(root)), asked, folder, wanted=5))
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return small_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def asked(bank):
    return grid_of(bank)


@pytest.fixture(scope="module")
def whole(bank, asked):
    return plain_panel(bank, asked)


def read(files) -> pa.Table:
    return pa.concat_tables(panel_parts(files)).combine_chunks()


@pytest.mark.parametrize(("wanted", "threads"), [(1, 1), (7, 1), (7, 2)])
def test_spans_on_disk_give_the_rows_of_the_panel_in_memory_in_its_order(
    bank, asked, whole, tmp_path, wanted, threads
):
    files = list(compute_on_disk(bank, asked, tmp_path, wanted=wanted, threads=threads))
    assert len(files) == wanted
    assert same_bytes(read(files), whole)
    assert {p.name for p in tmp_path.iterdir()} == {"job.sha256", *(f.name for f in files)}


def test_requests_in_any_order_come_out_by_customer_and_as_of(bank, asked, whole, tmp_path):
    files = compute_on_disk(bank, asked.sort_by("as_of"), tmp_path, wanted=3)
    assert same_bytes(read(files), whole)


def test_each_file_stands_before_the_next_span_is_begun(bank, asked, tmp_path):
    files = compute_on_disk(bank, asked, tmp_path, wanted=5)
    for done in range(1, 6):
        assert next(files).is_file()
        assert len(list(tmp_path.glob("panel-*"))) == done


def test_a_run_killed_inside_a_span_goes_on_from_the_spans_it_finished(
    bank, asked, whole, tmp_path
):
    pq.write_table(asked, bank.root.parent / "requests.parquet")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(bank.root), str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    finished = {p: p.stat().st_mtime_ns for p in tmp_path.glob("panel-*.parquet")}
    assert len(finished) == 2
    assert [p.name for p in tmp_path.glob("*.half")] == ["panel-00002.half"]
    files = list(compute_on_disk(bank, asked, tmp_path, wanted=5))
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    assert same_bytes(read(files), whole)
    other = list(compute_on_disk(bank, asked, tmp_path / "not killed", wanted=5))
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in other]
    assert not list(tmp_path.glob("*.half"))


def other_data(dataset: Dataset) -> Dataset:
    table = {"transactions": TableInfo(dataset.tables["transactions"].rows, "other")}
    return dataclasses.replace(dataset, tables={**dataset.tables, **table})


def other_people(asked: pa.Table) -> pa.Table:
    ids = pc.binary_join_element_wise(asked["customer_id"], "0", "")
    return asked.set_column(0, "customer_id", ids)


@pytest.mark.parametrize("what", ["data", "others", "later", "arrow", "code", "spans"])
def test_nothing_of_another_job_is_taken_over(bank, asked, tmp_path, monkeypatch, what):
    """Every file of the job before is spoilt, so that what is taken over is seen."""
    few = asked.slice(0, 60)
    later = few.set_column(1, "as_of", pc.add(few["as_of"], pa.scalar(1, pa.duration("us"))))
    first = {
        "data": (other_data(bank), few, 4),
        "others": (bank, other_people(few), 4),
        "later": (bank, later, 4),
        "arrow": (bank, few, 4),
        "code": (bank, few, 4),
        "spans": (bank, few, 3),
    }[what]
    if what == "arrow":
        monkeypatch.setattr(partitions.pa, "__version__", "0")
    if what == "code":
        (tmp_path / "code.py").write_text("1", encoding="utf-8")
        monkeypatch.setattr(partitions, "__file__", str(tmp_path / "code.py"))
    for file in compute_on_disk(first[0], first[1], tmp_path, wanted=first[2]):
        file.write_bytes(b"of another job")
    (tmp_path / "panel-00009.half").write_bytes(b"of another job")
    monkeypatch.undo()
    files = list(compute_on_disk(bank, few, tmp_path, wanted=4))
    assert sorted(tmp_path.glob("panel-*")) == files
    assert same_bytes(read(files), in_order(compute(bank, few)))


def test_the_same_job_is_known_however_its_requests_are_chunked(bank, asked, tmp_path):
    few = asked.slice(0, 60)
    for file in compute_on_disk(bank, few, tmp_path, wanted=4):
        file.write_bytes(b"made once")
    chunked = pa.concat_tables([few.slice(0, 7), few.slice(7)])
    again = compute_on_disk(bank, chunked, tmp_path, wanted=4)
    assert {f.read_bytes() for f in again} == {b"made once"}


def test_a_job_that_was_killed_while_it_was_named_begins_anew(bank, asked, tmp_path):
    (tmp_path / "job.sha256").write_text("0123", encoding="utf-8")
    files = list(compute_on_disk(bank, asked.slice(0, 9), tmp_path))
    assert same_bytes(read(files), in_order(compute(bank, asked.slice(0, 9))))


def test_nobody_asked_for_is_one_empty_file(bank, asked, tmp_path):
    [file] = compute_on_disk(bank, asked.slice(0, 0), tmp_path, wanted=3)
    assert pq.read_metadata(file).num_rows == 0
    assert pq.read_schema(file).names == ["customer_id", "as_of", *CATALOGUE.names]
