"""Small problems with known truth, and material made of them."""

from __future__ import annotations

import numpy as np

from domain.plan import StudyPlan, TargetPlan
from domain.tiers import Target
from tests.training.label_world import at
from training.fit import Material
from training.splits import FOLDS, Split, percents
from training.tune import Problem

NAMES = ("up", "down", "free", "noise")
MONOTONE = (1, -1, 0, 0)
PLAN = StudyPlan(
    split="customer",
    split_key="fit",
    currency="EUR",
    targets={t: TargetPlan(horizon_days=90) for t in ("value", "churn", "credit")},
)


def problem(n: int, seed: int, *, is_amount: bool = False, missing: float = 0.1) -> Problem:
    """The log-odds (or the log amount) is `up - down + 0.5 free`, some values missing."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 4))
    margin = Z[:, 0] - Z[:, 1] + 0.5 * Z[:, 2]
    if is_amount:
        y = np.exp(2 + margin + 0.3 * rng.normal(size=n)) * (rng.random(n) < 0.8)
    else:
        y = (rng.random(n) < 1 / (1 + np.exp(-margin - 1))).astype(float)
    X = np.where(rng.random(Z.shape) < missing, np.nan, Z)
    return Problem(X, y, NAMES, MONOTONE, is_amount)


def material(target: Target, n: int, seed: int, *, folds: bool = False) -> Material:
    """A customer a row: a fifth calibrates, a fifth tests; or five folds."""
    customers = [f"c{i}" for i in range(n)]
    places = percents("fit", customers)
    everybody, nobody = np.arange(n), np.arange(0)
    if folds:
        tested = [everybody[places % FOLDS == f] for f in range(FOLDS)]
        pairs = tuple((np.setdiff1d(everybody, t), t) for t in tested)
        split = Split(everybody, nobody, everybody, nobody, pairs)
    else:
        fit, calibration, test = places >= 40, (places >= 20) & (places < 40), places < 20
        split = Split(everybody[fit], everybody[calibration], everybody[test], everybody[test])
    made = problem(n, seed, is_amount=target == "value")
    when = np.full(n, at(100))
    return Material(target, made, customers, when, split, (), customers)
