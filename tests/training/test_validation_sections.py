"""Sections of one target tell the content's figures, and say where there is none to tell."""

from __future__ import annotations

import json

import pytest

from domain.decision import canonical_json
from training.validation import as_json, content
from training.validation_html import Writer
from training.validation_model import read
from training.validation_sections import SECTIONS, Section


@pytest.fixture(scope="module")
def churn(trained) -> Section:
    return section(trained)


def section(trained, **found) -> Section:
    """The section of churn, some of its content changed."""
    told = json.loads(as_json(trained.result.bundle))
    told["targets"]["churn"].update(found)
    checked = read(canonical_json(told).encode())
    return Section("churn", checked.targets["churn"], checked.plan, "LightGBM", Writer("en"))


def test_every_part_has_its_reliability_with_error_and_floor(churn):
    html = SECTIONS["calibrated"](churn)
    assert html.count("<svg") == len(churn.found.tested)
    assert html.count('class="range"') == 10 * len(churn.found.tested)
    for part in churn.found.tested:
        floor = churn.found.reliability[part].floor
        assert f"floor of chance {floor:#.3g}" in html


def test_the_largest_shifts_come_first_whatever_the_order_of_the_file(churn):
    html = SECTIONS["stability"](churn).partition("<details>")[0]
    shown = [f"{v:#.3g}</text>" for v in churn.found.stability.features.values()]
    largest = f"{max(churn.found.stability.features.values()):#.3g}</text>"
    assert html.index(largest) == min(html.index(v) for v in shown if v in html)


@pytest.mark.parametrize(
    ("key", "found", "said"),
    [
        ("stability", {"stability": {"score": None, "features": {}}}, "no shift to tell"),
        ("groups", {"groups": {}}, "no two groups"),
        ("compared", {"champion": None}, "none was live"),
        ("compared", {"champion": {"bundle": "b" * 64, "because": "a < b"}}, "a &lt; b"),
        ("reasons", {"view": None}, "Too few rows"),
    ],
)
def test_what_cannot_be_told_is_said(trained, key, found, said):
    assert said in SECTIONS[key](section(trained, **found))


def test_a_champion_stands_among_those_compared(trained):
    ours = [0.02, 0.01, 0.03]
    gaps = {name: [0.04, 0.01, 0.05] for name in ("gini", "pr_auc", "ks", "brier")}
    told = {"bundle": "b" * 64, "figure": 0.75, "difference": ours, "figures": {"auc": 0.75}}
    told["differences"] = {"auc": ours, **gaps}
    html = SECTIONS["compared"](section(trained, champion=told))
    assert "the champion bbbbbbbbbbbb" in html
    assert "0.0200 [0.0100,\u00a00.0300]" in html
    assert html.count("0.0400 [0.0100,\u00a00.0500]") == 3


def test_without_costs_there_is_no_profit(trained):
    assert "Profit" in SECTIONS["discrimination"](section(trained))
    assert "Profit" not in SECTIONS["discrimination"](section(trained, profit=None))


def test_parts_at_one_instant_are_drawn_by_their_rows(trained):
    told = json.loads(as_json(trained.result.bundle))["targets"]["churn"]["learnt"]
    changed = section(trained, learnt={**told, "by": "customer", "gap_days": None})
    html = SECTIONS["split"](changed)
    assert f"{told['parts']['fit']['rows']:,}</text>" in html
    assert "nothing is said of another time" in html
    assert "days from" not in SECTIONS["leakage"](changed)


def test_money_has_its_unit_and_a_label_its_spend(trained):
    found = content(trained.result.bundle)
    value = Section("value", found.targets["value"], found.plan, "LightGBM", Writer("en"))
    assert f"mean absolute error ({found.plan.currency})" in SECTIONS["discrimination"](value)
    assert "spend is" in SECTIONS["label"](value)
