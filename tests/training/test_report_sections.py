"""Sections of one target tell the content's figures, and say where there is none to tell."""

from __future__ import annotations

import pytest

from tests.training.test_report_section import section
from training.report_sections import SECTIONS, sections


def test_every_section_stands_under_its_own_heading_in_the_order_of_reading(trained):
    html = [*sections(section(trained))]
    begins = [f'<h3 id="churn-{key}">' for key in SECTIONS]
    assert [each[: len(begin)] for each, begin in zip(html, begins, strict=True)] == begins


def test_the_largest_shifts_come_first_whatever_the_order_of_the_file(trained):
    churn = section(trained)
    html = SECTIONS["stability"](churn).partition("<details>")[0]
    shown = [f"{v:#.3g}</text>" for v in churn.found.stability.features.values()]
    largest = f"{max(churn.found.stability.features.values()):#.3g}</text>"
    assert html.index(largest) == min(html.index(v) for v in shown if v in html)


@pytest.mark.parametrize(
    ("key", "found", "said"),
    [
        ("stability", {"stability": {"score": None, "features": {}}}, "no shift to tell"),
        ("groups", {"groups": {}}, "no two groups"),
        ("compared", {"champion": None}, "none was live"),
        ("compared", {"champion": {"bundle": "b" * 64, "because": "a < b"}}, "a &lt; b"),
        ("reasons", {"view": None}, "Too few rows"),
    ],
)
def test_what_cannot_be_told_is_said(trained, key, found, said):
    assert said in SECTIONS[key](section(trained, **found))
