from __future__ import annotations

import hashlib
import json
import tracemalloc
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from domain.plan import StudyPlan
from events.bank.config import BankConfig
from events.bank.months import study_plan
from events.bank.simulate import simulate, write_bank
from events.ingest import ingest
from events.readers import SOURCES

TINY = BankConfig(customers=90, months=16, seed=1, chunk=30)


def bytes_of(folder):
    """A hash of every file, by relative path."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, config in [("a", TINY), ("b", TINY), ("c", replace(TINY, seed=2))]:
        write_bank(tmp_path / name, config)
    first, again, other = (bytes_of(tmp_path / name) for name in "abc")
    assert first == again
    changed = {k for k in first if first[k] != other[k]}
    assert changed == set(first)


def test_a_chunk_is_the_same_however_many_follow(tmp_path):
    write_bank(tmp_path / "one", replace(TINY, customers=30))
    write_bank(tmp_path / "two", replace(TINY, customers=60))
    write_bank(tmp_path / "three", TINY)
    one, two, three = (bytes_of(tmp_path / n) for n in ("one", "two", "three"))
    parts = [k for k in one if "part-" in k]
    assert len(parts) == 8
    assert all(one[k] == two[k] == three[k] for k in parts)
    second = [k for k in two if "part-00001" in k]
    assert len(second) == 8
    assert all(two[k] == three[k] for k in second)


def test_the_folder_is_read_as_a_source_and_its_plan_is_kept(tmp_path):
    write_bank(tmp_path / "raw", TINY)
    dataset, report = ingest(SOURCES["bank"], tmp_path / "raw", tmp_path / "clean")
    assert dataset.plan == study_plan(TINY)
    assert set(report.rows) == {"customers", "transactions", "statements", "loans", "interactions"}
    twice = sum(report.quarantined.values())
    assert {f.rule for f in report.faults} <= {"duplicate"}
    assert twice < 0.01 * sum(report.rows.values())
    assert dataset.has("statements")


def test_the_plan_beside_the_tables_is_a_study_plan(tmp_path):
    simulate(tmp_path / "raw", customers=20, months=18, seed=3)
    text = (tmp_path / "raw/plan.json").read_text(encoding="utf-8")
    assert StudyPlan.model_validate_json(text).split_key == "bank:3"
    kept = json.loads((tmp_path / "raw/truth/bank.json").read_text(encoding="utf-8"))
    assert BankConfig(**kept) == BankConfig(customers=20, months=18, seed=3)


def test_progress_counts_customers(tmp_path):
    told = []
    write_bank(tmp_path / "raw", TINY, lambda done, total: told.append((done, total)))
    assert told == [(30, 90), (60, 90), (90, 90)]


def stopped(done, total):
    if done >= 60:
        raise KeyboardInterrupt


def test_a_stopped_run_leaves_nothing_or_the_earlier_bank(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_bank(tmp_path / "raw", TINY, stopped)
    assert not list(tmp_path.iterdir())
    write_bank(tmp_path / "raw", TINY)
    before = bytes_of(tmp_path / "raw")
    with pytest.raises(KeyboardInterrupt):
        write_bank(tmp_path / "raw", replace(TINY, seed=2), stopped)
    assert bytes_of(tmp_path / "raw") == before
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


def test_an_earlier_bank_is_replaced_whole(tmp_path):
    write_bank(tmp_path / "raw", TINY)
    write_bank(tmp_path / "raw", replace(TINY, customers=30))
    assert len(list((tmp_path / "raw/transactions").iterdir())) == 1


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/a.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="no simulated bank"):
        write_bank(tmp_path / "letters", TINY)
    assert (tmp_path / "letters/a.txt").read_text(encoding="utf-8") == "dear"


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "raw").mkdir()
    write_bank(tmp_path / "raw", TINY)
    assert pq.read_table(tmp_path / "raw/customers/part-00000.parquet").num_rows >= 30


def test_memory_holds_one_chunk_whatever_the_number_of_customers(tmp_path):
    peaks = []
    for customers in (100, 500):
        tracemalloc.start()
        write_bank(tmp_path / str(customers), replace(TINY, customers=customers, chunk=100))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
