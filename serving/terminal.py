"""Decisions for a terminal: a table of scores, and the strongest reasons.

Enters: a recorded `Decision`. Leaves: rich renderables. It decides and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from domain.decision import Decision
from features.catalogue import Language
from serving import explain_words as words

SHOWN_REASONS = 3


def decision_lines(decision: Decision, lang: Language) -> Iterator[Table | str]:
    """The scores as a table, the strongest reasons, then strategy, tags, notes and the id."""
    stage = f"{getattr(decision.stage, lang)} ({decision.stage.name})"
    yield f"[bold]{escape(decision.customer_id)}[/]: {stage}, {decision.status.value}"
    table = Table()
    for name in ("target", "tier", "points", "probability or amount"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for score in decision.scores:
        tier = f"{getattr(score.tier, lang)} ({score.tier.name})"
        table.add_row(score.target, tier, str(score.points), words.expected(score, lang))
    if decision.scores:
        yield table
    for score in decision.scores:
        strongest = sorted(score.reasons, key=lambda r: r.feature == "other")[:SHOWN_REASONS]
        yield f"  {score.target}:"
        yield from (f"    {r.points:+4d}  {escape(getattr(r, lang))}" for r in strongest)
    yield from (f"  {escape(text)}" for text in words.beside_texts(decision, lang))
    tags = ", ".join(getattr(t, lang) for t in decision.tags) or "-"
    strategy = f"[bold]{getattr(decision.strategy, lang)}[/] ({decision.strategy.name})"
    yield f"  strategy: {strategy}  tags: {tags}"
    yield from (f"  note: {escape(note)}" for note in decision.degraded)
    yield f"  decision {decision.decision_id}"
