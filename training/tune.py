"""Tuning: an Optuna study over LightGBM, pruned, resumable, every trial an MLflow run.

Enters: learning and validation rows of one target, several times. Leaves: the best parameters
and number of trees. The test is not seen. Same data, seed and lock: same trials, same winner (I11).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial
from optuna_integration import LightGBMPruningCallback

from domain.errors import BundleError
from scoring.booster import booster_text
from scoring.explain_cost import explain_us
from scoring.monotone import violations
from training.categories import encoded
from training.front import cheapest
from training.kept import Budget, Direction, Kept, Objective, Told, keep, quiet, work
from training.space import Space

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Folds = tuple[tuple[Index, Index], ...]
RULES = 7
"""Raise it when folds, space or first trials change: trials under other rules are another study."""
FOLDS = 3
MORE_FOLDS = 5
METHODS = ("intermediate", "basic")
TREES = 600
PATIENCE = 40
CHECKED_EVERY = 10
SLOW = 0.05
"""The winner learns at most so fast: a fast trial is cheap, and fitted slowly ranks better."""
FEW = 50
"""Of the rarer outcome: with fewer, where a curve of ranks is best is luck."""
_BINNING = {"feature_pre_filter": False, "max_bin": 255, "verbosity": -1, "num_threads": 1}


@dataclass(frozen=True)
class Metric:
    """A figure of LightGBM by which trials are compared."""

    is_amount: bool
    is_better_high: bool


SMOOTH = "binary_logloss"
METRICS = {
    "auc": Metric(is_amount=False, is_better_high=True),
    "average_precision": Metric(is_amount=False, is_better_high=True),
    SMOOTH: Metric(is_amount=False, is_better_high=False),
    "l2": Metric(is_amount=True, is_better_high=False),
    "l1": Metric(is_amount=True, is_better_high=False),
}


@dataclass(frozen=True)
class Problem:
    """What is learnt: matrix (n, k), truth (n,), feature names, directions, objective.

    `is_amount`: least squares on `log1p(y / unit) - level`, see `training.truth`; else the log-odds
    of `y = 1`. `categories`: the features that are codes; `parts`: the fold of each row, by
    customer, in which their statistics are learnt. `training.categories.encoded` gives what the
    trees see.
    """

    X: Floats
    y: Floats
    names: tuple[str, ...]
    monotone: tuple[int, ...]
    is_amount: bool
    categories: tuple[str, ...] = ()
    parts: Index | None = None
    unit: float = 1.0
    level: Floats | float = 0.0

    @property
    def learnt(self) -> Floats:
        """The truth on the scale that the trees fit."""
        return np.log1p(self.y / self.unit) - self.level if self.is_amount else self.y

    def fixed(self, seed: int) -> dict[str, Any]:
        """Parameters that no trial changes."""
        return {
            **_BINNING,
            "objective": "regression" if self.is_amount else "binary",
            "monotone_constraints": list(self.monotone),
            "monotone_constraints_method": METHODS[0],
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
        }


@dataclass(frozen=True)
class Best:
    """The winner: parameters of the trees, how many, its validation figure.

    `explain_us`: what an explained decision costs, where that was an objective.
    """

    params: dict[str, Any]
    trees: int
    figure: float
    explain_us: float | None = None


Fit = Callable[[Problem, Index, Best, int], lgb.Booster]
"""What learns the winner's booster on some rows with a seed: `fit_booster`, or a cluster."""


