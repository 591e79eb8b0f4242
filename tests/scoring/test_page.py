"""The page on scoring: its examples run."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_the_examples_of_the_page_give_what_they_say() -> None:
    page = Path(__file__).parents[2] / "docs" / "scoring.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (failed, tried) == (0, 13)
