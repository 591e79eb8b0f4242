"""Tiers of predicted against tiers of true amounts, at the policy's cuts and at better ones.

Enters: true amounts, the points of a scorer, its scale, the cuts. Leaves: agreement and far errors,
and cuts of the predictions that agree best. True amounts stand in the policy's tiers, an amount of
nothing in the lowest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from math import comb
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.tiers import Cuts, Target
from scoring.points import PointScale

Floats = NDArray[np.float64]
Bounds = TypeVar("Bounds", bound=tuple[float, ...])
Places = NDArray[np.int64]
"""The place of the tier of each row, the lowest 0."""
TRIED = 2000
"""About so many settings of the cuts are tried, at the quantiles of the points that give them."""


def true_places(y: Floats, scale: PointScale, cuts: Cuts) -> Places:
    """The tiers that amounts truly came to."""
    points = np.full(len(y), np.iinfo(np.int64).min)
    points[y > 0] = scale.points(np.log(y[y > 0]))
    return places(points, cuts.bounds)


def places(points: NDArray[np.int64], bounds: Sequence[int]) -> Places:
    """The tiers of points, each but the lowest from its bound on."""
    return np.searchsorted(bounds, points, side="right")


def table(truth: Places, said: Places, tiers: int) -> Callable[[Floats], Floats]:
    """Rows by true (first) and predicted tier, as a function of the rows' weights."""
    cell = truth * tiers + said

    def counts(weight: Floats) -> Floats:
        found: Floats = np.bincount(cell, weight, tiers * tiers).astype(np.float64)
        return found.reshape(tiers, tiers)

    return counts


def quadratic_kappa(counts: Floats) -> float:
    """Agreement beyond chance, a far error counting by the square of its distance; NaN where all
    stand in one tier.

    Source: Cohen, Weighted kappa, Psychological Bulletin 70 (1968).
    """
    tiers = np.arange(len(counts))
    far = (tiers[:, None] - tiers) ** 2
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    off = float((far * chance).sum())
    return 1.0 - float((far * counts).sum()) / off if off > 0 else float("nan")


def macro_f1(counts: Floats) -> float:
    """The mean over all tiers of how well each is found; 0 of one that nobody is in or put in."""
    either = counts.sum(axis=0) + counts.sum(axis=1)
    hit = 2 * np.diag(counts)
    return float(np.divide(hit, either, out=np.zeros(len(counts)), where=either > 0).mean())


MEASURES: Mapping[str, Callable[[Floats], float]] = {
    "macro_f1": macro_f1,
    "quadratic_kappa": quadratic_kappa,
    "high_for_low": lambda counts: float(counts[0, -1] / counts.sum()),
    "low_for_high": lambda counts: float(counts[-1, 0] / counts.sum()),
}
"""Figures of a table; the last two are shares of all rows, predicted highest and truly lowest, or
the other way round."""


def tier_figures(
    y: Floats,
    points: NDArray[np.int64],
    scale: PointScale,
    cuts: Cuts,
    bounds: Sequence[int] | None = None,
) -> dict[str, Any]:
    """The table of true (rows) by predicted (columns), and its `MEASURES`.

    `bounds`: where the predictions are cut [as the true amounts are].
    """
    said = places(points, cuts.bounds if bounds is None else bounds)
    counts = table(true_places(y, scale, cuts), said, len(cuts.steps))(np.ones(len(y)))
    figures = {name: measure(counts) for name, measure in MEASURES.items()}
    return {
        "tiers": [s.name for s in cuts.steps],
        "table": counts.astype(int).tolist(),
        **{name: None if np.isnan(value) else value for name, value in figures.items()},
    }


def suggested_bounds(
    y: Floats, points: NDArray[np.int64], scale: PointScale, cuts: Cuts
) -> tuple[int, ...]:
    """The cuts of the predictions with the highest sum of quadratic kappa and macro-F1; the
    policy's own, where none of those tried is better."""
    truth, wanted = true_places(y, scale, cuts), len(cuts.bounds)
    quantiles = wanted
    while comb(quantiles, wanted) < TRIED and quantiles < TRIED:
        quantiles += 1
    at = np.arange(1, quantiles + 1) / (quantiles + 1)
    tried = np.unique(np.quantile(points, at).round()).astype(int).tolist()
    return best_cuts(truth, points, (cuts.bounds, *combinations(tried, wanted)))


def best_cuts(truth: Places, said: NDArray[Any], tried: Iterable[Bounds]) -> Bounds:
    """The cuts with the highest sum of quadratic kappa and macro-F1, the first of equals."""
    even = np.ones(len(truth))

    def worth(bounds: Bounds) -> float:
        placed = np.searchsorted(bounds, said, side="right")
        counts = table(truth, placed, len(bounds) + 1)(even)
        return float(np.nan_to_num(quadratic_kappa(counts))) + macro_f1(counts)

    return max(tried, key=worth)


def fragment(target: Target, cuts: Cuts, bounds: Sequence[int]) -> str:
    """The policy's cuts of a target begun at other points, as TOML to be copied into its file.

    Raises:
        InputError: other tiers than points.
    """
    if len(cuts.bounds) != len(bounds):
        raise InputError(
            f"{len(bounds) + 1} tiers were suggested, the policy has {len(cuts.steps)}: give the "
            "policy by which the bundle was judged"
        )
    lines = []
    for step, begins in zip(cuts.steps, (None, *bounds), strict=True):
        lines += [f"[[cuts.{target}]]", f"name = {_quoted(step.name)}"]
        lines += [] if begins is None else [f"from_points = {begins}"]
        lines += [f"zh = {_quoted(step.zh)}", f"en = {_quoted(step.en)}"]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
