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
from training.people import persons


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


def dated(root, dates: list[str | None], written: str):
    rows = people(len(dates)).set_column(2, "LAST", pa.array(dates, pa.string()))
    declaration = DECLARATION.replace("days_since = true", f"days_since = {written}")
    return ingest(SOURCES["given"], folder(root / "raw", rows, declaration), root / "out", now=NOW)


@pytest.mark.parametrize(
    ("form", "written"),
    [("%d.%m.%Y", '"%d.%m.%Y"'), ("%m/%d/%Y", '"%m/%d/%Y"'), ("%Y%m%d", "true"),
     ("%Y-%m-%d", "true"), ("%Y-%m-%dT%H:%M:%SZ", "true"), ("%Y年%m月%d日", '"%Y年%m月%d日"')],
)  # fmt: skip
def test_dates_are_read_as_they_are_declared_to_be_written(tmp_path, form, written):
    days = [date(2023, 2, 1), date(1999, 12, 31), date(2024, 1, 1), None, date(2024, 3, 5)]
    texts = [None if d is None else d.strftime(form) for d in days]
    dataset, report = dated(tmp_path, [*texts, "", " "], written)
    assert not report.faults
    found = {r["customer_id"]: r["since_last_visit"] for r in dataset.table("given").to_pylist()}
    told = [None if d is None else (date(2024, 1, 1) - d).days for d in days]
    assert [found[str(k)] for k in range(7)] == [*told, None, None]


@pytest.mark.parametrize(
    ("written", "odd", "said"),
    [("true", "01.02.2024", 'days_since = "%d.%m.%Y"'), ("true", "45321", "no date like"),
     ("true", "nan", "no date like"), ("true", "0001-01-01", "no date like"),
     ('"%d.%m.%Y"', "2024-02-01", "written as %d.%m.%Y"), ('"%d.%m.%Y"', "17", "written as"),
     ('"%d.%m.%Y"', "31.12.1899", "written as")],
)  # fmt: skip
def test_a_date_that_cannot_be_read_is_named_by_its_row_and_never_missing(
    tmp_path, written, odd, said
):
    fine = "2023-05-06" if written == "true" else "06.05.2023"
    dataset, report = dated(tmp_path, [fine] * 7 + [odd] + [fine] * 12, written)
    [fault] = report.faults
    assert (fault.path, fault.rule) == ("people.parquet:since_last_visit", "wrong_type")
    assert said in fault.message
    assert fault.message.endswith("row 8")
    assert report.quarantined == {"given": 1, "outcomes": 0}
    assert None not in dataset.table("given")["since_last_visit"].to_pylist()


def test_values_declared_as_missing_are_so_in_numbers_texts_and_dates(tmp_path):
    rows = people(20)
    csv = [*["3"] * 10, "99", "none", *["4"] * 8]
    rows = rows.set_column(1, "VISITS", pa.array(csv))
    rows = rows.set_column(2, "LAST", pa.array(["NaT", "none", *["2023-05-06"] * 18]))
    declaration = DECLARATION.replace("missing = [99]", 'missing = [99, "none"]')
    declaration = declaration.replace("days_since = true", 'days_since = true\nmissing = ["NaT"]')
    data = folder(tmp_path / "raw", rows, declaration)
    dataset, report = ingest(SOURCES["given"], data, tmp_path / "out", now=NOW)
    assert [(f.path, f.message[-5:]) for f in report.faults] == [
        ("people.parquet:since_last_visit", "row 2"),
    ]  # fmt: skip
    found = {r["customer_id"]: r for r in dataset.table("given").to_pylist()}
    assert [c for c, r in found.items() if r["visits"] is None] == ["10", "11"]
    assert [c for c, r in found.items() if r["since_last_visit"] is None] == ["0"]


def test_a_column_of_dates_in_another_form_is_refused_whole(tmp_path):
    with pytest.raises(InputError, match=r"people\.parquet:since_last_visit.*%d\.%m\.%Y"):
        dated(tmp_path, ["01.02.2023"] * 20, "true")
    for written, why in (('"soon"', "has a day"), ('"%Q"', "no way to write a date")):
        with pytest.raises(InputError, match=why):
            dated(tmp_path, ["01.02.2023"] * 20, written)


def test_their_column_of_persons_is_kept_as_text_and_parts_the_rows(tmp_path):
    phones = [None, "", *(f"{i // 2:04x}" for i in range(2, 40))]
    rows = people(40).append_column("PHONE", pa.array(phones))
    data = folder(tmp_path / "raw", rows, 'person_id = "PHONE"\n' + DECLARATION)
    dataset, report = ingest(SOURCES["given"], data, tmp_path / "out", now=NOW)
    assert not report.faults
    found = {r["customer_id"]: r["person_id"] for r in dataset.table("given").to_pylist()}
    assert found == {str(i): p or None for i, p in enumerate(phones)}
    assert dataset.plan.person_columns == ("person_id",)
    who = dict(zip(found, persons(dataset, [*found]), strict=True))
    assert len({*who.values()}) == 2 + 19
    assert all(who[str(i)] == who[str(i + 1)] for i in range(2, 40, 2))
    assert (who["0"], who["1"]) == ("0", "1")


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
