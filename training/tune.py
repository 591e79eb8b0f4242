"""Tuning: an Optuna study over LightGBM, pruned, resumable, every trial an MLflow run.

Enters: learning and validation rows of one target, several times. Leaves: the best parameters
and number of trees. The test is not seen. Same data, seed and lock: same trials, same winner (I11).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
from numpy.typing import NDArray
from optuna_integration import LightGBMPruningCallback

from domain.errors import BundleError
from scoring.booster import booster_text
from scoring.monotone import violations

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Folds = tuple[tuple[Index, Index], ...]
RULES = 3
"""Raise it when folds, space or first trial change: trials under other rules are another study."""
FOLDS = 3
METHODS = ("intermediate", "basic")
TREES = 600
PATIENCE = 40
CHECKED_EVERY = 10
_BINNING = {"feature_pre_filter": False, "max_bin": 255, "verbosity": -1, "num_threads": 1}


@dataclass(frozen=True)
class Problem:
    """What is learnt: matrix (n, k), truth (n,), feature names, directions, objective.

    `is_amount`: least squares on `log1p(y)`; else the log-odds of `y = 1`.
    """

    X: Floats
    y: Floats
    names: tuple[str, ...]
    monotone: tuple[int, ...]
    is_amount: bool

    @property
    def learnt(self) -> Floats:
        """The truth on the scale that the trees fit."""
        return np.log1p(self.y) if self.is_amount else self.y

    def fixed(self, seed: int) -> dict[str, Any]:
        """Parameters that no trial changes."""
        return {
            **_BINNING,
            "objective": "regression" if self.is_amount else "binary",
            "metric": "l2" if self.is_amount else "auc",
            "monotone_constraints": list(self.monotone),
            "monotone_constraints_method": METHODS[0],
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
        }


@dataclass(frozen=True)
class Best:
    """The winner: parameters of the trees, how many, and its validation figure."""

    params: dict[str, Any]
    trees: int
    figure: float


Fit = Callable[[Problem, Index, Best, int], lgb.Booster]
"""What learns the winner's booster on some rows with a seed: `fit_booster`, or a cluster."""


def space(trial: optuna.Trial, rows: int) -> dict[str, Any]:
    """The space: few leaves and strong regularisation, where searches on such data end."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 24, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 10, _most(rows), log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 0.9),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.3, 0.9),
        "bagging_freq": 1,
        "lambda_l2": trial.suggest_float("lambda_l2", 1.0, 200.0, log=True),
    }


def default_trial(rows: int) -> dict[str, Any]:
    """The first trial of every study: sensible values, so that few trials never do worse.

    The more rows, the more a leaf must hold and the stronger it is drawn to nothing.
    """
    return {
        "learning_rate": 0.03,
        "num_leaves": 6,
        "min_data_in_leaf": min(150, max(15, rows // 100), _most(rows)),
        "feature_fraction": 0.4,
        "bagging_fraction": 0.5,
        "lambda_l2": float(min(50, max(5, rows // 400))),
    }


def _most(rows: int) -> int:
    return min(400, max(20, rows // 10))


def tune(
    problem: Problem,
    folds: Folds,
    study: optuna.Study,
    trials: int,
    seed: int,
    told: Callable[[optuna.trial.FrozenTrial], None] | None = None,
) -> Best:  # fmt: skip
    """The best of `trials` finished or pruned trials of the study, those of earlier runs counted.

    `folds`: rows to learn from and rows to validate on; a trial's figure, and its number of trees,
    is the best of the mean over the folds. `told` is called after every trial of this run. Each
    trial draws from a seed of its own number, so that a study that was stopped and taken up again
    finds what it would have found in one go.
    """
    rows = max(learn.size for learn, _ in folds)
    used = np.unique(np.concatenate([part for fold in folds for part in fold]))
    within = [(np.searchsorted(used, a), np.searchsorted(used, b)) for a, b in folds]
    data = lgb.Dataset(
        problem.X[used], problem.learnt[used], feature_name=list(problem.names), params=_BINNING,
        free_raw_data=False,
    )  # fmt: skip
    metric = "l2" if problem.is_amount else "auc"

    def objective(trial: optuna.Trial) -> float:
        params = {**problem.fixed(seed), **space(trial, rows)}
        prune = LightGBMPruningCallback(trial, metric, "valid", report_interval=CHECKED_EVERY)
        stop = lgb.early_stopping(PATIENCE, verbose=False)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The reported value is ignored")
            found = lgb.cv(params, data, TREES, folds=iter(within), callbacks=[prune, stop])
        curve = found[f"valid {metric}-mean"]
        trial.set_user_attr("trees", len(curve))
        return float(curve[-1])

    callbacks = [] if told is None else [lambda _, trial: told(trial)]
    for number in range(len(study.get_trials(deepcopy=False, states=_DONE)), trials):
        if not number and not study.get_trials(deepcopy=False, states=_WAITING):
            study.enqueue_trial(default_trial(rows))
        study.sampler = optuna.samplers.TPESampler(seed=seed + number)
        study.optimize(objective, n_trials=1, callbacks=callbacks)
    best = study.best_trial
    params = {**best.params, "bagging_freq": 1}
    return Best(params, int(best.user_attrs["trees"]), float(best.value or 0.0))


_DONE = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
_WAITING = (optuna.trial.TrialState.WAITING,)


def make_study(name: str, storage: str | None, *, is_amount: bool) -> optuna.Study:
    """The study of a name, taken up where it stands in its storage; None keeps it in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=name,
        storage=storage,
        load_if_exists=storage is not None,
        direction="minimize" if is_amount else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=50),
    )


def fit_booster(problem: Problem, rows: Index, best: Best, seed: int) -> lgb.Booster:
    """The booster of the winner on all the rows given, its directions proved on the trees.

    LightGBM's `intermediate` method breaks a direction now and then where values are missing, and
    `basic` was never seen to; the second is taken where the proof of the first fails.

    Raises:
        BundleError: no method keeps the directions.
    """
    data = lgb.Dataset(
        problem.X[rows], problem.learnt[rows], feature_name=list(problem.names), params=_BINNING
    )
    for method in METHODS:
        params = {**problem.fixed(seed), **best.params, "monotone_constraints_method": method}
        booster = lgb.train(params, data, best.trees)
        if not violations(booster_text(booster), problem.monotone):
            return booster
    raise BundleError("no method of LightGBM keeps the declared directions: free some features")


def inner_folds(places: Index, fit: Index) -> Folds:
    """Rows to learn from and to validate on inside the fit rows, `FOLDS` times, parted by customer.

    Customers whose `places` (0 to 99) are below 20 validate what the others teach, then those below
    40, and so on. All dates stand in every fold: a few last dates, one season, choose too few trees
    for another.
    """
    fifth = places[fit] // 20
    return tuple((fit[fifth != k], fit[fifth == k]) for k in range(FOLDS))


def constant_columns(X: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """The features that hold one value, or none, on these rows: nothing can be learnt from them."""
    out = []
    for column, name in enumerate(names):
        known = X[:, column][~np.isnan(X[:, column])]
        if not known.size or (known.size == len(X) and known.min() == known.max()):
            out.append(name)
    return tuple(out)
