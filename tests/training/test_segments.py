"""Segments are fitted on learning customers only, once each, and describe them."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans

from domain.segments import rfm_segment
from scoring.card import read_card
from scoring.clusters import signed_log
from scoring.segments import BUYING_FEATURES, Fitted, read_segments
from training import segments
from training.baselines import BUYING
from training.segments import CLUSTER_FEATURES, CLUSTERS, NAMES, cohort, fit, fit_clusters, fit_rfm
from training.splits import percent
from training.targets import grids

EMPTY = Fitted(90, "CNY")


@pytest.fixture(scope="module")
def made(trained) -> Fitted:
    found = read_segments(trained.result.bundle.beside["segments"])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def rows(trained) -> np.ndarray:
    """The cohort's features, straight from the window engine, buyers only."""
    from features.panel import compute

    asked = cohort(trained.dataset)
    assert asked is not None
    panel = compute(trained.dataset, asked)
    X = np.column_stack([panel[n].to_numpy(zero_copy_only=False) for n in NAMES])
    return X[~np.isnan(X[:, 0])]


def column(X: np.ndarray, name: str) -> np.ndarray:
    return X[:, NAMES.index(name)]


def test_the_cohort_is_each_learning_customer_once_at_the_last_moment_of_learning(trained):
    asked, plan = cohort(trained.dataset), trained.dataset.plan
    customers = asked["customer_id"].to_pylist()
    assert set(Counter(customers).values()) == {1}
    assert set(asked["as_of"].cast(pa.int64()).to_pylist()) == {max(grids(trained.dataset)[0])}
    for customer in customers:
        assert percent(plan.split_key, customer) >= plan.test_percent
        assert percent(f"{plan.split_key}:calibration", customer) >= 15


def test_what_the_bundle_holds_is_fitted_on_these_rows_alone(trained, made, rows):
    again = fit(rows, dataclasses.replace(EMPTY, currency=trained.dataset.plan.currency), 20261122)
    assert again.fitted == made
    assert trained.result.segments["customers"] == len(rows)


def test_nothing_of_a_later_day_or_another_customer_moves_a_parameter(rows):
    """Twice the rows, the others strangers: the fit knows rows only as given."""
    one = fit(rows, EMPTY, 1).fitted
    shuffled = rows[np.random.default_rng(1).permutation(len(rows))]
    assert fit(shuffled, EMPTY, 1).fitted.rfm == one.rfm
    assert fit(shuffled, EMPTY, 1).fitted.buying == one.buying


def test_quintiles_part_the_cohort_into_fifths_where_no_values_are_equal(made, rows):
    X = np.column_stack([column(rows, n) for n in NAMES[:3]])
    scores = made.rfm.scores(X)
    for place in (0, 2):
        shares = np.bincount(scores[:, place], minlength=6)[1:] / len(X)
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.02)


def test_cuts_are_the_quintiles_by_sorting(rows):
    X = np.column_stack([column(rows, n) for n in NAMES[:3]])
    cuts = dataclasses.astuple(fit_rfm(X))
    for place in range(3):
        ranked = sorted(X[:, place])
        for cut, share in zip(cuts[place], (0.2, 0.4, 0.6, 0.8), strict=True):
            below = int(share * (len(ranked) - 1))
            assert ranked[below] <= cut <= ranked[below + 1]


def test_clusters_are_those_of_scikit_learn_numbered_by_rising_spend(rows):
    X = np.column_stack([column(rows, n) for n in CLUSTER_FEATURES])
    found = fit_clusters(X, 3)
    numbers = found.numbers(X)
    assert set(numbers) == set(range(1, CLUSTERS + 1))
    logs = np.column_stack([signed_log(c) for c in X.T])
    Z = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    labels = KMeans(CLUSTERS, n_init=10, random_state=3).fit_predict(Z)
    pairs = Counter(zip(labels.tolist(), numbers.tolist(), strict=True))
    assert sum(pairs[a, b] for a, b in dict(sorted(pairs, key=pairs.get)).items()) >= 0.99 * len(X)
    spend = [centre[CLUSTER_FEATURES.index("spend_sum_365d")] for centre in found.centres]
    assert spend == sorted(spend)
    assert fit_clusters(X, 3) == found


def test_the_card_says_what_was_fitted_and_how_well(trained):
    told = read_card(trained.result.bundle.card).segments
    assert told["left_out"] == {}
    assert 0.5 < told["figures"]["share_told_by_clusters"] < 1
    assert abs(told["figures"]["correlation_of_days_and_amount"]) < 0.5


def test_value_and_churn_are_judged_beside_the_same_rfm_and_buying_model(trained):
    """A rule must be beaten; a model of buying is a peer, which must not be better."""
    for target, found in trained.result.targets.items():
        baselines, gates = (
            found.parts["test"].figures["baseline"],
            dict((gate.name, gate.outcome) for gate in found.verdict.gates),
        )
        assert ("better than RFM tier" in gates) == (target != "credit")
        assert (BUYING in baselines) == (target != "credit")
        assert (f"not worse than {BUYING}" in gates) == (target != "credit")
        assert f"better than {BUYING}" not in gates


def test_what_has_too_few_is_left_out_and_named(rows):
    few = fit(rows[:99], EMPTY, 1)
    assert few.fitted is None
    assert few.beside == {}
    assert "99 customers have bought: 100 are the least" in few.told["left_out"]["everything"]
    once = rows.copy()
    once[:, NAMES.index("active_days_ever")] = 1.0
    found = fit(once, EMPTY, 1)
    assert set(found.told["left_out"]) == {"buying", "spending"}
    assert found.fitted.rfm is not None
    assert found.fitted.buying is None
    assert read_segments(found.beside["segments"]) == found.fitted
    alike = np.repeat(rows[:1], 200, axis=0)
    assert "too much alike" in fit(alike, EMPTY, 1).told["left_out"]["clusters"]


def test_a_source_without_purchases_has_no_segments(trained):
    plan = trained.dataset.plan
    credit = plan.model_copy(update={"targets": {"credit": plan.targets["credit"]}})
    other = dataclasses.replace(trained.dataset, plan=credit)
    assert cohort(other) is None
    found = segments.learn(other, trained.workspace, 1)
    assert (found.fitted, found.beside) == (None, {})
    assert "learns no value and no churn from purchases" in found.told["left_out"]["everything"]


def test_better_segments_spend_more_in_the_horizon_to_come(made, materials):
    """On test rows, which no cut was fitted on."""
    value = materials("value")
    place = [value.problem.names.index(n) for n in NAMES[:3]]
    test = value.split.test
    scores = made.rfm.scores(value.problem.X[np.ix_(test, place)])
    names = np.array([rfm_segment(*s) for s in scores.tolist()])
    spend = {n: value.problem.y[test][names == n].mean() for n in set(names)}
    assert spend["champions"] > spend["loyal"] > max(spend["hibernating"], spend["lost"])
    assert set(BUYING_FEATURES) <= set(value.problem.names)
