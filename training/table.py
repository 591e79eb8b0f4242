"""The table of a run: one row a target, its figures beside those of the best baseline.

Enters: a `RunResult`. Leaves: rows of text for a terminal or a docs page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from domain.tiers import TARGETS
from training.findings import Leaks
from training.judge import Judged
from training.results import RunResult, TargetResult

HEAD = (
    "target", "rows", "events", "metric", "best baseline", "model", "95 % interval",
    "seeds", "calibration error", "verdict", "seconds",
)  # fmt: skip


def table_rows(result: RunResult) -> list[tuple[str, ...]]:
    """The head and one row for each target and judged part; a skipped target says why."""
    rows: list[tuple[str, ...]] = [HEAD]
    for target, found in result.targets.items():
        for part, judged in found.parts.items():
            rows.append(_row(target, part, judged, found))
    for target, why in result.skipped.items():
        rows.append((target, *[""] * 8, f"skipped: {why}", ""))
    return rows


def result_table(result: RunResult) -> Table:
    """The rows as a table for a terminal."""
    title = f"{result.source}: test rows that nothing learnt from"
    table = Table(title=title, title_justify="left")
    head, *rows = table_rows(result)
    for name in head:
        table.add_column(name, justify="left" if name in ("target", "verdict") else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _row(target: str, part: str, judged: Judged, found: TargetResult) -> tuple[str, ...]:
    figures = judged.figures
    best = max(figures["baseline"], key=lambda b: figures["baseline"][b])
    low, high = judged.interval
    whole = part == "test"
    noise = found.validation["noise"][part][judged.metric]
    error = f"{figures['calibration_error']:.3f}"
    floor = figures.get("calibration_floor")
    return (
        f"{target} {part}",
        f"{figures['rows']:,}",
        f"{figures['events']:,}",
        judged.metric,
        f"{best} {figures['baseline'][best]:.3f}",
        f"{judged.value:.3f}",
        f"{low:.3f} to {high:.3f}",
        f"{noise:.3f}",
        error if floor is None else f"{error} (floor {floor:.3f})",
        found.verdict.word if whole else "",
        f"{found.seconds:.0f}" if whole else "",
    )


def reliability(figures: Mapping[str, Any]) -> str:
    """How far probabilities are from what came true beside a perfect model's; or amounts' sums.

    >>> reliability({"calibration_error": 0.0312, "calibration_floor": 0.021})
    'error 0.031, floor 0.021'
    """
    if "sum_ratio" in figures:
        return f"sum ratio {figures['sum_ratio']:.2f}"
    return f"error {figures['calibration_error']:.3f}, floor {figures['calibration_floor']:.3f}"


def gate_lines(result: RunResult) -> Iterator[str]:
    """Every gate with its figure, the reliability of each date, what was registered, or why not."""
    for target, found in result.targets.items():
        for gate, outcome, figure in found.verdict.gates:
            mark = "FAILED" if outcome == "failed" else outcome
            yield f"  {mark}  {target}: {gate}: {figure}"
        for part, judged in found.parts.items():
            date = part.removeprefix("test_").replace("_", "-")
            if date[:1].isdecimal():
                yield f"  by date  {target} {date}: {reliability(judged.figures)}"
    for part, why in result.segments["left_out"].items():
        yield f"  segments, {part} left out: {why}"
    yield from leak_lines(result.leaks)
    if result.bundle is not None:
        yield f"bundle {result.bundle.hash}"
    if result.version is not None:
        open_ = sum(len(r.verdict.having("not judged")) for r in result.targets.values())
        said = f" with {open_} gates not judged" if open_ else ""
        yield f"registered as version {result.version}{said}"
    if result.refused is not None:
        yield f"not registered: {result.refused}"


def leak_lines(leaks: Leaks) -> Iterator[str]:
    """Every finding, and of each target the feature that ranks best alone."""
    for found in leaks.findings:
        word = "ALARM" if found.is_sure else "told"
        yield f"  {word:<6}  {found.where}: {found.said} [{found.check}]"
    for target in TARGETS:
        if target in leaks.figures:
            best = leaks.figures[target]["highest_single_auc"]
            yield f"  {target}: {best['feature']} ranks best alone, at an AUC of {best['auc']:.3f}"
