"""The page of an explanation as Chromium shows and prints it: both languages, wide and narrow."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from serving.explain_page import page
from serving.print_pdf import pdf
from tests.browsers import launched, opened_page
from tests.serving.told_world import POINTS, told

LONG = "x" * 128
"""An id as long as ids may be, with no place to break."""


@pytest.fixture(scope="module")
def opened(chromium) -> Iterator[Browser]:
    with launched(chromium) as started:
        yield started


@pytest.fixture(params=[("zh", 1280), ("zh", 390), ("en", 1280), ("en", 390)], ids=str)
def seen(request, opened, tmp_path) -> Iterator[Page]:
    lang, width = request.param
    html = page(told(LONG), lang)
    with opened_page(opened, html, tmp_path / "page.html", width) as shown:
        yield shown


def test_nothing_is_wider_than_the_window(seen):
    for details in seen.query_selector_all("summary"):
        details.click()
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inside = seen.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => {"
        "const b = e.getBoundingClientRect(); return b.right > innerWidth + 1 || b.left < -1})"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert inside == []


def test_every_waterfall_is_seen_with_all_its_bars_and_labels(seen):
    pictures = seen.query_selector_all("svg.waterfall")
    assert len(pictures) == len(POINTS)
    for picture in pictures:
        box = picture.bounding_box()
        assert box["width"] > 250
        assert box["height"] > 100
        for part in picture.query_selector_all("rect, text"):
            inner = part.bounding_box()
            assert inner["width"] > 0
            assert box["x"] - 1 <= inner["x"]
            assert inner["x"] + inner["width"] <= box["x"] + box["width"] + 1


def test_letters_can_be_read(seen):
    sizes = seen.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(opened, tmp_path, scheme):
    file = tmp_path / "page.html"
    file.write_text(page(told(), "en"), encoding="utf-8")
    shown = opened.new_page(color_scheme=scheme)
    shown.goto(file.as_uri())
    colours = shown.evaluate(
        "[['--ink','--paper'],['--soft','--paper'],['--soft','--ground'],['--good','--paper'],"
        "['--bad','--paper'],['--warn','--ground']].map(p => p.map("
        "n => getComputedStyle(document.documentElement).getPropertyValue(n).trim()))"
    )
    shown.close()
    ratios = {(a, b): contrast(a, b) for a, b in colours}
    assert min(ratios.values()) >= 4.5, ratios


def contrast(one: str, two: str) -> float:
    """Source: WCAG 2.1, contrast ratio."""

    def light(colour: str) -> float:
        digits = colour.removeprefix("#")
        digits = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_print_has_pages_and_says_the_scores(chromium, lang):
    made = pdf(page(told(), lang))
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) >= 2
    said = printed(made)
    assert all(str(points) in said for points in POINTS.values())


def printed(made: bytes) -> str:
    """The text of a PDF of Chromium: glyphs of each font through its own table to letters."""
    objects = dict(re.findall(rb"(\d+) 0 obj\b(.*?)endobj", made, re.DOTALL))
    tables = {
        name: _letters(_stream(objects[re.search(rb"/ToUnicode (\d+)", objects[number])[1]]))
        for body in objects.values()
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)
    }
    said = ""
    for body in objects.values():
        font: dict[str, str] = {}
        for name, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>", _stream(body)):
            if name:
                font = tables.get(name, {})
            codes = re.findall("....", glyphs.decode().upper())
            said += "".join(font.get(code, "") for code in codes)
    return said


def _stream(body: bytes) -> bytes:
    found = re.search(rb"FlateDecode.*?stream\r?\n(.*)endstream", body, re.DOTALL)
    return b"" if found is None else zlib.decompressobj().decompress(found[1])


def _letters(table: bytes) -> dict[str, str]:
    """A ToUnicode table: glyph to letter."""
    found: dict[str, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, letter in re.findall(rb"<(\w{4})> <(\w{4})>", block):
            found[glyph.decode().upper()] = chr(int(letter, 16))
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, letter in re.findall(rb"<(\w{4})> <(\w{4})> <(\w{4})>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[f"{int(first, 16) + step:04X}"] = chr(int(letter, 16) + step)
    return found
