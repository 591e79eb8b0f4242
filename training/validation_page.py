"""A report as one page that stands alone: inline SVG, no script, no network.

Enters: a report's content. Leaves: HTML in one language, the same bytes for the same content. It
computes no figure; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from events.html_page import document
from features.catalogue import Language
from training.validation_html import Writer, plain
from training.validation_sections import Section, sections
from training.validation_words import gate_text

STYLE = """
main{max-width:1080px}code{overflow-wrap:anywhere}
h3{border-top:1px solid var(--line);padding-top:12px;font-size:15px;color:var(--ink)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:16px}
.half{max-width:520px}.wide{overflow-x:auto}
figure{margin:0}figcaption{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
.chart{display:block;width:100%;max-width:520px;font-size:12px}
.chart text{fill:var(--ink)}.chart .axis{fill:none;stroke:var(--soft);stroke-width:.8}
.chart polyline{fill:none;stroke-width:2}.chart .main{stroke:var(--good)}
.chart .second{stroke:var(--warn)}.chart .guide{stroke:var(--soft);stroke-dasharray:4 3}
.chart .dot,.chart .bar{fill:var(--good)}.chart .below{fill:var(--bad)}
@media print{section{break-before:page}}
"""
LIMITS = ("limit_time", "limit_cohort", "limit_cause", "limit_group", "limit_profit")


def page(content: Mapping[str, Any], lang: Language) -> str:
    """The whole report in one language; `main` names the bundle that it is about."""
    write, card = Writer(lang), content["card"]
    title = f"{write.say('title')}: {card['source']} {content['bundle'][:12]}"
    body = (
        f'<main data-bundle="{content["bundle"]}" data-lang="{lang}">'
        f"<h1>{write.w('title')}</h1>{write.note('about')}"
        f"{_head(content, write)}{_cards(card, write)}{_lineage(card, write)}"
        f"{''.join(_target(content, t, write) for t in card['targets'])}"
        f"{_limits(card, write)}</main>"
    )
    return document("zh-CN" if lang == "zh" else "en", title, STYLE, body)


def _head(content: Mapping[str, Any], write: Writer) -> str:
    card = content["card"]
    policy = card["policy"]
    rows = (
        ("source", escape(card["source"])),
        ("bundle", f"<code>{content['bundle']}</code>"),
        ("policy", f"{escape(policy['version'])} <code>{policy['hash']}</code>"),
        ("catalogue", f"<code>{content['catalogue']}</code>"),
        ("tierline", escape(content["tierline"])),
        ("seed", str(card["seed"])),
        ("lock", f"<code>{card['lock_hash'] or write.w('none')}</code>"),
    )
    told = "".join(f"<dt>{write.w(k)}</dt><dd>{v}</dd>" for k, v in rows)
    return f"<dl>{told}</dl>{_accepted(card, write)}"


def _accepted(card: Mapping[str, Any], write: Writer) -> str:
    found = {name: card.get(name) for name in ("accepted", "unapproved")}
    return "".join(
        f'<div class="notes"><b class="warn">{write.w(name)}</b> '
        f"{escape(said['by'])}: {escape(said['reason'])}</div>"
        for name, said in found.items()
        if said
    )


def _cards(card: Mapping[str, Any], write: Writer) -> str:
    inner = ""
    for target, found in card["targets"].items():
        figures, word = found["figures"], found["verdict"]
        metric = figures["metric"]
        inner += (
            f'<a href="#{target}">{write.w(target)}<b class="{_colour(word)}">{write.w(word)}</b>'
            f"{metric} {figures['test'][metric]:.3f}</a>"
        )
    return f'<nav class="cards">{inner}</nav>'


def _colour(verdict: str) -> str:
    return "good" if verdict == "passed" else "bad"


def _lineage(card: Mapping[str, Any], write: Writer) -> str:
    rows = sorted(card["data"].items())
    asked = card["policy"]["gates"]["approval"]
    inner = write.table(("table", "hash"), rows) + write.note(
        "approval" if asked else "no_approval"
    )
    if card["skipped"]:
        inner += write.h("skipped") + plain(card["skipped"])
    inner += write.folded("plan", plain(card["plan"]))
    if card.get("leakage"):
        inner += write.h("leakage") + plain(card["leakage"])
    return f"<section><h2>{write.w('lineage')}</h2>{inner}</section>"


def _target(content: Mapping[str, Any], target: Any, write: Writer) -> str:
    card = content["card"]
    found = card["targets"][target]
    section = Section(
        target, found["figures"], card["plan"], content["global_view"].get(target), write
    )
    word = found["verdict"]
    return (
        f'<section id="{target}"><h2>{write.w(target)} '
        f'<small class="{_colour(word)}">{write.w(word)}</small></h2>'
        f"{''.join(sections(section))}</section>"
    )


def _gate(gate: Mapping[str, Any], write: Writer) -> str:
    name, figure = (gate_text(gate[k], write.lang) for k in ("gate", "figure"))
    return f"{escape(name)}: {escape(figure)}"


def _limits(card: Mapping[str, Any], write: Writer) -> str:
    inner = "".join(f"<li>{write.w(key)}</li>" for key in LIMITS)
    failed = [
        f"<li>{write.w(t)}: {_gate(g, write)}</li>"
        for t, found in card["targets"].items()
        for g in found["figures"]["gates"]
        if not g["passed"]
    ]
    return f"<section><h2>{write.w('limits')}</h2><ul>{''.join(failed)}{inner}</ul></section>"
