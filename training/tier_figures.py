"""Tiers of predicted against tiers of true amounts, at the policy's cuts and at better ones.

Enters: true amounts, the points of a scorer, its scale, the cuts. Leaves: agreement and far errors,
and cuts of the predictions that agree best. True amounts stand in the policy's tiers, an amount of
nothing in the lowest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.tiers import Cuts, Target
from scoring.points import PointScale

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
TRIED = 2000
"""About so many settings of the cuts are tried, at the quantiles of the points that give them."""


def tier_figures(
    y: Floats, points: Whole, scale: PointScale, cuts: Cuts, bounds: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """Macro-F1, quadratic weighted kappa, the table of true (rows) by predicted (columns), and the
    shares of all rows that are predicted highest and truly lowest, or the other way round.

    `bounds`: where the predictions are cut [as the true amounts are].
    """
    truth = _true_tiers(y, scale, cuts)
    table = _table(truth, points, cuts.bounds if bounds is None else bounds)
    kappa, f1 = agreement(table)
    return {
        "tiers": [s.name for s in cuts.steps],
        "macro_f1": f1,
        "quadratic_kappa": kappa,
        "table": table.astype(np.int64).tolist(),
        "high_for_low": float(table[0, -1] / table.sum()) if len(table) > 1 else 0.0,
        "low_for_high": float(table[-1, 0] / table.sum()) if len(table) > 1 else 0.0,
    }


def suggested_bounds(
    y: Floats, points: Whole, scale: PointScale, cuts: Cuts
) -> tuple[int, ...]:  # fmt: skip
    """The cuts of the predictions with the highest sum of quadratic kappa and macro-F1; the
    policy's own, where none of those tried is better."""
    truth, wanted = _true_tiers(y, scale, cuts), len(cuts.bounds)
    places = wanted
    while comb(places, wanted) < TRIED and places < TRIED:
        places += 1
    tried = np.unique(np.quantile(points, np.arange(1, places + 1) / (places + 1)).round())

    def worth(bounds: tuple[int, ...]) -> float:
        kappa, f1 = agreement(_table(truth, points, bounds))
        return (kappa or 0.0) + f1

    return max((cuts.bounds, *combinations(map(int, tried.tolist()), wanted)), key=worth)


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


def agreement(table: Floats) -> tuple[float | None, float]:
    """Quadratic weighted kappa and macro-F1 of a table of true by said tiers (k, k).

    Kappa is None where all stand in one tier; the F1 of a tier that nobody has or is said is 0.
    """
    rows, columns, places = table.sum(axis=1), table.sum(axis=0), np.arange(len(table))
    square = (places[:, None] - places[None, :]) ** 2
    by_chance = float((square * np.outer(rows, columns)).sum() / table.sum())
    both = rows + columns
    f1 = float((2 * np.diag(table) / np.where(both > 0, both, 1.0)).mean())
    return (1 - float((square * table).sum()) / by_chance if by_chance else None), f1


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _true_tiers(y: Floats, scale: PointScale, cuts: Cuts) -> Whole:
    paid = y > 0
    points = np.full(len(y), np.iinfo(np.int64).min)
    points[paid] = scale.points(np.log(y[paid]))
    return np.searchsorted(cuts.bounds, points, side="right")


def _table(truth: Whole, points: Whole, bounds: tuple[int, ...]) -> Floats:
    k = len(bounds) + 1
    said = np.searchsorted(bounds, points, side="right")
    return np.bincount(k * truth + said, minlength=k * k).reshape(k, k).astype(np.float64)
