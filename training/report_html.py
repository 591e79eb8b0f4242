"""Pieces of HTML that the sections of a report are made of: words, tables, notes; all escaped.

Enters: texts and cells. Leaves: HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from domain.gates import Outcome, Word
from features.catalogue import Language
from training.report_words import called, segment, word


@dataclass(frozen=True)
class Cell:
    """HTML that is one already, to stand in a table."""

    html: str


COLOURS: Mapping[Word | Outcome, str] = {
    "passed": "good",
    "partly judged": "warn",
    "not judged": "warn",
    "failed": "bad",
}
_SIGNS = {":": "：", ";": "；", ",": "，", ".": "。"}
Shown = str | float | int | None | Cell


@dataclass(frozen=True)
class Writer:
    """Writes in one language."""

    lang: Language

    def sign(self, sign: str) -> str:
        """A sign between words as the language writes it.

        >>> Writer("zh").sign("; "), Writer("en").sign("; ")
        ('；', '; ')
        """
        return _SIGNS[sign.strip()] if self.lang == "zh" else sign

    def w(self, key: str) -> str:
        """The word of a key, escaped."""
        return escape(word(key, self.lang))

    def say(self, key: str) -> str:
        """The word of a key or a name, for a picture or a table, which escape it themselves."""
        return called(key, self.lang)

    def segment(self, name: str) -> str:
        """What a segment of coverage is called."""
        return segment(name, self.lang)

    def told(self, pair: Sequence[str]) -> str:
        """The text of a pair (Chinese, English), not escaped."""
        return pair[0 if self.lang == "zh" else 1]

    def note(self, key: str) -> str:
        """A line of small print."""
        return f'<p class="note">{self.w(key)}</p>'

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Shown]]) -> str:
        """A table that scrolls by itself where it is wide; `head` are keys."""
        shown = [list(row) for row in rows]
        if not shown:
            return f'<p class="note">{self.w("none")}</p>'
        is_number = [
            all(not isinstance(c, str | Cell) for c in column)
            for column in zip(*shown, strict=True)
        ]
        top = "".join(
            f'<th scope="col"{_class(n)}>{escape(self.say(key))}</th>'
            for key, n in zip(head, is_number, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td{_class(n)}>{_shown(cell)}</td>"
                for cell, n in zip(row, is_number, strict=True)
            )
            + "</tr>"
            for row in shown
        )
        label = escape(self.say(head[0]))
        return (
            f'<div class="wide" role="group" aria-label="{label}" tabindex="0"><table><thead>'
            f"<tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def folded(self, key: str, inner: str) -> str:
        """Something that opens by a click and is printed open."""
        return f"<details><summary>{self.w(key)}</summary>{inner}</details>"

    def listed(self, rows: Iterable[tuple[str, str]]) -> str:
        """Words and what they are, which is HTML."""
        return f"<dl>{''.join(f'<dt>{self.w(k)}</dt><dd>{v}</dd>' for k, v in rows)}</dl>"

    def mark(self, word: Word | Outcome, tag: str = "b") -> Cell:
        """How a gate or a verdict came out, in its colour."""
        return Cell(f'<{tag} class="{COLOURS[word]}">{self.w(word)}</{tag}>')


def _class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _shown(cell: Shown) -> str:
    if isinstance(cell, Cell):
        return cell.html
    if cell is None:
        return ""
    return escape(cell) if isinstance(cell, str) else figure(cell)


def figure(value: float) -> str:
    """A figure with three digits, a count with all of them.

    >>> figure(0.83), figure(1234.5), figure(1234), figure(0.0), figure(123.4), figure(2e-5)
    ('0.830', '1,234', '1,234', '0', '123', '0.00002')
    """
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-9:
        return "0"
    text = f"{value:#.3g}"
    return f"{value:.5f}" if "e" in text else text.rstrip(".")


def ranged(value: Sequence[float] | None) -> str:
    r"""A figure with its interval, which stands below it where there is little room; nothing where
    there is none.

    >>> ranged([0.5, 0.25, 0.75])
    '0.500 [0.250,\xa00.750]'
    """
    if value is None:
        return ""
    shown, low, high = map(figure, value)
    return f"{shown} [{low},\u00a0{high}]"


def spread(value: Sequence[float] | None) -> Cell:
    """An interval, on one line; nothing where there is none."""
    return span("" if value is None else " &ndash; ".join(map(figure, value)))


def span(html: str) -> Cell:
    """What must stand on one line: a range of figures or dates."""
    return Cell(f'<span class="n">{html}</span>')


def plain(content: Any) -> str:
    """Any JSON as nested lists, for what another room wrote into the card."""
    if isinstance(content, dict):
        inner = "".join(f"<li>{escape(str(k))}: {plain(v)}</li>" for k, v in content.items())
        return f"<ul>{inner}</ul>"
    if isinstance(content, list):
        return f"<ul>{''.join(f'<li>{plain(v)}</li>' for v in content)}</ul>"
    return _shown(content) if isinstance(content, float | int | str) else ""
