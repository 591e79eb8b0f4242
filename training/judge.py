"""The judge: figures with intervals, paired differences to every baseline, gates and a verdict.

Enters: truth, scores and calibrated predictions on rows that nothing learnt from, and the scores
of the baselines on the same rows. Leaves: figures and a verdict with its gates. It is called once
for each part of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
)

from training import metrics

Floats = NDArray[np.float64]
RESAMPLES = 500
ECE_TOLERANCE = 0.03
SUM_RATIO = (0.8, 1.25)


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


@dataclass(frozen=True)
class Verdict:
    """Passed or not, and each gate with its figure."""

    passed: bool
    gates: tuple[tuple[str, bool, str], ...]

    @property
    def word(self) -> str:
        """`passed` or `failed`."""
        return "passed" if self.passed else "failed"


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


def _ranking(
    name: str, measure: Callable[[Floats, Floats], metrics.Weighted], evidence: Evidence, seed: int
) -> dict[str, Any]:
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


def verdict(judged: Judged, rules: Sequence[str], peers: Sequence[str]) -> Verdict:
    """Better than every rule by more than chance, not worse than a peer model, and calibrated."""
    gates: list[tuple[str, bool, str]] = []
    for rule in rules:
        gap, low, high = judged.figures["difference"][rule]
        gates.append((f"better than {rule}", low > 0, f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]"))
    for peer in peers:
        gap, low, high = judged.figures["difference"][peer]
        gates.append((f"not worse than {peer}", high >= 0, f"{gap:+.4f} [{low:+.4f}, {high:+.4f}]"))
    if judged.metric == "auc":
        error, floor = judged.figures["calibration_error"], judged.figures["calibration_floor"]
        fine = error <= floor + ECE_TOLERANCE
        gates.append(("calibrated", fine, f"error {error:.3f}, floor {floor:.3f}"))
    else:
        ratio = judged.figures["sum_ratio"]
        gates.append(
            ("calibrated", SUM_RATIO[0] <= ratio <= SUM_RATIO[1], f"sum ratio {ratio:.2f}")
        )
    return Verdict(all(passed for _, passed, _ in gates), tuple(gates))
