"""Decisions in a terminal: both languages, sums that add up, nothing taken as markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from domain.decision import DecisionRequest
from serving.terminal import decision_lines, expected, explanation_tables


@pytest.fixture
def made(desk, customers):
    """Of a buyer, and of somebody unknown."""
    ids = [*customers[:10], "[red]nobody[/]"]
    found = desk.decisions(DecisionRequest(customer_ids=ids, purpose="crm")).decisions
    return [next(d for d in found if d.segments), found[-1]]


def shown(lines) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    for line in lines:
        console.print(line, highlight=False)
    return console.export_text()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_answer_shows_tiers_reasons_strategy_and_id(made, lang):
    told = shown(decision_lines(made[0], lang))
    for score in made[0].scores:
        assert str(score.points) in told
        assert getattr(score.tier, lang) in told
        assert getattr(score.reasons[0], lang)[:20] in told
        assert expected(score) in told
    assert getattr(made[0].segments.rfm.segment, lang) in told
    assert getattr(made[0].segments.cluster, lang) in told
    assert f"alive {made[0].baseline.p_alive:.1%}" in told
    assert f"{made[0].baseline.amount:,.0f} CNY" in told
    assert getattr(made[0].strategy, lang) in told
    assert made[0].decision_id in told


def test_an_id_is_never_taken_as_markup(made):
    told = shown(decision_lines(made[1], "en"))
    assert "[red]nobody[/]" in told
    assert "check the id" in told
    assert "RFM" not in told
    assert "alive" not in told


@pytest.mark.parametrize(("lang", "base"), [("zh", "起点"), ("en", "base")])
def test_an_explanation_lists_base_every_reason_and_the_sum(made, lang, base):
    tables = list(explanation_tables(made[0], lang))
    assert len(tables) == len(made[0].scores)
    for table, score in zip(tables, made[0].scores, strict=True):
        assert table.row_count == len(score.reasons) + 2
        told = shown([table])
        assert base in told
        assert str(score.base_points) in told
        assert str(score.points) in told
