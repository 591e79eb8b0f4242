"""The waterfall: every bar begins where the one before ended, and all stays inside the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from unicodedata import east_asian_width

from hypothesis import given
from hypothesis import strategies as st

from serving.waterfall import NEAREST, WIDTH, bars, short, waterfall

PARTS = st.lists(st.tuples(st.text(min_size=1, max_size=80), st.integers(-400, 400)), max_size=14)
CUTS = st.lists(st.integers(-2000, 3000), max_size=6, unique=True)


def drawn(text: str) -> ET.Element:
    return ET.fromstring(text)


@given(PARTS, st.integers(-500, 1500), CUTS)
def test_every_bar_stands_inside_and_as_wide_as_its_points(parts, base, cuts):
    printable = [("".join(c for c in n if c.isprintable()) or "x", p) for n, p in parts]
    lines = bars(("base", base), printable, "score")
    svg = drawn(waterfall(lines, [(c, "cut") for c in cuts], "t", "d"))
    rects = [(float(r.get("x")), float(r.get("width"))) for r in svg.iter("rect")]
    assert len(rects) == len(parts) + 2
    assert all(x >= 0 and x + wide <= WIDTH for x, wide in rects)
    height = float(svg.get("viewBox").split()[3])
    assert all(float(r.get("y")) + 10 <= height for r in svg.iter("rect"))
    per_point = [wide / abs(p) for (_, wide), (_, p) in zip(rects[1:], parts) if abs(p) > 20]  # noqa: B905
    assert not per_point or max(per_point) - min(per_point) < 0.02
    assert lines[-1].end == base + sum(p for _, p in parts)


@given(CUTS)
def test_numbers_of_cuts_never_stand_on_each_other(cuts):
    lines = bars(("base", 0), [("a", 900), ("b", -900)], "score")
    svg = drawn(waterfall(lines, [(c, "cut") for c in cuts], "t", "d"))
    labels = [
        (float(t.get("x")), t.get("y"))
        for g in svg.iter("g") if g.get("class") == "cut" for t in g.iter("text")
    ]  # fmt: skip
    for one, two in zip(sorted(labels), sorted(labels)[1:], strict=False):
        assert abs(one[0] - two[0]) >= NEAREST or one[1] != two[1]


def test_only_cuts_in_sight_are_drawn():
    lines = bars(("base", 500), [("a", 20)], "score")
    svg = drawn(waterfall(lines, [(510, "near"), (900, "far")], "t", "d"))
    titles = [g.findtext("title") for g in svg.iter("g") if g.get("class") == "cut"]
    assert titles == ["510 near"]


def test_names_are_escaped():
    lines = bars(("<b>", 5), [('"&', -2)], "score")
    svg = drawn(waterfall(lines, [(4, "<i>")], "<t>", "<d>"))
    assert svg.findtext("title") == "<t>"
    assert {t.text for t in svg.iter("text")} >= {"<b>", '"&', "-2", "3"}


@given(st.text(max_size=60), st.integers(2, 30))
def test_a_short_text_fits(text, cells):
    made = short(text, cells)
    wide = sum(2 if east_asian_width(c) in "WF" else 1 for c in made)
    assert wide <= cells
    assert made == text or made.endswith("…")
