"""The picture in docs/architecture.md shows exactly the imports between the rooms."""

from __future__ import annotations

import re

from tests.house.tree import COMMANDS, ROOMS, ROOT, imported, modules


def drawn() -> set[tuple[str, str]]:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert picture, "docs/architecture.md has no mermaid picture"
    return set(re.findall(r"^\s*(\w+) --> (\w+)$", picture[1], re.MULTILINE))


def found() -> set[tuple[str, str]]:
    edges = {
        (room, name.split(".")[0])
        for room in ROOMS
        for path in modules(room)
        for name in imported(path)
    }
    edges |= {("cli", name.split(".")[0]) for path in COMMANDS for name in imported(path)}
    return {(a, b) for a, b in edges if b in ROOMS and a != b}


def test_the_picture_matches_the_imports():
    assert drawn() == found()
