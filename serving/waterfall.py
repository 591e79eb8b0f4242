"""A score as a waterfall in points: inline SVG with base, ideas, score and the cuts.

Enters: whole points with names. Leaves: SVG that scales with its column, coloured by the page's
variables. It computes no point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

WIDTH, ROW, TOP, SIDE = 360, 34, 32, 8
LABEL_CELLS = 46
"""Letters of a label before it is cut short; a Chinese character counts as two."""
NEAREST = 26
"""Numbers of two cuts closer than this stand on two lines."""


@dataclass(frozen=True)
class Bar:
    """One line: what it is, where its bar begins and ends, and the number beside it."""

    name: str
    start: int
    end: int
    shown: str
    kind: str


def bars(base: tuple[str, int], parts: Sequence[tuple[str, int]], score: str) -> list[Bar]:
    """The lines of a waterfall: the base, each part from where the last one ended, the score.

    >>> [(b.start, b.end) for b in bars(("base", 500), [("spend", 30), ("late", -8)], "score")]
    [(500, 500), (500, 530), (530, 522), (522, 522)]
    """
    at = base[1]
    found = [Bar(base[0], at, at, str(at), "total")]
    for name, points in parts:
        kind = "up" if points > 0 else "down" if points < 0 else "still"
        found.append(Bar(name, at, at + points, f"{points:+d}", kind))
        at += points
    return [*found, Bar(score, at, at, str(at), "total")]


def waterfall(lines: Sequence[Bar], cuts: Sequence[tuple[int, str]], title: str, text: str) -> str:
    """The picture; `cuts` are the points at which tiers begin, of which those in sight are drawn.

    `title` and `text` tell it to who does not see it.
    """
    ends = [p for b in lines for p in (b.start, b.end)]
    low, high = _span(ends, [points for points, _ in cuts])

    def x(points: int) -> float:
        return SIDE + (WIDTH - 2 * SIDE) * (points - low) / (high - low)

    seen = [(x(points), points, name) for points, name in cuts if low < points < high]
    top = TOP if seen else 0
    height = top + ROW * len(lines) + 4
    inner = "".join([*_cut_lines(seen, height), *_rows(lines, x, top)])
    return (
        f'<svg class="waterfall" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(text)}</desc>{inner}</svg>"
    )


def _span(ends: Sequence[int], cuts: Sequence[int]) -> tuple[int, int]:
    """From where to where is drawn: all bars, the cuts beside the score, and some air."""
    low, high, score = min(ends), max(ends), ends[-1]
    reach = max(high - low, 40)
    beside = [c for c in cuts if abs(c - score) <= reach]
    low, high = min([low, *beside]), max([high, *beside])
    air = max(4, (high - low) // 12)
    return low - air, high + air


def _cut_lines(seen: Sequence[tuple[float, int, str]], height: int) -> Iterator[str]:
    lower, last = False, -float(WIDTH)
    for at, points, name in sorted(seen):
        lower = at - last < NEAREST and not lower
        last = at
        y = 24 if lower else 12
        yield (
            f'<g class="cut"><title>{points} {escape(name)}</title>'
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y + 3}" y2="{height}"/>'
            f'<text x="{min(max(at, 14), WIDTH - 14):.1f}" y="{y}" text-anchor="middle">{points}'
            "</text></g>"
        )


def _rows(lines: Sequence[Bar], x: Callable[[int], float], top: int) -> Iterator[str]:
    for place, bar in enumerate(lines):
        y = top + ROW * place
        left, right = sorted((x(bar.start), x(bar.end)))
        wide = max(right - left, 1.5)
        if bar.kind == "total":
            left, wide = left - 2, 4
        link = ""
        if place < len(lines) - 1:
            at, below = x(bar.end), y + ROW + 18
            link = f'<line class="link" x1="{at:.1f}" x2="{at:.1f}" y1="{y + 28}" y2="{below}"/>'
        yield (
            f'<g class="{bar.kind}"><title>{escape(bar.name)} {escape(bar.shown)}</title>'
            f'<text x="{SIDE}" y="{y + 13}">{escape(short(bar.name))}</text>'
            f'<text class="points" x="{WIDTH - SIDE}" y="{y + 13}" text-anchor="end">'
            f"{escape(bar.shown)}</text>"
            f'<rect x="{left:.1f}" y="{y + 18}" width="{wide:.1f}" height="10" rx="1.5"/>{link}'
            "</g>"
        )


def short(text: str, cells: int = LABEL_CELLS) -> str:
    """A text that fits into so many letters, with an ellipsis where it was longer.

    >>> short("消费金额和消费次数", 10), short("spend", 10)
    ('消费金额…', 'spend')
    """
    used = 0
    for place, letter in enumerate(text):
        used += 2 if east_asian_width(letter) in "WF" else 1
        if used > cells:
            return _cut(text[:place], cells - 1) + "…"
    return text


def _cut(text: str, cells: int) -> str:
    while sum(2 if east_asian_width(c) in "WF" else 1 for c in text) > cells:
        text = text[:-1]
    return text
