"""Every note that the code can write has its Chinese; what is unknown stays as it was recorded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from serving.notes import note
from tests.house.tree import ROOT

WRITERS = {
    "decide.py": {"_notes", "_expired"},
    "explain.py": {"unscored", "_lacking", "change", "adverse"},
    "told.py": {"_since"},
}


def _texts(node: ast.AST) -> Iterator[str]:
    """The sentences of a piece of code, with a 7 in each gap; not those of errors or docstrings."""
    is_fault = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault"
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Raise) or is_fault or is_docstring:
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(p.value) if isinstance(p, ast.Constant) else "7" for p in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def written() -> list[str]:
    """Every note that the writers can write."""
    texts = set()
    for file, names in WRITERS.items():
        tree = ast.parse((ROOT / "serving" / file).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                texts |= {t for part in node.body for t in _texts(part) if t.count(" ") > 3}
    return sorted(texts)


def test_the_notes_of_the_code_are_found():
    assert len(written()) >= 12


@pytest.mark.parametrize("text", written())
def test_every_note_that_the_code_can_write_has_its_chinese(text):
    told = note(text, "zh")
    assert not re.search(r"[A-Za-z]", told), told
    assert note(text, "en") == text


def test_names_and_figures_of_a_note_are_kept():
    told = note("verdict failed for churn, credit; accepted by Ann: a\ntrial", "zh")
    assert told == "模型评审未通过（流失, 信用），由Ann批准使用，理由：a\ntrial"
    assert "35" in note("the features are 35 days old: run `tierline features` and promote", "zh")


def test_braces_in_a_free_reason_stay():
    assert note("verdict failed for churn; accepted by A: {0} {x}", "zh").endswith("{0} {x}")


def test_an_unknown_note_stays_as_it_was_recorded():
    assert note("something new", "zh") == "something new"
