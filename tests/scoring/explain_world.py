"""Credit scorers over features of the real catalogue, with known drivers and planted noise."""

from __future__ import annotations

from functools import cache

import lightgbm as lgb
import numpy as np

from features.catalogue import CATALOGUE
from scoring.booster import booster_text
from scoring.grouped import Case
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

NAMES = (
    "days_past_due_max_90d", "days_past_due_max_180d", "utilisation_last", "utilisation_mean_90d",
    "income_last", "complaint_count_90d", "purchase_count_30d", "purchase_count_365d",
    "purchase_tenure_days", "groceries_share_365d", "bill_last",
)  # fmt: skip
NOISE = ("groceries_share_365d", "bill_last")
MONOTONE = CATALOGUE.monotone("credit", NAMES)


def rows(n: int, seed: int, missing: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    late = rng.choice([0.0, 0.0, 0.0, 30.0, 60.0], n)
    used = rng.random(n)
    count = rng.poisson(4.0, n).astype(float)
    columns = [
        late, np.maximum(late, rng.choice([0.0, 30.0], n)), used,
        np.clip(used + 0.1 * rng.normal(size=n), 0, 1), np.exp(10 + 0.5 * rng.normal(size=n)),
        rng.poisson(0.3, n).astype(float), count, count * 10 + rng.poisson(5.0, n),
        rng.uniform(30, 2000, n), rng.random(n), np.exp(7 + rng.normal(size=n)),
    ]  # fmt: skip
    X = np.column_stack(columns)
    X[rng.random(X.shape) < missing] = np.nan
    return X


@cache
def credit_scorer(seed: int = 1, slope: float = 1.1, rounds: int = 60, leaves: int = 8) -> Scorer:
    """Drivers: late payment, utilisation (with late payment), income, complaints, purchases."""
    X = rows(3000, seed)
    Z = np.nan_to_num(X)
    margin = (
        2.0 - Z[:, 0] / 25 - Z[:, 1] / 60 - 2 * Z[:, 2] * (Z[:, 0] > 0) - Z[:, 2]
        + 0.4 * np.log(np.where(Z[:, 4] > 0, Z[:, 4], 22_000)) - 4 - 0.8 * Z[:, 5] + 0.1 * Z[:, 6]
    )  # fmt: skip
    y = np.random.default_rng(seed + 9).random(len(X)) < 1 / (1 + np.exp(-margin))
    params = {
        "objective": "binary", "num_leaves": leaves, "min_data_in_leaf": 20, "learning_rate": 0.1,
        "verbose": -1, "num_threads": 1, "seed": seed, "deterministic": True,
        "monotone_constraints": list(MONOTONE), "monotone_constraints_method": "basic",
    }  # fmt: skip
    data = lgb.Dataset(X, y.astype(float), feature_name=list(NAMES))
    return Scorer(
        target="credit",
        features=NAMES,
        booster_text=booster_text(lgb.train(params, data, rounds)),
        calibration=Calibration(slope, -0.2),
        scale=PointScale(0.0),
        horizon_days=365,
        currency=None,
        monotone=MONOTONE,
    )


def case(x: np.ndarray, scorer: Scorer | None = None) -> Case:
    return Case(scorer or credit_scorer(), x, CATALOGUE, "CNY")
