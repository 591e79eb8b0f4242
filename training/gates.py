"""The gates and the verdict: what the policy asks of a scorer, and how it came out.

Enters: the judged test, what `training/validate.py` found of one target, the policy's limits.
Leaves: gates with their figures. Of groups a gate fails only where the whole interval lies beyond
the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from domain.gates import GateRules, Outcome, Word
from training.groups import THIN, VINTAGE
from training.judge import Judged
from training.spread import KAPPA


class Gate(NamedTuple):
    """What is asked, how it came out, and its figure."""

    name: str
    outcome: Outcome
    figure: str

    @classmethod
    def of(cls, name: str, passed: bool, figure: str) -> Gate:
        """A gate that was judged."""
        return cls(name, "passed" if passed else "failed", figure)


@dataclass(frozen=True)
class Verdict:
    """Each gate with its figure, and what all of them come to."""

    gates: tuple[Gate, ...]

    def having(self, outcome: Outcome) -> tuple[str, ...]:
        """The names of the gates that came out so."""
        return tuple(g.name for g in self.gates if g.outcome == outcome)

    @property
    def word(self) -> Word:
        """`passed` where every gate is."""
        if self.having("failed"):
            return "failed"
        return "partly judged" if self.having("not judged") else "passed"


def first_gates(
    judged: Judged, rules: Sequence[str], limits: GateRules, noise: float = 0.0
) -> Iterator[Gate]:
    """Better than every rule by more than chance and the seed, not worse than any other baseline,
    and calibrated; `noise` is the spread of the ranking measure over seeds."""
    gaps = {name: found[judged.metric] for name, found in judged.figures["differences"].items()}
    for rule in rules:
        yield _better(f"better than {rule}", gaps[rule], noise)
    for peer in gaps:
        if peer not in rules:
            yield _not_worse(peer, gaps[peer])
    if judged.metric == "auc":
        error, floor = judged.figures["calibration_error"], judged.figures["calibration_floor"]
        fine = error <= floor + limits.calibration_tolerance
        yield Gate.of("calibrated", fine, f"error {error:.3f}, floor {floor:.3f}")
    else:
        ratio, (low, high) = judged.figures["sum_ratio"], limits.sum_ratio
        yield Gate.of("calibrated", low <= ratio <= high, f"sum ratio {ratio:.2f}")


def further_gates(found: Mapping[str, Any], metric: str, limits: GateRules) -> Iterator[Gate]:
    """Champion, tiers, directions, stability, groups, in the order of the report; a thin file and a
    date are told without a limit. `metric` is the one that ranks."""
    champion = found["champion"]
    if champion is not None and "differences" in champion:
        yield _not_worse("the champion", champion["differences"][metric])
    if found["tiers"] is not None:
        noise = found["noise"]["test"].get(KAPPA, 0.0)
        for rule, differences in found["tiers"]["differences"].items():
            yield _better(f"tiers better than {rule}", differences[KAPPA], noise)
    monotone = found["monotone"]
    broken, trees = monotone["broken"], monotone["trees"]
    said = f"{broken} violations in {trees} trees, {len(monotone['directions'])} features directed"
    yield Gate.of("monotone", broken == 0, said)
    score = found["stability"]["score"]
    if score is not None:
        psi, floor = score["psi"], score["floor"]
        fine = psi <= limits.score_psi + floor
        yield Gate.of("stable", fine, f"PSI {psi:.3f}, floor {floor:.3f}")
    asked = [("difference", metric, 1)]
    if found["ratio_counts"]:
        asked.append(("ratio", "favourable", -1))
    for attribute, told in found["groups"].items():
        if attribute not in (THIN, VINTAGE):
            yield from _group_gates(attribute, told, asked, limits)


def _group_gates(
    attribute: str,
    told: Mapping[str, Any],
    asked: Sequence[tuple[str, str, int]],
    limits: GateRules,
) -> Iterator[Gate]:
    """A gate of each kind: its measure, and whether it passes up to the limit or from it on."""
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


def _better(name: str, difference: Sequence[float], noise: float) -> Gate:
    """The gate against a rule: beyond chance and beyond what the seed alone moves."""
    gap, low, high = difference
    said = f"{gap:+.4f} [{low:+.4f}, {high:+.4f}], seeds {noise:.4f}"
    return Gate.of(name, low > 0 and gap > noise, said)


def _not_worse(name: str, difference: Sequence[float]) -> Gate:
    """The gate against another model: the interval of the difference reaches 0."""
    gap, low, high = difference
    return Gate.of(f"not worse than {name}", high >= 0, f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]")
