"""The page of a report: whole, self-contained, and as Chromium shows it in both languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from training.validation import content
from training.validation_page import page
from training.validation_sections import SECTIONS
from training.validation_words import word


@pytest.fixture(scope="module")
def told(trained):
    return content(trained.result.bundle)


class Tags(HTMLParser):
    """Every tag opened and closed in order, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "rect", "path", "circle", "polyline"}:
            self.open.append(tag)
        self.fetched += [v or "" for k, v in attrs if k in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_section_of_every_target_is_there_and_nothing_is_fetched(told, lang):
    html = page(told, lang)
    read = Tags()
    read.feed(html)
    assert read.open == []
    assert all(link.startswith("#") for link in read.fetched)
    assert "<script" not in html
    for key in SECTIONS:
        assert html.count(f"<h3>{word(key, lang)}</h3>") >= len(told["card"]["targets"])
    for sha in (*told["card"]["data"].values(), told["bundle"], told["card"]["policy"]["hash"]):
        assert sha in html
    assert "&amp;" not in html, "a text was escaped twice"


def test_every_gate_stands_there_with_its_figure(told):
    html = page(told, "en")
    read = Tags()
    read.feed(html)
    for found in told["card"]["targets"].values():
        for gate in found["figures"]["gates"]:
            assert gate["figure"] in read.text
    targets = told["card"]["targets"].values()
    gates = [g["result"] for t in targets for g in t["figures"]["gates"]]
    verdicts = [t["verdict"] for t in targets]
    for result, colour in (("passed", "good"), ("not judged", "warn"), ("failed", "bad")):
        assert gates.count(result) > 0
        marks = html.count(f'<b class="{colour}">{result}</b>')
        assert marks == gates.count(result) + verdicts.count(result)


def test_a_verdict_over_what_was_not_judged_is_not_coloured_as_passed(told):
    card = json.loads(json.dumps(told["card"]))
    for target, found in card["targets"].items():
        found["verdict"] = "partly judged" if target == "churn" else "passed"
    html = page({**told, "card": card}, "en")
    assert html.count('<b class="warn">partly judged</b>') == 1
    assert html.count('<small class="warn">partly judged</small>') == 1
    zh = page({**told, "card": card}, "zh")
    assert '<b class="warn">部分未评判</b>' in zh
    assert '<b class="warn">未评判</b>' in zh


def test_what_a_person_wrote_is_escaped(told):
    said = {"by": "<b>", "reason": "<script>alert(1)</script>"}
    card = {**told["card"], "accepted": said, "unapproved": said}
    html = page({**told, "card": card}, "en")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "approved by no second person" in html


def test_a_section_on_leakage_in_the_card_is_shown(told):
    card = {**told["card"], "leakage": {"canary": {"moved": 0}, "note": "a < b"}}
    html = page({**told, "card": card}, "en")
    assert "<li>canary: <ul><li>moved: 0</li></ul></li>" in html
    assert "a &lt; b" in html


@pytest.fixture(scope="module")
def opened(chromium) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-background-networking"]
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture(params=[("zh", 1280), ("zh", 390), ("en", 1280), ("en", 390)], ids=str)
def seen(request, opened, told, tmp_path) -> Iterator[Page]:
    lang, width = request.param
    file = tmp_path / "report.html"
    file.write_text(page(told, lang), encoding="utf-8")
    shown = opened.new_page(viewport={"width": width, "height": 900}, java_script_enabled=True)
    asked: list[str] = []
    faults: list[str] = []
    shown.on("request", lambda r: asked.append(r.url))
    shown.on("console", lambda m: faults.append(m.text))
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert asked == [file.as_uri()]
    assert not faults


def test_nothing_is_wider_than_the_window_and_letters_can_be_read(seen):
    for details in seen.query_selector_all("summary"):
        details.click()
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = seen.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide *')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []
    sizes = seen.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 10
    inside = seen.evaluate(
        "[...document.querySelectorAll('svg.chart')].filter(s => { const b ="
        " s.getBoundingClientRect(); return [...s.querySelectorAll('text,rect,circle')].some(e => {"
        " const r = e.getBoundingClientRect(); return r.left < b.left - 2 || r.right > b.right + 2"
        " || r.bottom > b.bottom + 2})}).map(s => s.outerHTML.slice(0, 120))"
    )
    assert inside == []
