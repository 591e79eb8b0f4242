"""The whole explanation in a terminal: fixed texts in both languages, plain where none looks on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from serving.explain_terminal import explained
from tests.serving.told_world import told

GOLDEN = Path(__file__).parent / "golden"


def shown(what, lang: str, width: int = 110, terminal: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal, color_system=None)
    for part in explained(what, lang, console):
        console.print(part, highlight=False)
    return console.file.getvalue()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_fixed_decision_reads_as_it_did(lang):
    expected = (GOLDEN / f"explain_{lang}.txt").read_text(encoding="utf-8")
    assert lines(shown(told(), lang)) == expected.splitlines()


def test_bars_are_blocks_in_a_terminal_and_signs_that_can_be_searched_elsewhere():
    assert "█" in shown(told(), "en", terminal=True)
    plain = shown(told(), "en")
    assert "#" in plain
    assert not {*"█─│"} & {*plain}


@pytest.mark.parametrize("width", [60, 110, 200])
def test_the_longest_bar_grows_with_the_terminal_and_no_line_is_wider(width):
    text = shown(told(), "en", width)
    longest = max(line.count("#") for line in text.splitlines())
    assert longest == min(40, width // 5)
    tables = [line for line in text.splitlines() if "#" in line]
    assert max(len(line) for line in tables) <= width


def test_an_id_is_never_taken_as_markup():
    assert "[red]nobody[/]" in shown(told("[red]nobody[/]"), "en")


def test_a_decision_without_scores_still_says_what_it_is():
    whole = told()
    bare = whole.model_copy(
        update={"decision": whole.decision.model_copy(update={"scores": [], "baseline": None})}
    )
    text = shown(bare, "zh")
    assert whole.decision.decision_id in text
    assert "起点" not in text
