"""The judge: figures of one part of the test with intervals, and paired differences to others.

Enters: truth, scores and calibrated predictions on rows that nothing learnt from, the scores of the
baselines on the same rows, and the draws of their customers. Leaves: plain JSON; what the figures
are worth is for `training/gates.py` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from training import metrics
from training.draws import apart, intervals, over

Floats = NDArray[np.float64]
Measures = dict[str, metrics.Weighted]


@dataclass(frozen=True)
class Judged:
    """Figures of one part of the test; `metric` names the one that ranks.

    `intervals` by figure and `differences` by baseline and figure, `[ours minus it, low, high]`.
    """

    metric: str
    figures: dict[str, Any]

    @property
    def value(self) -> float:
        """The ranking measure."""
        return float(self.figures[self.metric])

    @property
    def interval(self) -> tuple[float, float]:
        """That of the ranking measure."""
        low, high = self.figures["intervals"][self.metric]
        return low, high


@dataclass(frozen=True)
class Evidence:
    """Rows that nothing learnt from: truth, score, calibrated prediction (probability of the good
    outcome, or amount), the baselines' scores, and whose rows they are."""

    y: Floats
    score: Floats
    predicted: Floats
    baselines: Mapping[str, Floats]
    customers: Sequence[str]


def judge(
    evidence: Evidence, weights: Floats, seed: int, *, is_amount: bool, whole: bool = True
) -> Judged:
    """Every figure of a scorer. `weights`: `draws.resample`. `whole`: every figure has its interval
    and difference, else the ranking measure alone."""
    y, metric = evidence.y, "spearman" if is_amount else "auc"
    measures = {"mean": metrics.mean(y)} if is_amount else {"base_rate": metrics.mean(1 - y)}
    measures |= _measures(y, evidence.score, evidence.predicted, is_amount)
    asked = {n: m for n, m in measures.items() if whole or n == metric}
    ours, others = over(asked, weights), {}
    for name, score in evidence.baselines.items():
        known = _of_score(y, score, is_amount)
        others[name] = over({n: m for n, m in known.items() if n in asked}, weights)
    figures: dict[str, Any] = {
        "rows": len(y),
        "events": int(((y > 0) if is_amount else (y == 0)).sum()),
        **{name: measure(np.ones(len(y))) for name, measure in measures.items()},
        "intervals": intervals(ours),
        "baseline": {name: float(theirs[metric][0]) for name, theirs in others.items()},
        "differences": {name: apart(ours, theirs) for name, theirs in others.items()},
    }
    if not is_amount:
        figures["calibration_floor"] = metrics.calibration_floor(_inside(evidence.predicted), seed)
    return Judged(metric, figures)


def against(
    evidence: Evidence, margin: Floats, weights: Floats, *, is_amount: bool
) -> dict[str, Any]:
    """`figures` of a rival by its calibrated margin on the same rows, and its `differences`: ours
    minus each."""
    y, predicted = evidence.y, np.exp(margin) if is_amount else expit(margin)
    ours = over(_measures(y, evidence.score, evidence.predicted, is_amount), weights)
    theirs = over(_measures(y, margin, predicted, is_amount), weights)
    return {
        "figures": {name: float(values[0]) for name, values in theirs.items()},
        "differences": apart(ours, theirs),
    }


def plain_figures(evidence: Evidence, *, is_amount: bool) -> dict[str, float]:
    """What a scorer is measured by, without intervals."""
    measures = _measures(evidence.y, evidence.score, evidence.predicted, is_amount)
    return {name: measure(np.ones(len(evidence.y))) for name, measure in measures.items()}


def _of_score(y: Floats, score: Floats, is_amount: bool) -> Measures:
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


def _of_prediction(y: Floats, predicted: Floats, is_amount: bool) -> Measures:
    """What amounts or probabilities can be held to, of the bad outcome where a side is taken."""
    if is_amount:
        return {
            "mae": metrics.mean(np.abs(y - predicted)),
            "sum_ratio": metrics.ratio(predicted, y),
            "calibration_error": metrics.distance(y / y.mean(), predicted / y.mean()),
        }
    p = _inside(predicted)
    return {
        "brier": metrics.mean((y - p) ** 2),
        "log_loss": metrics.mean(-np.log(np.where(y > 0, p, 1 - p))),
        "calibration_error": metrics.distance(y, p),
        "mean_predicted": metrics.mean(1 - p),
    }


def _measures(y: Floats, score: Floats, predicted: Floats, is_amount: bool) -> Measures:
    return {
        **_of_score(y, score, is_amount),
        **_of_prediction(y, predicted, is_amount),
    }


def _inside(p: Floats) -> Floats:
    return np.clip(p, 1e-12, 1 - 1e-12)
