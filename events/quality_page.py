"""The data quality report as one HTML page: inline SVG, Chinese and English, no network.

Enters: the quality of a data set. Leaves: HTML. It computes nothing and names no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from events.html_page import document
from events.quality import DUPLICATE, MAJOR, MINOR, Quality, TableQuality

CELL, ROW, LABEL = 26, 20, 150
_STYLE = """
.plot{display:flex}.names{flex:none;margin-right:0}.wide{overflow-x:auto;direction:rtl}
svg{display:block;direction:ltr;margin-right:auto;font:11px system-ui,sans-serif}
svg text{fill:var(--soft)}
.cards{grid-template-columns:repeat(auto-fit,minmax(120px,1fr))}
nav{float:right}nav label{cursor:pointer;border:1px solid var(--line);border-radius:6px;
padding:3px 10px;background:var(--paper)}input[name=lang]{position:absolute;opacity:0}
input[name=lang]:focus-visible~main nav label{outline:2px solid var(--good)}
#zh:checked~main [lang=en],#en:checked~main [lang=zh]{display:none}
#zh:checked~main [for=zh],#en:checked~main [for=en]{background:var(--ink);color:var(--paper)}
"""


def _t(zh: str, en: str) -> str:
    """A text in both languages; the page shows one."""
    return f'<span lang="zh">{escape(zh)}</span><span lang="en">{escape(en)}</span>'


def page(found: Quality) -> str:
    """The whole page."""
    sections = "".join(_section(t) for t in found.tables)
    body = (
        '<input type="radio" name="lang" id="zh" checked aria-label="中文">'
        '<input type="radio" name="lang" id="en" aria-label="English"><main>'
        '<nav><label for="zh">中文</label> <label for="en">English</label></nav>'
        f"<h1>{_t('数据质量', 'Data quality')}: {escape(found.source)}</h1>"
        f'<p class="note">{_t(*_ABOUT)}</p>{sections}</main>'
    )
    return document("zh", f"{found.source}: data quality", _STYLE, body)


_ABOUT = (
    "按发生月份(UTC)统计,每个事件取最后版本。漂移为与之前所有月份相比的稳定性指数"
    f"(PSI, Siddiqi 2006):{MINOR:g}以上留意,{MAJOR:g}以上处理。",
    "By the month in which events happened (UTC), each event in its last version. Drift is the "
    f"population stability index against all months before (Siddiqi 2006): from {MINOR:g} on look, "
    f"from {MAJOR:g} on act.",
)


def _section(table: TableQuality) -> str:
    months = [m.month for m in table.months]
    complete, drift = (
        {m.month: getattr(m, w) for m in table.months} for w in ("complete", "drift")
    )
    late = {m.month: m.late for m in table.months}
    return (
        f'<section id="{escape(table.table)}"><h2>{escape(table.table)}</h2>{_cards(table)}'
        f"<h3>{_t('每月行数', 'Rows a month')}</h3>"
        f"{_bars(months, {m.month: m.rows for m in table.months})}"
        f"<h3>{_t('完整度(有值的比例)', 'Completeness (share of rows with a value)')}</h3>"
        f"{_heat(months, complete, _complete_colour, lambda v: f'{v:.0%}')}"
        f"<h3>{_t('迟到(一天后才知道的比例)', 'Lateness (share known more than a day after)')}</h3>"
        f"{_bars(months, late, percent=True)}"
        f"<h3>{_t('漂移(PSI)', 'Drift (stability index)')}</h3>"
        f"{_heat(months, drift, _drift_colour, lambda v: f'{v:.2f}')}"
        f"{_drifted(table)}{_quarantine(table)}</section>"
    )


def _cards(table: TableQuality) -> str:
    rows = max(table.rows, 1)
    arrived = table.rows + sum(m.corrected for m in table.months) + sum(table.quarantine.values())
    late = sum(m.late * m.rows for m in table.months) / rows
    cards = (
        (("行数", "rows"), f"{table.rows:,}"),
        (("月份", "months"), f"{len(table.months)}"),
        (("更正", "corrections"), f"{sum(m.corrected for m in table.months):,}"),
        (("迟到", "late"), f"{late:.1%}"),
        (("重复", "duplicates"), f"{table.duplicates:,}"),
        (("隔离", "in quarantine"), f"{sum(table.quarantine.values()) / max(arrived, 1):.2%}"),
    )
    inner = "".join(f"<div><b>{value}</b>{_t(*label)}</div>" for label, value in cards)
    return f'<div class="cards">{inner}</div>'


def _quarantine(table: TableQuality) -> str:
    head = f"<h3>{_t('隔离区(按规则)', 'Quarantine by rule')}</h3>"
    if not table.quarantine:
        return f'{head}<p class="note">{_t("没有隔离的行", "no row in quarantine")}</p>'
    rows = "".join(
        f'<tr><td><code>{escape(rule)}</code></td><td class="n">{count:,}</td></tr>'
        for rule, count in sorted(table.quarantine.items(), key=lambda r: -r[1])
    )
    found = table.quarantine_months
    months = sorted({*found, *(m.month for m in table.months)})
    twice = {m: by_rule.get(DUPLICATE, 0) for m, by_rule in found.items()}
    most = max((v for by_rule in found.values() for v in by_rule.values()), default=1)
    return (
        f"<h3>{_t('每月重复行数', 'Duplicates a month')}</h3>{_bars(months, twice)}"
        f"{head}<table>{rows}</table><h3>{_t('每月隔离行数', 'Quarantine a month')}</h3>"
        f"{_heat(months, found, lambda v: _complete_colour(1 - v / most), lambda v: f'{v:,.0f}')}"
    )


def _drifted(table: TableQuality) -> str:
    if not table.drifted:
        return ""
    rows = "".join(
        f'<tr><td>{escape(month)}</td><td><code>{escape(column)}</code></td><td class="n bad">'
        f"{index:.2f}</td></tr>"
        for month, column, index in table.drifted[:10]
    )
    return f"<table>{rows}</table>"


def _months(months: Sequence[str], height: int) -> Iterator[str]:
    """The names of the months below a plot, each third one."""
    for place, month in enumerate(months):
        if place % 3 == 0:
            x = place * CELL
            yield f'<text x="{x}" y="{height + 13}">{escape(month)}</text>'


def _svg(months: Sequence[str], height: int, names: str, inner: str) -> str:
    """A plot: names stay at the left, months scroll, the newest in view."""
    width, tall = max(len(months), 3) * CELL + 40, height + 20
    labels = "".join(_months(months, height))
    return (
        f'<div class="plot"><svg class="names" width="{LABEL}" height="{tall}">{names}</svg>'
        f'<div class="wide"><svg width="{width}" height="{tall}" role="img">{inner}{labels}</svg>'
        "</div></div>"
    )


def _bars(months: Sequence[str], values: Mapping[str, float], *, percent: bool = False) -> str:
    """A bar a month."""
    most = max(values.values(), default=0) or 1
    height = 70

    def said(v: float) -> str:
        return f"{v:.1%}" if percent else f"{v:,.0f}"

    names = f'<text x="{LABEL - 8}" y="11" text-anchor="end">{said(most)}</text>'
    inner = ""
    for place, month in enumerate(months):
        value = values.get(month, 0)
        tall = (height - 4) * value / most
        inner += (
            f'<rect x="{place * CELL}" y="{height - tall:.1f}" width="{CELL - 4}" '
            f'height="{tall:.1f}" fill="#2f6f9f"><title>{escape(month)}: '
            f"{said(value)}</title></rect>"
        )
    return _svg(months, height, names, inner)


def _heat(
    months: Sequence[str],
    values: Mapping[str, Mapping[str, float]],
    colour: Callable[[float], str],
    said: Callable[[float], str],
) -> str:
    """A grid of columns by months."""
    tables = [values.get(m, {}) for m in months]
    columns = list(dict.fromkeys(c for t in tables for c in t))
    if not columns:
        text = _t("行数太少,无法比较", "too few rows to compare")
        return f'<p class="note">{text}</p>'
    names, inner = "", ""
    for row, column in enumerate(columns):
        names += (
            f'<text x="{LABEL - 8}" y="{row * ROW + 14}" text-anchor="end">{escape(column)}</text>'
        )
        for place, (month, table) in enumerate(zip(months, tables, strict=True)):
            if column in table:
                inner += (
                    f'<rect x="{place * CELL}" y="{row * ROW}" width="{CELL - 2}" '
                    f'height="{ROW - 2}" fill="{colour(table[column])}"><title>'
                    f"{escape(column)} {escape(month)}: {said(table[column])}</title></rect>"
                )
    return _svg(months, len(columns) * ROW, names, inner)


def _complete_colour(share: float) -> str:
    """From red (nothing) over yellow to green (all)."""
    return f"hsl({round(120 * share)} 45% {round(62 - 6 * share)}%)"


def _drift_colour(index: float) -> str:
    if index >= MAJOR:
        return "#b3261e"
    return "#e0a030" if index >= MINOR else "#cfe3d6"
