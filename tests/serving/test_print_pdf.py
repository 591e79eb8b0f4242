"""Printing needs a browser: what is said where there is none, or where it fails."""

from __future__ import annotations

import pytest

from domain.errors import NotFoundError, TierlineError
from serving.print_pdf import PROGRAMS, browser, pdf


def program(folder, text: str):
    file = folder / PROGRAMS[1]
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    file.chmod(0o755)
    return file


def test_without_a_browser_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError, match="apt-get install chromium"):
        pdf("<p>x</p>")


def test_any_of_the_programs_will_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    made = program(tmp_path, "true")
    assert browser() == str(made)


@pytest.mark.parametrize("text", ["exit 3", "exit 0"])
def test_a_browser_that_prints_nothing_is_named(tmp_path, monkeypatch, text):
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, text)
    with pytest.raises(TierlineError, match="chromium-browser printed nothing"):
        pdf("<p>x</p>")
