"""Each baseline against an example that was worked by hand, or against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from scoring.buy_till_die import BgNbd, GammaGamma
from scoring.rfm import RFM_FEATURES
from scoring.segments import BUYING_FEATURES, Fitted
from training import baselines
from training.baselines import BUYING, MONEY, RECENCY, REGRESSION
from training.learners import Task
from training.segments import fit_rfm

NAN = np.nan


def fit_baselines(*task, more=()):
    return baselines.fit_baselines(Task(*task), 1, more)


def half(n: int) -> np.ndarray:
    return (np.arange(n) % 2).astype(float)


def test_the_rfm_tier_is_the_sum_of_the_three_scores_of_the_bundle():
    """Quintile cuts of 10, 20, ... 100 are 28, 46, 64 and 82; few days since are good."""
    tens = np.arange(10.0, 101.0, 10.0)
    X = np.column_stack([tens, tens, tens])
    fitted = Fitted(90, "GBP", rfm=fit_rfm(X))
    tier = fit_baselines("churn", X, half(10), RFM_FEATURES, fitted).rules["RFM tier"]
    asked = np.array([
        [10.0, 100.0, 100.0],  # best in all three
        [100.0, 10.0, 10.0],   # worst in all three
        [50.0, 50.0, 50.0],    # the third quintile in each
        [28.0, 46.0, 82.1],    # on a cut the lower one: 5 + 2 + 5
        [NAN, 46.0, 82.1],     # without scores: the middle
    ])  # fmt: skip
    assert tier(asked).tolist() == [15, 3, 9, 12, 9]
    assert tier(asked)[:4].tolist() == fitted.rfm.scores(asked)[:4].sum(axis=1).tolist()


def test_the_buying_model_is_that_of_the_bundle_and_no_history_is_the_middle():
    fitted = Fitted(90, "GBP", buying=BgNbd(0.7, 60, 0.8, 3), spending=GammaGamma(2, 3.7, 500))
    X = np.array([[6, 280, 300, 900], [1, 0, 300, 50], [3, 100, 120, 700], [NAN] * 4])
    told = [fitted.baseline(*row) for row in X[:3].tolist()]
    churn = fit_baselines("churn", X, half(4), BUYING_FEATURES, fitted).peers[BUYING](X)
    assert churn[:3].tolist() == [1 - t.p_no_purchase for t in told]
    value = fit_baselines("value", X, np.arange(4.0), BUYING_FEATURES, fitted).peers[BUYING](X)
    assert value[:3].tolist() == [t.amount for t in told]
    for score in (churn, value):
        assert score[3] == np.median(score[:3])
    without = Fitted(90, "GBP", buying=fitted.buying)
    assert BUYING not in fit_baselines("value", X, np.arange(4.0), BUYING_FEATURES, without).peers
    assert BUYING not in fit_baselines("credit", X, half(4), BUYING_FEATURES, fitted).peers


def test_the_last_period_is_the_spend_of_the_past_half_year_and_missing_is_the_middle():
    X = np.array([[5.0, 1.0], [7.0, 1.0], [NAN, 1.0], [90.0, 1.0]])
    rule = fit_baselines("value", X, np.arange(4.0), (MONEY, "other")).rules["last period"]
    assert rule(np.array([[30.0, 0.0], [NAN, 0.0]])).tolist() == [30.0, 7.0]


def test_recency_prefers_those_who_came_lately():
    X = np.array([[1.0], [300.0], [20.0]])
    rule = fit_baselines("churn", X, np.array([1.0, 0.0, 1.0]), (RECENCY,)).rules["recency"]
    assert rule(X).tolist() == [-1.0, -300.0, -20.0]


def test_credit_has_its_own_rules():
    names = ("days_past_due_last", "balance_min_180d")
    X = np.array([[0.0, -5.0], [30.0, 100.0], [NAN, NAN], [60.0, 20.0]])
    rules = fit_baselines("credit", X, half(4), names).rules
    assert set(rules) == {"days past due now", "lowest balance"}
    assert rules["days past due now"](X).tolist() == [0.0, -30.0, -30.0, -60.0]
    assert rules["lowest balance"](X).tolist() == [-5.0, 100.0, 20.0, 20.0]


def test_a_rule_whose_features_are_lacking_is_left_out_and_the_regression_never():
    X = np.arange(8.0).reshape(4, 2)
    fitted = Fitted(90, "GBP", rfm=fit_rfm(np.ones((4, 3))), buying=BgNbd(1, 1, 1, 1))
    found = fit_baselines("churn", X, half(4), (MONEY, "other"), fitted)
    assert found.rules == {}
    assert set(found.scores(X)) == {REGRESSION}
    for target, given, has in (("value", fitted, True), ("credit", fitted, False),
                               ("value", None, False)):  # fmt: skip
        rules = fit_baselines(target, np.ones((4, 3)), half(4), RFM_FEATURES, given).rules
        assert ("RFM tier" in rules) == has


def test_the_regression_is_that_of_scikit_learn_on_standard_signed_logs():
    rng = np.random.default_rng(1)
    X = np.sign(rng.normal(size=(300, 2))) * rng.lognormal(2, 1, (300, 2))
    logs = np.sign(X) * np.log1p(np.abs(X))
    Z = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    y = (rng.random(300) < 1 / (1 + np.exp(-Z[:, 0]))).astype(float)
    expected = LogisticRegression(C=0.1, max_iter=2000).fit(Z, y).decision_function(Z)
    found = fit_baselines("churn", X, y, ("a", "b")).peers[REGRESSION]
    assert found(X) == pytest.approx(expected, abs=1e-6)
    amount = rng.lognormal(3, 1, 300)
    expected = Ridge(alpha=10.0).fit(Z, np.log1p(amount)).predict(Z)
    found = fit_baselines("value", X, amount, ("a", "b")).peers[REGRESSION]
    assert found(X) == pytest.approx(expected, abs=1e-6)


def test_the_regression_learns_from_a_value_being_missing_and_takes_a_column_without_any():
    rng = np.random.default_rng(1)
    y = half(400)
    gone = rng.random(400) < np.where(y > 0, 0.1, 0.8)
    X = np.column_stack([np.where(gone, NAN, rng.normal(size=400)), np.full(400, NAN)])
    found = fit_baselines("churn", X, y, ("a", "b")).peers[REGRESSION]
    assert roc_auc_score(y, found(X)) > 0.8


def test_a_peer_that_is_asked_for_stands_beside_the_usual_baselines():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(200, 2)), half(200)
    usual = fit_baselines("churn", X, y, (RECENCY, "b"))
    more = fit_baselines("churn", X, y, (RECENCY, "b"), more=("lightgbm",))
    assert set(usual.peers) == {REGRESSION}
    assert set(more.peers) == {REGRESSION, "lightgbm"}
    assert set(more.rules) == set(usual.rules) == {"recency"}
