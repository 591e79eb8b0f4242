"""Baselines: rules a person would try first, a regression, a model of buying alone.

Enters: the fit rows (X, y), feature names, and what was fitted beside the scorers. Leaves:
functions from X to a score, higher is better. A rule whose features a source lacks is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from domain.tiers import Target
from scoring.rfm import RFM_FEATURES, Rfm
from scoring.segments import BUYING_FEATURES, Fitted

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
RECENCY, MONEY = "purchase_recency_days", "spend_sum_180d"
REGRESSION, BUYING = PEERS = ("regression", "buying model")
"""The peers; `BUYING` is BG/NBD, times Gamma-Gamma for value."""
_RULES: dict[Target, dict[str, tuple[str, int]]] = {
    "value": {"last period": (MONEY, 1)},
    "churn": {"recency": (RECENCY, -1)},
    "credit": {
        "days past due now": ("days_past_due_last", -1),
        "lowest balance": ("balance_min_180d", 1),
    },
}


@dataclass(frozen=True)
class Baselines:
    """`rules` must be beaten; `peers` (models of another kind) must not be better."""

    rules: dict[str, Score]
    peers: dict[str, Score]

    def scores(self, X: Floats) -> dict[str, Floats]:
        """The score of every baseline on rows."""
        return {name: f(X) for name, f in {**self.rules, **self.peers}.items()}


def fit_baselines(
    target: Target, X: Floats, y: Floats, names: Sequence[str], fitted: Fitted | None = None
) -> Baselines:
    """The baselines of a target, fitted on its fit rows; `fitted`: what stands in the bundle."""
    place = {n: i for i, n in enumerate(names)}
    rules: dict[str, Score] = {}
    for rule, (feature, sign) in _RULES[target].items():
        if feature in place:
            rules[rule] = _one_column(X, place[feature], sign)
    is_amount = target == "value"
    peers: dict[str, Score] = {REGRESSION: _regression(X, y, is_amount=is_amount)}
    if fitted is not None and target != "credit":
        if fitted.rfm is not None and {*RFM_FEATURES} <= {*place}:
            rules["RFM tier"] = _rfm(fitted.rfm, place)
        model = fitted.spending if is_amount else fitted.buying
        if model is not None and {*BUYING_FEATURES} <= {*place}:
            peers[BUYING] = _buying(fitted, X, place, is_amount=is_amount)
    return Baselines(rules, peers)


def _one_column(X: Floats, column: int, sign: int) -> Score:
    known = X[:, column][~np.isnan(X[:, column])]
    middle = float(np.median(known)) if known.size else 0.0
    return lambda Z: sign * np.nan_to_num(Z[:, column], nan=middle)


def _rfm(rfm: Rfm, place: Mapping[str, int]) -> Score:
    """The sum of the three scores from 1 to 5; without scores the middle, 9."""
    columns = [place[n] for n in RFM_FEATURES]

    def score(Z: Floats) -> Floats:
        scores = rfm.scores(Z[:, columns])
        return np.where(scores[:, 0] == 0, 9, scores.sum(axis=1)).astype(np.float64)

    return score


def _buying(fitted: Fitted, X: Floats, place: Mapping[str, int], *, is_amount: bool) -> Score:
    """Expected spend, or the chance of a purchase; without a history the middle of the fit rows."""
    columns = [place[n] for n in BUYING_FEATURES]

    def known(Z: Floats) -> Floats:
        found = [fitted.baseline(*row) for row in Z[:, columns].tolist()]
        told = [
            None if f is None else f.amount if is_amount else 1 - f.p_no_purchase for f in found
        ]
        return np.array(told, dtype=np.float64)

    learnt = known(X)
    middle = float(np.nanmedian(learnt)) if not np.isnan(learnt).all() else 0.0
    return lambda Z: np.nan_to_num(known(Z), nan=middle)


def _regression(X: Floats, y: Floats, *, is_amount: bool) -> Score:
    """Logistic regression, or ridge on log amounts: signed logs, medians and flags for missing."""
    model = Ridge(alpha=10.0) if is_amount else LogisticRegression(C=0.1, max_iter=2000)
    chain: Pipeline = make_pipeline(
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        model,
    )
    chain.fit(X, np.log1p(y) if is_amount else y)
    if is_amount:
        return lambda Z: np.asarray(chain.predict(Z), dtype=np.float64)
    return lambda Z: np.asarray(chain.decision_function(Z), dtype=np.float64)


def _signed_log(X: Floats) -> Floats:
    out: Floats = np.sign(X) * np.log1p(np.abs(X))
    return out
