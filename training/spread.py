"""The interval of every figure on the test, and of its paired difference to every other score.

Enters: evidence; of a rival its score and what it predicts. Leaves: plain JSON. All intervals are
the middle 95 % over the same resampled customers, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from training import metrics
from training.judge import (
    Evidence,
    Measures,
    interval,
    measures_of_prediction,
    measures_of_score,
    resample,
)
from training.tier_figures import MEASURES, Places, table

Floats = NDArray[np.float64]
Drawn = dict[str, Floats]
"""By measure the figure of the rows themselves, then of each resample."""
KAPPA = "quadratic_kappa"


def spread(evidence: Evidence, seed: int, *, is_amount: bool) -> dict[str, Any]:
    """`intervals` by figure, of the mean truth too; `differences` by baseline and figure, `[ours
    minus it, low, high]`."""
    weights, y = resample(evidence.customers, seed), evidence.y
    truth = {"mean": metrics.mean(y)} if is_amount else {"base_rate": metrics.mean(1 - y)}
    ours = _drawn(_all(evidence.y, evidence.score, evidence.predicted, is_amount), weights)
    others = {
        name: _drawn(measures_of_score(y, score, is_amount=is_amount), weights)
        for name, score in evidence.baselines.items()
    }
    return {
        "intervals": _intervals({**ours, **_drawn(truth, weights)}),
        "differences": {name: _apart(ours, theirs) for name, theirs in others.items()},
    }


def against(evidence: Evidence, margin: Floats, seed: int, *, is_amount: bool) -> dict[str, Any]:
    """Figures of a rival by its calibrated margin on the same rows, and ours minus each: `figure`
    and `difference` of the ranking measure, `figures` and `differences` of all."""
    weights = resample(evidence.customers, seed)
    predicted = np.exp(margin) if is_amount else expit(margin)
    ours = _drawn(_all(evidence.y, evidence.score, evidence.predicted, is_amount), weights)
    theirs = _drawn(_all(evidence.y, margin, predicted, is_amount), weights)
    first, apart = next(iter(ours)), _apart(ours, theirs)
    return {
        "figure": float(theirs[first][0]),
        "difference": apart[first],
        "figures": {name: float(values[0]) for name, values in theirs.items()},
        "differences": apart,
    }


def tier_spread(
    evidence: Evidence, truth: Places, said: Places, rules: Mapping[str, Floats], seed: int
) -> dict[str, Any]:
    """`intervals` of what a table of tiers is measured by, and `better_than`: our quadratic kappa
    minus that of each rule, which puts as many rows into each tier as we do, and rows that it ranks
    alike into the same. There is no kappa where all rows are in one tier.
    """
    weights, sizes = resample(evidence.customers, seed), np.bincount(said)
    tiers = int(max(truth.max(), said.max())) + 1
    ends = np.cumsum(sizes)[:-1]

    def agreement(placed: Places, names: Iterable[str]) -> Drawn:
        counts = table(truth, placed, tiers)
        return _drawn({n: _of_counts(MEASURES[n], counts) for n in names}, weights)

    if len({*truth.tolist(), *said.tolist()}) < 2:
        plain = agreement(said, [name for name in MEASURES if name != KAPPA])
        return {"intervals": _intervals(plain), "better_than": {}}
    ours = agreement(said, MEASURES)
    placed = {n: np.searchsorted(ends, rankdata(s) - 0.5, side="right") for n, s in rules.items()}
    gaps = {name: _apart(ours, agreement(places, [KAPPA])) for name, places in placed.items()}
    return {
        "intervals": _intervals(ours),
        "better_than": {name: gap[KAPPA] for name, gap in gaps.items()},
    }


def reliability(y: Floats, predicted: Floats, weights: Floats) -> list[dict[str, float]]:
    """Tenths of the rows, the lowest predicted first: mean prediction, mean truth with its interval
    over the resamples, rows."""
    found = []
    for part in metrics.tenths(predicted):
        drawn = weights[:, part]
        several = drawn.sum(axis=1)
        means = np.divide(
            drawn @ y[part], several, out=np.full(len(drawn), np.nan), where=several > 0
        )
        low, high = interval(means)
        said, seen = float(predicted[part].mean()), float(y[part].mean())
        row = {"predicted": said, "seen": seen, "low": low, "high": high}
        found.append({**row, "rows": int(part.size)})
    return found


def of_first(
    worth: Floats, score: Floats, first: int, ends: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """What the first rows in the order of acting hold, up to each of `ends`, in each resample; and
    how many rows each resample has. `first`: as `metrics.gains`."""
    place = np.empty(len(score), np.int64)
    place[np.argsort(-first * score, kind="stable")] = np.arange(len(score))
    return weights @ (worth[:, None] * (place[:, None] < ends)), weights.sum(axis=1)


def _all(y: Floats, score: Floats, predicted: Floats, is_amount: bool) -> Measures:
    return {
        **measures_of_score(y, score, is_amount=is_amount),
        **measures_of_prediction(y, predicted, is_amount=is_amount),
    }


def _of_counts(
    measure: Callable[[Floats], float], counts: Callable[[Floats], Floats]
) -> metrics.Weighted:
    return lambda weight: measure(counts(weight))


def _drawn(measures: Mapping[str, metrics.Weighted], weights: Floats) -> Drawn:
    even = np.ones(weights.shape[1])
    return {n: np.array([f(even), *(f(w) for w in weights)]) for n, f in measures.items()}


def _intervals(drawn: Drawn) -> dict[str, list[float]]:
    return {name: interval(values[1:]) for name, values in drawn.items()}


def _apart(ours: Drawn, theirs: Drawn) -> dict[str, list[float]]:
    gaps = {name: ours[name] - values for name, values in theirs.items()}
    return {name: [float(gap[0]), *interval(gap[1:])] for name, gap in gaps.items()}
