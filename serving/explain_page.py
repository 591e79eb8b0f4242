"""A decision explained on one page that stands alone: inline SVG, no script, no network.

Enters: what is told of a decision. Leaves: HTML in one language; every text is escaped. It computes
no point: what it adds up was added up before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from domain.decision import TargetScore
from domain.explanation import Compared, Explanation, IdeaReason
from domain.inquiry import AdverseAnswer, Counterfactuals, ScoreChange
from domain.tiers import Target
from events.html_page import document
from features.catalogue import Language
from scoring.reference import POINTS
from serving import explain_words as words
from serving.notes import note
from serving.told import Told
from serving.waterfall import Bar, bars, waterfall

TOP = 10
"""Ideas, or features that moved, in sight by themselves; the rest is summed."""
STYLE = """
main{max-width:1080px}h2 small{color:var(--soft)}.cards b{font-size:26px}
.two{grid-template-columns:minmax(0,5fr) minmax(0,6fr)}
.waterfall{display:block;width:100%;max-width:560px;font:11px system-ui,"Noto Sans CJK SC",
"PingFang SC","Microsoft YaHei","WenQuanYi Zen Hei",sans-serif}
.waterfall text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.waterfall .cut text{fill:var(--soft)}
.waterfall .points{font-variant-numeric:tabular-nums}.total text{font-weight:600}
.total rect{fill:var(--ink)}.up rect{fill:var(--good)}.down rect{fill:var(--bad)}
.still rect{fill:var(--soft)}.link{stroke:var(--soft);stroke-width:.7}
.cut line{stroke:var(--soft);stroke-width:.8;stroke-dasharray:3 3}
table{width:100%}td,th{vertical-align:top;overflow-wrap:anywhere}
td:last-child,th:last-child{padding-right:0}
td.n,th.n{overflow-wrap:normal}tfoot td{font-weight:600;border-bottom:0}
.sum td:first-child{min-width:7.2em}
.up.n{color:var(--good)}.down.n{color:var(--bad)}ul,ol{margin:6px 0;padding-left:22px}
.letter{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0;max-width:70ch}
@media screen and (max-width:760px){.two{grid-template-columns:minmax(0,1fr)}}
@media print{h3{font-size:11px}section{margin:14px 0}.two{gap:18px}.letters{break-before:page}}
"""


def page(told: Told, lang: Language) -> str:
    """The whole page in one language."""
    decision = told.decision
    title = f"{words.word('title', lang)}{words.colon(lang)}{decision.customer_id}"
    body = (
        f"<main>{_head(told, lang)}{_cards(told, lang)}"
        f"{''.join(_section(told, score, lang) for score in decision.scores)}"
        f"{_letters(told, lang)}"
        f'<p class="note">{_w("adds_up", lang)} {_w("replay", lang)}</p></main>'
    )
    return document("zh-CN" if lang == "zh" else "en", title, STYLE, body)


def _w(key: str, lang: Language) -> str:
    return escape(words.word(key, lang))


def _head(told: Told, lang: Language) -> str:
    made, versions = told.decision, told.decision.versions
    tags = [words.label(tag, lang) for tag in made.tags]
    policy = f"{versions.policy_version} <code>{versions.policy}</code>"
    rows = (
        ("decision", f"<code>{made.decision_id}</code>"),
        ("as_of", escape(words.moment(made.as_of, lang))),
        ("decided_at", escape(words.moment(made.decided_at, lang))),
        ("status", _w(made.status.value, lang)),
        ("stage", escape(words.label(made.stage, lang))),
        ("strategy", escape(words.label(made.strategy, lang))),
        ("tags", escape(words.listed(tags, lang)) or _w("none", lang)),
        ("bundle", f"<code>{versions.bundle}</code>"),
        ("policy", policy),
    )
    inner = "".join(f"<dt>{_w(key, lang)}</dt><dd>{value}</dd>" for key, value in rows)
    beside = words.beside_texts(made, lang)
    if beside:
        inner += f"<dt>{_w('beside', lang)}</dt><dd>{'<br>'.join(map(escape, beside))}</dd>"
    return (
        f"<h1>{_w('title', lang)}{words.colon(lang)}{escape(made.customer_id)}</h1><dl>{inner}</dl>"
        f"{_notes(told, lang)}"
    )


def _notes(told: Told, lang: Language) -> str:
    given = [*told.decision.degraded, *told.notes]
    if not given:
        return ""
    inner = _list(note(text, lang) for text in dict.fromkeys(given))
    return f'<div class="notes"><b class="warn">{_w("notes", lang)}</b>{inner}</div>'


def _list(texts: Iterable[str], kind: str = "ul") -> str:
    return f"<{kind}>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</{kind}>"


def _cards(told: Told, lang: Language) -> str:
    """Every score in a few words, each leading to its section."""
    inner = "".join(
        f'<a href="#{s.target}">{_w(s.target, lang)}<b>{s.points}</b>'
        f"{escape(words.label(s.tier, lang))}<br>"
        f'<span class="note">{escape(words.expected(s, lang))}</span></a>'
        for s in told.decision.scores
    )
    return f'<nav class="cards">{inner}</nav>' if inner else ""


def _section(told: Told, score: TargetScore, lang: Language) -> str:
    target, explained = score.target, told.explained(score.target)
    sure = told.sure(target)
    gap = words.to_cut(score.points_to_cut, None if sure is None else sure.near_cut, lang)
    how = [gap] if sure is None else [gap, words.sure_text(sure, told.cuts[target], lang)]
    tier = escape(words.label(score.tier, lang))
    return (
        f'<section id="{target}"><h2>{_w(target, lang)}{words.colon(lang)}{score.points} '
        f"<small>{tier}</small></h2>"
        f'<div class="two"><div>{_picture(told, target, lang)}{_cut_names(told, target, lang)}'
        f"<h3>{_w('sure', lang)}</h3>{_list(how)}</div>"
        f"<div>{_idea_table(told, explained, lang)}{_features(explained, lang)}</div></div>"
        f'<div class="two"><div>{_plans(told, told.plans(target), lang)}</div>'
        f"<div>{_change(told, told.changed(target), lang)}</div></div>"
        f"{_compared(told, explained, lang)}</section>"
    )


def shown_ideas(
    told: Told, ideas: Sequence[IdeaReason], lang: Language
) -> list[tuple[str, int, str]]:
    """Name, points and reason of the strongest ideas; one line more sums the rest."""
    named = [r for r in ideas if r.feature is not None]
    lines = [(idea_name(told, r, lang), r.points, said(r, lang)) for r in named[:TOP]]
    rest = [r.points for r in ideas if r not in named[:TOP]]
    if rest:
        lines.append((words.word("other", lang), sum(rest), ""))
    return lines


def idea_name(told: Told, reason: IdeaReason, lang: Language) -> str:
    """What an idea is called."""
    return words.label(told.ideas[reason.idea], lang)


def said(reason: IdeaReason, lang: Language) -> str:
    """The reason of an idea without its name and points, which stand beside it."""
    whole = reason.zh if lang == "zh" else reason.en
    if reason.idea == reason.feature:  # an idea of its own is told by its label, points at the end
        return whole.rpartition("，" if lang == "zh" else ", ")[0]
    return whole.partition("；" if lang == "zh" else "; ")[2]


def lines_of(told: Told, explained: Explanation, lang: Language) -> list[Bar]:
    """The waterfall of a score, for page and terminal."""
    parts = [(name, points) for name, points, _ in shown_ideas(told, explained.ideas, lang)]
    start = (words.word("base", lang), explained.base_points or 0)
    return bars(start, parts, words.word("score", lang))


def _picture(told: Told, target: Target, lang: Language) -> str:
    lines = lines_of(told, told.explained(target), lang)
    cuts = [
        (p, words.label(s, lang)) for s in told.cuts[target] if (p := s.from_points) is not None
    ]
    text = "; ".join(f"{b.name} {b.shown}" for b in lines)
    title = f"{words.word(target, lang)}{words.colon(lang)}{lines[-1].shown}"
    return waterfall(lines, cuts, title, text)


def _cut_names(told: Told, target: Target, lang: Language) -> str:
    named = [
        f"{s.from_points} {words.label(s, lang)}"
        for s in told.cuts[target]
        if s.from_points is not None
    ]
    if not named:
        return ""
    told_all = escape(words.listed(named, lang))
    return f'<p class="note">{_w("cuts", lang)}{words.colon(lang)}{told_all}</p>'


def _idea_table(told: Told, explained: Explanation, lang: Language) -> str:
    base = explained.base_points or 0
    return _table(shown_ideas(told, explained.ideas, lang), base, explained.points, lang)


def _table(
    lines: Sequence[tuple[str, int, str]], start: int, end: int, lang: Language
) -> str:  # fmt: skip
    """A table whose first row, with all points below it, comes to its foot."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n {_way(points)}">{points:+d}</td>'
        f"<td>{escape(text)}</td></tr>"
        for name, points, text in lines
    )
    return (
        f'<table class="sum"><thead><tr><th>{_w("idea", lang)}</th>'
        f'<th class="n">{_w("points", lang)}</th><th>{_w("why", lang)}</th></tr></thead>'
        f'<tbody><tr><td>{_w("base", lang)}</td><td class="n">{start}</td><td></td></tr>{rows}'
        f'</tbody><tfoot><tr><td>{_w("score", lang)}</td><td class="n">{end}</td><td></td></tr>'
        "</tfoot></table>"
    )


