"""Baselines: rules a person would try first, and a regression, fitted on the same rows.

Enters: the fit rows (X, y) and feature names. Leaves: functions from X to a score, higher is
better. A rule whose features a source lacks is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from domain.tiers import Target

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
RECENCY, FREQUENCY, MONEY = "purchase_recency_days", "purchase_count_180d", "spend_sum_180d"
REGRESSION = "regression"
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
    """`rules` must be beaten; `peers` (regressions) must not be better."""

    rules: dict[str, Score]
    peers: dict[str, Score]

    def scores(self, X: Floats) -> dict[str, Floats]:
        """The score of every baseline on rows."""
        return {name: f(X) for name, f in {**self.rules, **self.peers}.items()}


def fit_baselines(target: Target, X: Floats, y: Floats, names: Sequence[str]) -> Baselines:
    """The baselines of a target, fitted on its fit rows."""
    place = {n: i for i, n in enumerate(names)}
    rules: dict[str, Score] = {}
    for rule, (feature, sign) in _RULES[target].items():
        if feature in place:
            rules[rule] = _one_column(X, place[feature], sign)
    if target != "credit" and {RECENCY, FREQUENCY, MONEY} <= set(place):
        rules["RFM tier"] = _rfm(X, [place[n] for n in (RECENCY, FREQUENCY, MONEY)])
    peer = _regression(X, y, is_amount=target == "value")
    return Baselines(rules, {REGRESSION: peer})


def _one_column(X: Floats, column: int, sign: int) -> Score:
    known = X[:, column][~np.isnan(X[:, column])]
    middle = float(np.median(known)) if known.size else 0.0
    return lambda Z: sign * np.nan_to_num(Z[:, column], nan=middle)


def _rfm(X: Floats, columns: Sequence[int]) -> Score:
    """The sum of the quintiles 1 to 5 of recency, frequency and money (Hughes 1994)."""
    cuts = [np.nanquantile(X[:, c], [0.2, 0.4, 0.6, 0.8]) for c in columns]
    signs = (-1, 1, 1)

    def score(Z: Floats) -> Floats:
        total = np.zeros(len(Z))
        for column, at, sign in zip(columns, cuts, signs, strict=True):
            total += sign * np.searchsorted(at, np.nan_to_num(Z[:, column]), side="left")
        return total

    return score


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
