"""Pictures: points stand where their numbers say, and every text is escaped."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from training.report_svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    axes_of,
    bars,
    curves,
    short,
    spans,
)


def tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html)


def test_the_ends_of_a_curve_are_the_corners_of_its_axes():
    points = [(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]
    drawn = tree(curves("gain < loss", {"main": points}, axes_of(points, ("x", "y & z"))))
    line = drawn.find(".//polyline").get("points").split()
    places = [tuple(map(float, p.split(","))) for p in line]
    assert places[0] == (LEFT, HEIGHT - BOTTOM)
    assert places[2] == (WIDTH - RIGHT, TOP)
    assert places[1] == pytest.approx(((LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2))
    assert drawn.find("figcaption").text == "gain < loss"
    assert "y & z" in [t.text for t in drawn.iter("text")]


def test_one_value_alone_has_axes_too():
    assert axes_of([(3.0, 0.0)], ("", "")).x == (2.5, 3.5)


def test_dots_have_no_line():
    drawn = curves("dots", {"dots": [(0.0, 0.0), (1.0, 1.0)]}, axes_of([(0, 0), (1, 1)], ("", "")))
    assert "polyline" not in drawn
    assert drawn.count("<circle") == 2


def test_bars_are_as_long_as_their_sizes():
    drawn = tree(bars("sizes", [("a", 4.0, "4"), ("b", -2.0, "-2"), ("c", 0.0, "0")]))
    widths = [float(r.get("width")) for r in drawn.iter("rect")]
    assert widths == [WIDTH - 4, (WIDTH - 4) / 2, 0.0]
    assert [r.get("class") for r in drawn.iter("rect")] == ["bar", "bar below", "bar"]


def test_spans_stand_where_their_time_is_and_inside():
    drawn = tree(spans("when", [("fit", 0.0, 0.5), ("test", 1.0, 1.0)], ("2024", "2025")))
    first, last = ((float(r.get("x")), float(r.get("width"))) for r in drawn.iter("rect"))
    assert first == (2.0, (WIDTH - 4) / 2)
    assert sum(last) <= WIDTH
    assert [t.text for t in drawn.iter("text")][-2:] == ["2024", "2025"]


@pytest.mark.parametrize("text", ["消费金额和消费次数" * 5, "spend " * 20])
def test_a_long_name_is_cut_to_its_cells(text):
    cut = short(text)
    assert cut.endswith("…")
    assert len(re.sub(r"[^\u2e80-\uffff]", "", cut)) + len(cut) <= 41
