"""Pieces of HTML that the sections of a report are made of: words, tables, notes; all escaped.

Enters: texts and cells. Leaves: HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from features.catalogue import Language
from training.validation_svg import number
from training.validation_words import word


@dataclass(frozen=True)
class Cell:
    """HTML that is one already, to stand in a table."""

    html: str


Shown = str | float | int | None | Cell


@dataclass(frozen=True)
class Writer:
    """Writes in one language."""

    lang: Language

    def w(self, key: str) -> str:
        """The word of a key, escaped."""
        return escape(word(key, self.lang))

    def say(self, key: str) -> str:
        """The word of a key for a picture or a table, which escape it themselves."""
        return word(key, self.lang)

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
            f"<th{_class(n)}>{self.w(key)}</th>" for key, n in zip(head, is_number, strict=True)
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
        return (
            f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    def folded(self, key: str, inner: str) -> str:
        """Something that opens by a click and is printed open."""
        return f"<details><summary>{self.w(key)}</summary>{inner}</details>"

    def h(self, key: str) -> str:
        """A heading inside a section."""
        return f"<h3>{self.w(key)}</h3>"


def _class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _shown(cell: Shown) -> str:
    if isinstance(cell, Cell):
        return cell.html
    if cell is None:
        return ""
    return escape(cell) if isinstance(cell, str) else number(cell)


def ranged(value: Sequence[float]) -> str:
    r"""A figure with its interval, on one line.

    >>> ranged([0.5, 0.25, 0.75])
    '0.5\xa0[0.25,\xa00.75]'
    """
    figure, low, high = map(number, value)
    return f"{figure}\u00a0[{low},\u00a0{high}]"


def plain(content: Any) -> str:
    """Any JSON as nested lists, for what another room wrote into the card."""
    if isinstance(content, dict):
        inner = "".join(f"<li>{escape(str(k))}: {plain(v)}</li>" for k, v in content.items())
        return f"<ul>{inner}</ul>"
    if isinstance(content, list):
        return f"<ul>{''.join(f'<li>{plain(v)}</li>' for v in content)}</ul>"
    return _shown(content) if isinstance(content, float | int | str) else ""
