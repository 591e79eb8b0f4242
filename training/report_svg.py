"""Pictures of a report as inline SVG that scales with its column: curves, bars, a line of time.

Enters: numbers with their names. Leaves: SVG coloured by the page's variables, with a title for who
does not see it. It computes no figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 340, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 24, 36
CELLS = 40
"""Letters of the name of a bar; a Chinese character counts as two."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Axes:
    """From where to where each axis runs, and what it is called."""

    x: tuple[float, float]
    y: tuple[float, float]
    names: tuple[str, str]

    def at(self, point: Point) -> Point:
        """Where a point stands in the picture."""
        (left, right), (low, high) = self.x, self.y
        across = (point[0] - left) / (right - left)
        up = (point[1] - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )


def axes_of(points: Sequence[Point], names: tuple[str, str]) -> Axes:
    """Axes that hold all the points; those that would have no width get some."""
    sides = []
    for values in ([p[0] for p in points], [p[1] for p in points]):
        low, high = min(values), max(values)
        air = 0.0 if high > low else max(abs(high) * 0.1, 0.5)
        sides.append((low - air, high + air))
    return Axes(sides[0], sides[1], names)


def curves(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    axes: Axes,
    ranges: Sequence[tuple[float, float, float]] = (),
) -> str:
    """Several lines by their style: `main`, `guide`, or `dots` without a line; `ranges` are
    upright bars at x, from low to high."""
    parts = [*_frame(axes)]
    for at, low, high in ranges:
        (x, bottom), (_, top) = axes.at((at, low)), axes.at((at, high))
        parts.append(f'<path class="range" d="M{x:.1f} {bottom:.1f}V{top:.1f}"/>')
    for style, points in lines.items():
        places = [axes.at(p) for p in points]
        if style != "dots":
            parts.append(
                f'<polyline class="{style}" points="'
                + " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
                + '"/>'
            )
        if style in ("main", "dots"):
            parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in places]
    return _svg("chart", title, HEIGHT, "".join(parts))


def _frame(axes: Axes) -> Iterator[str]:
    """The two axes with three numbers each, and their names."""
    (left, right), (low, high) = axes.x, axes.y
    bottom, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{end}"/>'
    for part in (0.0, 0.5, 1.0):
        value = left + part * (right - left)
        x = LEFT + part * (end - LEFT)
        anchor = ("start", "middle", "end")[int(part * 2)]
        yield _text(number(value), x, bottom + 14, anchor)
        y = bottom - part * (bottom - TOP)
        yield _text(number(low + part * (high - low)), LEFT - 4, y + 4, "end")
    if axes.names[0]:
        yield _text(axes.names[0], (LEFT + end) / 2, HEIGHT - 5, "middle")
    yield _text(axes.names[1], 2, 12, "start")


def bars(title: str, rows: Sequence[tuple[str, float, str]], most: float | None = None) -> str:
    """Names above bars, with the number beside; `most` is the length of a whole bar."""
    largest = most or max((abs(size) for _, size, _ in rows), default=1.0) or 1.0
    parts = []
    for place, (name, size, shown) in enumerate(rows):
        y = place * 30
        wide = abs(size) / largest * (WIDTH - 4)
        parts.append(_text(short(name), 2, y + 13, "start"))
        parts.append(_text(shown, WIDTH - 2, y + 13, "end"))
        kind = "bar" if size >= 0 else "bar below"
        parts.append(f'<rect class="{kind}" x="2" y="{y + 17}" width="{wide:.1f}" height="8"/>')
    return _svg("chart", title, max(len(rows), 1) * 30 + 2, "".join(parts))


def spans(
    title: str, rows: Sequence[tuple[str, float, float]], ends: tuple[str, str]
) -> str:  # fmt: skip
    """Bars from where to where on one line of time from 0 to 1; `ends` are its first and last."""
    parts = []
    for place, (name, begin, end) in enumerate(rows):
        y = place * 34
        wide = max((end - begin) * (WIDTH - 4), 4)
        parts.append(_text(short(name, 52), 2, y + 13, "start"))
        parts.append(f'<path class="axis" d="M2 {y + 22}H{WIDTH - 2}"/>')
        x = min(2 + begin * (WIDTH - 4), WIDTH - 2 - wide)
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{y + 17}" width="{wide:.1f}" height="10"/>')
    bottom = len(rows) * 34 + 12
    parts.append(_text(ends[0], 2, bottom, "start"))
    parts.append(_text(ends[1], WIDTH - 2, bottom, "end"))
    return _svg("chart", title, bottom + 6, "".join(parts))


def number(value: float) -> str:
    """A number in few letters.

    >>> number(0.12345), number(12345.6), number(0.0), number(-3.0)
    ('0.123', '12,346', '0', '-3')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) > 1e-9 else "0"


def short(text: str, cells: int = CELLS) -> str:
    """A text that fits, with an ellipsis where it was longer.

    >>> short("消费金额和消费次数", 10), short("spend", 10)
    ('消费金额…', 'spend')
    """
    wide = [2 if ord(letter) > 0x2E7F else 1 for letter in text]
    if sum(wide) <= cells:
        return text
    kept = 0
    while sum(wide[: kept + 1]) <= cells - 1:
        kept += 1
    return text[:kept] + "…"


def _text(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(kind: str, title: str, height: float, inner: str) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg class="{kind}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img"><title>{escape(title)}</title>{inner}</svg>'
        "</figure>"
    )
