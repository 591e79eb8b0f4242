"""Small random boosters over a few features of the catalogue, and brute force over every plan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import lightgbm as lgb
import numpy as np

from features.catalogue import CATALOGUE
from features.consequences import derived, families, follow
from scoring.booster import booster_text
from scoring.counterfactuals import Limits
from scoring.levers import Lever
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

FEATURES = (
    "spend_sum_30d", "spend_sum_180d", "spend_ratio_30d_to_180d", "purchase_recency_days",
    "complaint_count_90d", "complaint_count_365d", "app_session_count_30d", "app_recency_days",
    "utilisation_last", "income_last",
)  # fmt: skip
LEVERS = (
    Lever("spend_sum_30d", 0.0, 8.0, 2.0),
    Lever("spend_sum_180d", 0.0, 12.0, 2.0),
    Lever("app_session_count_30d", 0.0, 5.0, 2.0),
    Lever("app_recency_days", 0.0, 20.0, 1.0),
    Lever("utilisation_last", 0.0, 0.2, 1.5),
    Lever("complaint_count_90d", 0.0, 4.0, 1.0),
    Lever("complaint_count_365d", 0.0, 6.0, 1.0),
)
WAYS = {"spend_sum_30d": 1, "spend_sum_180d": 1, "purchase_recency_days": -1,
        "complaint_count_90d": -1, "complaint_count_365d": -1, "app_session_count_30d": 1,
        "app_recency_days": -1, "income_last": 1}  # fmt: skip


def rows(n: int, seed: int) -> np.ndarray:
    """Customers whose windows nest; some incomes and silences are missing."""
    rng = np.random.default_rng(seed)
    spend, complaints = rng.integers(0, 8, n), rng.integers(0, 4, n)
    longer = spend + rng.integers(0, 5, n)
    with np.errstate(all="ignore"):
        ratio = np.where(longer > 0, 6.0 * spend / longer, np.nan)
    X = np.column_stack([
        spend, longer, ratio, rng.integers(0, 200, n), complaints,
        complaints + rng.integers(0, 3, n), rng.integers(0, 5, n), rng.integers(0, 25, n),
        rng.integers(0, 30, n) / 100, rng.integers(1, 9, n),
    ]).astype(float)  # fmt: skip
    X[rng.random(n) < 0.2, 9] = np.nan
    X[rng.random(n) < 0.2, 7] = np.nan
    return X


def scorer_of(seed: int, *, monotone: bool = True, trees: int = 6, leaves: int = 5) -> Scorer:
    """A booster of a random target on random rows."""
    rng, X = np.random.default_rng(seed), rows(200, seed)
    filled = np.nan_to_num(X) / (1.0 + np.nanmax(X, axis=0))
    signs = np.array([WAYS.get(f, 0) for f in FEATURES])
    weights = np.where(signs, signs * (0.5 + rng.random(10)), rng.normal(size=10))
    y = filled @ weights + 0.3 * filled[:, 0] * filled[:, 8] + 0.1 * rng.normal(size=200)
    ways = tuple(int(s) for s in signs) if monotone else (0,) * 10
    settings = {
        "objective": "regression", "num_leaves": leaves, "min_data_in_leaf": 5, "verbose": -1,
        "learning_rate": 0.4, "num_threads": 1, "seed": seed, "monotone_constraints": list(ways),
    }  # fmt: skip
    booster = lgb.train(settings, lgb.Dataset(X, y, feature_name=list(FEATURES)), trees)
    return Scorer(
        target="churn", features=FEATURES, booster_text=booster_text(booster),
        calibration=Calibration(3.0, -0.5), scale=PointScale(anchor_margin=0.0), horizon_days=90,
        currency=None, monotone=ways,
    )  # fmt: skip


def row_of(x: np.ndarray) -> dict[str, float | None]:
    return {n: None if math.isnan(v) else float(v) for n, v in zip(FEATURES, x, strict=True)}


def every_value(lever: Lever, now: float) -> list[float]:
    """Every round value that a lever may take, by the rules as they are told."""
    step = 0.01 if lever.feature == "utilisation_last" else 1.0
    signs = set(CATALOGUE[lever.feature].better.values())
    found = []
    for k in range(round(lever.low / step), round(lever.high / step) + 1):
        value = round(k * step, 9)
        if (value > now and -1 not in signs) or (value < now and 1 not in signs):
            found.append(value)
    return found


def singles(x: np.ndarray) -> dict[str, list[tuple[float, dict[str, float]]]]:
    """Of each lever every value: its cost, and all that moves."""
    known = {n: math.nan if v is None else v for n, v in row_of(x).items()}
    found: dict[str, list[tuple[float, dict[str, float]]]] = {}
    for lever in LEVERS:
        now, found[lever.feature] = known[lever.feature], []
        for value in [] if math.isnan(now) else every_value(lever, now):
            moved, possible = follow(CATALOGUE, known, lever.feature, np.array([value]))
            if possible[0]:
                moved |= derived(CATALOGUE, known, moved)
                cost = lever.cost * abs(value - now) / (lever.high - lever.low)
                found[lever.feature].append((cost, {n: float(v[0]) for n, v in moved.items()}))
    return found


def every_plan(x: np.ndarray, most: int) -> Iterator[tuple[float, tuple[str, ...], list[float]]]:
    """Cost, levers and values of every combination of at most so many levers."""
    single = singles(x)
    for size in range(1, most + 1):
        for names in itertools.combinations(single, size):
            if len({id(families(CATALOGUE)[n]) for n in names}) < size:
                continue
            for picks in itertools.product(*(single[n] for n in names)):
                values = dict(zip(FEATURES, x.tolist(), strict=True))
                for _, moved in picks:
                    values |= {n: v for n, v in moved.items() if n in values}
                yield sum(c for c, _ in picks), names, list(values.values())


def brute_force(
    scorer: Scorer, x: np.ndarray, wanted: int, limits: Limits
) -> list[tuple[float, tuple[str, ...]]]:
    """The cheapest plans (cost, levers), by scoring every combination of every value."""
    combined = list(every_plan(x, limits.levers))
    if not combined:
        return []
    points = scorer.points(np.array([c[2] for c in combined]))
    good = [(c[0], c[1]) for c, p in zip(combined, points, strict=True) if p >= wanted]
    found: list[tuple[float, tuple[str, ...]]] = []
    for cost, names in sorted(good, key=lambda g: (g[0], len(g[1]))):
        if not any({*names} >= {*other} for _, other in found):
            found.append((cost, names))
    return found[: limits.plans]
