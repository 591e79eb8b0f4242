"""On real borrowers with missing incomes: whole reasons add up, and the proof holds or finds."""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow.parquet as pq
import pytest

from scoring.booster import booster_text
from scoring.change import Scored, changed
from scoring.monotone import violations
from scoring.points import PointScale
from scoring.reference import against, fit_references
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


def test_differences_from_a_population_and_moves_between_borrowers_add_up(
    data_folder: Path,
) -> None:
    X, good = borrowers(data_folder)
    names = tuple(f"f{i}" for i in range(X.shape[1]))
    old, new = (
        Scorer("credit", names, fit(X[part], good[part], "basic"), Calibration(1.0, 0.0),
               PointScale(2.6), 720, None, MONOTONE)
        for part in (slice(0, 60_000), slice(60_000, None))
    )  # fmt: skip
    some = X[::150]
    for reference in fit_references(old, some):
        found = against(old, some, reference)
        assert (found.reference_points + found.differences.sum(axis=1) == found.points).all()
    for a, b in zip(some[:200], some[200:400], strict=True):
        before, after = (
            Scored(scorer, dict(zip(names, [None if np.isnan(v) else v for v in x], strict=True)))
            for scorer, x in ((old, a), (new, b))
        )
        there, back = changed(before, after), changed(after, before)
        assert there.before + sum(there.data.values()) + there.model == there.after
        assert there.after == int(new.points(b[None, :])[0])
        assert back.data == {name: -points for name, points in there.data.items()}
        stayed = {n for n, v, w in zip(names, a, b, strict=True) if v == w or (v != v and w != w)}
        assert not stayed & {*there.data}
