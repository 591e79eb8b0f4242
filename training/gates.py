"""The gates beyond ranking and calibration: champion, directions, stability, groups.

Enters: what `training/validate.py` found of one target, the policy's limits. Leaves: gates with
their figures. A gate of chance fails only where the whole interval lies beyond the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from domain.gates import GateRules
from training.groups import THIN
from training.judge import Gate, not_worse


def further_gates(found: Mapping[str, Any], limits: GateRules) -> Iterator[Gate]:
    """The gates in the order of the report; a thin file is told and has no limit."""
    champion = found["champion"]
    if champion is not None and "difference" in champion:
        yield not_worse("the live bundle", champion["difference"])
    monotone = found["monotone"]
    broken, trees = monotone["broken"], monotone["trees"]
    said = f"{broken} violations in {trees} trees, {len(monotone['directions'])} features directed"
    yield "monotone", broken == 0, said
    score = found["stability"]["score"]
    if score is not None:
        psi, floor = score["psi"], score["floor"]
        yield "stable", psi <= limits.score_psi + floor, f"PSI {psi:.3f}, floor {floor:.3f}"
    for attribute, told in found["groups"].items():
        if attribute != THIN:
            yield from _group_gates(attribute, told, limits, found["ratio_counts"])


def _group_gates(
    attribute: str, told: Mapping[str, Any], limits: GateRules, ratio_counts: bool
) -> Iterator[Gate]:
    small = f"too small to judge: {', '.join(told['too_small'])}" if told["too_small"] else ""
    if not told["difference"]:
        yield f"groups of {attribute}: not judged", True, small
        return
    name = next(n for n in ("auc", "spearman") if n in told["difference"])
    gap, low, high = told["difference"][name]
    said = f"{name} {gap:.3f} [{low:.3f}, {high:.3f}]{'; ' * bool(small)}{small}"
    yield f"groups of {attribute}: difference", low <= limits.group_difference, said
    if ratio_counts and "favourable" in told["ratio"]:
        least, low, high = told["ratio"]["favourable"]
        said = f"favourable {least:.3f} [{low:.3f}, {high:.3f}]"
        yield f"groups of {attribute}: ratio", high >= limits.group_ratio, said
