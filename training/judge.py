"""The judge: figures with intervals, paired differences to every baseline, gates and a verdict.

Enters: truth, scores and calibrated predictions on rows that nothing learnt from, and the scores
of the baselines on the same rows. Leaves: figures and a verdict with its gates. It is called once
for each part of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.gates import GateRules, Outcome, Word
from training import metrics

Floats = NDArray[np.float64]
RESAMPLES = 500


Measure = Callable[[Floats, Floats], metrics.Weighted]


@dataclass(frozen=True)
class Judged:
    """Figures of one part of the test: the ranking measure with its interval, the rest as points.

    `difference`: for each baseline the paired difference of the ranking measure, with interval.
    """

    metric: str
    figures: dict[str, Any]

    @property
    def value(self) -> float:
        """The ranking measure."""
        return float(self.figures[self.metric])


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


@dataclass(frozen=True)
class Evidence:
    """Rows that nothing learnt from: truth, score, calibrated prediction (probability of the good
    outcome, or amount), the baselines' scores, and whose rows they are."""

    y: Floats
    score: Floats
    predicted: Floats
    baselines: Mapping[str, Floats]
    customers: Sequence[str]


def judge(evidence: Evidence, seed: int) -> Judged:
    """Figures of a good-or-bad target."""
    y, p = evidence.y, np.clip(evidence.predicted, 1e-12, 1 - 1e-12)
    rows = {
        "rows": len(y),
        "events": int((y == 0).sum()),
        "base_rate": float(1 - y.mean()),
        "calibration_floor": metrics.calibration_floor(p, seed),
        **plain_figures(evidence, is_amount=False),
    }
    return Judged("auc", {**rows, **_ranking("auc", metrics.auc, evidence, seed)})


def judge_amount(evidence: Evidence, seed: int) -> Judged:
    """Figures of an expected amount."""
    y = evidence.y
    rows = {
        "rows": len(y),
        "events": int((y > 0).sum()),
        "mean": float(y.mean()),
        **plain_figures(evidence, is_amount=True),
    }
    return Judged("spearman", {**rows, **_ranking("spearman", metrics.spearman, evidence, seed)})


Measures = dict[str, metrics.Weighted]


def measures_of_score(y: Floats, score: Floats, *, is_amount: bool) -> Measures:
    """What a score alone can be held to, in the order that it ranks."""
    if is_amount:
        return {"spearman": metrics.spearman(y, score), "gini": metrics.gini(y, score)}
    auc = metrics.auc(y, score)
    return {
        "auc": auc,
        "gini": lambda weight: 2 * auc(weight) - 1,
        "pr_auc": metrics.average_precision(1 - y, -score),
        "ks": metrics.ks(y, score),
    }


def measures_of_prediction(y: Floats, predicted: Floats, *, is_amount: bool) -> Measures:
    """What amounts or probabilities can be held to, of the bad outcome where a side is taken."""
    if is_amount:
        return {
            "mae": metrics.mean(np.abs(y - predicted)),
            "sum_ratio": metrics.ratio(predicted, y),
            "calibration_error": metrics.distance(y / y.mean(), predicted / y.mean()),
        }
    p = np.clip(predicted, 1e-12, 1 - 1e-12)
    return {
        "brier": metrics.mean((y - p) ** 2),
        "log_loss": metrics.mean(-np.log(np.where(y > 0, p, 1 - p))),
        "calibration_error": metrics.distance(y, p),
        "mean_predicted": metrics.mean(1 - p),
    }


def plain_figures(evidence: Evidence, *, is_amount: bool) -> dict[str, float]:
    """Every figure of a scorer without its interval."""
    y, even = evidence.y, np.ones(len(evidence.y))
    found = {
        **measures_of_score(y, evidence.score, is_amount=is_amount),
        **measures_of_prediction(y, evidence.predicted, is_amount=is_amount),
    }
    return {name: measure(even) for name, measure in found.items()}


def _ranking(name: str, measure: Measure, evidence: Evidence, seed: int) -> dict[str, Any]:
    weights = resample(evidence.customers, seed)
    even = np.ones(len(evidence.y))
    ours = measure(evidence.y, evidence.score)
    drawn = np.array([ours(w) for w in weights])
    found: dict[str, Any] = {
        name: ours(even),
        "interval": interval(drawn),
        "baseline": {},
        "difference": {},
    }
    for other, score in evidence.baselines.items():
        theirs = measure(evidence.y, score)
        gaps = drawn - np.array([theirs(w) for w in weights])
        found["baseline"][other] = theirs(even)
        found["difference"][other] = [found[name] - theirs(even), *interval(gaps)]
    return found


def resample(customers: Sequence[str], seed: int) -> Floats:
    """Weights (RESAMPLES, rows): how often each row's customer was drawn."""
    _, codes = np.unique(np.asarray(customers), return_inverse=True)
    n = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
    return np.stack(drawn).astype(np.float64)[:, codes]


def interval(found: Floats) -> list[float]:
    """The middle 95 % of what was drawn."""
    return [float(v) for v in np.nanquantile(found, [0.025, 0.975])]


def verdict(
    judged: Judged,
    rules: Sequence[str],
    peers: Sequence[str],
    limits: GateRules,
    noise: float = 0.0,
) -> Verdict:
    """Better than every rule by more than chance and the seed, not worse than a peer model, and
    calibrated; `noise` is the spread of the ranking measure over seeds."""
    gates: list[Gate] = []
    for rule in rules:
        gates.append(better(f"better than {rule}", judged.figures["difference"][rule], noise))
    for peer in peers:
        gates.append(not_worse(peer, judged.figures["difference"][peer]))
    if judged.metric == "auc":
        error, floor = judged.figures["calibration_error"], judged.figures["calibration_floor"]
        fine = error <= floor + limits.calibration_tolerance
        gates.append(Gate.of("calibrated", fine, f"error {error:.3f}, floor {floor:.3f}"))
    else:
        ratio, (low, high) = judged.figures["sum_ratio"], limits.sum_ratio
        gates.append(Gate.of("calibrated", low <= ratio <= high, f"sum ratio {ratio:.2f}"))
    return Verdict(tuple(gates))


def better(name: str, difference: Sequence[float], noise: float) -> Gate:
    """The gate against a rule: beyond chance and beyond what the seed alone moves."""
    gap, low, high = difference
    said = f"{gap:+.4f} [{low:+.4f}, {high:+.4f}], seeds {noise:.4f}"
    return Gate.of(name, low > 0 and gap > noise, said)


def not_worse(name: str, difference: Sequence[float]) -> Gate:
    """The gate against a model of another kind: the interval of the difference reaches 0."""
    gap, low, high = difference
    return Gate.of(f"not worse than {name}", high >= 0, f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]")
