"""The judge: figures with intervals, paired differences to every baseline, gates and a verdict.

Enters: truth, scores and calibrated predictions on rows that nothing learnt from, and the scores
of the baselines on the same rows. Leaves: figures and a verdict with its gates. It is called once
for each part of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
)

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
    y, p = evidence.y, _probability(evidence)
    rows = {
        "rows": len(y),
        "events": int((y == 0).sum()),
        "base_rate": float(1 - y.mean()),
        "calibration_floor": metrics.calibration_floor(p, seed),
        **outcome_figures(evidence),
    }
    return Judged("auc", {**rows, **_ranking("auc", metrics.auc, evidence, seed)})


def judge_amount(evidence: Evidence, seed: int) -> Judged:
    """Figures of an expected amount."""
    y = evidence.y
    rows = {
        "rows": len(y),
        "events": int((y > 0).sum()),
        "mean": float(y.mean()),
        **amount_figures(evidence),
    }
    return Judged("spearman", {**rows, **_ranking("spearman", metrics.spearman, evidence, seed)})


def outcome_figures(evidence: Evidence) -> dict[str, float]:
    """The plain figures of probabilities, of the bad outcome where a side must be taken."""
    y, p = evidence.y, _probability(evidence)
    auc = metrics.auc(y, evidence.score)(np.ones(len(y)))
    return {
        "auc": auc,
        "gini": 2 * auc - 1,
        "pr_auc": float(average_precision_score(1 - y, -evidence.score)),
        "ks": metrics.ks(y, evidence.score),
        "brier": float(brier_score_loss(y, p)),
        "log_loss": float(log_loss(y, p, labels=[0, 1])),
        "calibration_error": metrics.calibration_error(y, p),
        "mean_predicted": float(1 - p.mean()),
    }


def amount_figures(evidence: Evidence) -> dict[str, float]:
    """The plain figures of amounts."""
    y, predicted = evidence.y, evidence.predicted
    return {
        "spearman": metrics.spearman(y, evidence.score)(np.ones(len(y))),
        "mae": float(mean_absolute_error(y, predicted)),
        "gini": metrics.gini(y, evidence.score),
        "sum_ratio": float(predicted.sum() / y.sum()),
        "calibration_error": metrics.calibration_error(y, predicted) / float(y.mean()),
    }


def _probability(evidence: Evidence) -> Floats:
    return np.clip(evidence.predicted, 1e-12, 1 - 1e-12)


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


def against(evidence: Evidence, score: Floats, seed: int, *, is_amount: bool) -> dict[str, Any]:
    """The ranking measure of another score on the same rows, and ours minus it with interval."""
    other = replace(evidence, baselines={"other": score})
    found = _ranking("ours", metrics.spearman if is_amount else metrics.auc, other, seed)
    return {"figure": found["baseline"]["other"], "difference": found["difference"]["other"]}


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
        gap, low, high = judged.figures["difference"][rule]
        said = f"{gap:+.4f} [{low:+.4f}, {high:+.4f}], seeds {noise:.4f}"
        gates.append(Gate.of(f"better than {rule}", low > 0 and gap > noise, said))
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


def not_worse(name: str, difference: Sequence[float]) -> Gate:
    """The gate against a model of another kind: the interval of the difference reaches 0."""
    gap, low, high = difference
    return Gate.of(f"not worse than {name}", high >= 0, f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]")
