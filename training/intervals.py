"""How far the plain figures of a test move over resamples of whole customers.

Enters: evidence, resamples. Leaves: the middle 95 % of each figure. The calibration error has none:
resampling lifts it, and the floor that chance shows stands beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training import metrics
from training.judge import Evidence, interval, resample

Floats = NDArray[np.float64]
Ends = NDArray[np.int64]


def intervals(evidence: Evidence, seed: int, *, is_amount: bool) -> dict[str, list[float]]:
    """The interval of every figure that `amount_figures` or `outcome_figures` has, by its name."""
    weights = resample(evidence.customers, seed)
    drawn = _amounts(evidence, weights) if is_amount else _outcomes(evidence, weights)
    return {name: interval(values) for name, values in drawn.items()}


def reliability(
    y: Floats, predicted: Floats, weights: Floats
) -> list[dict[str, float]]:  # fmt: skip
    """Ten groups of equal size, lowest prediction first: mean prediction, mean truth, its interval
    over the resamples, rows."""
    order = np.argsort(predicted, kind="stable")
    found = []
    for part in np.array_split(order, metrics.BINS):
        if part.size:
            drawn = weights[:, part]
            low, high = interval(_share(drawn @ y[part], drawn.sum(axis=1)))
            found.append(
                {
                    "predicted": float(predicted[part].mean()),
                    "seen": float(y[part].mean()),
                    "low": low,
                    "high": high,
                    "rows": int(part.size),
                }
            )
    return found


def _share(a: Floats, b: Floats) -> Floats:
    """NaN where a resample drew nobody."""
    found: Floats = np.full(len(b), np.nan)
    return np.divide(a, b, out=found, where=b > 0)


def _outcomes(evidence: Evidence, weights: Floats) -> dict[str, Floats]:
    y, score = evidence.y, evidence.score
    p = np.clip(evidence.predicted, 1e-12, 1 - 1e-12)
    plain = {
        "brier": (p - y) ** 2,
        "log_loss": -(y * np.log(p) + (1 - y) * np.log(1 - p)),
        "base_rate": 1 - y,
        "mean_predicted": 1 - p,
    }
    order = np.argsort(score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) > 0, True))
    auc = metrics.auc(y, score)
    ranked = np.array([_pr_auc_and_ks(1 - y[order], w[order], ends) for w in weights])
    drawn = np.array([auc(w) for w in weights])
    return {
        "auc": drawn,
        "gini": 2 * drawn - 1,
        "pr_auc": ranked[:, 0],
        "ks": ranked[:, 1],
        **{n: weights @ v / weights.sum(axis=1) for n, v in plain.items()},
    }


def _pr_auc_and_ks(bad: Floats, weight: Floats, ends: Ends) -> tuple[float, float]:
    """Average precision of the bad outcome and Kolmogorov-Smirnov, rows in the order of their
    scores; `ends` is the last row of each tie."""
    found, several = np.cumsum(weight * bad)[ends], np.cumsum(weight)[ends]
    good = several - found
    if not found[-1] or not good[-1]:
        return np.nan, np.nan
    precision = np.divide(found, several, out=np.zeros(len(ends)), where=several > 0)
    recall = found / found[-1]
    average = float((np.diff(recall, prepend=0.0) * precision).sum())
    return average, float(np.abs(good / good[-1] - recall).max())


def _amounts(evidence: Evidence, weights: Floats) -> dict[str, Floats]:
    y, said = evidence.y, evidence.predicted
    total = weights.sum(axis=1)
    spearman = metrics.spearman(y, evidence.score)
    by = [np.argsort(-v, kind="stable") for v in (evidence.score, y)]
    ginis = []
    for w in weights:
        ours, best = (_area(y[order], w[order]) for order in by)
        ginis.append(ours / best if best > 0 else np.nan)
    return {
        "spearman": np.array([spearman(w) for w in weights]),
        "mae": weights @ np.abs(y - said) / total,
        "gini": np.array(ginis),
        "mean": weights @ y / total,
        "sum_ratio": _share(weights @ said, weights @ y),
    }


def _area(y: Floats, weight: Floats) -> float:
    """As in `metrics.gini`, each row standing as often as it was drawn."""
    held = np.cumsum(weight * y)
    if not held[-1]:
        return 0.0
    steps = (held - weight * y) * weight + y * weight * (weight + 1) / 2
    return float(steps.sum() / held[-1] / weight.sum() - 0.5)