@dataclass(frozen=True)
class Search:
    """What a study looks for: how long, from which seed, where, by which figure.

    `metric` is one of `METRICS`; by default the first that fits the target. With `explained` the
    cost of an explained decision is the second objective, and there are `MORE_FOLDS`.
    """

    budget: Budget
    seed: int
    space: Space = field(default_factory=Space)
    metric: str | None = None
    explained: bool = False

    def folds(self, problem: Problem, rows: Index) -> int:
        """How often learning rows are parted: more where a standard error is asked for, or few."""
        return MORE_FOLDS if self.explained or is_few(problem, rows) else FOLDS

    def metric_of(self, *, is_amount: bool) -> str:
        """The figure of a trial."""
        return self.metric or next(n for n, m in METRICS.items() if m.is_amount == is_amount)

    def directions(self, *, is_amount: bool) -> tuple[Direction, ...]:
        """Where each objective is to go."""
        metric = METRICS[self.metric_of(is_amount=is_amount)]
        figure: Direction = "maximize" if metric.is_better_high else "minimize"
        return (figure, "minimize") if self.explained else (figure,)


def tune(problem: Problem, folds: Folds, kept: Kept, search: Search, told: Told = quiet) -> Best:
    """The best finished trial of a study, once its budget is spent; earlier runs count.

    `folds`: rows to learn from and rows to validate on; a trial's figure, and its number of trees,
    is the best of the mean over the folds; where there are few, trees end where the log loss is
    least. `told` is called after every trial of this run. What is returned learns slowly, as
    `slowly` has it, unless trees have their price.
    """
    rows = max(learn.size for learn, _ in folds)
    objective = _objective(problem, folds, search)
    work(kept, search.budget, search.seed, search.space.first(rows), objective, told)
    if search.explained:
        found = cheapest(kept.study.best_trials, kept.study.directions[0])
    else:
        found = kept.study.best_trial
    best = best_of(found)
    return best if search.explained else slowly(best, search.space)


def best_of(trial: FrozenTrial) -> Best:
    """A finished trial as it was tried."""
    params = {**trial.params, "bagging_freq": 1}
    return Best(params, int(trial.user_attrs["trees"]), *map(float, trial.values or ()))


def slowly(best: Best, space: Space) -> Best:
    """The same with trees at a rate of `SLOW` at most, where the space allows: as many times more.

    >>> fast = Best({"learning_rate": 0.1, "num_leaves": 6}, trees=40, figure=0.8)
    >>> slowly(fast, Space())
    Best(params={'learning_rate': 0.05, 'num_leaves': 6}, trees=80, figure=0.8, explain_us=None)
    >>> slowly(fast, Space(learning_rate=(0.1, 0.1))) == fast
    True
    """
    rate = float(best.params["learning_rate"])
    times = max(1, min(math.ceil(rate / SLOW), int(rate / space.learning_rate[0])))
    params = {**best.params, "learning_rate": rate / times}
    return replace(best, params=params, trees=best.trees * times)


def _objective(problem: Problem, folds: Folds, search: Search) -> Objective:
    """Cross-validation of one trial over rows that are binned once for all trials."""
    rows = max(learn.size for learn, _ in folds)
    X, learnt, within = _binned_once(problem, folds)
    data = lgb.Dataset(
        X, learnt, feature_name=list(problem.names), params=_BINNING, free_raw_data=False
    )
    metric = search.metric_of(is_amount=problem.is_amount)
    few = is_few(problem, np.concatenate(folds[0]))
    watched = [*dict.fromkeys([SMOOTH, metric])] if few else [metric]  # the first ends the trees

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        params = {
            **problem.fixed(search.seed), "metric": watched, **search.space.suggest(trial, rows)
        }  # fmt: skip
        callbacks = [lgb.early_stopping(PATIENCE, first_metric_only=True, verbose=False)]
        if not search.explained:  # Optuna prunes by one objective only
            prune = LightGBMPruningCallback(trial, metric, "valid", report_interval=CHECKED_EVERY)
            callbacks.append(prune)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The reported value is ignored")
            found = lgb.cv(
                params, data, TREES, folds=iter(within), callbacks=callbacks,
                return_cvbooster=search.explained,
            )  # fmt: skip
        curve, spread = found[f"valid {metric}-mean"], found[f"valid {metric}-stdv"]
        trial.set_user_attr("trees", len(curve))
        trial.set_user_attr("error", float(spread[-1]) / math.sqrt(max(1, len(folds) - 1)))
        if not search.explained:
            return (float(curve[-1]),)
        costs = [explain_us(b.model_to_string(len(curve))) for b in found["cvbooster"].boosters]
        return float(curve[-1]), float(np.mean(costs))

    return objective


