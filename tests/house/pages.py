"""Writes the generated files again: `make docs`. Tests hold each of them equal to its source."""

from __future__ import annotations

from domain.decision import contract_schema_text
from domain.inquiry import inquiry_schema_text
from events.docs import tables_text
from features.docs import page as features_page
from tests.features.bank_panel import bank_panel
from tests.house.tree import ROOT
from training.report_docs import page as report_page

GENERATED = {
    "docs/features.md": lambda: features_page(bank_panel()),
    "domain/decision.schema.json": contract_schema_text,
    "domain/inquiry.schema.json": inquiry_schema_text,
    "docs/report.md": report_page,
}


BEGIN, END = "<!-- generated: tables -->\n", "<!-- /generated -->"


def main() -> None:
    """Write every generated file, and the generated part of docs/data.md."""
    for place, text in GENERATED.items():
        (ROOT / place).write_text(text(), encoding="utf-8")
    page = ROOT / "docs/data.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + BEGIN + tables_text() + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
