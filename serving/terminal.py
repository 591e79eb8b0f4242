"""Decisions for a terminal: a table of scores, and why, with bars.

Enters: a recorded `Decision`. Leaves: rich renderables. It decides and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from rich.markup import escape
from rich.table import Table

from domain.decision import Decision, TargetScore

Language = Literal["zh", "en"]
SHOWN_REASONS = 3
BAR = 20
_WORDS = {"zh": ("起点", "总分"), "en": ("base", "points")}


def decision_lines(decision: Decision, lang: Language) -> Iterator[Table | str]:
    """The scores as a table, the strongest reasons, then strategy, tags, notes and the id."""
    stage = f"{getattr(decision.stage, lang)} ({decision.stage.name})"
    yield f"[bold]{escape(decision.customer_id)}[/]: {stage}, {decision.status.value}"
    table = Table()
    for name in ("target", "tier", "points", "probability or amount"):
        table.add_column(name, justify="right" if name == "points" else "left")
    for score in decision.scores:
        tier = f"{getattr(score.tier, lang)} ({score.tier.name})"
        table.add_row(score.target, tier, str(score.points), expected(score))
    if decision.scores:
        yield table
    for score in decision.scores:
        strongest = sorted(score.reasons, key=lambda r: r.feature == "other")[:SHOWN_REASONS]
        yield f"  {score.target}:"
        yield from (f"    {r.points:+4d}  {escape(getattr(r, lang))}" for r in strongest)
    yield from beside_lines(decision, lang)
    tags = ", ".join(getattr(t, lang) for t in decision.tags) or "-"
    strategy = f"[bold]{getattr(decision.strategy, lang)}[/] ({decision.strategy.name})"
    yield f"  strategy: {strategy}  tags: {tags}"
    yield from (f"  note: {escape(note)}" for note in decision.degraded)
    yield f"  decision {decision.decision_id}"


def expected(score: TargetScore) -> str:
    """The calibrated probability or amount, with its horizon."""
    if score.amount is not None:
        return f"{score.amount:,.0f} {score.currency} in {score.horizon_days} days"
    return f"{score.p_bad:.1%} in {score.horizon_days} days"


def beside_lines(decision: Decision, lang: Language) -> Iterator[str]:
    """The segments, and what a model of buying alone expects."""
    rfm = decision.segments and decision.segments.rfm
    if rfm:
        scores = f"{rfm.recency}-{rfm.frequency}-{rfm.money}"
        yield f"  RFM {scores}: {getattr(rfm.segment, lang)}"
    cluster = decision.segments and decision.segments.cluster
    if cluster:
        yield f"  {getattr(cluster, lang)}"
    found = decision.baseline
    if found is not None:
        amount = "" if found.amount is None else f", {found.amount:,.0f} {found.currency}"
        yield (
            f"  buying model: alive {found.p_alive:.1%}; in {found.horizon_days} days no purchase "
            f"{found.p_no_purchase:.1%}, expected {found.purchase_days:.1f} days with one{amount}"
        )


def explanation_tables(decision: Decision, lang: Language) -> Iterator[Table]:
    """For each score: base, every reason with a bar, and the points they add up to."""
    base, total = _WORDS[lang]
    for score in decision.scores:
        table = Table(title=f"{score.target}: {getattr(score.tier, lang)}", title_justify="left")
        table.add_column("points", justify="right")
        table.add_column("")
        table.add_column("why")
        widest = max((abs(r.points) for r in score.reasons), default=0) or 1
        table.add_row(str(score.base_points), "", base)
        for reason in score.reasons:
            bar = "█" * max(1, round(BAR * abs(reason.points) / widest)) if reason.points else ""
            colour = "green" if reason.points > 0 else "red"
            text = escape(getattr(reason, lang))
            table.add_row(f"{reason.points:+d}", f"[{colour}]{bar}[/]", text)
        table.add_row(f"[bold]{score.points}[/]", "", total)
        yield table