def _binned_once(problem: Problem, folds: Folds) -> tuple[Floats, Floats, Folds]:
    """The rows of all folds, and each fold's places among them.

    With categories a row stands there once for each fold, as that fold's learning rows tell it.
    """
    if not problem.categories:
        used = np.unique(np.concatenate([part for fold in folds for part in fold]))
        within = tuple((np.searchsorted(used, a), np.searchsorted(used, b)) for a, b in folds)
        return problem.X[used], problem.learnt[used], within
    each = [np.concatenate(fold) for fold in folds]
    X = np.concatenate(
        [encoded(problem, learn).X[used] for (learn, _), used in zip(folds, each, strict=True)]
    )
    starts = np.cumsum([0, *(used.size for used in each)])
    within = tuple(
        (np.arange(start, start + learn.size), np.arange(start + learn.size, end))
        for start, end, (learn, _) in zip(starts, starts[1:], folds, strict=False)
    )
    return X, problem.learnt[np.concatenate(each)], within


def make_study(name: str, address: str | None, search: Search, *, is_amount: bool) -> Kept:
    """The study of a name, taken up where it stands at its address; None keeps it in memory."""
    return keep(name, address, search.directions(is_amount=is_amount))


def learner(fit: Fit) -> str | None:
    """The name of what learns, as a card says it; None: `fit_booster`, which no card names."""
    made = fit.func if isinstance(fit, partial) else fit
    return None if made is fit_booster else f"{made.__module__}.{made.__name__}"


def fit_booster(problem: Problem, rows: Index, best: Best, seed: int) -> lgb.Booster:
    """The booster of the winner on all the rows given, its directions proved on the trees.

    LightGBM's `intermediate` method breaks a direction now and then where values are missing, and
    `basic` was never seen to; the second is taken where the proof of the first fails.

    Categories are learnt from the same rows, out of fold.

    Raises:
        BundleError: no method keeps the directions.
    """
    problem = encoded(problem, rows)
    data = lgb.Dataset(
        problem.X[rows], problem.learnt[rows], feature_name=list(problem.names), params=_BINNING
    )
    for method in METHODS:
        params = {**problem.fixed(seed), **best.params, "monotone_constraints_method": method}
        booster = lgb.train(params, data, best.trees)
        if not violations(booster_text(booster), problem.monotone):
            return booster
    raise BundleError("no method of LightGBM keeps the declared directions: free some features")


def inner_folds(places: Index, fit: Index, folds: int = FOLDS) -> Folds:
    """Rows to learn from and to validate on inside the fit rows, some times, parted by customer.

    Customers whose `places` (0 to 99) are below 20 validate what the others teach, then those below
    40, and so on. All dates stand in every fold: a few last dates, one season, choose too few trees
    for another.
    """
    fifth = places[fit] // 20
    return tuple((fit[fifth != k], fit[fifth == k]) for k in range(folds))


def is_few(problem: Problem, rows: Index) -> bool:
    """Whether the rows hold fewer than `FEW` of the rarer outcome; amounts are never few."""
    good = int(np.count_nonzero(problem.y[rows]))
    return not problem.is_amount and min(good, rows.size - good) < FEW


def constant_columns(X: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """The features that hold one value, or none, on these rows: nothing can be learnt from them."""
    out = []
    for column, name in enumerate(names):
        known = X[:, column][~np.isnan(X[:, column])]
        if not known.size or (known.size == len(X) and known.min() == known.max()):
            out.append(name)
    return tuple(out)
