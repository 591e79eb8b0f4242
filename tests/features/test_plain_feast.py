"""Feast comes without typeguard's checks, and typeguard stays as it was for everybody else."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.house.tree import ROOMS, ROOT, tracked

CODE = """
import typeguard
before = typeguard.typechecked
import features.plain_feast
from feast import Entity, FeatureService, FeatureView, Field
assert typeguard.typechecked is before
kinds = (Entity, FeatureService, FeatureView, Field)
print(any("typeguard" in k.__init__.__code__.co_names for k in kinds))
"""


def test_what_feast_declares_holds_no_check_and_typeguard_is_as_it_was():
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "False\n", done.stderr


def imported(tree: ast.Module) -> list[str]:
    """The modules that a file imports when it is imported, in order."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            found.append(f"{node.module}")
        elif isinstance(node, ast.Import):
            found += [n.name for n in node.names]
    return found


def test_every_module_names_it_before_it_imports_from_feast():
    seen = set()
    for file in tracked("*.py"):
        if file.relative_to(ROOT).parts[0] in ROOMS and file.stem != "plain_feast":
            names = imported(ast.parse(file.read_text(encoding="utf-8")))
            ours = [i for i, n in enumerate(names) if n.split(".")[0] == "feast"]
            if ours:
                seen.add(file.stem)
                assert "features.plain_feast" in names[: ours[0]], file
    assert seen >= {"offline", "packed_store", "repo"}
