"""The scorer of a winner: calibrated on rows of its own, judged on rows nothing learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.asof import parse_instant
from scoring.monotone import violations
from scoring.scorer import Calibration
from tests.training.fit_world import MONOTONE, NAMES, PLAN, material
from training.baselines import Baselines, fit_baselines
from training.draws import resample
from training.fit import (
    calibrate,
    evidence,
    fit_scorer,
    fold_evidence,
    monthly,
    out_of_fold,
    points,
    task,
)
from training.judge import judge
from training.metrics import auc
from training.space import default_trial
from training.tune import Best

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
    baselines = fit_baselines(task(made, made.split.fit), 1)
    found = evidence(made, scorer, rows, baselines)
    X = made.problem.X[rows]
    assert found.y.tolist() == made.problem.y[rows].tolist()
    assert found.score.tolist() == scorer.calibrated(X).tolist()
    said = scorer.amount(X) if target == "value" else 1 - scorer.p_bad(X)
    assert found.predicted.tolist() == said.tolist()
    assert found.customers == [f"c{r}" for r in rows]
    assert {k: v.tolist() for k, v in found.baselines.items()} == {
        k: v.tolist() for k, v in baselines.scores(X).items()
    }


def test_a_baseline_learns_from_the_rows_of_its_task_alone():
    made = material("churn", 1500, 1)
    rows, Z = made.split.fit, made.problem.X[made.split.test]
    before = fit_baselines(task(made, rows), 1).scores(Z)
    turned = fit_baselines(task(spoilt(made, made.split.test), rows), 1).scores(Z)
    assert before["regression"].tolist() == turned["regression"].tolist()
    turned = fit_baselines(task(spoilt(made, rows), rows), 1).scores(Z)
    assert before["regression"].tolist() != turned["regression"].tolist()


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
    figures = judge(found, resample(found.customers, 1), 1, is_amount=False).figures
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


SEASON = PLAN.model_copy(update={"split": "time", "season": "year_before"})
JUNE, SEPTEMBER, NEXT_JUNE = (
    parse_instant(f"{day}T00:00:00Z") for day in ("2010-06-01", "2010-09-01", "2011-06-01")
)


def seasonal(target, n=4000):
    """September's truth is better than June's at the same features; a tenth stands in October."""
    made = material(target, n, 2)
    moments = np.where(np.arange(n) % 2, JUNE, SEPTEMBER)
    rng = np.random.default_rng(3)
    y = made.problem.y.copy()
    if target == "value":
        y[moments == SEPTEMBER] *= 3.0
    else:
        y = np.where((moments == SEPTEMBER) & (rng.random(n) < 0.5), 1.0, y)
    few = made.split.fit[:20]
    moments[few] = parse_instant("2010-10-01T00:00:00Z")
    return replace(made, as_of=moments, problem=replace(made.problem, y=y))


@pytest.mark.parametrize("target", ["churn", "value"])
def test_a_month_s_shift_makes_its_predictions_sum_to_its_truth_and_the_next_year_has_it(target):
    made = seasonal(target)
    scorer = fit_scorer(made, SEASON, BEST, 1, None)
    plain = fit_scorer(made, PLAN, BEST, 1, None)
    assert plain.calibration.monthly == ()
    assert replace(scorer.calibration, monthly=()) == plain.calibration
    assert [m + 1 for m, v in enumerate(scorer.calibration.monthly) if v] == [6, 9]
    taught = np.concatenate([made.split.fit, made.split.calibration])
    for moment in (JUNE, SEPTEMBER):
        rows = taught[made.as_of[taught] == moment]
        found = evidence(made, scorer, rows, Baselines({}, {}))
        assert found.predicted.sum() == pytest.approx(found.y.sum(), rel=1e-6)
    rows = made.split.test[:40]
    june = replace(made, as_of=np.full(len(made.as_of), JUNE))
    next_june = replace(made, as_of=np.full(len(made.as_of), NEXT_JUNE))
    assert (
        evidence(june, scorer, rows, Baselines({}, {})).predicted.tolist()
        == evidence(next_june, scorer, rows, Baselines({}, {})).predicted.tolist()
    )
    told = [int(scorer.at(int(made.as_of[r])).points(made.problem.X[[r]])[0]) for r in rows]
    assert points(made, scorer, rows).tolist() == told


def test_a_month_teaches_with_both_outcomes_or_any_amount():
    """Everybody spends in June, and everybody stays."""
    for target, taught in (("value", True), ("churn", False)):
        made = seasonal(target)
        y = np.where(made.as_of == JUNE, 1.0, made.problem.y)
        made = replace(made, problem=replace(made.problem, y=y))
        found = monthly(made, Calibration(1.0, 0.0), np.zeros(len(y)))
        assert (found[8] != 0, found[5]) == (True, 0.0)
        moved = monthly(made, Calibration(1.0, 1.0), np.zeros(len(y)))
        assert moved[5] == pytest.approx(-1.0 if taught else 0.0)


def test_the_latest_year_teaches_a_month():
    made = seasonal("churn")
    late = made.as_of == JUNE
    late[made.split.fit[::3]] = False
    moved = replace(made, as_of=np.where(late, NEXT_JUNE, made.as_of))
    calibration = fit_scorer(made, PLAN, BEST, 1, None).calibration
    margin = np.zeros(len(made.as_of))
    spoilt_june = moved.problem.y.copy()
    spoilt_june[moved.as_of == JUNE] = 1.0
    changed = replace(moved, problem=replace(moved.problem, y=spoilt_june))
    assert monthly(changed, calibration, margin) == monthly(moved, calibration, margin)


@pytest.mark.parametrize("target", ["churn", "value"])
def test_a_smooth_season_is_the_first_two_waves_of_the_months_and_near_the_planted_one(target):
    """The same two waves by another way, the Fourier transform of the twelve shifts."""
    made, n = material(target, 6000, 2), 6000
    month = np.arange(n) % 12
    planted = 0.8 * np.cos(np.pi * (month - 11) / 6)
    rng = np.random.default_rng(3)
    y = made.problem.y * np.exp(planted)
    if target == "churn":
        latent = np.log(made.problem.y + 0.5) + planted + rng.logistic(size=n)
        y = (latent > 0).astype(float)
    as_of = np.array([parse_instant(f"2010-{m + 1:02}-01T00:00:00Z") for m in month])
    made = replace(made, as_of=as_of, problem=replace(made.problem, y=y))
    each, smooth = (
        fit_scorer(made, SEASON.model_copy(update={"season": s}), BEST, 1, None)
        for s in ("year_before", "smooth")
    )
    waves = np.fft.rfft(each.calibration.monthly)
    waves[[0, 3, 4, 5, 6]] = 0
    assert smooth.calibration.monthly == pytest.approx(np.fft.irfft(waves, 12).tolist(), abs=1e-9)
    assert replace(smooth, calibration=each.calibration) == each
    told = np.array(smooth.calibration.monthly)[month]
    assert np.corrcoef(told, planted)[0, 1] > 0.95
    assert np.abs(told - planted).max() < 0.25
