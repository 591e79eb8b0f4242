"""Bad input is named by file, column, row and rule, all at once; nothing is half written."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import cli
from domain.errors import InputError
from events.ingest import ingest
from events.readers import SOURCES
from tests.events.raw_world import HEAD, NOW, folder, good, line, take

BAD_ROWS = {
    "a wrong type": (line("b", amount="ten"), "transactions.csv:amount", "wrong_type"),
    "no amount": (line("b", amount=""), "transactions.csv:amount", "missing_value"),
    "a negative amount": (line("b", amount="-3"), "transactions.csv:amount", "below_minimum"),
    "an amount that is NaN": (line("b", amount="NaN"), "transactions.csv:amount", "not_finite"),
    "an infinite amount": (line("b", amount="-inf"), "transactions.csv:amount", "not_finite"),
    "a thousands separator": (
        line("b", amount='"1,234.50"'), "transactions.csv:amount", "thousands_separator",
    ),
    "an event from the future": (
        line("b", at="2025-01-01T00:00:01Z"), "transactions.csv:known_at", "from_the_future",
    ),
    "known before it happened": (
        line("b", known="2024-02-29T00:00:00Z"), "transactions.csv:known_at",
        "known_before_it_happened",
    ),
    "a time without a zone": (
        line("b", at="2024-03-01T10:00:00"), "transactions.csv:happened_at", "no_zone",
    ),
    "a time that is none": (line("b", at="soon"), "transactions.csv:happened_at", "wrong_type"),
    "an unknown kind": (line("b", kind="gift"), "transactions.csv:kind", "not_allowed"),
    "a million-character id": (
        line("b", customer="x" * 1_000_000), "transactions.csv:customer_id", "id_too_long",
    ),
    "an id of blanks": (line("b", customer="  "), "transactions.csv:customer_id", "missing_value"),
    "an id with a control character": (
        line("b", customer="a\x01b"), "transactions.csv:customer_id", "id_characters",
    ),
    "a blank at the end of an id": (
        line("b", customer="c1 "), "transactions.csv:customer_id", "id_characters",
    ),
    "an event id of 129 characters": (
        line("b" * 129), "transactions.csv:event_id", "id_too_long",
    ),
    "no id": (line("b", customer=""), "transactions.csv:customer_id", "missing_value"),
    **{
        f"an id with {what} inside": (
            line("b", customer=f"a{sign}b"), "transactions.csv:customer_id", "id_characters",
        )
        for what, sign in {
            "a zero-width space": "\u200b", "a bidirectional override": "\u202e",
            "a byte-order mark": "\ufeff", "a line separator": "\u2028", "a C1 control": "\x85",
            "a blank that does not break": "\u00a0", "a soft hyphen": "\u00ad",
        }.items()
    },
    "an id over two lines": (
        line("b", customer='"a\nb"'), "transactions.csv:customer_id", "id_characters",
    ),
    **{
        f"an event of {at}": (line("b", at=at), "transactions.csv:happened_at", "beyond_calendar")
        for at in (
            "0001-01-01T00:00:00Z", "1600-01-01T00:00:00Z", "1899-12-30T00:00:00Z",
            "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z",
        )
    },
    **{
        f"a time written {at}": (line("b", at=at), "transactions.csv:happened_at", "wrong_type")
        for at in ("2023-02-30T00:00:00Z", "12/31/2016", "42735.5", "1483185600", "20161231T99Z")
    },
    **{
        f"an amount written {text}": (
            line("b", amount=text), "transactions.csv:amount", "wrong_type",
        )
        for text in ("€10", "(10)", "１０", "٣", "0x10", "1_000", "NA", '"10,5"', "=1+1")
    },
    "an amount beyond all numbers": (
        line("b", amount="1e400"), "transactions.csv:amount", "not_finite",
    ),
    "an amount of ten thousand digits": (
        line("b", amount="9" * 10_000), "transactions.csv:amount", "not_finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_ROWS)
def test_a_bad_row_is_named_and_goes_to_quarantine(tmp_path, what):
    bad, path, rule = BAD_ROWS[what]
    data = folder(tmp_path / "raw", HEAD + good() + bad)
    dataset, report = take(data, tmp_path / "out")
    told = [f for f in report.faults if (f.path, f.rule) == (path, rule)]
    assert len(told) == 1, report.to_text()
    assert "row 41" in told[0].message
    wrong = pq.read_table(tmp_path / "out/quarantine/transactions.parquet")
    assert wrong["row"].to_pylist() == [41]
    assert wrong["event_id"].to_pylist()[0].startswith("b")
    assert dataset.tables["transactions"].rows == 40
    assert report.rows["transactions"] == 41


def test_all_faults_are_told_at_once(tmp_path):
    bad = "".join(text for text, _, _ in BAD_ROWS.values())
    data = folder(tmp_path / "raw", HEAD + good(200) + bad)
    _, report = take(data, tmp_path / "out")
    assert {(path, rule) for _, path, rule in BAD_ROWS.values()} <= {
        (f.path, f.rule) for f in report.faults
    }
    assert report.quarantined["transactions"] == len(BAD_ROWS)


def test_no_value_of_a_bad_row_is_told_outside_the_quarantine(tmp_path):
    bad = line("b", customer=" secret\x01", amount="9876.54x")
    _, report = take(folder(tmp_path / "raw", HEAD + good() + bad), tmp_path / "out")
    assert "secret" not in report.to_text() + report.to_json()
    assert "9876" not in report.to_text() + report.to_json()


def test_a_negative_age_is_named(tmp_path):
    people = (
        "customer_id,happened_at,known_at,birth_on,dependants\n"
        + "".join(
            f"c{i},2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,1980-05-06,1\n" for i in range(9)
        )
        + "young,2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,2030-05-06,-1\n"
    )
    _, report = take(folder(tmp_path / "raw", HEAD + good(), customers=people), tmp_path / "out")
    assert [(f.path, f.rule) for f in report.faults] == [
        ("customers.csv:dependants", "below_minimum"),
        ("customers.csv:birth_on", "after_the_event"),
    ]


def test_mixed_zones_are_one_instant(tmp_path):
    rows = (
        line("a", at="2024-03-01T10:00:00Z")
        + line("b", at="2024-03-01T18:00:00+08:00")
        + line("c", at="2024-03-01T05:00:00-0500")
    )
    dataset, report = take(folder(tmp_path / "raw", HEAD + rows), tmp_path / "out")
    assert not report.faults
    assert len(set(dataset.table("transactions")["happened_at"].to_pylist())) == 1


def test_an_event_told_twice_counts_once_and_stands_in_quarantine(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good() + line("g3", customer="c3"))
    dataset, report = take(data, tmp_path / "out")
    assert dataset.tables["transactions"].rows == 40
    assert [f.rule for f in report.faults] == ["duplicate"]
    wrong = pq.read_table(tmp_path / "out/quarantine/transactions.parquet")
    assert wrong["broken_rule"].to_pylist() == ["duplicate"]


def test_a_key_of_two_customers_is_no_correction(tmp_path):
    rows = line("g3", customer="c9", known="2024-04-01T00:00:00Z") + line("g4", customer="c8")
    dataset, report = take(folder(tmp_path / "raw", HEAD + good() + rows), tmp_path / "out")
    assert [(f.path, f.rule) for f in report.faults] == [
        ("transactions:event_id", "key_of_another_customer")
    ]
    assert report.quarantined["transactions"] == 2
    assert dataset.table("transactions")["superseded_at"].null_count == 40


def test_statements_that_close_too_soon_are_told_and_kept(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    head = "customer_id,happened_at,known_at,account_id,status,days_past_due\n"
    rows = "".join(
        f"c1,{at}T00:00:00Z,{known}T00:00:00Z,a1,past_due,30\n"
        for at, known in (
            ("2024-01-31", "2024-01-31"), ("2024-03-01", "2024-03-01"),
            ("2024-03-31", "2024-03-31"), ("2024-03-31", "2024-04-02"),
            ("2024-04-19", "2024-04-19"),
        )
    )  # fmt: skip
    (data / "statements.csv").write_text(head + rows, encoding="utf-8")
    dataset, report = take(data, tmp_path / "out")
    [fault] = report.faults
    assert (fault.path, fault.rule) == ("statements:happened_at", "too_close")
    assert fault.message.startswith("1 statements")
    assert dataset.tables["statements"].rows == 5


@pytest.mark.parametrize("name", ["transaction.csv", "Transactions.CSV.csv", "loan.parquet"])
def test_a_file_that_nothing_reads_is_told(tmp_path, name):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / name).write_text("x", encoding="utf-8")
    (data / "README.md").write_text("x", encoding="utf-8")
    _, report = take(data, tmp_path / "out")
    assert [(f.path, f.rule) for f in report.faults] == [(name, "unread_file")]


@pytest.mark.parametrize("second", ["transactions.parquet", "transactions/part-0.parquet"])
def test_a_table_in_two_forms_is_refused(tmp_path, second):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / second).parent.mkdir(exist_ok=True)
    (data / second).write_bytes(b"x")
    with pytest.raises(InputError, match="keep one"):
        take(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / "transactions.csv").rename(tmp_path / "elsewhere.csv")
    (data / "transactions.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(InputError, match="leads out of the folder"):
        take(data, tmp_path / "out")
    (tmp_path / "elsewhere.csv").rename(data / "original.txt")
    (data / "transactions.csv").unlink()
    (data / "transactions.csv").symlink_to("original.txt")
    assert take(data, tmp_path / "out")[0].tables["transactions"].rows == 40


def test_five_thousand_unknown_columns_are_told_in_a_few_lines(tmp_path):
    names = ",".join(f"z{i}" for i in range(5000))
    raw = HEAD.strip() + f",{names}\n" + line("a").strip() + "," * 5000 + "\n"
    with pytest.raises(InputError) as caught:
        take(folder(tmp_path / "raw", raw), tmp_path / "out")
    assert len(str(caught.value)) < 10_000
    assert "4,980 more columns" in str(caught.value)


@pytest.mark.parametrize("customer", ["张三", "two words", "ünï-code/7", "😀", "x" * 128])
def test_an_id_of_any_printed_characters_passes_whole(tmp_path, customer):
    dataset, report = take(
        folder(tmp_path / "raw", HEAD + line("a", customer=customer)), tmp_path / "out"
    )
    assert not report.faults
    assert dataset.table("transactions")["customer_id"].to_pylist() == [customer]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    data = folder(tmp_path / "raw", b"\xef\xbb\xbf" + (HEAD + good()).encode())
    dataset, report = take(data, tmp_path / "out")
    assert not report.faults
    assert dataset.tables["transactions"].rows == 40


REFUSED = {
    "an empty file": (b"", "transactions.csv"),
    "no rows": (HEAD.encode(), "transactions"),
    "not UTF-8": ((HEAD + good()).encode() + b"\xff\n", "transactions.csv is not UTF-8 at"),
    "a column missing": (b"customer_id,happened_at,event_id,kind\n", "transactions.csv:amount"),
    "a column unknown": (
        (HEAD.strip() + ",colour\n" + line("a").strip() + ",red\n").encode(),
        "transactions.csv:colour",
    ),
    "a column twice": ((HEAD.strip() + ",kind\n").encode(), "transactions.csv"),
    "rows of unequal length": ((HEAD + "c1,2024-01-01T00:00:00Z\n").encode(), "transactions.csv"),
    "mostly bad rows": ((HEAD + line("a") + line("b", amount="x")).encode(), "50% of 2 rows"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_table_that_cannot_be_read_is_refused_and_nothing_is_written(tmp_path, what):
    raw, said = REFUSED[what]
    data = folder(tmp_path / "raw", raw)
    if what in ("an empty file", "no rows"):
        (data / "customers.csv").unlink()
    with pytest.raises(InputError) as caught:
        take(data, tmp_path / "out")
    assert said in str(caught.value) or "no rows at all" in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw"]


def test_several_faults_of_the_columns_are_told_at_once(tmp_path):
    data = folder(tmp_path / "raw", "customer_id,happened_at,event,kind\n")
    with pytest.raises(InputError) as caught:
        take(data, tmp_path / "out")
    assert {f.path for f in caught.value.faults} >= {
        "transactions.csv:event_id", "transactions.csv:amount", "transactions.csv:event",
    }  # fmt: skip


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "bank"])
def test_an_empty_folder_is_refused_by_every_source(tmp_path, source):
    (tmp_path / "raw").mkdir()
    with pytest.raises(InputError, match="raw/"):
        ingest(SOURCES[source], tmp_path / "raw", tmp_path / "out", now=NOW)
    assert not (tmp_path / "out").exists()


def test_no_folder_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder nowhere/"):
        ingest(SOURCES["folder"], tmp_path / "nowhere", tmp_path / "out")


def test_a_missing_table_is_no_fault_and_offers_nothing(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    dataset, _ = take(data, tmp_path / "out")
    assert not dataset.has("statements")
    assert dataset.table("statements").num_rows == 0


def test_what_stood_there_stays_when_the_new_folder_is_refused(tmp_path):
    first, _ = take(folder(tmp_path / "raw", HEAD + good()), tmp_path / "out")
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(InputError):
        take(folder(tmp_path / "raw", b"x\xff\n"), tmp_path / "out")
    again = pq.read_table(first.files("transactions")[0])
    assert again.num_rows == 40
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "raw"]


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_named_in_parquet_too(tmp_path, amount):
    data = folder(tmp_path / "raw", HEAD + good())
    [raw] = [r for r in SOURCES["folder"].read(data) if r.table == "transactions"]
    amounts = pa.array([amount, *[1.0] * 39])
    rows = raw.data.set_column(raw.data.column_names.index("amount"), "amount", amounts)
    (data / "transactions.csv").unlink()
    pq.write_table(rows, data / "transactions.parquet")
    _, report = take(data, tmp_path / "out")
    assert ("transactions.parquet:amount", "not_finite") in {
        (f.path, f.rule) for f in report.faults
    }
    assert report.quarantined["transactions"] == 1


def test_a_plan_that_is_no_text_is_refused(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / "plan.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="raw/ does not hold folder as it should"):
        take(data, tmp_path / "out")


@pytest.mark.parametrize("plan", ["", "[]", "[" * 100_000, '{"split": NaN}', '{"split": "x"}'])
def test_a_plan_that_is_none_is_told_by_place_without_its_values(tmp_path, plan):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / "plan.json").write_text(plan, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        take(data, tmp_path / "out")
    assert all(f.path.startswith("plan.json:") for f in caught.value.faults)
    assert "http" not in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "moment"),
    [("s", 2**50), ("ms", 2**60), ("us", 2**63 - 1), ("us", -(2**63) + 1), ("s", -5_000_000_000)],
)
def test_an_instant_beyond_the_calendar_is_named_by_its_row(tmp_path, unit, moment):
    data = folder(tmp_path / "raw", HEAD + good())
    [raw] = [r for r in SOURCES["folder"].read(data) if r.table == "transactions"]
    far = pa.array([moment, *[0] * 39], pa.timestamp(unit, "UTC"))
    rows = raw.data.set_column(raw.data.column_names.index("happened_at"), "happened_at", far)
    (data / "transactions.csv").unlink()
    pq.write_table(rows, data / "transactions.parquet")
    _, report = take(data, tmp_path / "out")
    assert [(f.path, f.rule) for f in report.faults][:1] == [
        ("transactions.parquet:happened_at", "beyond_calendar")
    ]
    assert report.quarantined["transactions"] == 1


def test_a_parquet_file_of_other_types_is_told_by_column(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    (data / "transactions.csv").unlink()
    rows = {
        "customer_id": [1.5] * 3,
        "happened_at": [1, 2, 3],
        "known_at": ["2024-03-01T10:00:00Z"] * 3,
        "event_id": [1, 2, 3],
        "kind": ["purchase"] * 3,
        "amount": [True] * 3,
    }
    pq.write_table(pa.table(rows), data / "transactions.parquet")
    with pytest.raises(InputError) as caught:
        take(data, tmp_path / "out")
    assert {f.path for f in caught.value.faults if f.rule == "wrong_type"} == {
        f"transactions.parquet:{c}" for c in ("customer_id", "happened_at", "amount")
    }


@pytest.mark.parametrize("command", ["check", "run", "features"])
@pytest.mark.parametrize("what", REFUSED)
def test_every_command_ends_with_code_2_and_writes_nothing(tmp_path, command, what):
    data = folder(tmp_path / "raw", REFUSED[what][0])
    if what in ("an empty file", "no rows"):
        (data / "customers.csv").unlink()
    words = ["--home", str(tmp_path / "home"), command, "--source", "folder", "--data", str(data)]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit), "a traceback"
    assert done.output.startswith("Error: ")
    assert str(tmp_path) not in done.output
    assert not [p for p in tmp_path.rglob("*") if "home" in p.parts and p.is_file()]


def test_a_report_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    data = folder(tmp_path / "raw", HEAD + good())
    words = ["--home", str(tmp_path / "home"), "check", "--source", "folder", "--data", str(data)]
    done = CliRunner().invoke(cli.main, [*words, "--json", str(tmp_path / "no/report.json")])
    assert done.exit_code == 2
    assert "name a file in a folder that exists" in " ".join(done.output.split())
    assert not (tmp_path / "home").exists()
