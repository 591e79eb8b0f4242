"""Docs: every link leads somewhere, every page is reachable, every setting and command is told."""

from __future__ import annotations

import re

import click
import pytest

from domain.settings import SETTINGS
from events.readers import SOURCES
from tests.house.tree import ROOT, tracked

PAGES = tracked("*.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    local = [t for t in targets if "://" not in t and not t.startswith("mailto:")]
    assert not [t for t in local if not (page.parent / t).exists()]


def test_every_page_is_reached_from_the_readme():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        targets = LINK.findall(page.read_text(encoding="utf-8"))
        todo.extend(page.parent / t for t in targets if "://" not in t)
    assert {p.resolve() for p in PAGES} == reached


def test_every_public_data_set_is_told_on_the_page_of_data():
    page = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    section = page.partition("## Data sets known by name")[2].partition("## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(told) == {"bank", *(n for n, s in SOURCES.items() if s.is_public)}


def test_every_setting_is_told_on_the_operators_page():
    page = (ROOT / "docs/operator.md").read_text(encoding="utf-8")
    assert not [s.variable for s in SETTINGS if s.variable not in page]


def test_every_command_has_a_help_text_with_an_example_and_stands_in_the_docs():
    from cli import main

    told = "".join(p.read_text(encoding="utf-8") for p in PAGES)
    for name, command in main.commands.items():
        assert isinstance(command, click.Command)
        assert "Example" in (command.help or ""), f"tierline {name} --help shows no example"
        assert f"tierline {name}" in told, f"tierline {name} stands in no page"


def test_the_entry_points_of_mlproject_are_commands_of_the_cli():
    from cli import main

    project = (ROOT / "MLproject").read_text(encoding="utf-8")
    used = set(re.findall(r"python cli\.py (\w+)", project))
    assert used == {"simulate", "features", "tune", "train", "score"}
    assert used <= set(main.commands)


def test_decisions_are_numbered_and_say_status_context_decision_and_consequences():
    records = [p for p in tracked("docs/decisions/*.md") if p.name[:4].isdigit()]
    assert [int(p.name[:4]) for p in records] == list(range(1, len(records) + 1))
    for page in records:
        text = page.read_text(encoding="utf-8").lower()
        assert all(word in text for word in ("status", "context", "decision", "consequences")), page
