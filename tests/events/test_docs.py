"""The data page holds the schemas as they are."""

from __future__ import annotations

from events.docs import tables_text
from events.schema import TABLES
from tests.house.tree import ROOT


def test_the_committed_page_holds_the_tables_as_they_are():
    page = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    assert tables_text() in page, "run `make docs`"


def test_every_column_stands_there_once_a_table():
    told = tables_text()
    for table in TABLES.values():
        part = told.split(f"### `{table.name}`")[1].split("### ")[0]
        for column in table.columns:
            assert part.count(f"\n| `{column.name}` |") == 1
