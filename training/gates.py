"""The gates beyond ranking and calibration: champion, directions, stability, groups.

Enters: what `training/validate.py` found of one target, the policy's limits. Leaves: gates with
their figures. Of groups a gate fails only where the whole interval lies beyond the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.gates import GateRules, Outcome
from training.groups import THIN, VINTAGE
from training.judge import Gate, better, not_worse

RANKING = ("auc", "spearman")


def further_gates(found: Mapping[str, Any], limits: GateRules) -> Iterator[Gate]:
    """The gates in the order of the report; a thin file and a date are told without a limit."""
    champion = found["champion"]
    if champion is not None and "difference" in champion:
        yield not_worse("the champion", champion["difference"])
    if found["tiers"] is not None:
        noise = found["noise"]["test"].get("quadratic_kappa", 0.0)
        for rule, difference in found["tiers"]["better_than"].items():
            yield better(f"tiers better than {rule}", difference, noise)
    monotone = found["monotone"]
    broken, trees = monotone["broken"], monotone["trees"]
    said = f"{broken} violations in {trees} trees, {len(monotone['directions'])} features directed"
    yield Gate.of("monotone", broken == 0, said)
    score = found["stability"]["score"]
    if score is not None:
        psi, floor = score["psi"], score["floor"]
        fine = psi <= limits.score_psi + floor
        yield Gate.of("stable", fine, f"PSI {psi:.3f}, floor {floor:.3f}")
    for attribute, told in found["groups"].items():
        if attribute not in (THIN, VINTAGE):
            yield from _group_gates(attribute, told, limits, found["ratio_counts"])


def _group_gates(
    attribute: str, told: Mapping[str, Any], limits: GateRules, ratio_counts: bool
) -> Iterator[Gate]:
    asked = [("difference", next((n for n in RANKING if n in told["difference"]), ""), 1)]
    if ratio_counts:
        asked.append(("ratio", "favourable", -1))
    small = f"too small to judge: {', '.join(told['too_small'])}" if told["too_small"] else ""
    for kind, measure, way in asked:
        name, found = f"groups of {attribute}: {kind}", told[kind].get(measure)
        if found is None:
            yield Gate(name, "not judged", small or "nobody is favoured")
            continue
        outcome = _within(found, getattr(limits, f"group_{kind}"), way)
        value, low, high = found
        doubt = "too few rows to tell" if outcome == "not judged" else ""
        said = (f"{measure} {value:.3f} [{low:.3f}, {high:.3f}]", doubt, small)
        yield Gate(name, outcome, "; ".join(s for s in said if s))


def _within(found: Sequence[float], limit: float, way: int) -> Outcome:
    """Passed up to the limit (`way` 1) or from it on (-1), failed where the whole interval lies
    beyond it, and not judged where the figure does and chance may have brought it there."""
    value, *ends = (way * (v - limit) for v in found)
    return "passed" if value <= 0 else "failed" if min(ends) > 0 else "not judged"
