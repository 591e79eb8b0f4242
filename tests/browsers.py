"""A page in a real browser, from a file: it must ask for nothing else and complain of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """Chromium without a network of its own."""
    flags = ["--no-sandbox", "--disable-background-networking"]
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@contextmanager
def opened_page(browser: Browser, html: str, file: Path, width: int) -> Iterator[Page]:
    """The page in a window of this width."""
    file.write_text(html, encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    faults: list[str] = []
    shown.on("request", lambda r: asked.append(r.url))
    shown.on("console", lambda m: faults.append(m.text))
    shown.goto(file.as_uri())
    yield shown
    shown.close()
    assert asked == [file.as_uri()]
    assert not faults
