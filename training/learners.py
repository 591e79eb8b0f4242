"""Learners: one small contract, and the peers that are asked for by name.

Enters: the fit rows of one target. Leaves: a score function, higher is better. The product is the
tuned LightGBM of `training/tune.py`; these are what it is held against, each through its own
library with settings that people start from. A library of the extra `peers` is imported where it
is asked for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from domain.errors import InputError, NotFoundError
from domain.tiers import TARGETS, Target
from scoring.categories import Levels
from scoring.segments import Fitted
from training.tune import constant_columns

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Task:
    """What a learner gets: matrix (n, k), truth (n,), feature names, what the bundle fits beside.

    `y` is 1 good and 0 bad, or an amount. `levels`: what codes were turned into numbers by.
    """

    target: Target
    X: Floats
    y: Floats
    names: Sequence[str]
    fitted: Fitted | None = None
    levels: tuple[Levels, ...] = ()

    @property
    def is_amount(self) -> bool:
        """Whether the truth is an amount."""
        return self.target == "value"

    @property
    def learnt(self) -> Floats:
        """The truth on the scale that is fitted: amounts in logs."""
        return np.log1p(self.y) if self.is_amount else self.y


@dataclass(frozen=True)
class Learnt:
    """A fitted learner. `size`: its bytes; `explain`: contributions (n, k or k + 1) of rows."""

    score: Score
    size: int | None = None
    explain: Callable[[Floats], Floats] | None = None


@dataclass(frozen=True)
class Learner:
    """A way to learn: `fit(task, seed)`, for which targets, and what it cannot do without.

    `needs`: features; `beside`: the field of `Fitted` that it reads; `library`: what it imports.
    """

    name: str
    fit: Callable[[Task, int], Learnt]
    targets: tuple[Target, ...] = TARGETS
    needs: tuple[str, ...] = ()
    beside: str = ""
    library: str = ""

    def can(self, task: Task) -> bool:
        """Whether the task is one of its targets and brings all that it needs."""
        has = not self.beside or getattr(task.fitted, self.beside, None) is not None
        return has and task.target in self.targets and {*self.needs} <= {*task.names}


def chosen(names: Sequence[str]) -> tuple[Learner, ...]:
    """The peers of these names.

    Raises:
        InputError: a name that no peer has.
        NotFoundError: a library that is not installed.
    """
    unknown = [n for n in names if n not in PEERS]
    if unknown:
        raise InputError(f"no baseline is called {unknown}: choose from {list(PEERS)}")
    lacking = [n for n in names if PEERS[n].library and not find_spec(PEERS[n].library)]
    if lacking:
        raise NotFoundError(
            f"the libraries of {lacking} are not installed: uv pip install '.[peers]'"
        )
    return tuple(PEERS[n] for n in dict.fromkeys(names))


def _lightgbm(task: Task, seed: int) -> Learnt:
    """LightGBM with its own defaults: neither tuned nor held to directions."""
    params = {
        "objective": "regression" if task.is_amount else "binary", "seed": seed,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    booster = lgb.train(params, lgb.Dataset(task.X, task.learnt))
    return Learnt(
        lambda Z: np.asarray(booster.predict(Z, raw_score=True, num_threads=1), dtype=np.float64),
        len(booster.model_to_string()),
        lambda Z: np.asarray(booster.predict(Z, pred_contrib=True, num_threads=1)),
    )


def _xgboost(task: Task, seed: int) -> Learnt:
    xgboost: Any = import_module("xgboost")
    params = {
        "objective": "reg:squarederror" if task.is_amount else "binary:logistic", "seed": seed,
        "eta": 0.05, "max_depth": 4, "min_child_weight": 5, "subsample": 0.8,
        "colsample_bytree": 0.5, "nthread": 1, "verbosity": 0,
    }  # fmt: skip
    rows = xgboost.DMatrix(task.X, task.learnt, nthread=1)
    booster = xgboost.train(params, rows, 300)

    def predict(Z: Floats, **how: bool) -> Floats:
        return np.asarray(booster.predict(xgboost.DMatrix(Z, nthread=1), **how), dtype=np.float64)

    return Learnt(
        lambda Z: predict(Z, output_margin=True),
        len(booster.save_raw("ubj")),
        lambda Z: predict(Z, pred_contribs=True),
    )


def _catboost(task: Task, seed: int) -> Learnt:
    """CatBoost with its own defaults."""
    catboost: Any = import_module("catboost")
    kind = catboost.CatBoostRegressor if task.is_amount else catboost.CatBoostClassifier
    model = kind(random_seed=seed, thread_count=1, allow_writing_files=False, silent=True)
    model.fit(task.X, task.learnt)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.cbm"
        model.save_model(str(file))
        size = file.stat().st_size

    def explain(Z: Floats) -> Floats:
        rows = catboost.Pool(Z)
        found = model.get_feature_importance(rows, type="ShapValues", thread_count=1)
        return np.asarray(found, dtype=np.float64)

    return Learnt(
        lambda Z: np.asarray(model.predict(Z, prediction_type="RawFormulaVal", thread_count=1)),
        size,
        explain,
    )


def _woe(task: Task, seed: int) -> Learnt:
    """Logistic regression on the weight of evidence of optimal bins, missing a bin of its own."""
    optbinning: Any = import_module("optbinning")
    same = constant_columns(task.X, task.names)
    kept = [i for i, n in enumerate(task.names) if n not in same]
    names = [task.names[i] for i in kept]
    bins = optbinning.BinningProcess(names, n_jobs=1)
    bins.fit(task.X[:, kept], task.y)

    def woe(Z: Floats) -> Floats:
        found = bins.transform(Z[:, kept], metric="woe", metric_missing="empirical")
        return np.asarray(found, dtype=np.float64)

    model = LogisticRegression(C=0.1, max_iter=2000, random_state=seed).fit(woe(task.X), task.y)
    cuts = sum(len(bins.get_binned_variable(n).splits) for n in names)
    return Learnt(
        lambda Z: np.asarray(model.decision_function(woe(Z)), dtype=np.float64),
        8 * (2 * cuts + 3 * len(names) + 1),
        lambda Z: woe(Z) * model.coef_[0],
    )


PEERS: dict[str, Learner] = {
    learner.name: learner
    for learner in (
        Learner("lightgbm", _lightgbm),
        Learner("xgboost", _xgboost, library="xgboost"),
        Learner("catboost", _catboost, library="catboost"),
        Learner("woe", _woe, ("churn", "credit"), library="optbinning"),
    )
}
"""What `--baselines` may name; a numeric cut and its two weights are 16 bytes of a `woe`."""
