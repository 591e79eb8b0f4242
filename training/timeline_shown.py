"""The timeline of a customer for a reader: lines and a table on the terminal, a page that stands
alone with its drawing as SVG; Chinese or English.

Enters: a `Timeline`. Leaves: text. What was visible at as_of is drawn filled, what became known
later hollow, with a line to the day on which it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import Literal

from rich.table import Table

from domain.asof import MICROS_PER_DAY, NEVER, iso
from events.html_page import document
from training.timeline import Event, State, Timeline

Language = Literal["en", "zh"]
BEFORE_DAYS = 400
COLUMNS, BARS = 80, " ▁▂▃▄▅▆▇█"
WIDTH, LEFT, RIGHT, LANE = 1060, 16, 16, 46
LANES = ((State.VISIBLE, State.REPLACED), (State.CORRECTED, State.LATE),
         (State.LABEL, State.OUTDATED), (State.BEYOND,))  # fmt: skip
STATES: dict[State, tuple[str, str]] = {
    State.VISIBLE: ("当时可见", "visible at as_of"),
    State.REPLACED: ("当时可见,之后被更正", "visible at as_of, corrected since"),
    State.CORRECTED: ("当时已被更正", "corrected by as_of"),
    State.LATE: ("已发生,之后才知道", "had happened, became known later"),
    State.LABEL: ("在预测期内,决定标签", "in the horizon, makes the label"),
    State.OUTDATED: ("在预测期内,后被更正,不计", "in the horizon, corrected, does not count"),
    State.BEYOND: ("不影响标签", "makes no difference to the label"),
}
PARTS = {
    "fit": ("用于学习", "learnt from"),
    "calibration": ("用于校准", "calibrates"),
    "unseen": ("从不学习", "never learnt from"),
    "folds": ("交叉验证,轮流检验", "in folds, tested by those who did not learn from it"),
}
LABELS = {
    "churn": (("流失", "leaves"), ("留存", "stays")),
    "credit": (("违约", "goes bad"), ("正常还款", "pays as agreed")),
}
_STYLE = """
svg{display:block;width:100%;font:12px system-ui,sans-serif}svg text{fill:var(--soft)}
.window{fill:#1b66c9;fill-opacity:.13}.horizon{fill:var(--good);fill-opacity:.13}
.gap{fill:none;stroke:var(--warn);stroke-dasharray:5 4}
.now{stroke:var(--ink);stroke-width:2}.end{stroke:var(--bad);stroke-dasharray:2 3}
.visible{fill:#1b66c9;stroke:#1b66c9}.replaced{fill:#1b66c9;stroke:var(--warn);stroke-width:3}
.corrected{fill:none;stroke:var(--soft)}.late{fill:none;stroke:var(--warn);stroke-width:2}
.label{fill:var(--good);stroke:var(--good)}.outdated{fill:none;stroke:var(--good)}
.beyond{fill:var(--line);stroke:var(--soft)}
"""


def facts(found: Timeline, lang: Language) -> Iterator[tuple[str, str]]:
    """What there is to say of the timeline, a word and its text a line."""
    zh = lang == "zh"
    end = found.as_of + found.horizon_days * MICROS_PER_DAY
    yield ("时点" if zh else "as_of"), _day(found.as_of)
    if found.window_days is not None:
        since = _day(found.as_of - found.window_days * MICROS_PER_DAY)
        said = f"({since}, {_day(found.as_of)}]"
        yield ("窗口" if zh else "window"), f"{said} {found.window_days} {'天' if zh else 'days'}"
    yield (
        "预测期" if zh else "horizon",
        f"({_day(found.as_of)}, {_day(end)}] {found.horizon_days} {'天' if zh else 'days'}",
    )
    if found.gap is not None:
        last, first = found.gap
        days = (first - last) // MICROS_PER_DAY
        yield ("间隔" if zh else "gap"), (
            f"训练止于{_day(last)},检验始于{_day(first)},相隔{days}天" if zh
            else f"training ends {_day(last)}, the test begins {_day(first)}: {days} days"
        )  # fmt: skip
    yield ("客户" if zh else "customer"), PARTS[found.part][0 if zh else 1]
    yield ("标签" if zh else "label"), label(found, lang)


def label(found: Timeline, lang: Language) -> str:
    """The label in words, or why there is none."""
    zh = lang == "zh"
    if found.y is not None:
        if found.target not in LABELS:
            return f"{found.y:,.2f} {'消费额' if zh else 'spend'} (y = {found.y:g})"
        return f"{LABELS[found.target][int(found.y)][0 if zh else 1]} (y = {found.y:g})"
    if not found.is_mature:
        until = _day(found.data_until)
        return f"未到期:数据止于{until}" if zh else f"not mature: the data ends on {until}"
    return "不在样本中:没有标签" if zh else "not in the cohort: no label"


def shown(found: Timeline) -> tuple[Event, ...]:
    """The events that are drawn: those of some time before as_of and up to the horizon's end."""
    first = found.as_of - max(BEFORE_DAYS, found.window_days or 0) * MICROS_PER_DAY
    last = found.as_of + (found.horizon_days + 30) * MICROS_PER_DAY
    return tuple(e for e in found.events if first <= e.happened <= last)


def drawing(found: Timeline, lang: Language) -> Iterator[str]:
    """The timeline as lines of text: window `-`, as_of `|` and horizon `=`, below them the dates,
    then a line a kind of event, higher where there are more."""
    first, last = _span(found)
    start = found.as_of - (found.window_days or 0) * MICROS_PER_DAY
    end = found.as_of + found.horizon_days * MICROS_PER_DAY

    def column(moment: int) -> int:
        return (moment - first) * (COLUMNS - 1) // (last - first)

    now, places = column(found.as_of), range(COLUMNS)
    before, after = range(column(start), now), range(now, column(end) + 1)
    ruler = (
        "|" if c == now else "-" if c in before else "=" if c in after else " " for c in places
    )
    yield "".join(ruler).rstrip()
    dates = f"{_day(start):<{now - column(start)}}{_day(found.as_of)}" if now > 11 else ""
    yield f"{'':<{column(start)}}{dates:<{column(end) - column(start)}}{_day(end)}"
    for state in State:
        many = Counter(column(e.happened) for e in shown(found) if e.state is state)
        if many:
            most = max(many.values())
            bars = "".join(BARS[-(-many[c] * (len(BARS) - 1) // most)] for c in places)
            yield f"{bars}  {STATES[state][0 if lang == 'zh' else 1]}: {many.total()}"


def event_table(found: Timeline, lang: Language, most: int | None = None) -> Table:
    """The events that are drawn, one a row; of them the `most` that are nearest to as_of."""
    zh = lang == "zh"
    events = shown(found)
    if most is not None:
        near = sorted(events, key=lambda e: abs(e.happened - found.as_of))[:most]
        events = tuple(e for e in events if e in near)
    title = f"{len(events)} / {len(found.events)}"
    table = Table(title=f"{'事件' if zh else 'events'} {title}", title_justify="left")
    for name in _heads(zh):
        table.add_column(name)
    for event in events:
        table.add_row(*_cells(event, zh), style="dim" if event.state in LANES[1] else "")
    return table


def page(found: Timeline, lang: Language) -> str:
    """The whole page."""
    zh = lang == "zh"
    title = f"{found.customer}: {found.target}, {_day(found.as_of)}"
    said = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in facts(found, lang))
    heads = "".join(f"<th>{h}</th>" for h in _heads(zh))
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in _cells(e, zh)) + "</tr>"
        for e in shown(found)
    )
    keys = "".join(
        f'<dt><svg viewBox="0 0 16 16" width="16" height="16" style="width:16px">'
        f"{_mark(8, 8, state)}</svg></dt><dd>{STATES[state][0 if zh else 1]}</dd>"
        for state in State
    )
    drawn = f"{'时间线' if zh else 'Timeline'}: {title}"
    body = (
        f"<main><h1>{escape(title)}</h1><section><dl>{said}</dl></section>"
        f'<section><div role="img" aria-label="{escape(drawn)}">{_svg(found)}</div>'
        f"<dl>{keys}</dl></section>"
        f"<section><table><tr>{heads}</tr>{rows}</table></section></main>"
    )
    return document(lang, title, _STYLE, body)


def _heads(zh: bool) -> tuple[str, ...]:
    if zh:
        return ("发生", "知道", "更正", "内容", "与标签的关系")
    return ("happened", "known", "corrected", "what", "to the label")


def _cells(event: Event, zh: bool) -> tuple[str, ...]:
    fixed = "" if event.superseded == NEVER else _day(event.superseded)
    said = STATES[event.state][0 if zh else 1]
    return _day(event.happened), _day(event.known), fixed, event.what, said


def _span(found: Timeline) -> tuple[int, int]:
    """From when until when it is drawn."""
    day = MICROS_PER_DAY
    ends = [e for event in shown(found) for e in (event.happened, event.known)]
    horizon = found.as_of + found.horizon_days * day
    first = min([found.as_of - (found.window_days or 0) * day, *ends]) - 5 * day
    return first, max([horizon, *(found.gap or ()), *ends]) + 5 * day


def _svg(found: Timeline) -> str:
    day = MICROS_PER_DAY
    horizon = found.as_of + found.horizon_days * day
    first, last = _span(found)
    height = LANE * len(LANES) + 60

    def x(moment: int) -> float:
        share = (moment - first) / (last - first)
        return float(round(LEFT + share * (WIDTH - LEFT - RIGHT), 1))

    def band(start: int, end: int, name: str, top: int, tall: int) -> str:
        start, end = max(start, first), min(end, last)
        wide = round(x(end) - x(start), 1)
        return f'<rect class="{name}" x="{x(start)}" y="{top}" width="{wide}" height="{tall}"/>'

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}">']
    if found.window_days is not None:
        start = found.as_of - found.window_days * day
        parts.append(band(start, found.as_of, "window", 20, height - 40))
    parts.append(band(found.as_of, horizon, "horizon", 20, height - 40))
    if found.gap is not None and found.gap[1] > first and found.gap[0] < last:
        parts.append(band(*found.gap, "gap", 24, height - 48))
    for moment, name in ((found.as_of, "now"), (found.data_until, "end")):
        if first <= moment <= last:
            parts.append(_line(name, (x(moment), x(moment)), (16, height - 18)))
    for moment, anchor in ((first, "start"), (found.as_of, "middle"), (horizon, "middle")):
        place = f'x="{x(moment)}" y="{height - 4}" text-anchor="{anchor}"'
        parts.append(f"<text {place}>{_day(moment)}</text>")
    for event in shown(found):
        y = 44 + LANE * next(i for i, states in enumerate(LANES) if event.state in states)
        if event.known - event.happened > day:
            parts.append(_line("late", (x(event.happened), x(event.known)), (y, y)))
        said = f"{_day(event.happened)} {event.what}"
        parts.append(_mark(x(event.happened), y, event.state, said))
    return "".join([*parts, "</svg>"])


def _mark(x: float, y: float, state: State, title: str = "") -> str:
    said = f"<title>{escape(title)}</title>" if title else ""
    if state in (State.LABEL, State.OUTDATED):
        place = f'x="{x - 5:g}" y="{y - 5:g}" width="10" height="10"'
        return f'<rect class="{state}" {place}>{said}</rect>'
    return f'<circle class="{state}" cx="{x:g}" cy="{y:g}" r="5">{said}</circle>'


def _line(name: str, xs: tuple[float, float], ys: tuple[int, int]) -> str:
    return f'<line class="{name}" x1="{xs[0]}" x2="{xs[1]}" y1="{ys[0]}" y2="{ys[1]}"/>'


def _day(micros: int) -> str:
    return iso(micros)[:10]
