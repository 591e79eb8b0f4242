"""The book scored on a cluster of this machine has the bits of this process."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import BundleError
from events.schema import INSTANT
from scoring.book import score_rows
from scoring.spark import job_of, score_batch, score_on_spark, scorers_of


@pytest.fixture(scope="module")
def panel(kit):
    X = kit.rows(2_000, 21)
    at = pa.array(range(1_306_886_400_000_000, 1_306_886_400_002_000), pa.int64()).cast(INSTANT)
    columns = {n: pa.array(X[:, i], from_pandas=True) for i, n in enumerate(kit.features)}
    return pa.table({"customer_id": [f"c{i:05d}" for i in range(2_000)], "as_of": at, **columns})


def local(panel, scorers):
    def column(name):
        return panel[name].to_numpy(zero_copy_only=False)

    keys = panel["customer_id"].combine_chunks(), panel["as_of"].combine_chunks()
    return pa.Table.from_batches([score_rows(scorers, *keys, column)])


def test_one_batch_is_scored_as_here(panel, bundle):
    [batch] = panel.combine_chunks().to_batches()
    found = score_batch(batch, scorers_of(job_of(bundle)))
    assert pa.Table.from_batches([found]) == local(panel, bundle.scorers)


def test_a_worker_that_answers_otherwise_ends_the_job(bundle):
    job = json.loads(job_of(bundle))
    job["churn"]["golden"]["reasons"][2][1] += 1
    with pytest.raises(BundleError, match=r"golden predictions of churn \(reasons of golden row 2"):
        scorers_of(json.dumps(job))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_points_and_reasons_from_the_cluster_are_those_of_this_process(
    spark, panel, bundle, tmp_path
):
    pq.write_table(panel, tmp_path / "panel.parquet")
    frame = spark.read.parquet(str(tmp_path / "panel.parquet")).repartition(4)
    score_on_spark(frame, bundle).write.parquet(str(tmp_path / "scored"))
    found = pq.read_table(tmp_path / "scored").sort_by("customer_id")
    wanted = local(panel, bundle.scorers)
    assert found.cast(wanted.schema) == wanted
    assert np.isnan(panel["tenure_days"].to_numpy()).any(), "missing values are among them"
