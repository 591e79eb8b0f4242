"""Spark on a cluster of this machine gives the bytes of the other two ways."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalogue import CATALOGUE
from features.panel import compute
from features.partitions import compute_on_disk, panel_parts
from features.programs import compile_takes
from features.spark import compute_on_spark, unlaid, whole_customers
from tests.features.scale_world import grid_of, in_order, same_bytes, small_bank


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_memory_disk_and_cluster_give_the_same_bytes(spark, tmp_path, monkeypatch):
    """So few rows at a time that a customer whose rows do not stand together would be parted."""
    monkeypatch.setattr("features.spark.ROWS", 3_000)
    bank = small_bank(tmp_path)
    asked = grid_of(bank)
    pq.write_table(asked, tmp_path / "requests.parquet")
    in_memory = in_order(compute(bank, asked))
    files = compute_on_disk(bank, asked, tmp_path / "disk", wanted=4)
    on_disk = in_order(pa.concat_tables(panel_parts(files)))
    frames = {
        c.table: spark.read.parquet(*map(str, bank.files(c.table)))
        for c in compile_takes(CATALOGUE)
        if bank.has(c.table)
    }
    wanted = spark.read.parquet(str(tmp_path / "requests.parquet"))
    panel = compute_on_spark(frames, wanted, partitions=2)
    panel.write.parquet(str(tmp_path / "spark"))
    on_cluster = in_order(pq.read_table(tmp_path / "spark").cast(in_memory.schema))
    assert in_memory.num_rows == asked.num_rows > 400
    assert same_bytes(on_disk, in_memory)
    assert same_bytes(on_cluster, in_memory)


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_batches_become_tables_that_never_part_a_customer(rows):
    ids = ["a"] * 3 + ["b"] * 5 + ["c"] + ["d"] * 4
    whole = pa.record_batch({"customer_id": ids, "n": list(range(len(ids)))})
    batches = [whole.slice(i, 2) for i in range(0, len(ids), 2)]
    found = list(whole_customers(iter(batches), rows))
    assert pa.concat_tables(found)["n"].to_pylist() == list(range(len(ids)))
    held = [set(t["customer_id"].to_pylist()) for t in found]
    assert sum(map(len, held)) == 4
    assert (len(found) == 1) == (rows == 100)


def test_a_table_that_was_not_laid_in_is_left_out():
    rows = pa.table(
        {
            "customer_id": ["c"],
            "in_table": ["requests"],
            "requests__as_of": pa.array([5], pa.timestamp("us", "UTC")),
        }
    )
    tables, asked = unlaid(rows, CATALOGUE)
    assert tables == {}
    assert asked["customer_id"].to_pylist() == ["c"]
