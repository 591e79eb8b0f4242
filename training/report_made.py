"""The sections of a report about how a scorer came about: use, label, split, leakage, method.

Enters: a target on a page. Leaves: HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from domain.asof import parse_instant
from training.report_html import span
from training.report_model import LearntPart
from training.report_section import Section
from training.report_svg import bars, number, spans


def use(s: Section) -> str:
    """What the score is for, and what it is not for."""
    return f"<p>{s.write.w('use_' + s.target)}</p>{s.write.note('not_use')}"


def label(s: Section) -> str:
    """How the label comes about."""
    plan = s.plan.targets[s.target]
    rows: list[tuple[str, str]] = [("horizon", str(plan.horizon_days))]
    if s.target == "credit":
        rows.append(("past_due", str(plan.bad_days_past_due)))
    else:
        rows.append(("active", str(plan.active_days)))
    if s.target == "value":
        rows.append(("spend", s.write.w(plan.spend)))
    how = s.write.w(f"by_{plan.label}")
    told = f"{s.write.w('def_' + s.target)}{s.sign('; ')}{how}{s.sign('.')}"
    return f"<p>{told}</p>{s.write.listed(rows)}"


def split(s: Section) -> str:
    """Who learns and who tests, and when."""
    parts = s.found.learnt.parts
    table = s.write.table(
        ("part", "rows", "customers", "dates", "from_to"),
        [
            (
                s.write.say(n), p.rows, p.customers, p.dates,
                span(f"{p.first[:10]} &ndash; {p.last[:10]}"),
            )
            for n, p in parts.items()
        ],
    )  # fmt: skip
    how = s.write.note(f"split_{s.found.learnt.by}")
    return f'{how}<div class="two">{_timeline(s, parts)}<div>{table}</div></div>'


def _timeline(s: Section, parts: Mapping[str, LearntPart]) -> str:
    """When each part stands, or, at one instant, how many rows it has."""
    first, last = min(p.first for p in parts.values()), max(p.last for p in parts.values())
    begin, whole = parse_instant(first), parse_instant(last) - parse_instant(first)
    if s.found.learnt.by != "time" or not whole:
        return bars(
            s.write.say("by_rows"),
            [(s.write.say(n), p.rows, f"{p.rows:,}") for n, p in parts.items()],
        )
    rows = [
        (
            f"{s.write.say(n)}{s.sign(': ')}{p.rows:,}",
            (parse_instant(p.first) - begin) / whole,
            (parse_instant(p.last) - begin) / whole,
        )
        for n, p in parts.items()
    ]
    return spans(s.write.say("by_time"), rows, (first[:10], last[:10]))


def leakage(s: Section) -> str:
    """Who stands in two parts."""
    learnt = s.found.learnt
    rows = [
        (" / ".join(s.write.say(p) for p in names.split()), n)
        for names, n in learnt.shared_customers.items()
    ]
    gap = learnt.gap_days
    told = "" if gap is None else f"<p>{s.write.w('gap')}{s.sign(': ')}{number(gap)}</p>"
    return s.write.note("leak_how") + s.write.table(("shared", "customers"), rows) + told


def method(s: Section) -> str:
    """What was fitted, with which settings."""
    found = s.found
    rows = [
        ("learner", escape(s.learner)),
        ("trees", f"{found.monotone.trees:,}"),
        ("learnt_rows", f"{found.rows:,}"),
        ("used", f"{found.features:,}"),
        ("left", f"{len(found.dropped):,}"),
    ]
    chosen = s.write.table(("setting", "figure"), [(n, str(v)) for n, v in found.params.items()])
    return (
        f"<p>{s.write.w('method_text')}</p>{s.write.listed(rows)}{s.write.folded('chosen', chosen)}"
    )
