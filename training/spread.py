"""Tables of the test with intervals: tiers, reliability, gains, profit.

Enters: truth and what was said of the rows, the draws of their customers. Leaves: plain JSON; a row
of a table has the `interval` of its figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from training import metrics
from training.draws import Drawn, apart, interval, intervals
from training.tier_figures import MEASURES, Places, table

Floats = NDArray[np.float64]
KAPPA = "quadratic_kappa"


def tier_spread(
    truth: Places, said: Places, rules: Mapping[str, Floats], weights: Floats
) -> dict[str, Any]:
    """`intervals` of what a table of tiers is measured by, and `differences` in quadratic kappa to
    each rule, which puts as many rows into each tier as we do, and rows that it ranks alike into
    the same. There is no kappa where all rows are in one tier.
    """
    tiers = int(max(truth.max(), said.max())) + 1
    ends = np.cumsum(np.bincount(said))[:-1]

    def agreement(placed: Places, names: Iterable[str]) -> Drawn:
        counts = table(truth, placed, tiers)
        tables = [counts(np.ones(len(truth))), *(counts(w) for w in weights)]
        return {name: np.array([MEASURES[name](t) for t in tables]) for name in names}

    if len({*truth.tolist(), *said.tolist()}) < 2:
        plain = agreement(said, [name for name in MEASURES if name != KAPPA])
        return {"intervals": intervals(plain), "differences": {}}
    ours = agreement(said, MEASURES)
    placed = {n: np.searchsorted(ends, rankdata(s) - 0.5, side="right") for n, s in rules.items()}
    gaps = {name: apart(ours, agreement(places, [KAPPA])) for name, places in placed.items()}
    return {"intervals": intervals(ours), "differences": gaps}


def reliability(
    y: Floats, predicted: Floats, weights: Floats, *, is_amount: bool
) -> list[dict[str, Any]]:
    """Tenths of the rows, the lowest `predicted` first: mean prediction, mean truth with its
    interval, rows; of the bad outcome, or of amounts by their mean."""
    if is_amount:
        return _tenths(y / y.mean(), predicted / y.mean(), weights)
    return [
        {
            "predicted": 1 - good["predicted"],
            "seen": 1 - good["seen"],
            "interval": [1 - end for end in reversed(good["interval"])],
            "rows": good["rows"],
        }
        for good in reversed(_tenths(y, predicted, weights))
    ]


def _tenths(y: Floats, predicted: Floats, weights: Floats) -> list[dict[str, Any]]:
    found = []
    for part in metrics.tenths(predicted):
        drawn = weights[:, part]
        several = drawn.sum(axis=1)
        means = np.divide(
            drawn @ y[part], several, out=np.full(len(drawn), np.nan), where=several > 0
        )
        said, seen = float(predicted[part].mean()), float(y[part].mean())
        row = {"predicted": said, "seen": seen, "interval": interval(means)}
        found.append({**row, "rows": int(part.size)})
    return found


def gains(worth: Floats, score: Floats, first: int, weights: Floats) -> list[dict[str, Any]]:
    """`metrics.gains`, each tenth with the interval of what is captured up to it."""
    rows = metrics.gains(worth, score, first)
    held = of_first(worth, score, first, np.cumsum([row["rows"] for row in rows]), weights)
    shares = held / np.where(held[:, -1:] > 0, held[:, -1:], np.nan)
    return [{**row, "interval": interval(shares[:, i])} for i, row in enumerate(rows)]


def profit(gain: Floats, score: Floats, first: int, weights: Floats) -> dict[str, Any]:
    """`metrics.profit_curve` with intervals, and its `best` row."""
    rows = metrics.profit_curve(gain, score, first)
    ends = np.rint(np.linspace(0, 1, len(rows)) * len(gain))
    each = of_first(gain, score, first, ends, weights) / weights.sum(axis=1)[:, None]
    curve: list[dict[str, Any]] = [
        {**row, "interval": interval(each[:, i])} for i, row in enumerate(rows)
    ]
    return {"curve": curve, "best": max(curve, key=lambda row: row["profit"])}


def of_first(worth: Floats, score: Floats, first: int, ends: Floats, weights: Floats) -> Floats:
    """What the first rows in the order of acting hold, up to each of `ends`, in each resample;
    `first`: as `metrics.gains`."""
    place = np.empty(len(score), np.int64)
    place[np.argsort(-first * score, kind="stable")] = np.arange(len(score))
    return weights @ (worth[:, None] * (place[:, None] < ends))
