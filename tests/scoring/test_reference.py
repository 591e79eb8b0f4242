"""Against a population: exact differences, an independent mean, and a strict file."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from itertools import permutations
from math import factorial

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BundleError, InputError, NotEnoughDataError
from domain.policy import default_policy
from scoring.booster import booster_text
from scoring.points import PointScale, whole_parts
from scoring.reference import (
    FEWEST,
    against,
    fit_reference,
    fit_references,
    read_references,
    references_content,
)
from scoring.scorer import Calibration, Scorer
from tests.scoring.explain_world import NAMES, credit_scorer, rows

SCORER = credit_scorer()
POPULATION = rows(400, 31)
REFERENCE = fit_reference(SCORER, POPULATION, "approved", "获批客户", "approved customers")
CONTENT = json.loads(json.dumps(references_content({"credit": [REFERENCE]})))


def test_the_reference_and_its_differences_are_the_points():
    X = rows(3000, 32)
    found = against(SCORER, X, REFERENCE)
    assert (found.points == SCORER.points(X)).all()
    assert (found.reference_points + found.differences.sum(axis=1) == found.points).all()
    alone = against(SCORER, X[7:8], REFERENCE)
    assert (alone.differences[0] == found.differences[7]).all()


def test_each_difference_is_the_contribution_less_the_mean_one_within_a_point():
    X = rows(300, 33)
    means = np.mean(
        [SCORER.booster.predict(x[None, :], pred_contrib=True)[0] for x in POPULATION], 0
    )
    shap = SCORER.booster.predict(X, pred_contrib=True)
    real = (shap[:, :-1] - means[:-1]) * SCORER.calibration.slope * SCORER.scale.factor
    assert np.abs(against(SCORER, X, REFERENCE).differences - real).max() <= 1 + 1e-9
    margin = SCORER.calibration.slope * means.sum() + SCORER.calibration.intercept
    assert REFERENCE.points(SCORER) == int(SCORER.scale.points(np.array([margin]))[0])


def test_it_is_the_difference_of_shapley_values_by_enumeration():
    """Tree path dependent values of three features from the definition, over all orders."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 3))
    y = X[:, 0] + X[:, 1] * X[:, 2]
    params = {"objective": "regression", "num_leaves": 5, "verbose": -1, "min_data_in_leaf": 20}
    booster = lgb.train(params, lgb.Dataset(X, y, feature_name=["a", "b", "c"]), 6)
    scorer = Scorer("credit", ("a", "b", "c"), booster_text(booster), Calibration(1.0, 0.0),
                    PointScale(0.0), 30, None, (0, 0, 0))  # fmt: skip
    trees = booster.dump_model()["tree_info"]

    def worth(node, x, known):
        if "leaf_value" in node:
            return node["leaf_value"]
        left, right = node["left_child"], node["right_child"]
        if node["split_feature"] in known:
            return worth(left if x[node["split_feature"]] <= node["threshold"] else right, x, known)
        counts = [c.get("internal_count", c.get("leaf_count")) for c in (left, right)]
        values = [worth(c, x, known) for c in (left, right)]
        return sum(c * v for c, v in zip(counts, values, strict=True)) / sum(counts)

    def shapley(x):
        out = np.zeros(3)
        for order in permutations(range(3)):
            for i, feature in enumerate(order):
                known = set(order[:i])
                out[feature] += sum(
                    worth(t["tree_structure"], x, known | {feature})
                    - worth(t["tree_structure"], x, known)
                    for t in trees
                )
        return out / factorial(3)

    reference = fit_reference(scorer, X[:FEWEST], "some", "一些", "some")
    mean = np.mean([shapley(x) for x in X[:FEWEST]], axis=0)
    for x in X[60:66]:
        real = (shapley(x) - mean) * scorer.scale.factor
        found = against(scorer, x[None, :], reference)
        start = found.reference_points
        assert (found.differences == whole_parts(real[None, :], found.points - start)).all()


def test_what_is_typical_is_the_median_of_those_who_have_it():
    for place, name in enumerate(NAMES):
        known = sorted(v for v in POPULATION[:, place].tolist() if v == v)
        middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
        assert REFERENCE.typical[name] == pytest.approx(middle, rel=6e-3)
    rare = POPULATION.copy()
    rare[FEWEST - 1 :, 3] = np.nan
    assert NAMES[3] not in fit_reference(SCORER, rare, "rare", "少", "rare").typical


def test_the_order_of_the_population_changes_no_bit():
    mixed = POPULATION[np.random.default_rng(5).permutation(len(POPULATION))]
    assert fit_reference(SCORER, mixed, "approved", "获批客户", "approved customers") == REFERENCE


