"""The features page is the catalogue, nothing more and nothing older."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from features.catalogue import CATALOGUE
from features.docs import page
from tests.features.bank_panel import bank_panel
from tests.features.feast_world import NAMES, catalogue
from tests.house.tree import ROOT


def test_the_committed_page_is_that_of_the_catalogue():
    assert (ROOT / "docs/features.md").read_text(encoding="utf-8") == page(bank_panel()), (
        "run `make docs`"
    )


def test_every_feature_stands_on_the_page_with_both_texts():
    told = page(bank_panel())
    for feature in CATALOGUE.features:
        assert f"| `{feature.name}` | {feature.en}<br>{feature.zh} | {feature.unit} |" in told


def test_a_row_tells_direction_lever_personal_class_age_and_columns():
    known = np.array([0.0, 0.0, 1.0, np.nan])
    told = page(pa.table(dict.fromkeys(NAMES, known)), catalogue())
    assert "| short, long<br>偏短、偏长 | churn (less) | 1 | none | 10 d |" in told
    assert "| transactions.happened_at | 25% | █··········▅ |" in told
    assert "| protected | 400 d | customers.birth_on |" in told
    assert "## steady\n\nOwner: analytics.\n" in told


def test_the_sparklines_of_the_bank_are_not_all_alike():
    lines = page(bank_panel()).splitlines()
    plots = [line.rsplit("|", 2)[1] for line in lines if line.startswith("| `")]
    assert len(plots) == len(CATALOGUE.names)
    assert sum(bool(p.strip()) for p in plots) > 0.9 * len(plots)
    assert len(set(plots)) > 100
