"""What rots first: size, modules without a mirror, paths of machines, swallowed errors."""

from __future__ import annotations

import ast
import re

import pytest

from features.catalogue import CATALOGUE
from tests.house.tree import COMMANDS, ROOMS, ROOT, modules, tracked

ALL = [path for room in ROOMS for path in modules(room)] + [*COMMANDS]
TOLD_BY_OTHERS = {
    "events/readers/base.py": "two dataclasses, used by every reader's test",
    "domain/errors.py": "the tree of errors; every test of a refusal uses it",
}


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450, "split the module by idea"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= 75, f"{node.name} has {lines} lines: split it by idea"


def test_many_features_stand_on_few_lines():
    themes = [path for path in modules("features") if "\nTHEMES = " in path.read_text("utf-8")]
    assert {path.stem for path in themes} >= {"accounts", "credit", "people", "spending"}
    assert len(CATALOGUE.features) >= 150
    lines = {path.stem: len(path.read_text("utf-8").splitlines()) for path in themes}
    assert sum(lines.values()) <= 400, lines


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_say_what_they_are_for(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_every_module_has_its_mirror_in_the_tests():
    missing = []
    for path in ALL:
        place = path.relative_to(ROOT)
        if str(place) in TOLD_BY_OTHERS or path in COMMANDS:
            continue
        names = [f"test_{place.stem}", f"test_{place.parts[-2]}_{place.stem}"]
        mirrors = [ROOT / "tests" / place.parts[0] / f"{n}.py" for n in names]
        mirrors.append(ROOT / "tests" / place.parent / f"test_{place.stem}.py")
        if not any(m.is_file() for m in mirrors):
            missing.append(str(place))
    assert not missing


def test_no_path_of_a_machine_and_no_address_of_a_registry_is_tracked():
    bad = re.compile(r"(?<![\w.])/(?:work|root|farm|home/\w+)/|index-url=|https?://\S+/simple\b")
    suffixes = {".py", ".md", ".toml", ".yaml", ".json", ".lock", ""}
    found = [
        f"{p.relative_to(ROOT)}: {m[0]}"
        for p in tracked("*")
        if p.suffix in suffixes and p.name not in {"LICENSE", "test_tree.py"}
        for m in [bad.search(p.read_text(encoding="utf-8"))]
        if m
    ]
    assert not found


def test_no_error_is_swallowed_and_nothing_is_executed_from_text():
    for path in ALL:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                quiet = all(isinstance(s, ast.Pass) for s in node.body)
                assert node.type is not None, f"{path.name}:{node.lineno}: bare except"
                assert not quiet, f"{path.name}:{node.lineno}: swallowed error"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {a.name for a in node.names} & {
                    "pickle",
                    "joblib",
                    "dill",
                    "cloudpickle",
                }


def test_feast_scans_one_file_only():
    ignored = (ROOT / "features/.feastignore").read_text(encoding="utf-8").split()
    others = {p.name for p in modules("features")} - {"repo.py"}
    unseen = {
        n
        for n in others
        if n not in ignored and "*.py" not in ignored and n[0] + "*" not in ignored
    }
    assert not unseen, f"add to features/.feastignore: {sorted(unseen)}"
