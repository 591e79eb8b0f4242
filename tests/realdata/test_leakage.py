"""Real persons under several ids: found, told by two columns, and on one side of every split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from training.leakage import of_source
from training.matrix import labelled
from training.people import persons
from training.twins import same_ids

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def cards(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("cards") / "dataset"
    source = SOURCES["credit_card_approval"]
    return ingest(source, data_folder / "credit_card_approval", place)[0]


def test_persons_are_those_that_plain_sql_finds_in_the_raw_file(cards, data_folder):
    ids = cards.table("customers", ["customer_id"])["customer_id"].to_pylist()
    folder = data_folder / "credit_card_approval"
    found = duckdb.sql(
        "SELECT count(DISTINCT (DAYS_BIRTH, CODE_GENDER)) FROM ("
        f"SELECT * FROM '{folder}/application_record.parquet' "
        "QUALIFY count(*) OVER (PARTITION BY ID) = 1) "
        f"WHERE ID IN (SELECT ID FROM '{folder}/credit_record.parquet')"
    ).fetchall()
    assert len(set(persons(cards, ids))) == found[0][0] == 8181
    assert len(ids) == 36_457


def test_splits_by_id_are_an_alarm_there_and_by_person_none(cards):
    rows = labelled(cards)[0]
    assert of_source(cards, rows).findings == ()
    by_id = replace(cards, plan=cards.plan.model_copy(update={"person_columns": ()}))
    found = of_source(by_id, rows)
    assert [(f.check, f.is_sure) for f in found.alarms] == [("same_person", True)]
    assert found.figures["same_person"]["also_learnt_from"] > 1000


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("av_bank_churn/av_bank_churn", "customer_id"),
        ("bankchurners/bankchurners", "CLIENTNUM"),
        ("berka/account", "account_id"),
        ("credit_card_approval/application_record", "ID"),
        ("give_me_some_credit/give_me_some_credit", "id"),
        ("online_retail_ii/online_retail_ii", "CustomerID"),
        ("taiwan_credit_default/taiwan_credit_default", "ID"),
    ],
)
def test_no_two_ids_of_public_data_are_taken_for_one(data_folder, file, column):
    rows = duckdb.sql(
        f"SELECT DISTINCT {column}::VARCHAR FROM '{data_folder}/{file}.parquet' "
        f"WHERE {column} IS NOT NULL"
    ).fetchall()
    assert len(rows) > 1000
    assert same_ids([r[0] for r in rows], np.arange(len(rows))).size == 0
