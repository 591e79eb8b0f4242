"""Ready-made feature tables as sources: values as declared, faults as everywhere."""

from __future__ import annotations

import math
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from events.dataset import open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from events.readers.given import PUBLIC, declared
from tests.events.given_world import DECLARATION, folder, people
from tests.events.raw_world import NOW


def test_every_value_is_read_as_declared(tmp_path):
    dataset, report = ingest(SOURCES["given"], folder(tmp_path / "raw"), tmp_path / "out", now=NOW)
    assert not report.faults
    found = {r["customer_id"]: r for r in dataset.table("given").to_pylist()}
    for row in people().to_pylist():
        ours = found[str(row["nr"])]
        assert ours["visits"] == (None if row["VISITS"] == 99 else row["VISITS"])
        last = row["LAST"]
        gap = None if last is None else (date(2024, 1, 1) - date.fromisoformat(last)).days
        assert ours["since_last_visit"] == gap
        assert ours["level"] == {"low": 0, "high": 2}.get(row["LEVEL"])
        channel = row["CHANNEL"]
        assert ours["is_online"] == (None if channel is None else float(channel != "shop"))
        assert ours["age"] == (None if math.isnan(row["AGE"]) else row["AGE"])
    bad = {r["customer_id"]: r["is_bad"] for r in dataset.table("outcomes").to_pylist()}
    assert bad == {str(r["nr"]): r["left"] == "yes" for r in people().to_pylist()}


def test_the_declaration_travels_with_the_data_set(tmp_path):
    ingest(SOURCES["given"], folder(tmp_path / "raw"), tmp_path / "out", now=NOW)
    again = open_dataset(tmp_path / "out")
    assert again.given is not None
    assert again.given.columns[2].values == {"low": 0, "high": 2}
    assert again.plan == again.given.plan


def test_a_number_that_is_text_is_named_by_its_row(tmp_path):
    rows = people(50)
    visits = pa.array(["many", *["3"] * 49])
    rows = rows.set_column(1, "VISITS", visits)
    data = folder(tmp_path / "raw", rows, DECLARATION.replace("missing = [99]\n", ""))
    _, report = ingest(SOURCES["given"], data, tmp_path / "out", now=NOW)
    [fault] = report.faults
    assert (fault.path, fault.rule) == ("people.parquet:visits", "wrong_type")
    assert "row 1" in fault.message


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: (d / "given.toml").unlink(), "holds no given.toml"),
        (lambda d: (d / "people.parquet").unlink(), "does not hold people.parquet"),
        (
            lambda d: pq.write_table(people(9).drop_columns(["AGE"]), d / "people.parquet"),
            "people.parquet:AGE",
        ),
        (
            lambda d: (d / "given.toml").write_text(
                DECLARATION.replace("people.parquet", "../people.parquet"), encoding="utf-8"
            ),
            "does not hold ../people.parquet",
        ),
    ],
)
def test_what_is_not_there_is_said(tmp_path, spoil, said):
    data = folder(tmp_path / "raw")
    (tmp_path / "people.parquet").write_bytes(b"outside")
    spoil(data)
    with pytest.raises(InputError, match=said):
        ingest(SOURCES["given"], data, tmp_path / "out", now=NOW)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_tables_are_declared_whole(name):
    given = declared(name)
    assert given.nominal, "none of the files says of when it is"
    assert given.split_key == f"{name}:20261122"
    assert any(c.personal == "protected" for c in given.columns)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows", "bad"),
    [("give_me_some_credit", 150_000, 10_026), ("av_bank_churn", 28_382, 5_260),
     ("bankchurners", 10_127, 1_627)],
)  # fmt: skip
def test_the_public_tables_are_read_without_a_fault(data_folder, tmp_path, name, rows, bad):
    dataset, report = ingest(SOURCES[name], data_folder / name, tmp_path / "out", now=NOW)
    assert not report.faults
    assert dataset.tables["given"].rows == rows
    assert sum(dataset.table("outcomes")["is_bad"].to_pylist()) == bad
    columns = set(pq.read_schema(data_folder / name / f"{name}.parquet").names)
    given = declared(name)
    used = {given.id, given.label, *(c.column for c in given.columns)}
    assert columns == used, "every column of the file is declared"
