"""The pages on scoring and on explanations: their examples run."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest


@pytest.mark.parametrize(("name", "examples"), [("scoring", 20), ("explanations", 9)])
def test_the_examples_of_the_page_give_what_they_say(name: str, examples: int) -> None:
    page = Path(__file__).parents[2] / "docs" / f"{name}.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (failed, tried) == (0, examples)
