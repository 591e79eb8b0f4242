"""The tree as the house tests see it: tracked files, rooms, and what they import."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "events", "features", "scoring", "training", "serving")
COMMANDS = tuple(sorted(ROOT.glob("cli*.py")))


def tracked(pattern: str) -> list[Path]:
    """Files that git tracks, or would (not ignored), matching a glob."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / p for p in sorted(set(listed.splitlines())) if (ROOT / p).is_file()]


def modules(room: str) -> list[Path]:
    """The Python files of a room, `__init__` left out."""
    return [p for p in tracked(f"{room}/*.py") if p.name != "__init__.py"]


def imported(path: Path) -> Iterator[str]:
    """Every absolute module name that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT
