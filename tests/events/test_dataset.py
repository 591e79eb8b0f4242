"""A data set on disk: tables by name, missing ones empty, some customers only."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError, NotFoundError
from events.dataset import SUPERSEDED, before_swap, clean_schema, has_dataset, open_dataset
from tests.events.raw_world import HEAD, PLAN, folder, good, take


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("dataset")
    return take(folder(root / "raw", HEAD + good()), root / "out")[0]


def test_it_opens_as_it_was_written(dataset):
    assert open_dataset(dataset.root) == dataset
    assert dataset.plan == PLAN
    assert dataset.source == "folder"


def test_columns_come_in_the_order_asked(dataset):
    rows = dataset.table("transactions", ["amount", "customer_id", SUPERSEDED])
    assert rows.column_names == ["amount", "customer_id", SUPERSEDED]
    assert rows[SUPERSEDED].null_count == rows.num_rows == 40


def test_a_missing_table_is_empty_with_its_schema(dataset):
    assert dataset.table("loans").schema == clean_schema("loans")
    assert not dataset.has("loans")
    assert dataset.files("loans") == ()


def test_some_customers_are_read_alone(dataset):
    rows = dataset.table("transactions", customers=["c3", "nobody"])
    everybody = dataset.table("transactions")["customer_id"].to_pylist()
    assert rows.num_rows == everybody.count("c3") > 0
    assert set(rows["customer_id"].to_pylist()) == {"c3"}


def test_text_may_come_coded(dataset):
    rows = dataset.table("transactions", ["kind", "amount"], dictionary=True)
    assert pa.types.is_dictionary(rows.schema.field("kind").type)
    assert rows["kind"].to_pylist() == dataset.table("transactions")["kind"].to_pylist()


def test_no_data_set_says_what_to_do(tmp_path):
    with pytest.raises(NotFoundError, match="run `tierline check` first"):
        open_dataset(tmp_path / "home/berka/dataset")


def test_a_column_that_came_later_is_named_with_what_to_do(dataset, tmp_path):
    """As of a data set that was kept by an earlier version."""
    shutil.copytree(dataset.root, tmp_path / "old")
    old = open_dataset(tmp_path / "old")
    for file in old.files("transactions"):
        pq.write_table(pq.read_table(file).drop_columns(["channel"]), file)
    assert old.table("transactions", ["amount"]).num_rows == 40
    for asked in (None, ["channel", "amount"]):
        with pytest.raises(InputError, match="before it had channel: run `tierline check`"):
            old.table("transactions", asked)


def test_whether_there_is_one_is_told_without_opening_it(dataset, tmp_path):
    assert has_dataset(dataset.root)
    assert not has_dataset(tmp_path / "home")
    shutil.copytree(dataset.root, before_swap(tmp_path / "home"))
    assert has_dataset(tmp_path / "home"), "a killed run left the one before"
    assert open_dataset(tmp_path / "home").tables == dataset.tables
