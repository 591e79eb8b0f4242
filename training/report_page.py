"""A report as one page that stands alone: inline SVG, no script, no network.

Enters: a report's content, and who signed it. Leaves: HTML in one language, the same bytes for the
same content. It computes no figure; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from domain.asof import iso
from domain.tiers import Target
from events.html_page import document
from features.catalogue import Language
from scoring.approvals import Approval
from training.findings import Finding
from training.report_html import Cell, Shown, Writer, plain, ranged, span
from training.report_model import Content
from training.report_section import Section
from training.report_sections import sections
from training.report_words import gate_text

STYLE = """
main{max-width:1080px}dd code{overflow-wrap:anywhere}
.wide td:first-child{min-width:8em}
h4{margin:16px 0 6px;font-size:14px}span.n{white-space:nowrap}
h3{border-top:1px solid var(--line);padding-top:12px;font-size:15px;color:var(--ink)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:16px}
.half{max-width:440px}.wide{overflow-x:auto;margin:8px 0 14px}
figure{margin:0}figcaption{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.chart{display:block;width:100%;max-width:440px;font-size:12px}
.chart text{fill:var(--ink)}.chart .axis{fill:none;stroke:var(--soft);stroke-width:.8}
.chart polyline{fill:none;stroke-width:2}.chart .main{stroke:var(--good)}
.chart .range{stroke:var(--good);stroke-width:1;opacity:.6}
.chart .guide{stroke:var(--soft);stroke-dasharray:4 3}
.chart .dot,.chart .bar{fill:var(--good)}.chart .below{fill:var(--bad)}
@media print{section+section{break-before:page}span.n{white-space:normal}.wide{overflow:visible}
.wide code{overflow-wrap:anywhere;font-size:9px}td,th{padding-right:8px}
td.n,th.n{white-space:normal}details::details-content{content-visibility:visible;height:auto}}
"""
LIMITS = (
    "not_use", "limit_data", "limit_time", "limit_cohort", "limit_reject", "limit_cause",
    "limit_group", "limit_profit",
)  # fmt: skip
SUPERVISORS = {
    "sr_concept": ("use", "label", "method", "monotone"),
    "sr_outcome": ("discrimination", "calibrated", "gates"),
    "sr_monitor": ("stability", "compared"),
    "sr_limits": ("limits",),
    "ai_data": ("lineage", "split", "leakage", "groups"),
    "ai_clear": ("use", "reasons", "limits"),
    "ai_human": ("signed", "limits"),
    "ai_exact": ("discrimination", "calibrated", "coverage", "stability"),
}
"""What a supervisor asks, and the sections that answer."""
LEARNER = "LightGBM"
END = "</main>"


def page(content: Content, lang: Language) -> str:
    """The whole report in one language; `main` names the bundle that it is about."""
    write = Writer(lang)
    title = f"{write.say('title')}: {content.card.source} {content.bundle[:12]}"
    body = (
        f'<main data-bundle="{content.bundle}" data-lang="{lang}">'
        f"<h1>{write.w('title')}</h1>{write.note('about')}"
        f"{_head(content, write)}{_cards(content, write)}{_lineage(content, write)}"
        f"{''.join(_target(content, t, write) for t in content.targets)}"
        f"{_limits(content, write)}{_supervisors(write)}{END}"
    )
    return document("zh-CN" if lang == "zh" else "en", title, STYLE, body)


def with_signatures(html: str, by: str, signed: Sequence[Approval], lang: Language) -> str:
    """The page with a box of who trained and who signed, which `without_signatures` takes away."""
    write = Writer(lang)
    rows = [(s.by, iso(s.at), s.reason, Cell(f"<code>{s.report}</code>")) for s in signed]
    box = (
        f'<section id="signed"><h2>{write.w("signed")}</h2>{write.note("signed_note")}'
        f"{write.listed([('trained_by', escape(by))])}"
        f"{write.table(('by', 'at', 'reason', 'report'), rows)}</section>"
    )
    before, _, after = html.rpartition(END)
    return f"{before}{box}{END}{after}"


def without_signatures(html: bytes) -> bytes:
    """The bytes of the page that was signed."""
    before, found, after = html.rpartition(b'<section id="signed">')
    return before + END.encode() + after.partition(END.encode())[2] if found else html


def _head(content: Content, write: Writer) -> str:
    card, policy = content.card, content.policy
    held = [t for t in card.tables.values() if t.first and t.last]
    ends = (min(str(t.first) for t in held), max(str(t.last) for t in held)) if held else ()
    rows = (
        ("source", escape(card.source)),
        ("period", " &ndash; ".join(day[:10] for day in ends) or write.w("none")),
        ("bundle", f"<code>{content.bundle}</code>"),
        ("policy", f"{escape(policy.version)} <code>{policy.hash}</code>"),
        ("champion", f"<code>{card.champion or write.w('none')}</code>"),
        ("catalogue", f"<code>{content.catalogue}</code>"),
        ("tierline", escape(content.tierline)),
        ("seed", str(card.seed)),
        ("lock", f"<code>{card.lock_hash or write.w('none')}</code>"),
    )
    said = {"accepted": card.accepted, "unapproved": card.unapproved}
    return write.listed(rows) + "".join(
        f'<div class="notes"><b class="warn">{write.w(name)}</b> '
        f"{escape(who.by)}{write.sign(': ')}{escape(who.reason)}</div>"
        for name, who in said.items()
        if who is not None
    )


def _cards(content: Content, write: Writer) -> str:
    inner = ""
    for target, found in content.targets.items():
        whole, metric = found.test, found.metric
        figure = ranged((whole.measures[metric], *whole.intervals[metric]))
        verdict = write.mark(content.card.targets[target].verdict).html
        inner += (
            f'<a href="#{target}">{write.w(target)}{verdict}'
            f"{write.w(metric)} {figure}<br><small>{write.w('rows')} {whole.rows:,}</small></a>"
        )
    return f'<nav class="cards" aria-label="{write.w("verdicts")}">{inner}</nav>'


def _lineage(content: Content, write: Writer) -> str:
    card = content.card
    rows: list[tuple[Shown, ...]] = []
    for name, sha in sorted(card.data.items()):
        table = card.tables.get(name)
        first, last = (table.first, table.last) if table else (None, None)
        rows.append(
            (
                name, table.rows if table else None, *(_day(m) for m in (first, last)),
                Cell(f"<code>{sha}</code>"),
            )
        )  # fmt: skip
    inner = write.table(("table", "table_rows", "first_event", "last_event", "hash"), rows)
    inner += write.note("approval" if content.policy.gates.approval else "no_approval")
    if card.skipped:
        inner += f"<h3>{write.w('skipped')}</h3>{plain(card.skipped)}"
    inner += write.folded("plan", plain(card.plan))
    return (
        f'<section id="lineage"><h2>{write.w("lineage")}</h2>{inner}{_leaks(content, write)}'
        "</section>"
    )


def _day(moment: object) -> Cell:
    return span(str(moment)[:10] if moment else "")


def _leaks(content: Content, write: Writer) -> str:
    """What looked like the future or the test, and the figure of every check."""
    leakage = content.card.leakage
    findings = [Finding(**f) for f in (*leakage.alarms, *leakage.told)]  # type: ignore[arg-type]
    rows = [
        (f.check, f.where, f.said, f.figure, write.say("yes" if f.is_sure else "no"))
        for f in findings
    ]
    found = (
        write.table(("check", "where", "said", "figure", "stops"), rows)
        if rows
        else f"<p>{write.w('leaks_none')}</p>"
    )
    figures = [
        (" · ".join(write.say(k) for k in path), value) for path, value in _flat(leakage.figures)
    ]
    told = write.folded("details", write.table(("check", "figure"), figures))
    return f"<h3>{write.w('leaks')}</h3>{write.note('leaks_how')}{found}{told}"


def _flat(found: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Shown]]:
    """Every value of nested JSON with its keys; a list is one text."""
    if isinstance(found, Mapping):
        return [leaf for key, inner in found.items() for leaf in _flat(inner, (*path, key))]
    return [(path, ", ".join(map(str, found)) if isinstance(found, list) else found)]


def _target(content: Content, target: Target, write: Writer) -> str:
    found = content.targets[target]
    learner = content.card.learner or LEARNER
    section = Section(target, found, content.plan, learner, write)
    verdict = write.mark(content.card.targets[target].verdict, "small").html
    return (
        f'<section id="{target}"><h2>{write.w(target)} {verdict}</h2>'
        f"{''.join(sections(section))}</section>"
    )


def _limits(content: Content, write: Writer) -> str:
    told = [
        write.sign(": ").join(
            (write.w(t), write.mark(g.result).html,
             *(escape(gate_text(text, write.lang)) for text in (g.gate, g.figure)))
        )
        for t, found in content.targets.items()
        for g in found.gates if g.result != "passed"
    ]  # fmt: skip
    inner = "".join(f"<li>{text}</li>" for text in (*told, *map(write.w, LIMITS)))
    return f'<section id="limits"><h2>{write.w("limits")}</h2><ul>{inner}</ul></section>'


def _supervisors(write: Writer) -> str:
    rows = [
        (write.say(asked), ("、" if write.lang == "zh" else ", ").join(write.say(s) for s in where))
        for asked, where in SUPERVISORS.items()
    ]
    return (
        f'<section id="supervisor"><h2>{write.w("supervisor")}</h2>{write.note("supervisor_note")}'
        f"{write.table(('asks', 'stands'), rows)}</section>"
    )
