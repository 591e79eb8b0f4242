"""What all pages share: a document that fetches and runs nothing, its title escaped."""

from __future__ import annotations

from events.html_page import POLICY, document


def test_the_document_says_its_language_and_fetches_nothing():
    text = document("zh-CN", "a<b", ".x{color:red}", "<main>y</main>")
    assert text.startswith('<!doctype html><html lang="zh-CN">')
    assert f'content="{POLICY}"' in text
    assert "<title>a&lt;b</title>" in text
    assert text.index("--ink") < text.index(".x{color:red}") < text.index("<main>y</main>")
    assert not {"<script", "://", "url("} & {w for w in ("<script", "://", "url(") if w in text}
