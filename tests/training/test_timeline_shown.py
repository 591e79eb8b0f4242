"""A timeline as a person sees it: words, table and page, in both languages, everything escaped."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console

from domain.asof import MICROS_PER_DAY
from tests.training.label_world import at, buys, dataset_of, event, plan_of
from tests.training.test_timeline import TARGETS
from training.timeline import State, Timeline, timeline
from training.timeline_shown import STATES, drawing, event_table, facts, label, page, shown

SLY = "<b>a&b</b>"


@pytest.fixture
def found(tmp_path) -> Timeline:
    rows = [
        buys(SLY, -400),
        buys(SLY, 150),
        buys(SLY, 170, known=230),
        buys(SLY, 190, fixed=240),
        buys(SLY, 210, 1234.5),
        event(SLY, 215, kind="fee", amount=1.0),
        buys(SLY, 900),
    ]
    plan = plan_of((100,), (200,), **TARGETS)
    dataset = dataset_of(tmp_path, {"transactions": rows}, plan)
    return timeline(dataset, SLY, "value", at(200))


def test_the_facts_say_window_horizon_gap_and_label(found):
    said = dict(facts(found, "en"))
    assert said["as_of"] == "2024-07-19"
    assert said["window"] == "(2024-04-10, 2024-07-19] 100 days"
    assert said["horizon"] == "(2024-07-19, 2024-10-17] 90 days"
    assert said["gap"] == "training ends 2024-04-10, the test begins 2024-07-19: 100 days"
    assert said["label"] == "1,234.50 spend (y = 1234.5)"
    assert dict(facts(found, "zh"))["标签"] == "1,234.50 消费额 (y = 1234.5)"


def test_a_label_that_is_not_there_says_why(tmp_path, found):
    plan = plan_of((100,), (200,), **TARGETS)
    dataset = dataset_of(tmp_path / "b", {"transactions": [buys("a", 10)]}, plan)
    out = timeline(dataset, "a", "churn", at(200))
    assert label(out, "en") == "not in the cohort: no label"
    late = timeline(dataset, "a", "churn", at(950))
    assert label(late, "en") == "not mature: the data ends on 2026-09-27"
    assert label(late, "zh") == "未到期:数据止于2026-09-27"


def test_only_events_near_the_label_are_shown_and_the_others_counted(found):
    assert len(shown(found)) == len(found.events) - 2
    shell = Console(file=io.StringIO(), width=140)
    shell.print(event_table(found, "en"))
    text = shell.file.getvalue()
    assert "events 5 / 7" in text
    assert "had happened, became known later" in text


def test_the_drawing_has_every_shown_event_in_its_column_and_window_and_horizon_above(found):
    ruler, dates, *lanes = drawing(found, "en")
    now = ruler.index("|")
    assert ruler.strip() == "-" * ruler.count("-") + "|" + "=" * ruler.count("=")
    assert ruler.count("-") / ruler.count("=") == pytest.approx(100 / 90, rel=0.1)
    assert dates.index("2024-07-19") == now
    assert dates.index("2024-04-10") == ruler.index("-")
    assert dates.endswith("2024-10-17")
    drawn = {lane[80:].strip(): lane[:80] for lane in lanes}
    counts = {said.rpartition(": ")[0]: int(said.rpartition(": ")[2]) for said in drawn}
    by_hand = [STATES[e.state][1] for e in shown(found)]
    assert counts == {said: by_hand.count(said) for said in by_hand}
    [label_lane] = [
        bars for said, bars in drawn.items() if said.startswith("in the horizon, makes")
    ]
    [event_of_label] = [e for e in shown(found) if e.state is State.LABEL]
    days = (event_of_label.happened - found.as_of) / MICROS_PER_DAY
    at_column = len(label_lane.rstrip()) - 1
    assert at_column - now == pytest.approx(days / 90 * ruler.count("="), abs=1.5)
    assert "决定标签" in "".join(drawing(found, "zh"))


def test_the_table_keeps_the_events_nearest_to_as_of(found):
    whole = event_table(found, "en")
    near = event_table(found, "en", 2)
    assert (whole.row_count, near.row_count) == (5, 2)
    by_hand = sorted(abs(e.happened - found.as_of) for e in shown(found))[:2]
    kept = [e for e in shown(found) if abs(e.happened - found.as_of) <= by_hand[-1]]
    assert list(near.columns[3].cells) == [e.what for e in kept]
    assert near.title == "events 2 / 7"


def test_every_state_has_words_in_both_languages():
    assert {*STATES} == {*State}
    for zh, en in STATES.values():
        assert re.search("[\u4e00-\u9fff]", zh)
        assert en.isascii()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_stands_alone_draws_every_event_shown_and_escapes_what_it_is_told(found, lang):
    text = page(found, lang)
    assert f'<html lang="{lang}">' in text
    assert SLY not in text
    assert not re.search(r"https?://|<script|@import|url\(", text)
    reader = _Tags()
    reader.feed(text)
    assert not {"script", "img", "link", "iframe", "b"} & {*reader.tags}
    drawing = next(s for s in re.findall(r"<svg.*?</svg>", text) if 'viewBox="0 0 1060' in s)
    svg = ElementTree.fromstring(drawing)
    marks = [e for e in svg.iter() if e.tag in ("circle", "rect") and len(e)]
    assert sorted(e.attrib["class"] for e in marks) == sorted(e.state for e in shown(found))
    bands = {e.attrib["class"] for e in svg.iter("rect")}
    assert {"window", "horizon", "gap"} <= bands
    late = next(e for e in svg.iter("line") if e.attrib["class"] == "late")
    assert float(late.attrib["x1"]) < float(late.attrib["x2"])


def test_marks_stand_in_the_order_of_time_and_as_of_ends_the_window(found):
    drawing = re.search(r"<svg viewBox=\"0 0 1060.*?</svg>", page(found, "en"))
    svg = ElementTree.fromstring(drawing.group())
    places = {e.attrib["class"]: e.attrib for e in svg.iter() if "class" in e.attrib}
    end = float(places["window"]["x"]) + float(places["window"]["width"])
    assert end == pytest.approx(float(places["now"]["x1"]), abs=0.2)
    assert float(places["horizon"]["x"]) == pytest.approx(end, abs=0.2)
    assert float(places["visible"]["cx"]) < end < float(places["label"]["x"])
