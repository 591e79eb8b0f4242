"""Decisions in a terminal: both languages, sums that add up, nothing taken as markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from domain.decision import DecisionRequest
from serving.explain_words import beside_texts, expected
from serving.terminal import decision_lines


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
        assert expected(score, lang) in told
    assert getattr(made[0].segments.rfm.segment, lang) in told
    assert getattr(made[0].segments.cluster, lang) in told
    assert all(text in told for text in beside_texts(made[0], lang))
    assert getattr(made[0].strategy, lang) in told
    assert made[0].decision_id in told


def test_an_id_is_never_taken_as_markup(made):
    told = shown(decision_lines(made[1], "en"))
    assert "[red]nobody[/]" in told
    assert "check the id" in told
    assert "RFM" not in told
    assert "alive" not in told
