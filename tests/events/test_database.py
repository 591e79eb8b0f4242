"""Databases are only read, a password is told nowhere; SQLite and PostgreSQL for real."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
import sqlalchemy as sa

from domain.errors import InputError, NotFoundError
from events.database import is_address, opened, rows, tables, without_password
from events.readers import SOURCES
from tests.events.raw_world import PLAN, take

SECRET = "p@ss/w:rd"


@pytest.fixture
def bank(tmp_path):
    file = tmp_path / "bank.db"
    with sqlite3.connect(file) as db:
        db.execute(
            "CREATE TABLE bookings (nr INTEGER, who NUMERIC(20,0), at TIMESTAMP, sum NUMERIC(9,2), "
            "day DATE, flag BOOLEAN, odd INTEGER, note BLOB)"
        )
        db.executemany(
            "INSERT INTO bookings VALUES (?,?,?,?,?,?,?,?)",
            [
                (1, 7, "2024-01-01 10:00:00.000000", 1.5, "2024-01-01", 1, "x", b"\xff"),
                (2, 7, None, None, None, None, 3, None),
            ],
        )
        db.execute("CREATE VIEW last AS SELECT * FROM bookings WHERE nr = 2")
    db.close()
    return f"sqlite:///{file}"


def test_tables_and_views_are_read_in_their_types(bank):
    with opened(bank) as db:
        assert tables(db) == ["bookings", "last"]
        found = rows(db, "bookings")
        assert rows(db, "last").num_rows == 1
        assert rows(db, "bookings", 1).num_rows == 1
    assert found.to_pylist()[0] == {
        "nr": 1, "who": "7", "at": datetime(2024, 1, 1, 10), "sum": 1.5, "day": date(2024, 1, 1),
        "flag": True, "odd": "x", "note": "�",
    }  # fmt: skip
    assert found.schema.field("at").type == pa.timestamp("us")
    assert set(found.to_pylist()[1].values()) == {2, "7", "3", None}


def test_an_empty_table_has_its_columns(bank):
    with sqlite3.connect(bank.removeprefix("sqlite:///")) as db:
        db.execute("DELETE FROM bookings")
    db.close()
    with opened(bank) as db:
        found = rows(db, "bookings")
    assert (found.num_rows, found.num_columns) == (0, 8)


def test_a_database_cannot_be_written(bank):
    with pytest.raises(InputError, match="readonly"), opened(bank) as db:
        db.execute(sa.text("DELETE FROM bookings"))


def test_a_missing_file_is_no_empty_database(tmp_path):
    with pytest.raises(InputError, match="unable to open"), opened(f"sqlite:///{tmp_path}/no.db"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_missing_table_is_told_with_what_there_is(bank):
    with pytest.raises(NotFoundError, match="there is bookings, last"), opened(bank) as db:
        rows(db, "accounts; DROP TABLE bookings")


@pytest.mark.parametrize(
    "address", ["://", "nothing://x", "what is this", f"x://h/d?password={SECRET}"]
)
def test_an_address_that_is_none_is_refused_without_telling_it(address):
    with pytest.raises(InputError) as caught, opened(address):
        pass
    assert SECRET not in str(caught.value)


def test_a_password_is_never_told():
    address = str(
        sa.URL.create("postgresql+psycopg", "reader", SECRET, "127.0.0.1", 1, "bank")
        .render_as_string(hide_password=False)
    )  # fmt: skip
    assert is_address(address)
    assert without_password(address) == "postgresql+psycopg://reader@127.0.0.1:1/bank"
    with pytest.raises(InputError) as caught, opened(address):
        pass
    for form in (SECRET, "p%40ss", "w:rd"):
        assert form not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_folder_reads_the_tables_of_its_database(bank, tmp_path):
    data = tmp_path / "raw"
    data.mkdir()
    (data / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    (data / "mapping.toml").write_text(
        f'zone = "UTC"\ndatabase = "{bank}"\n[transactions]\ntable = "bookings"\n'
        'ignore = ["day", "flag", "odd", "note"]\nconstants = { kind = "purchase" }\n'
        'columns = { event_id = "nr", customer_id = "who", happened_at = "at", amount = "sum" }\n',
        encoding="utf-8",
    )
    [raw] = SOURCES["folder"].read(data)
    assert (raw.file, raw.data.num_rows) == ("bookings", 2)
    with pytest.raises(InputError, match="bookings:amount"):  # half of the rows are empty
        take(data, tmp_path / "out")


def test_a_table_without_a_database_is_refused(tmp_path):
    (tmp_path / "mapping.toml").write_text('[loans]\ntable = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match="no database"):
        list(SOURCES["folder"].read(tmp_path))


@pytest.fixture
def postgres(postgres_address):
    return sa.engine.make_url(postgres_address).set(drivername="postgresql+psycopg")


def test_postgresql_is_read_and_not_written(postgres, monkeypatch):
    engine = sa.create_engine(postgres)
    with engine.begin() as db:
        db.execute(sa.text(
            "CREATE TABLE bookings (nr bigint, at timestamptz, sum numeric(9,2), ok boolean, "
            "id uuid, tags text[])"
        ))  # fmt: skip
        db.execute(sa.text(
            "INSERT INTO bookings SELECT i, TIMESTAMPTZ '2024-01-01 00:00+08', i + 0.5, true, "
            "gen_random_uuid(), ARRAY['a'] FROM generate_series(1, 120000) i"
        ))  # fmt: skip
    engine.dispose()
    monkeypatch.setenv("TIERLINE_DATABASE_PASSWORD", str(postgres.password))
    address = without_password(postgres.render_as_string(hide_password=False))
    with opened(address) as db:
        found = rows(db, "public.bookings")
    assert found.num_rows == 120_000
    assert found["at"][0].as_py() == datetime(2023, 12, 31, 16, tzinfo=UTC)
    assert sum(found["sum"].to_pylist()) == sum(i + 0.5 for i in range(1, 120_001))
    with pytest.raises(InputError, match="read-only"), opened(address) as db:
        db.execute(sa.text("DELETE FROM bookings"))
    monkeypatch.setenv("TIERLINE_DATABASE_PASSWORD", "wrong" + SECRET)
    with pytest.raises(InputError) as caught, opened(address):
        pass
    assert SECRET not in str(caught.value)
