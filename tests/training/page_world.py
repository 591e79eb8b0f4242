"""The page of a report read back: what stands in each part of it, as a reader sees it."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser

VOID = {"meta", "br", "rect", "path", "circle", "polyline"}


class Reader(HTMLParser):
    """By the id of a heading or section: its tables (a header row, then rows of cells), the texts
    behind its words, and all of its text; and what would be fetched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.place = ""
        self.tables: dict[str, list[list[list[str]]]] = defaultdict(list)
        self.listed: dict[str, list[str]] = defaultdict(list)
        self.text: dict[str, str] = defaultdict(str)
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [v or "" for k, v in attrs if k in {"src", "href"}]
        if tag in ("h3", "section") and found.get("id"):
            self.place = found["id"] or ""
        elif tag == "table":
            self.tables[self.place].append([])
        elif tag == "tr":
            self.tables[self.place][-1].append([])
        elif tag in ("td", "th"):
            self.tables[self.place][-1][-1].append("")
        elif tag == "dd":
            self.listed[self.place].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text[self.place] += data
        if {"td", "th"} & {*self.open}:
            self.tables[self.place][-1][-1][-1] += data
        elif "dd" in self.open:
            self.listed[self.place][-1] += data
