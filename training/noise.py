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
from training.case import Case
from training.fit import Material, evidence, fit_scorer, fold_evidence, fold_margin
from training.judge import Evidence, plain_figures
from training.splits import FOLDS
from training.tier_figures import MEASURES, tier_figures
from training.tune import Best

Floats = NDArray[np.float64]
SEEDS = 3


def seed_noise(case: Case, plan: StudyPlan) -> dict[str, dict[str, float]]:
    """By part and figure, the spread over `SEEDS` fits that differ in their seed only; the first is
    the scorer itself.

    With folds each fit is out of fold, with the winner's parameters. Rows parted by chance keep
    their parts: what another split would have given is the interval's to say.
    """
    made, best = case.material, case.best
    seeds = range(case.seed, case.seed + SEEDS)
    if made.split.folds:
        folded = [fold_evidence(made, _margin(made, best, s), {}) for s in seeds]
        return {"test": _spread([_figures(case, e, case.scorer) for e in folded])}
    scorers = [case.scorer, *(fit_scorer(made, plan, best, s, None) for s in seeds[1:])]
    nobody = Baselines({}, {})
    return {
        name: _spread([_figures(case, evidence(made, s, rows, nobody), s) for s in scorers])
        for name, rows in case.rows.items()
    }


def _figures(case: Case, found: Evidence, scorer: Scorer) -> dict[str, float]:
    plain = plain_figures(found, is_amount=case.is_amount)
    if not case.is_amount:
        return plain
    points = scorer.scale.points(np.log(found.predicted))
    tiers = tier_figures(found.y, points, scorer.scale, case.cuts)
    return plain | {n: tiers[n] for n in MEASURES if tiers[n] is not None}


def _margin(material: Material, best: Best, seed: int) -> Floats:
    """Each row's margin of a booster that did not learn from its customer."""
    margin = np.empty(len(material.problem.y))
    for learn, tested in material.split.folds[:FOLDS]:
        margin[tested] = fold_margin(material.problem, learn, tested, best, seed)
    return margin


def _spread(drawn: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {
        n: max(d[n] for d in drawn) - min(d[n] for d in drawn)
        for n in drawn[0]
        if all(n in d for d in drawn)
    }
