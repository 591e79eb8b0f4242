"""Writes the generated files again: `make docs`. Tests hold each of them equal to its source."""

from __future__ import annotations

from domain.decision import contract_schema_text
from features.docs import page as features_page
from tests.house.tree import ROOT

GENERATED = {
    "docs/features.md": features_page,
    "domain/decision.schema.json": contract_schema_text,
}


def main() -> None:
    """Write every generated file."""
    for place, text in GENERATED.items():
        (ROOT / place).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
