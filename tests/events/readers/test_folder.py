"""The folder of one's own: other names, separators, zones and codes through a mapping file."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from events.mapping import read_mapping
from events.readers.folder import count, made_plan, read
from tests.events.raw_world import HEAD, PLAN, good, line, take

GERMAN = """KUNDE;BUCHUNG;NR;BETRAG;ART;NOTIZ
K1;01.07.2024 14:30;7;1.234,50;K;x
K1;02.07.2024 09:00;8;20,00;R;y
"""
MAPPING = """
zone = "Europe/Berlin"
[transactions]
file = "buchungen.csv"
delimiter = ";"
decimal = ","
thousands = "."
ignore = ["NOTIZ"]
columns = { customer_id = "KUNDE", happened_at = "BUCHUNG", event_id = "NR", amount = "BETRAG", kind = "ART" }
formats = { happened_at = "%d.%m.%Y %H:%M" }
values = { kind = { "K" = "purchase", "R" = "refund" } }
"""  # noqa: E501


def put(folder, **files: str):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, end = name.rpartition("_")
        (folder / f"{stem}.{end}").write_text(text, encoding="utf-8")
    return folder


def test_other_names_separators_zones_and_codes_are_mapped(tmp_path):
    data = put(
        tmp_path / "raw",
        buchungen_csv=GERMAN,
        mapping_toml=MAPPING,
        plan_json=PLAN.model_dump_json(),
    )
    dataset, report = take(data, tmp_path / "out")
    assert not report.faults
    rows = dataset.table("transactions").to_pylist()
    assert [(r["amount"], r["kind"], r["event_id"]) for r in rows] == [
        (1234.5, "purchase", "7"), (20.0, "refund", "8"),
    ]  # fmt: skip
    assert rows[0]["happened_at"] == datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
    assert rows[0]["known_at"] == rows[0]["happened_at"]


def test_a_constant_fills_a_column_that_is_not_there(tmp_path):
    text = "customer_id,happened_at,event_id,amount\nc,2024-01-01T00:00:00Z,1,5\n"
    mapping = '[transactions]\nconstants = { kind = "purchase" }\n'
    data = put(
        tmp_path / "raw",
        transactions_csv=text,
        mapping_toml=mapping,
        plan_json=PLAN.model_dump_json(),
    )
    assert take(data, tmp_path / "out")[0].table("transactions")["kind"].to_pylist() == ["purchase"]


def test_parquet_is_read_as_one_file_or_as_parts(tmp_path):
    data = put(tmp_path / "raw", transactions_csv=HEAD + good(), plan_json=PLAN.model_dump_json())
    [raw] = list(read(data))
    (data / "transactions.csv").unlink()
    (data / "transactions").mkdir()
    for part in range(2):
        rows = raw.data.slice(part * 20, 20)
        pq.write_table(rows, data / "transactions" / f"part-{part}.parquet")
    parts = list(read(data))
    assert pa.concat_tables([p.data for p in parts]).equals(raw.data.combine_chunks())
    assert [p.file for p in parts] == [f"transactions/part-{i}.parquet" for i in range(2)]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("[transaktionen]\n", "mapping.toml names transaktionen"),
        ("zone = [", "not TOML"),
        ('[transactions]\ncolour = "red"\n', "transactions.colour"),
        ('[transactions]\nfile = "none.csv"\n', "maps transactions to none.csv"),
        ('[transactions]\ncolumns = { amount = "SUM" }\n', "transactions.csv:SUM"),
        ("[plan]\nsplit = 'time'\n", "plan.split_key"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_by_its_place(tmp_path, mapping, said):
    data = put(tmp_path / "raw", transactions_csv=HEAD + good(), mapping_toml=mapping)
    with pytest.raises(InputError, match=said):
        take(data, tmp_path / "out")


def test_no_mapping_is_the_empty_one(tmp_path):
    assert read_mapping(tmp_path).tables == {}


def test_a_plan_is_made_from_the_months_of_the_data(tmp_path):
    rows = "".join(
        line(f"e{y}{m}", at=f"{y}-{m:02d}-15T00:00:00Z") for y in (2022, 2023) for m in range(1, 13)
    )
    plan = made_plan(put(tmp_path / "raw", transactions_csv=HEAD + rows))
    assert plan.test_as_of == (datetime(2023, 9, 1, tzinfo=UTC),)
    assert plan.train_as_of[0] == datetime(2022, 7, 1, tzinfo=UTC)
    assert plan.train_as_of[-1] == datetime(2023, 6, 1, tzinfo=UTC)


def test_too_few_months_make_no_plan(tmp_path):
    with pytest.raises(InputError, match="too few months"):
        take(put(tmp_path / "raw", transactions_csv=HEAD + good()), tmp_path / "out")


def test_it_is_known_before_reading_how_many_raw_tables_there_are(tmp_path):
    (tmp_path / "transactions").mkdir()
    for name in ("transactions/a.csv", "transactions/b.csv", "customers.csv"):
        (tmp_path / name).write_text(HEAD + good(1), encoding="utf-8")
    assert count(tmp_path) == len(list(read(tmp_path))) == 3
