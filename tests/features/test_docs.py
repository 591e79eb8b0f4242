"""The features page is the catalogue, nothing more and nothing older."""

from __future__ import annotations

from features.catalogue import CATALOGUE
from features.docs import page
from tests.features.feast_world import catalogue
from tests.house.tree import ROOT


def test_the_committed_page_is_that_of_the_catalogue():
    assert (ROOT / "docs/features.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_feature_stands_on_the_page_with_both_texts():
    told = page()
    for feature in CATALOGUE.features:
        assert f"| `{feature.name}` | {feature.en}<br>{feature.zh} | {feature.unit} |" in told


def test_a_row_tells_direction_lever_personal_class_age_and_columns():
    told = page(catalogue())
    assert "| churn (less) | yes | none | 10 d | transactions.happened_at |" in told
    assert "| protected | 400 d | customers.birth_on |" in told
