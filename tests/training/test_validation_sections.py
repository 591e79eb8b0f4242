"""Sections of one target tell the card's figures, and say where there is none to tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from training.validation import content
from training.validation_html import Writer
from training.validation_sections import SECTIONS, Section


@pytest.fixture(scope="module")
def churn(trained) -> Section:
    told = content(trained.result.bundle)
    figures = told["card"]["targets"]["churn"]["figures"]
    return Section(
        "churn", figures, told["card"]["plan"], told["global_view"].get("churn"), Writer("en")
    )


def changed(section: Section, **found) -> Section:
    figures = json.loads(json.dumps(section.figures))
    figures["validation"].update(found)
    return replace(section, figures=figures)


def test_the_interval_and_the_seeds_stand_beside_the_figure(churn):
    html = SECTIONS["discrimination"](churn)
    whole = churn.figures["test"]
    low, high = whole["interval"]
    assert whole["intervals"]["auc"] == [low, high] == whole["interval"]
    for name, word in (("auc", "AUC"), ("ks", "KS"), ("brier", "Brier score")):
        low, high = whole["intervals"][name]
        row = html[html.index(f"<td>{word}</td>") :].partition("</tr>")[0]
        assert f"{whole[name]:.3g}" in row
        assert f"{low:.3g}&nbsp;&ndash;&nbsp;{high:.3g}" in row
        assert f"{churn.found['noise']['test'][name]:.3g}" in row


def test_every_part_has_its_reliability_with_error_and_floor(churn):
    html = SECTIONS["calibrated"](churn)
    assert html.count("<svg") == len(churn.parts)
    for part in churn.parts:
        floor = churn.found["reliability"][part]["floor"]
        assert f"floor of chance {floor:.3g}" in html


def test_the_largest_shifts_come_first_whatever_the_order_of_the_file(churn):
    html = SECTIONS["stability"](churn)
    shown = html.partition("<details>")[0]
    largest = max(churn.found["stability"]["features"].values())
    assert shown.index(f"{largest:.3g}</text>") == min(
        shown.index(f"{v:.3g}</text>")
        for v in churn.found["stability"]["features"].values()
        if f"{v:.3g}</text>" in shown
    )


@pytest.mark.parametrize(
    ("section", "found", "said"),
    [
        ("stability", {"stability": {"score": None, "features": {}}}, "no shift to tell"),
        ("groups", {"groups": {}}, "no two groups"),
        ("compared", {"champion": None}, "none was live"),
        ("compared", {"champion": {"bundle": "b" * 64, "because": "a < b"}}, "a &lt; b"),
    ],
)
def test_what_cannot_be_told_is_said(churn, section, found, said):
    assert said in SECTIONS[section](changed(churn, **found))


def test_a_champion_stands_among_those_compared(churn):
    gaps = {name: [0.04, 0.01, 0.05] for name in ("auc", "gini", "pr_auc", "ks", "brier")}
    told = {"bundle": "b" * 64, "figure": 0.75, "difference": [0.02, 0.01, 0.03]}
    told["differences"] = gaps
    html = SECTIONS["compared"](changed(churn, champion=told))
    assert "the champion bbbbbbbbbbbb" in html
    assert "0.02\u00a0[0.01,\u00a00.03]" in html
    assert html.count("0.04\u00a0[0.01,\u00a00.05]") == 3


def test_without_costs_there_is_no_profit_and_without_rows_no_view(churn):
    assert "profit" not in SECTIONS["discrimination"](changed(churn, profit=None))
    assert "Too few rows" in SECTIONS["reasons"](replace(churn, view=None))


def test_parts_at_one_instant_are_drawn_by_their_rows(churn):
    learnt = {**churn.found["learnt"], "by": "customer", "gap_days": None}
    html = SECTIONS["split"](changed(churn, learnt=learnt))
    assert f"{learnt['parts']['fit']['rows']:,}</text>" in html
    assert "days from" not in SECTIONS["leakage"](changed(churn, learnt=learnt))
