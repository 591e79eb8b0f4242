"""Baselines: rules a person would try first, a regression, a model of buying alone, peers.

Enters: the fit rows as a `Task`. Leaves: functions from X to a score, higher is better. A baseline
whose features a source lacks is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from domain.errors import InputError
from scoring.categories import Levels, encoded
from scoring.rfm import RFM_FEATURES
from scoring.segments import BUYING_FEATURES
from training import learners
from training.learners import Floats, Learner, Learnt, Score, Task

RECENCY, MONEY = "purchase_recency_days", "spend_sum_180d"
DUE, LOWEST = "days_past_due_last", "balance_min_180d"
REGRESSION, BUYING = "regression", "buying model"
PEERS = (REGRESSION, BUYING, *learners.PEERS)
"""The peers; `BUYING` is BG/NBD, times Gamma-Gamma for value."""


@dataclass(frozen=True)
class Baselines:
    """`rules` must be beaten; `peers` (models of another kind) must not be better.

    All learnt from `features`, whose categories were turned into numbers by `levels`.
    """

    rules: dict[str, Score]
    peers: dict[str, Score]
    features: tuple[str, ...] = ()
    levels: tuple[Levels, ...] = ()

    def scores(self, X: Floats) -> dict[str, Floats]:
        """The score of every baseline on rows."""
        X = encoded(X, self.features, self.levels)
        return {name: f(X) for name, f in {**self.rules, **self.peers}.items()}


def fit_baselines(task: Task, seed: int, more: Sequence[str] = ()) -> Baselines:
    """The usual baselines of a task, and `more` peers by name, fitted on its rows.

    Raises:
        InputError, NotFoundError: as `learners.chosen`.
    """
    asked = [learner for learner in (*USUAL, *learners.chosen(more)) if learner.can(task)]
    found = {learner.name: learner.fit(task, seed).score for learner in asked}
    return Baselines(
        {n: f for n, f in found.items() if n not in PEERS},
        {n: f for n, f in found.items() if n in PEERS},
        tuple(task.names),
        task.levels,
    )


def _one_column(name: str, sign: int) -> Callable[[Task, int], Learnt]:
    def fit(task: Task, _: int) -> Learnt:
        column = list(task.names).index(name)
        known = task.X[:, column][~np.isnan(task.X[:, column])]
        middle = float(np.median(known)) if known.size else 0.0
        return Learnt(lambda Z: sign * np.nan_to_num(Z[:, column], nan=middle))

    return fit


def _rfm(task: Task, _: int) -> Learnt:
    """The sum of the three scores from 1 to 5; without scores the middle, 9."""
    columns = [list(task.names).index(n) for n in RFM_FEATURES]
    if task.fitted is None or task.fitted.rfm is None:
        raise InputError("the RFM tier needs the cuts that are fitted beside the scorers")
    rfm = task.fitted.rfm

    def score(Z: Floats) -> Floats:
        scores = rfm.scores(Z[:, columns])
        return np.where(scores[:, 0] == 0, 9, scores.sum(axis=1)).astype(np.float64)

    return Learnt(score)


def _buying(task: Task, _: int) -> Learnt:
    """Expected spend, or the chance of a purchase; without a history the middle of the fit rows."""
    columns = [list(task.names).index(n) for n in BUYING_FEATURES]
    if task.fitted is None:
        raise InputError("the buying model needs what is fitted beside the scorers")
    fitted = task.fitted

    def known(Z: Floats) -> Floats:
        found = [fitted.baseline(*row) for row in Z[:, columns].tolist()]
        told = [
            None if f is None else f.amount if task.is_amount else 1 - f.p_no_purchase
            for f in found
        ]  # fmt: skip
        return np.array(told, dtype=np.float64)

    learnt = known(task.X)
    middle = float(np.nanmedian(learnt)) if not np.isnan(learnt).all() else 0.0
    return Learnt(lambda Z: np.nan_to_num(known(Z), nan=middle))


def _regression(task: Task, _: int) -> Learnt:
    """Logistic regression, or ridge on log amounts: signed logs, medians and flags for missing."""
    model = Ridge(alpha=10.0) if task.is_amount else LogisticRegression(C=0.1, max_iter=2000)
    chain: Pipeline = make_pipeline(
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        model,
    )
    chain.fit(task.X, task.learnt)
    score = chain.predict if task.is_amount else chain.decision_function
    return Learnt(lambda Z: np.asarray(score(Z), dtype=np.float64))


def _signed_log(X: Floats) -> Floats:
    out: Floats = np.sign(X) * np.log1p(np.abs(X))
    return out


USUAL = (
    Learner("last period", _one_column(MONEY, 1), ("value",), (MONEY,)),
    Learner("recency", _one_column(RECENCY, -1), ("churn",), (RECENCY,)),
    Learner("days past due now", _one_column(DUE, -1), ("credit",), (DUE,)),
    Learner("lowest balance", _one_column(LOWEST, 1), ("credit",), (LOWEST,)),
    Learner("RFM tier", _rfm, ("value", "churn"), RFM_FEATURES, beside="rfm"),
    Learner(REGRESSION, _regression),
    Learner(BUYING, _buying, ("value",), BUYING_FEATURES, beside="spending"),
    Learner(BUYING, _buying, ("churn",), BUYING_FEATURES, beside="buying"),
)
"""What every run is held against, where it can be fitted."""
