"""The noise of the seed is what three fits by hand show."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from domain.policy import default_policy
from scoring.scorer import Scorer
from tests.training.fit_world import PLAN, material
from training.case import Case
from training.fit import Material, fit_scorer
from training.noise import seed_noise
from training.space import default_trial
from training.tier_figures import MEASURES, places, true_places
from training.tune import Best

BEST = Best({**default_trial(1000), "bagging_freq": 1, "bagging_fraction": 0.6}, 12, 0.0)
POLICY = default_policy()
CUTS = POLICY.steps["value"]


def whole(made: Material, scorer: Scorer, best: Best, seed: int) -> Case:
    return Case(made, scorer, best, {}, {"test": made.split.test}, POLICY, seed)


def test_the_spread_is_that_of_three_fits_that_differ_in_their_seed():
    made = material("churn", 900, 1)
    test = made.split.test
    scorers = [fit_scorer(made, PLAN, BEST, seed, None) for seed in (5, 6, 7)]
    rows = {"test": test, "half": test[::2]}
    found = seed_noise(Case(made, scorers[0], BEST, {}, rows, POLICY, 5), PLAN)
    for name, rows in (("test", test), ("half", test[::2])):
        X, y = made.problem.X[rows], made.problem.y[rows]
        aucs = [roc_auc_score(y, s.margin(X)) for s in scorers]
        assert found[name]["auc"] == pytest.approx(max(aucs) - min(aucs))
        assert found[name]["auc"] > 0
        briers = [((y - 1 + s.p_bad(X)) ** 2).mean() for s in scorers]
        assert found[name]["brier"] == pytest.approx(max(briers) - min(briers))


def test_amounts_have_their_own_figures():
    made = material("value", 900, 1)
    scorer = fit_scorer(made, PLAN, BEST, 5, None)
    found = seed_noise(whole(made, scorer, BEST, 5), PLAN)["test"]
    assert {*found} == {
        "spearman", "mae", "gini", "sum_ratio", "calibration_error", *MEASURES
    }  # fmt: skip
    assert found["spearman"] > 0
    kappas = []
    for each in (scorer, *(fit_scorer(made, PLAN, BEST, seed, None) for seed in (6, 7))):
        X, y = made.problem.X[made.split.test], made.problem.y[made.split.test]
        truth, said = true_places(y, each.scale, CUTS), places(each.points(X), CUTS.bounds)
        kappas.append(cohen_kappa_score(truth, said, weights="quadratic"))
    assert found["quadratic_kappa"] == pytest.approx(max(kappas) - min(kappas))


def test_without_chance_in_the_fit_there_is_no_noise():
    still = Best({**default_trial(1000), "bagging_freq": 0, "feature_fraction": 1.0}, 8, 0.0)
    made = material("credit", 900, 2)
    scorer = fit_scorer(made, PLAN, still, 1, None)
    found = seed_noise(whole(made, scorer, still, 1), PLAN)["test"]
    assert set(found.values()) == {0.0}


def test_with_folds_every_row_is_scored_by_a_booster_that_did_not_see_its_customer():
    made = material("credit", 600, 3, folds=True)
    scorer = fit_scorer(made, PLAN, BEST, 1, np.zeros(600) + made.problem.y)
    found = seed_noise(whole(made, scorer, BEST, 1), PLAN)
    assert {*found} == {"test"}
    assert 0 < found["test"]["auc"] < 0.2
