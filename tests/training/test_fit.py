"""The scorer of a winner: calibrated on rows of its own, judged on rows nothing learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scoring.monotone import violations
from tests.training.fit_world import MONOTONE, NAMES, PLAN, material
from training.baselines import fit_baselines
from training.fit import calibrate, evidence, fit_scorer, fold_evidence, out_of_fold
from training.judge import judge
from training.metrics import auc
from training.tune import Best, default_trial

BEST = Best({**default_trial(1000), "bagging_freq": 1}, 60, 0.0)


def spoilt(made, rows):
    """The same material with the truth of some rows turned upside down."""
    y = made.problem.y.copy()
    y[rows] = y[rows].max() - y[rows]
    return replace(made, problem=replace(made.problem, y=y))


@pytest.mark.parametrize("target", ["churn", "credit", "value"])
def test_the_scorer_carries_what_the_plan_and_the_problem_say(target):
    made = material(target, 1500, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    assert (scorer.target, scorer.features, scorer.monotone) == (target, NAMES, MONOTONE)
    assert scorer.horizon_days == 90
    assert scorer.currency == ("EUR" if target == "value" else None)
    assert scorer.calibration.slope > 0
    assert not violations(scorer.booster_text, MONOTONE)
    assert fit_scorer(made, PLAN, BEST, 1, None) == scorer


def test_even_odds_are_five_hundred_points_and_so_is_the_mean_expected_amount():
    churn = fit_scorer(material("churn", 1500, 1), PLAN, BEST, 1, None)
    assert churn.scale.anchor_margin == 0.0
    made = material("value", 1500, 1)
    value = fit_scorer(made, PLAN, BEST, 1, None)
    mean = value.amount(made.problem.X[made.split.fit]).mean()
    assert value.scale.anchor_margin == pytest.approx(np.log(mean))
    assert value.scale.points(np.log([mean])).tolist() == [500]


def test_neither_test_nor_calibration_rows_move_the_trees_and_test_rows_move_nothing():
    made = material("churn", 1500, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    assert fit_scorer(spoilt(made, made.split.test), PLAN, BEST, 1, None) == scorer
    turned = fit_scorer(spoilt(made, made.split.calibration), PLAN, BEST, 1, None)
    assert turned.booster_text == scorer.booster_text
    assert turned.calibration != scorer.calibration


def test_the_calibration_is_learnt_from_the_calibration_rows():
    made = material("credit", 3000, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    rows = made.split.calibration
    margin = scorer.margin(made.problem.X[rows])
    assert calibrate(made, margin, rows) == scorer.calibration
    said = 1 - scorer.p_bad(made.problem.X[rows])
    assert said.mean() == pytest.approx(made.problem.y[rows].mean(), abs=0.01)


@pytest.mark.parametrize("target", ["churn", "value"])
def test_evidence_is_the_scorers_and_the_baselines_word_on_the_rows_asked(target):
    made = material(target, 1500, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    rows = made.split.test[:50]
    found = evidence(made, scorer, rows)
    X = made.problem.X[rows]
    assert found.y.tolist() == made.problem.y[rows].tolist()
    assert found.score.tolist() == scorer.calibrated(X).tolist()
    said = scorer.amount(X) if target == "value" else 1 - scorer.p_bad(X)
    assert found.predicted.tolist() == said.tolist()
    assert found.customers == [f"c{r}" for r in rows]
    fit = made.split.fit
    peers = fit_baselines(target, made.problem.X[fit], made.problem.y[fit], NAMES).scores(X)
    assert {k: v.tolist() for k, v in found.baselines.items()} == {
        k: v.tolist() for k, v in peers.items()
    }


@pytest.fixture(scope="module")
def folded():
    made = material("credit", 400, 1, folds=True)
    return made, *out_of_fold(made, seed=1)


def test_out_of_fold_no_row_is_judged_by_a_model_that_saw_its_truth(folded):
    made, margin, others = folded
    tested = made.split.folds[0][1]
    turned, theirs = out_of_fold(spoilt(made, tested), seed=1)
    assert turned[tested].tolist() == margin[tested].tolist()
    assert theirs["regression"][tested].tolist() == others["regression"][tested].tolist()
    rest = made.split.folds[0][0]
    assert turned[rest].tolist() != margin[rest].tolist()


def test_out_of_fold_the_truth_is_found_again_and_calibrated(folded):
    made, margin, others = folded
    found = fold_evidence(made, margin, others)
    assert auc(found.y, found.score)(np.ones(400)) > 0.65
    figures = judge(found, 1).figures
    assert figures["calibration_error"] < figures["calibration_floor"] + 0.05
    assert found.predicted.mean() == pytest.approx(found.y.mean(), abs=0.03)
    assert list(found.customers) == made.customers


def test_the_calibration_of_a_fold_is_learnt_from_the_other_folds(folded):
    made, margin, others = folded
    tested = made.split.folds[0][1]
    before = fold_evidence(made, margin, others).predicted[tested]
    after = fold_evidence(spoilt(made, tested), margin, others).predicted[tested]
    assert after.tolist() == before.tolist()


def test_with_folds_the_calibration_comes_from_the_out_of_fold_margins(folded):
    made, margin, _ = folded
    scorer = fit_scorer(made, PLAN, BEST, 1, margin)
    assert scorer.calibration == calibrate(made, margin, made.split.fit)
