"""On real borrowers with missing incomes: whole reasons add up, and the proof holds or finds."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq
import pytest

from scoring.booster import booster_text
from scoring.monotone import violations
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

pytestmark = pytest.mark.realdata

# utilisation, age, 30-59 days late, debt ratio, income, open lines, 90 days late, real estate
# loans, 60-89 days late, dependents
MONOTONE = (-1, 1, -1, -1, 1, 0, -1, 0, -1, 0)


def borrowers(data_folder: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pq.read_table(data_folder / "give_me_some_credit/give_me_some_credit.parquet")
    names = [n for n in table.column_names if n not in ("id", "SeriousDlqin2yrs")]
    columns = [table[n].to_numpy(zero_copy_only=False).astype(np.float64) for n in names]
    return np.column_stack(columns), 1.0 - table["SeriousDlqin2yrs"].to_numpy()


def fit(X: np.ndarray, good: np.ndarray, method: str) -> str:
    params = {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 100,
        "monotone_constraints": list(MONOTONE),
        "monotone_constraints_method": method,
        "num_threads": 1,
        "verbose": -1,
    }
    names = [f"f{i}" for i in range(X.shape[1])]
    return booster_text(lgb.train(params, lgb.Dataset(X, good, feature_name=names), 80))


def test_reasons_add_up_and_the_declared_directions_hold(data_folder: Path) -> None:
    X, good = borrowers(data_folder)
    text = fit(X, good, "basic")
    assert violations(text, MONOTONE) == ()
    names = tuple(f"f{i}" for i in range(X.shape[1]))
    scorer = Scorer(
        "credit", names, text, Calibration(1.0, 0.0), PointScale(2.6), 720, None, MONOTONE
    )
    some = X[::75]
    assert np.isnan(some).any()
    explained = scorer.explain(some)
    assert (explained.base_points + explained.reasons.sum(axis=1) == explained.points).all()
    for feature, way in enumerate(MONOTONE):
        risen = some.copy()
        risen[:, feature] = np.where(np.isnan(some[:, feature]), np.nan, some[:, feature] * 1.5 + 1)
        moved = scorer.points(risen) - explained.points
        assert (moved * way >= 0).all()


def test_the_proof_finds_what_the_advanced_method_breaks(data_folder: Path) -> None:
    X, good = borrowers(data_folder)
    assert violations(fit(X, good, "advanced"), MONOTONE)
