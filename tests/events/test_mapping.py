"""The mapping file: wrong ones are told by place, and what does not fit is left for the check."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from domain.errors import InputError
from events.convert import convert
from events.mapping import TableMapping, ours, read_mapping, selected
from events.schema import TRANSACTIONS
from tests.events.raw_world import HEAD, folder, good, take

WRONG = {
    "a zone that is none": ('zone = "Mars/Base"', "mapping.toml:zone"),
    "a zone that is a path": ('zone = "../../etc/passwd"', "mapping.toml:zone"),
    "a column that is none of ours": (
        '[transactions]\ncolumns = { colour = "kind" }', "mapping.toml:transactions.columns.colour",
    ),
    "one of theirs for two of ours": (
        '[transactions]\ncolumns = { kind = "x", channel = "x" }',
        "mapping.toml:transactions.columns",
    ),
    "a format that is none": (
        '[transactions]\nformats = { happened_at = "%Q" }',
        "mapping.toml:transactions.formats.happened_at",
    ),
    "one sign for two things": (
        '[transactions]\ndecimal = ","\nthousands = ","', "mapping.toml:transactions",
    ),
    "a delimiter of another script": (
        '[transactions]\ndelimiter = "；"', "mapping.toml:transactions.delimiter",
    ),
    "a digit for a point": ('[transactions]\ndecimal = "1"', "mapping.toml:transactions.decimal"),
    "a table that is a number": ("transactions = 3", "mapping.toml:transactions"),
    "a key that is unknown": ('[loans]\nfilee = "x"', "mapping.toml:loans.filee"),
    "a name of a file that holds nothing": (
        '[transactions]\nfile = "a\\u0000b"', "mapping.toml:transactions.file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_mapping_is_told_by_its_place(tmp_path, what):
    text, path = WRONG[what]
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_mapping(tmp_path)
    assert path in {f.path for f in caught.value.faults}


@pytest.mark.parametrize("text", ["a = [", "a=" + "[" * 100_000, '{"a": 1}', "a = 1\na = 2"])
def test_what_is_no_toml_is_refused(tmp_path, text):
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not TOML"):
        read_mapping(tmp_path)


@pytest.mark.parametrize("file", ["../secret.csv", "/etc/hostname", "link.csv"])
def test_a_mapping_reaches_nothing_outside_of_the_folder(tmp_path, file):
    data = folder(tmp_path / "raw", HEAD + good())
    (tmp_path / "secret.csv").write_text(HEAD + good(), encoding="utf-8")
    (data / "link.csv").symlink_to(tmp_path / "secret.csv")
    (data / "mapping.toml").write_text(f'[transactions]\nfile = "{file}"\n', encoding="utf-8")
    with pytest.raises(InputError, match="outside of the folder"):
        take(data, tmp_path / "out")


NUMBERS = [
    (",", ".", "1.234,50", 1234.5),
    (",", ".", "-1.234.567", -1234567.0),
    (",", ".", "10,5", 10.5),
    (",", ".", "10.500,", 10500.0),
    (",", ".", "1.23,4", None),
    (",", "", "10.500", None),
    (".", " ", "1 234.5", 1234.5),
    (".", ",", "12,34.5", None),
    (",", ".", "1e3", 1000.0),
]


@pytest.mark.parametrize(("decimal", "thousands", "text", "number"), NUMBERS)
def test_a_number_is_read_as_declared_or_refused(decimal, thousands, text, number):
    how = TableMapping(decimal=decimal, thousands=thousands)
    rows = pa.table({"amount": pa.chunked_array([[text, None]])})
    found = ours(rows, "transactions", how, None, "t.csv")["amount"]
    numbers, broken = convert(found, TRANSACTIONS.column("amount"))
    assert numbers.to_pylist() == [number, None]
    assert any(mask.any() for _, _, mask in broken) == (number is None)


def placed(times, zone=None, form=None):
    how = TableMapping(formats={"happened_at": form} if form else {})
    rows = pa.table({"happened_at": pa.chunked_array([times])})
    return ours(rows, "transactions", how, zone, "t.csv")["happened_at"].to_pylist()


def test_a_time_without_a_zone_takes_the_declared_one_and_one_with_a_zone_keeps_it():
    found = placed(["2024-07-01T14:00:00", "2024-07-01T14:00:00Z", None], zone="Europe/Prague")
    assert found == ["2024-07-01T12:00:00.000000Z", "2024-07-01T14:00:00Z", None]


def test_only_the_times_that_break_the_format_are_left_for_the_check():
    found = placed(["01.07.2024 14:00", "2024/07/01"], zone="UTC", form="%d.%m.%Y %H:%M")
    assert found == ["2024-07-01T14:00:00.000000Z", "2024/07/01"]


@pytest.mark.parametrize("hour", ["2024-03-31T02:30:00", "2024-10-27T02:30:00"])
def test_an_hour_that_the_clock_change_skips_or_repeats_is_no_instant(hour):
    fine = "2024-07-01T14:00:00"
    typed = pa.array([datetime.fromisoformat(hour), datetime.fromisoformat(fine)])
    for times in ([hour, fine], typed):
        found = placed(times, zone="Europe/Prague")
        assert not found[0].endswith("Z")
        assert found[1] == "2024-07-01T12:00:00.000000Z"


def test_dates_are_midnights_of_the_declared_zone():
    day = pa.array([datetime(2024, 7, 1).date()])
    assert placed(day, zone="Asia/Shanghai") == [datetime(2024, 6, 30, 16, tzinfo=UTC)]


def test_codes_become_words_and_unknown_ones_stay():
    how = TableMapping(values={"kind": {"K": "purchase"}})
    for column in (pa.array(["K", "Z", None]), pa.array(["K", "Z", None]).dictionary_encode()):
        rows = pa.table({"kind": column})
        found = ours(rows, "transactions", how, None, "t")["kind"]
        assert found.to_pylist() == ["purchase", "Z", None]


ROWS = pa.table({"who": ["a", "a", None], "price": [1.0, 2.0, 3.0]})


def test_one_select_makes_our_columns_of_theirs():
    sql = (
        "SELECT who AS customer_id, sum(price) AS amount FROM file WHERE who NOT NULL GROUP BY who"
    )
    found = ours(ROWS, "transactions", TableMapping(sql=sql), None, "t")
    assert found.to_pydict() == {"customer_id": ["a"], "amount": [3.0]}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY file TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "DROP VIEW file",
        "SELECT * FROM rows",
        "SELECT nothing FROM file",
        "",
        "SELEKT",
    ],
)
def test_sql_that_is_not_one_select_over_the_file_is_refused(sql):
    rows = ROWS  # noqa: F841  (a frame of Python that DuckDB would otherwise find by its name)
    with pytest.raises(InputError, match=r"mapping\.toml:transactions\.sql"):
        selected(ROWS, sql, "mapping.toml:transactions.sql")
