"""A decision explained in a terminal: each score as a waterfall of bars, and all that goes with it.

Enters: what is told of a decision. Leaves: rich renderables; plain lines, easy to search, where
there is no terminal. It computes no point.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from domain.decision import TargetScore
from domain.explanation import Explanation
from domain.inquiry import Counterfactuals, ScoreChange
from features.catalogue import Language
from serving import explain_words as words
from serving.explain_page import changed_lines, nearest, shown_ideas
from serving.notes import note
from serving.told import Told

SHORTEST, LONGEST = 8, 40


def explained(told: Told, lang: Language, console: Console) -> Iterator[RenderableType]:
    """The whole explanation, as wide as the console and plain where it is no terminal."""
    made = told.decision
    stage = words.listed((words.label(made.stage, lang), words.word(made.status.value, lang)), lang)
    yield f"[bold]{escape(made.customer_id)}[/]: {escape(stage)}"
    for score in made.scores:
        yield from _score(told, score, lang, console)
    for text in words.beside_texts(made, lang):
        yield escape(text)
    strategy = f"[bold]{escape(words.label(made.strategy, lang))}[/]"
    yield f"{words.word('strategy', lang)}{words.colon(lang)}{strategy}"
    for text in [*made.degraded, *told.notes]:
        yield f"{words.word('notes', lang)}{words.colon(lang)}{escape(note(text, lang))}"
    moments = f"{words.word('as_of', lang)} {words.moment(made.as_of, lang)}"
    comma = "，" if lang == "zh" else ", "
    yield f"{words.word('decision', lang)} {made.decision_id}{comma}{moments}"


def _score(
    told: Told, score: TargetScore, lang: Language, console: Console
) -> Iterator[RenderableType]:
    target, sure = score.target, told.sure(score.target)
    explanation = told.explained(target)
    tier = escape(words.label(score.tier, lang))
    name = words.word(target, lang)
    yield f"\n[bold]{name}{words.colon(lang)}{score.points}[/] {tier}"
    yield f"  {words.expected(score, lang)}"
    yield f"  {words.to_cut(score.points_to_cut, None if sure is None else sure.near_cut, lang)}"
    if sure is not None:
        yield f"  {escape(words.sure_text(sure, told.cuts[target], lang))}"
    yield _table(told, explanation, lang, console)
    yield from _compared(explanation, lang)
    yield from _plans(told, told.plans(target), lang)
    yield from _change(told, told.changed(target), lang)


def _table(told: Told, explanation: Explanation, lang: Language, console: Console) -> Table:
    lines = shown_ideas(told, explanation.ideas, lang)
    is_plain = not console.is_terminal
    table = Table(box=None if is_plain else box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column(words.word("points", lang), justify="right", no_wrap=True)
    wide = min(LONGEST, max(SHORTEST, console.width // 5))
    table.add_column("", width=wide, no_wrap=True)
    table.add_column(words.word("idea", lang))
    table.add_column(words.word("why", lang))
    table.add_row(str(explanation.base_points), "", words.word("base", lang), "")
    most = max((abs(points) for _, points, _ in lines), default=0) or 1
    for name, points, text in lines:
        table.add_row(
            f"{points:+d}", _bar(points, most, wide, "#" if is_plain else "█"), escape(name),
            escape(text),
        )  # fmt: skip
    table.add_row(f"[bold]{explanation.points}[/]", "", f"[bold]{words.word('score', lang)}[/]", "")
    return table


def _bar(points: int, most: int, wide: int, sign: str) -> str:
    long = max(1, round(wide * abs(points) / most)) if points else 0
    return f"[{'green' if points > 0 else 'red'}]{sign * long}[/]"


def _compared(explanation: Explanation, lang: Language) -> Iterator[str]:
    if not explanation.compared:
        return
    yield f"  [bold]{words.word('compared', lang)}[/]"
    for one in nearest(explanation):
        apart = explanation.points - one.reference.points
        yield f"    {apart:+5d}  {escape(words.reference_text(one.reference, lang))}"


def _plans(told: Told, found: Counterfactuals | None, lang: Language) -> Iterator[str]:
    if found is None:
        return
    yield f"  [bold]{words.word('plans', lang)}[/]"
    if found.wanted is None:
        yield f"    {words.word('highest', lang)}"
        return
    yield f"    {escape(words.aim(found, lang))}"
    if not found.plans:
        yield f"    {words.word('no_plan' if found.proved else 'not_found', lang)}"
    for place, plan in enumerate(found.plans, 1):
        comma = "；" if lang == "zh" else "; "
        moves = comma.join(words.move_text(m, lang, told.currency) for m in plan.moves)
        yield f"    {place}. {escape(moves)}"
        yield f"       {words.plan_end(plan, lang)}"


def _change(told: Told, moved: ScoreChange | None, lang: Language) -> Iterator[str]:
    if moved is None:
        return
    yield f"  [bold]{words.word('change', lang)}[/]"
    (first, start), *parts, (last, end) = changed_lines(told, moved, lang)
    yield f"    {start:5d}  {escape(first)}"
    yield from (f"    {points:+5d}  {escape(text)}" for text, points in parts)
    yield f"    {end:5d}  {escape(last)}"
    yield f"           {words.steps_text(moved.tier_by_points, moved.tier_by_policy, lang)}"
