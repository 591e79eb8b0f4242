"""Real persons under several ids: found, told by two columns, and on one side of every split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from training.leakage import of_source
from training.matrix import labelled
from training.people import persons

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
