"""From somebody's tables to a mapping that works, and the page that walks through it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from domain.errors import InputError
from events.connect import connect
from events.dataset import open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from tests.events.raw_world import NOW, PLAN, take

ROOT = Path(__file__).parents[2]
LINES = "online_retail_ii/online_retail_ii.parquet"
BANK = (
    "客户编号;交易时间;流水号;类型;金额;备注\n"
    "C1;2024年03月31日;1;消费;1.234,50;x\n"
    "C1;2024年02月01日;2;退款;20,00;y\n"
)


def folder(root: Path, **files: str) -> Path:
    root.mkdir()
    (root / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    for name, text in files.items():
        (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return root


def test_a_proposed_mapping_reads_the_table_it_was_made_from(tmp_path):
    data = folder(tmp_path / "mine", 流水=BANK)
    done = connect(str(data), None)
    assert done.found == (("流水", "transactions"),)
    assert not done.faults
    dataset, report = take(data, tmp_path / "out")
    assert not report.faults
    found = dataset.table("transactions").to_pylist()
    assert sorted((r["amount"], r["kind"]) for r in found) == [(20, "refund"), (1234.5, "purchase")]


def test_a_mapping_that_stands_there_is_not_written_over(tmp_path):
    data = folder(tmp_path / "mine", 流水=BANK)
    connect(str(data / "流水.csv"), None)
    (data / "mapping.toml").write_text("# mine", encoding="utf-8")
    with pytest.raises(InputError, match="--force"):
        connect(str(data), None)
    assert (data / "mapping.toml").read_text(encoding="utf-8") == "# mine"
    connect(str(data), None, force=True)
    assert "流水" in (data / "mapping.toml").read_text(encoding="utf-8")


def test_the_first_faults_of_the_sample_are_told_without_its_values(tmp_path):
    rows = "".join(BANK.splitlines(True)[1].replace(";1;", f";{i};") for i in range(9))
    bad = "C2;2024年03月30日;99;消费;geheim;x\n"
    done = connect(str(folder(tmp_path / "mine", 流水=BANK + rows + bad)), None)
    assert [(f.path, f.rule) for f in done.faults] == [("流水.csv:amount", "wrong_type")]
    assert "geheim" not in done.text + str(done.faults)


@pytest.mark.parametrize("column", ['a"b', "a'''b", "a]\n[loans", "a\\u0000", "a = 1"])
def test_a_column_of_any_name_is_written_as_toml_reads_it(tmp_path, column):
    quoted = column.replace('"', '""')
    text = f'customer,date,id,amount,"{quoted}"\nc,2024-01-01T00:00:00Z,1,2,3\n'
    done = connect(str(folder(tmp_path / "mine", sales=text)), None)
    read = tomllib.loads(done.text)["transactions"]
    assert column in read["ignore"]
    assert not done.faults


@pytest.mark.parametrize(
    ("files", "said"), [({}, "no table holds"), ({"x": "a,b\n1,2\n"}, "no table holds")]
)
def test_nothing_to_connect_is_said(tmp_path, files, said):
    data = folder(tmp_path / "mine", **files)
    with pytest.raises(InputError, match=said):
        connect(str(data), None)
    assert not (data / "mapping.toml").exists()


def test_a_mapping_stands_beside_its_files(tmp_path):
    data = folder(tmp_path / "mine", 流水=BANK)
    with pytest.raises(InputError, match="beside the files"):
        connect(str(data), tmp_path / "other")
    with pytest.raises(InputError, match="no file and no folder"):
        connect(str(tmp_path / "nowhere.csv"), None)


def test_a_database_is_connected_and_read(tmp_path):
    with sqlite3.connect(tmp_path / "bank.db") as db:
        db.execute(
            "CREATE TABLE orders (order_id TEXT, client TEXT, created_at TIMESTAMP, total REAL)"
        )
        db.execute("INSERT INTO orders VALUES ('1', 'c', '2024-01-01 10:00:00.000000', 5)")
        db.execute("CREATE TABLE other (x INTEGER)")
    db.close()
    address = f"sqlite:///{tmp_path}/bank.db"
    with pytest.raises(InputError, match="--out"):
        connect(address, None)
    done = connect(address, tmp_path / "mine")
    assert done.found == (("orders", "transactions"), ("other", None))
    assert not done.faults
    (tmp_path / "mine" / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    dataset, _ = take(tmp_path / "mine", tmp_path / "out")
    assert dataset.table("transactions")["amount"].to_pylist() == [5.0]


def _every_third_customer(lines: Path, out: Path) -> None:
    """All lines of every third customer, and a third of those without one."""
    table = pq.read_table(lines)
    who = table["CustomerID"].combine_chunks().fill_null(0).to_numpy()
    nobody = np.arange(table.num_rows) * (who == 0)
    out.parent.mkdir(parents=True)
    pq.write_table(table.filter((who + nobody) % 3 == 0), out)


@pytest.mark.realdata
@pytest.mark.slow
def test_the_walkthrough_reads_the_table_as_the_reader_of_its_own_does(tmp_path):
    source = Path(os.environ.get("TIERLINE_DATA", ROOT / "../shared/data")).resolve()
    if not (source / "online_retail_ii").is_dir():
        pytest.skip(f"no {source.name}/online_retail_ii: set TIERLINE_DATA")
    few = tmp_path / "data"
    _every_third_customer(source / LINES, few / LINES)
    page = (ROOT / "docs/connect.md").read_text(encoding="utf-8")
    commands = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    script = "set -e\n" + "".join(commands)
    tierline = f'tierline() {{ "{sys.executable}" "{ROOT}/cli.py" "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", tierline + script], cwd=tmp_path, capture_output=True, text=True,
        check=False,
        env={**os.environ, "TIERLINE_DATA": str(few), "TIERLINE_HOME": "home",
             "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the sample has no fault" in done.stdout
    assert "churn test" in done.stdout
    mine = open_dataset(tmp_path / "home/folder/dataset").table("transactions")
    known = SOURCES["online_retail_ii"]
    built, _ = ingest(known, few / "online_retail_ii", tmp_path / "own", now=NOW)
    columns = ["customer_id", "happened_at", "kind", "amount", "items"]
    order = [(c, "ascending") for c in columns]
    own = built.table("transactions").select(columns).sort_by(order)
    mine = mine.select(columns).sort_by(order)
    for name in columns[:3] + columns[4:]:
        assert mine[name].equals(own[name])
    assert mine["amount"].to_pylist() == pytest.approx(own["amount"].to_pylist(), rel=1e-12)
