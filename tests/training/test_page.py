"""The examples of the data scientist's page run."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_the_examples_of_the_page_give_what_they_show():
    page = Path(__file__).parents[2] / "docs/data-scientist.md"
    found = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert found.attempted >= 6
    assert found.failed == 0
