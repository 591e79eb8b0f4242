"""The noise of the seed: how far a figure moves when the winner is fitted with other seeds.

Enters: one target's material and the winner. Leaves: for each part of the test the spread, largest
minus least, of every figure over three seeds. A gain smaller than that is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.plan import StudyPlan
from scoring.scorer import Scorer
from training.baselines import Baselines
from training.fit import Material, evidence, fit_scorer, fold_evidence, fold_margin
from training.judge import amount_figures, outcome_figures
from training.splits import FOLDS
from training.tune import Best

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
SEEDS = 3


def seed_noise(
    material: Material,
    scorer: Scorer,
    plan: StudyPlan,
    best: Best,
    seed: int,
    parts: Mapping[str, Index],
) -> dict[str, dict[str, float]]:
    """By part and figure, the spread over `SEEDS` fits that differ in their seed only; the first is
    the scorer itself.

    With folds each fit is out of fold, with the winner's parameters. Rows parted by chance keep
    their parts: what another split would have given is the interval's to say.
    """
    seeds = range(seed, seed + SEEDS)
    figures = amount_figures if material.problem.is_amount else outcome_figures
    if material.split.folds:
        folded = [fold_evidence(material, _margin(material, best, s), {}) for s in seeds]
        return {"test": _spread([figures(e) for e in folded])}
    scorers = [scorer, *(fit_scorer(material, plan, best, s, None) for s in seeds[1:])]
    found = {}
    for name, rows in parts.items():
        nobody = Baselines({}, {})
        said = [evidence(material, each, rows, nobody) for each in scorers]
        found[name] = _spread([figures(e) for e in said])
    return found


def _margin(material: Material, best: Best, seed: int) -> Floats:
    """Each row's margin of a booster that did not learn from its customer."""
    margin = np.empty(len(material.problem.y))
    for learn, tested in material.split.folds[:FOLDS]:
        margin[tested] = fold_margin(material.problem, learn, tested, best, seed)
    return margin


def _spread(drawn: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {n: max(d[n] for d in drawn) - min(d[n] for d in drawn) for n in drawn[0]}