@given(st.lists(st.floats(-400, 400), min_size=1, max_size=9), st.integers(-1, 2))
def test_whole_differences_add_up_and_stay_within_a_point_of_theirs(parts, off):
    total = int(np.floor(sum(parts))) + off
    whole = whole_parts(np.array([parts]), np.array([total]))[0]
    assert whole.sum() == total
    assert np.abs(whole - parts).max() <= 2


@pytest.mark.parametrize("explainer", ["tree_shap", "pred_contrib"])
def test_no_rows_have_no_differences(explainer):
    found = against(replace(SCORER, explainer=explainer), POPULATION[:0], REFERENCE)
    assert found.differences.shape == (0, len(NAMES))


def test_too_few_customers_are_no_population():
    with pytest.raises(NotEnoughDataError, match="49 customers"):
        fit_reference(SCORER, POPULATION[:49], "few", "少", "few")


def test_bands_depend_on_points_alone_and_small_ones_are_left_out():
    X = rows(3000, 34)
    found = fit_references(SCORER, X)
    assert found[0].name == "everybody"
    assert found[0].customers == len(X)
    points = SCORER.points(X)
    for band in found[1:]:
        low = int(band.name.split("_")[1])
        assert band.customers == ((points >= low) & (points <= low + 99)).sum() >= FEWEST
        assert low <= band.points(SCORER) <= low + 99
        assert str(low) in band.zh
        assert str(low + 99) in band.en


def test_whom_the_policy_approves_and_each_of_its_stages_are_populations_of_their_own():
    X, policy = rows(3000, 35), default_policy()
    points = SCORER.points(X)
    stages = ["new"] * 40 + ["loyal"] * 960 + ["lost"] * 2000
    found = {r.name: r for r in fit_references(SCORER, X, policy, stages)}
    band = [policy.held("credit", int(p)).name for p in points]
    approved = np.array([b not in policy.adverse.credit for b in band])
    assert 0 < approved.sum() < len(X)
    assert found["approved"] == fit_reference(
        SCORER, X[approved], "approved", f"获批客户（政策{policy.version}）",
        f"approved customers (policy {policy.version})",
    )  # fmt: skip
    loyal = fit_reference(SCORER, X[40:1000], "stage_loyal", "?", "?").model_copy(
        update={"zh": found["stage_loyal"].zh, "en": found["stage_loyal"].en}
    )
    assert found["stage_loyal"] == loyal
    assert found["stage_lost"].customers == 2000
    assert "stage_new" not in found  # too few to hide one of them
    churn = replace(SCORER, target="churn")
    assert "approved" not in {r.name for r in fit_references(churn, X, policy, stages)}


def test_a_stage_that_holds_everybody_is_no_population_of_its_own():
    X = rows(300, 36)
    found = fit_references(SCORER, X, default_policy(), ["active"] * len(X))
    assert not [r.name for r in found if r.name.startswith("stage_")]


def test_a_file_is_read_back_as_it_was_whatever_the_order_of_its_keys():
    sorted_keys = json.loads(json.dumps(CONTENT, sort_keys=True))
    [read] = read_references(sorted_keys, {"credit": SCORER})["credit"]
    assert read == REFERENCE
    there, here = (against(SCORER, POPULATION, r) for r in (read, REFERENCE))
    assert (there.differences == here.differences).all()


def changed(**fields):
    content = copy.deepcopy(CONTENT)
    content["credit"][0] |= fields
    return content


@pytest.mark.parametrize(
    "content",
    [
        {"credit": [CONTENT["credit"][0]] * 2},
        {"churn": CONTENT["credit"]},
        {"loyalty": CONTENT["credit"]},
        {"credit": {}},
        changed(customers=3),
        changed(customers="400"),
        changed(name="No Name"),
        changed(extra=1),
        changed(base="0.5"),
        changed(contributions={**CONTENT["credit"][0]["contributions"], "more": 0.5}),
        changed(contributions={}),
        changed(typical={"more": 0.5}),
    ],
)
def test_a_file_that_breaks_rules_is_refused(content):
    with pytest.raises(BundleError, match="train again"):
        read_references(content, {"credit": SCORER})


def test_a_reference_of_another_scorer_is_refused():
    text = SCORER.booster_text.replace("bill_last", "limit_last")
    other = replace(SCORER, features=(*NAMES[:-1], "limit_last"), booster_text=text)
    with pytest.raises(InputError, match="fit it again"):
        against(other, POPULATION, REFERENCE)