def _way(points: int) -> str:
    return "up" if points > 0 else "down" if points < 0 else ""


def _features(explained: Explanation, lang: Language) -> str:
    rows = "".join(
        f'<tr><td class="n {_way(r.points)}">{r.points:+d}</td>'
        f"<td>{escape(r.zh if lang == 'zh' else r.en)}</td></tr>"
        for r in explained.reasons
    )
    return f"<details><summary>{_w('features', lang)}</summary><table>{rows}</table></details>"


def _compared(told: Told, explained: Explanation, lang: Language) -> str:
    inner = "".join(
        f"<details><summary>{escape(words.reference_text(c.reference, lang))}: "
        f'<span class="{_way(c.points - c.reference.points)}">'
        f"{c.points - c.reference.points:+d}</span></summary>{_difference(told, c, lang)}</details>"
        for c in nearest(explained)
    )
    return f"<h3>{_w('compared', lang)}</h3>{inner}" if inner else ""


def nearest(explained: Explanation) -> list[Compared]:
    """Of the populations that a score is held against those with a name, and the nearest band."""
    named = [c for c in explained.compared if not c.reference.name.startswith(POINTS)]
    bands = [c for c in explained.compared if c not in named]
    near = sorted(bands, key=lambda c: abs(c.reference.points - explained.points))
    return [*named, *near[:1]]


