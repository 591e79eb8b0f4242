"""The price of an explained decision: what `scoring.explain_cost` predicts, against a stopwatch.

Enters: nothing; models of many shapes are trained here on random rows. Leaves: a table, the rank
agreement, and the constants that fit this machine best. It is imported by nobody.

    python -m experiments.explain_cost
"""

from __future__ import annotations

import json

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from experiments.bench.explain import FEATURES, cost, each, make_rows
from scoring.booster import booster_text
from scoring.explain_cost import explain_us, work
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

NAMES = tuple(f"f{i}" for i in range(FEATURES))
SHAPES = ((30, 4), (30, 24), (100, 4), (100, 8), (100, 16), (250, 4), (250, 8), (250, 16),
          (250, 24), (600, 4), (600, 8), (600, 16), (600, 24), (250, 64))  # fmt: skip
ROWS, TURNS = 60, 7
Floats = NDArray[np.float64]


def main() -> None:
    """Train, predict, measure, compare."""
    X = make_rows(6000, 0)
    Z = np.nan_to_num(X)
    rng = np.random.default_rng(0)
    latent = Z[:, :20] @ rng.normal(size=20) + Z[:, 0] * Z[:, 1]
    y = (latent + rng.normal(size=len(X)) > 0).astype(float)
    found = []
    for trees, leaves in SHAPES:
        text = train(X, y, trees, leaves)
        measured = min(cost(each(scorer(text).explain), X[:ROWS]) for _ in range(TURNS)) * 1e6
        found.append((*work(text), explain_us(text), measured))
        print(f"{trees} x {leaves}: predicted {found[-1][2]:.0f} us, measured {measured:.0f} us")
    table = np.array(found)
    rank = spearmanr(table[:, 2], table[:, 3]).statistic
    told = {"rank_agreement": round(float(rank), 3), "constants": fitted(table).tolist()}
    print(json.dumps(told))


def train(X: Floats, y: Floats, trees: int, leaves: int) -> str:
    """The text of a binary booster."""
    params = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 1,
              "learning_rate": 0.05, "seed": 1, "feature_fraction": 0.4,
              "min_data_in_leaf": 10}  # fmt: skip
    return booster_text(lgb.train(params, lgb.Dataset(X, y, feature_name=list(NAMES)), trees))


def scorer(text: str) -> Scorer:
    """A scorer around a booster, as the service asks it for points and reasons; warm."""
    made = Scorer(
        target="churn", features=NAMES, booster_text=text,
        calibration=Calibration(slope=1.0, intercept=0.0), scale=PointScale(anchor_margin=0.0),
        horizon_days=90, currency=None, monotone=(0,) * FEATURES,
    )  # fmt: skip
    made.explain(make_rows(1, 9))
    return made


def fitted(table: Floats) -> Floats:
    """The constants of a row, a tree and a lane: least squares of relative errors."""
    design = np.column_stack([np.ones(len(table)), table[:, :2]]) / table[:, 3:4]
    return np.round(np.linalg.lstsq(design, np.ones(len(table)), rcond=None)[0], 4)


if __name__ == "__main__":
    main()
