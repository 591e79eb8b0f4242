"""The page on the JSON of a report is what the models say."""

from __future__ import annotations

from tests.house.tree import ROOT
from training.report_docs import page
from training.report_model import Content, OutcomePart, TargetReport


def test_the_page_in_docs_is_what_the_models_say():
    assert (ROOT / "docs/report.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_key_is_told_and_every_name_leads_to_its_table():
    text = page()
    for model in (Content, TargetReport, OutcomePart):
        assert all(f"| `{key}` |" in text for key in model.model_fields)
    for name in ("Card", "OutcomePart", "GlobalView"):
        assert f"[{name}](#{name.lower()})" in text
        assert f"\n## {name}\n" in text