def _difference(told: Told, compared: Compared, lang: Language) -> str:
    lines = shown_ideas(told, compared.ideas, lang)
    return _table(lines, compared.reference.points, compared.points, lang)


def _plans(told: Told, found: Counterfactuals | None, lang: Language) -> str:
    if found is None:
        return ""
    head = f"<h3>{_w('plans', lang)}</h3>"
    if found.wanted is None:
        return f"{head}<p>{_w('highest', lang)}</p>"
    aim = f"{head}<p>{escape(words.aim(found, lang))}</p>"
    if not found.plans:
        return f"{aim}<p>{_w('no_plan' if found.proved else 'not_found', lang)}</p>"
    items = "".join(
        "<li>"
        + "<br>".join(escape(words.move_text(m, lang, told.currency)) for m in plan.moves)
        + f'<br><span class="note">{escape(words.plan_end(plan, lang))}</span></li>'
        for plan in found.plans
    )
    return f"{aim}<ol>{items}</ol>"


def changed_lines(told: Told, moved: ScoreChange, lang: Language) -> Iterator[tuple[str, int]]:
    """What moved a score since the decision before: where it stood, every part, where it stands."""
    yield words.held("before", moved.tier_before, lang), moved.before
    for part in moved.data[:TOP]:
        yield words.changed_text(part, lang, told.currency), part.points
    if moved.data[TOP:]:
        yield words.word("other_features", lang), sum(p.points for p in moved.data[TOP:])
    if moved.model:
        yield words.word("model", lang), moved.model
    yield words.held("after", moved.tier_after, lang), moved.after


def _change(told: Told, moved: ScoreChange | None, lang: Language) -> str:
    if moved is None:
        return ""
    (first, start), *parts, (last, _) = changed_lines(told, moved, lang)
    rows = "".join(
        f'<tr><td>{escape(text)}</td><td class="n {_way(points)}">{points:+d}</td></tr>'
        for text, points in parts
    )
    steps = words.steps_text(moved.tier_by_points, moved.tier_by_policy, lang)
    return (
        f"<h3>{_w('change', lang)}</h3><table><tbody>"
        f'<tr><td>{escape(first)}</td><td class="n">{start}</td></tr>{rows}</tbody><tfoot>'
        f'<tr><td>{escape(last)}</td><td class="n">{moved.after}</td></tr></tfoot></table>'
        f'<p class="note">{escape(steps)}</p>'
    )


def _letters(told: Told, lang: Language) -> str:
    """The letter and the notice, each where there is one, on pages of their own in print."""
    found = ""
    if told.letter is not None:
        text = told.letter.zh if lang == "zh" else told.letter.en
        found += _letter("letter", f'<p class="letter">{escape(text)}</p>', lang)
    if told.adverse is not None:
        found += _letter("notice", _notice(told.adverse, lang), lang)
    return found


def _letter(key: str, inner: str, lang: Language) -> str:
    return f'<section class="letters" id="{key}"><h2>{_w(key, lang)}</h2>{inner}</section>'


def _notice(made: AdverseAnswer, lang: Language) -> str:
    text = made.letter_zh if lang == "zh" else made.letter_en
    shown = "" if text is None else f'<p class="letter">{escape(text)}</p>'
    left = [words.label(idea, lang) for idea in made.action.left_out]
    if left:
        shown += f'<p class="warn">{_w("left_out", lang)}{escape(words.listed(left, lang))}</p>'
    return shown + (_list(note(n, lang) for n in made.notes) if made.notes else "")
