"""The page of an explanation adds up, escapes every text, asks for nothing, in one language."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from serving.explain_page import page
from tests.serving.told_world import BASE, IDEAS, POINTS, decision, told

EVIL = "<script>alert(1)</script><img/src=x>\"'&"
LATIN = re.compile(r"[A-Za-z]{2,}")
NAMES = {"App", "CNY", "RFM", "UTC"}
"""What stays as it is in Chinese."""


class Reader(HTMLParser):
    """The tables named `sum` as rows of cells, and all text that is seen or read aloud."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.in_sum = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "rect", "line"}:
            self.open.append(tag)
        if tag == "table":
            self.in_sum = ("class", "sum") in attrs
            self.tables += [[]] if self.in_sum else []
        if tag == "tr" and self.in_sum:
            self.tables[-1].append([])
        if tag in {"td", "th"} and self.in_sum:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag, f"{tag} closes out of order"

    def handle_data(self, data):
        if "style" in self.open or not data.strip():
            return
        if "code" not in self.open:
            self.texts.append(data)
        if self.in_sum and self.open[-1] in {"td", "th"}:
            self.tables[-1][-1][-1] += data


@pytest.fixture(params=["zh", "en"])
def lang(request) -> str:
    return request.param


def test_every_table_adds_up_to_its_score_and_says_the_points_of_the_record(lang):
    tables = Reader(page(told(), lang)).tables
    assert len(tables) == 3 + 2  # a score each, and two populations
    for table in tables:
        numbers = [int(row[1]) for row in table[1:]]
        assert sum(numbers[:-1]) == numbers[-1]
    feet = [int(table[-1][1]) for table in tables]
    assert feet == [447, 655, 536, 536, 536]
    for table, target in zip(tables, POINTS, strict=False):
        assert int(table[1][1]) == BASE[target]
        assert [int(row[1]) for row in table[2:-1]] == [r.points for r in IDEAS[target]]


def test_a_long_list_of_ideas_is_summed_to_the_same_score(lang):
    whole = told()
    [first, *_] = whole.explanation.explanations
    many = [first.ideas[0].model_copy(update={"points": p}) for p in range(-20, 0)]
    ideas = [*many, first.ideas[-1].model_copy(update={"points": 447 - 500 + 210})]
    longer = first.model_copy(update={"ideas": ideas})
    explanation = whole.explanation.model_copy(update={"explanations": [longer]})
    only = whole.decision.model_copy(update={"scores": whole.decision.scores[:1]})
    table = Reader(
        page(whole.model_copy(update={"explanation": explanation, "decision": only}), lang)
    ).tables[0]
    numbers = [int(row[1]) for row in table[1:]]
    assert len(numbers) == 1 + 10 + 1 + 1
    assert sum(numbers[:-1]) == numbers[-1] == 447


def test_no_text_becomes_markup(lang):
    whole = told(EVIL)
    label = whole.decision.strategy.model_copy(update={"zh": EVIL, "en": EVIL})
    scores = [
        s.model_copy(update={"tier": label, "reasons": [
            r.model_copy(update={"zh": EVIL, "en": EVIL}) for r in s.reasons
        ]})
        for s in whole.decision.scores
    ]  # fmt: skip
    evil = whole.decision.model_copy(
        update={"strategy": label, "tags": [label], "stage": label, "degraded": [EVIL],
                "scores": scores}
    )  # fmt: skip
    letter = whole.letter.model_copy(update={"zh": EVIL, "en": EVIL})
    ideas = dict.fromkeys(whole.ideas, label)
    cuts = {
        t: tuple(s.model_copy(update={"zh": EVIL, "en": EVIL}) for s in steps)
        for t, steps in whole.cuts.items()
    }
    hostile = {"decision": evil, "letter": letter, "ideas": ideas, "cuts": cuts, "currency": EVIL}
    text = page(whole.model_copy(update=hostile), lang)
    clean = {tag for tag, _ in Reader(page(told(), lang)).tags}
    assert {tag for tag, _ in Reader(text).tags} == clean
    assert text.count("&lt;script&gt;") > 10


def test_the_page_asks_for_nothing_and_says_so(lang):
    text = page(told(), lang)
    assert not re.search(r"https?://|<script|src=|@import|url\(|<link|\son\w+=", text)
    assert "default-src 'none'" in text


def test_the_language_is_said_and_kept(lang):
    reader = Reader(page(told(), lang))
    assert reader.tags[0] == ("html", {"lang": "zh-CN" if lang == "zh" else "en"})
    ours = decision()
    for text in reader.texts:
        bare = text.replace(ours.customer_id, "")
        if lang == "en":
            assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", bare), text
        else:
            assert not {*LATIN.findall(bare)} - NAMES, text


def test_a_picture_tells_its_numbers_to_who_does_not_see_it(lang):
    text = page(told(), lang)
    told_aloud = re.findall(
        r"<svg[^>]*role=\"img\"[^>]*><title>(.*?)</title><desc>(.*?)</desc>", text
    )
    assert len(told_aloud) == 3
    for (title, desc), target in zip(told_aloud, POINTS, strict=True):
        assert str(POINTS[target]) in title
        assert all(f"{r.points:+d}" in desc for r in IDEAS[target])


def test_what_is_not_there_has_no_section(lang):
    whole = told()
    bare = whole.model_copy(
        update={"change": None, "adverse": None, "letter": None, "notes": [],
                "decision": whole.decision.model_copy(update={"degraded": [], "tags": []})}
    )  # fmt: skip
    text = page(bare, lang)
    assert 'class="letters"' not in text
    assert 'class="notes"' not in text
    assert text.count("<section") == 3
    assert page(whole, lang).count("<section") == 5
