"""The page holds both languages, escapes every name, and asks no network for anything."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from events.quality import Month, Quality, TableQuality
from events.quality_page import page

EVIL = '<script>alert(1)</script>"&'


def month(name: str, rows: int = 10, **more) -> Month:
    given = {"complete": {"amount": 0.5, EVIL: 1.0}, "drift": {"amount": 0.3}, **more}
    return Month(name, rows, 3, 1, 0.1, 2.0, 0.25, given["complete"], given["drift"])


def made(*months: Month, quarantine=None) -> str:
    rules = {"wrong_type": 2, EVIL: 1} if quarantine is None else quarantine
    by_month = {"2024-02": {"duplicate": 4}, "2024-04": {EVIL: 2}} if rules else {}
    table = TableQuality("transactions", sum(m.rows for m in months), months, rules, by_month)
    return page(Quality(EVIL, (table,)))


@pytest.fixture(scope="module")
def text() -> str:
    return made(month("2024-01", drift={}), month("2024-02"), month("2024-03", rows=20))


def test_no_name_becomes_markup(text):
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_page_asks_for_nothing(text):
    assert not re.search(r"https?://|src=|@import|url\(|<link", text)


def test_every_text_stands_in_both_languages(text):
    assert text.count('<span lang="zh">') == text.count('<span lang="en">') > 10


def test_every_plot_is_well_formed_and_as_tall_as_its_value(text):
    plots = [ET.fromstring(s) for s in re.findall(r"<svg width.*?</svg>", text, re.DOTALL)]
    assert len(plots) == 6
    bars = [float(r.get("height", 0)) for r in plots[0].iter("rect")]
    assert bars[2] == pytest.approx(2 * bars[0], abs=0.1)
    assert len(list(plots[1].iter("rect"))) == 6
    names = re.findall(r'<svg class="names".*?</svg>', text, re.DOTALL)
    assert [len(list(ET.fromstring(s).iter("text"))) for s in names] == [1, 2, 1, 1, 1, 2]
    assert [r.get("fill") for r in plots[3].iter("rect")] == ["#b3261e"] * 2
    twice = [float(r.get("height", 0)) for r in plots[4].iter("rect")]
    assert [tall > 0 for tall in twice] == [False, True, False, False]
    told = [r.findtext("title") for r in plots[5].iter("rect")]
    assert told == ["duplicate 2024-02: 4", f"{EVIL} 2024-04: 2"]


def test_a_table_without_months_or_faults_still_has_its_page():
    text = made(quarantine={})
    assert "no row in quarantine" in text
    assert "too few rows to compare" in text
