"""Fitting: the winner's parameters become a calibrated scorer and evidence for the judge.

Enters: one target's problem and split. Leaves: a `Scorer` and what it says on rows that nothing
learnt from. Monotonicity is proved where the bundle is written, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.asof import from_micros
from domain.plan import StudyPlan
from domain.tiers import Target
from scoring.booster import booster_text
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer, by_month
from scoring.segments import Fitted
from training.baselines import Baselines, fit_baselines
from training.calibrate import (
    fit_log_amount,
    fit_log_odds,
    log_amount_shift,
    log_odds_shift,
    smooth_season,
)
from training.categories import encoded, learn_levels
from training.judge import Evidence
from training.kept import Budget
from training.learners import Task
from training.splits import FOLDS, LEAST_ROWS, Split, has_both, percents
from training.tune import Best, Fit, Problem, Search, fit_booster, inner_folds, make_study, tune

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Whole = NDArray[np.int64]
FOLD_TRIALS = 8


@dataclass(frozen=True)
class Material:
    """One target's labelled rows with their features, and who does what.

    `customers`: whose row each is, an id or the person behind several; they are parted, validated
    and resampled as one. `ids`: the customer ids.
    """

    target: Target
    problem: Problem
    customers: Sequence[str]
    as_of: NDArray[np.int64]
    split: Split
    dropped: tuple[str, ...]
    ids: Sequence[str]


def calibrate(material: Material, margin: Floats, rows: Index) -> Calibration:
    """The affine calibration learnt on `rows`; `margin` is theirs."""
    learn = fit_log_amount if material.problem.is_amount else fit_log_odds
    return learn(margin, material.problem.y[rows])


def monthly(material: Material, calibration: Calibration, margin: Floats) -> tuple[float, ...]:
    """What each calendar month adds to the intercept; 0 for months that teach nothing.

    A month teaches by its latest training as_of, where that has `LEAST_ROWS` rows and both
    outcomes, or any amount. `margin` is that of every row, of those that taught the trees out of
    fold where it is known: one number a month hardly fits them better (docs/decisions/0014).
    """
    is_amount = material.problem.is_amount
    learn = log_amount_shift if is_amount else log_odds_shift
    learnt = np.concatenate([material.split.fit, material.split.calibration])
    shifts = [0.0] * 12
    for as_of in np.unique(material.as_of[learnt]).tolist():
        rows = learnt[material.as_of[learnt] == as_of]
        y = material.problem.y[rows]
        if rows.size >= LEAST_ROWS and (y.any() if is_amount else has_both(y)):
            calibrated = calibration.slope * margin[rows] + calibration.intercept
            shifts[from_micros(as_of).month - 1] = learn(calibrated, y)
    return tuple(shifts)


def fit_scorer(
    material: Material,
    plan: StudyPlan,
    best: Best,
    seed: int,
    folded: Floats | None,
    fit: Fit = fit_booster,
) -> Scorer:
    """The scorer of a target: booster on the fit rows, calibration on rows it did not learn from.

    These are the customers who calibrate and, with `folded`, the fit rows by their margins out of
    fold (`out_of_fold` or `crossed`). `fit`: what learns the booster, here or on a cluster.
    """
    split = material.split
    levels = learn_levels(material.problem, split.fit)
    problem = encoded(material.problem, split.fit, levels)
    booster = fit(problem, split.fit, best, seed)
    everybody = np.asarray(booster.predict(problem.X, raw_score=True, num_threads=1))
    learnt = everybody[split.fit]
    rows = split.calibration
    if folded is not None:
        rows = np.concatenate([split.fit, rows])
        everybody[split.fit] = folded[split.fit]
    calibration = calibrate(material, everybody[rows], rows)
    if plan.season != "none":
        months = monthly(material, calibration, everybody)
        months = smooth_season(months) if plan.season == "smooth" else months
        calibration = replace(calibration, monthly=months)
    anchor = 0.0
    if problem.is_amount:
        expected = np.exp(calibration.slope * learnt + calibration.intercept)
        anchor = float(np.log(expected.mean()))
    return Scorer(
        target=material.target,
        features=problem.names,
        booster_text=booster_text(booster),
        calibration=calibration,
        scale=PointScale(anchor_margin=anchor),
        horizon_days=plan.targets[material.target].horizon_days,
        currency=plan.currency if problem.is_amount else None,
        monotone=problem.monotone,
        categories=levels,
    )


def task(material: Material, rows: Index, fitted: Fitted | None = None) -> Task:
    """What a baseline gets of rows; `fitted`: what stands in the bundle beside the scorers."""
    levels = learn_levels(material.problem, rows)
    problem = encoded(material.problem, rows, levels)
    return Task(material.target, problem.X[rows], problem.y[rows], problem.names, fitted, levels)


def points(material: Material, scorer: Scorer, rows: Index) -> Whole:
    """The points of rows, each by the scorer of its own as_of."""
    found = np.empty(len(rows), dtype=np.int64)
    for now, part in by_month(scorer, material.as_of[rows]):
        found[part] = now.points(material.problem.X[rows[part]])
    return found


def evidence(material: Material, scorer: Scorer, rows: Index, baselines: Baselines) -> Evidence:
    """What the scorer and the baselines say on rows that nothing learnt from."""
    problem = material.problem
    X = problem.X[rows]
    score, predicted = np.empty(len(rows)), np.empty(len(rows))
    for now, part in by_month(scorer, material.as_of[rows]):
        score[part] = now.calibrated(X[part])
        predicted[part] = now.amount(X[part]) if problem.is_amount else 1.0 - now.p_bad(X[part])
    return Evidence(
        y=problem.y[rows],
        score=score,
        predicted=predicted,
        baselines=baselines.scores(X),
        customers=[material.customers[r] for r in rows],
    )


def fold_evidence(
    material: Material, margin: Floats, baselines: Mapping[str, Floats]
) -> Evidence:  # fmt: skip
    """The same out of fold: every row is judged by models that did not learn from its customer."""
    y = material.problem.y
    predicted = np.empty(len(y))
    for _, tested in material.split.folds[:FOLDS]:
        others = np.setdiff1d(np.arange(len(y)), tested)
        found = calibrate(material, margin[others], others)
        predicted[tested] = 1 / (1 + np.exp(-found.slope * margin[tested] - found.intercept))
    return Evidence(y, margin, predicted, baselines, material.customers)


def out_of_fold(
    material: Material, seed: int, more: Sequence[str] = ()
) -> tuple[Floats, dict[str, Floats]]:  # fmt: skip
    """Each row's margin and baseline scores, averaged over the repeats, out of fold.

    Every fold tunes inside its own learning rows. `more`: peers beside the usual baselines.
    """
    problem = material.problem
    margin = np.zeros(len(problem.y))
    others: dict[str, Floats] = {}
    repeats = len(material.split.folds) // FOLDS
    for number, (learn, tested) in enumerate(material.split.folds):
        best = _tune_fold(material, learn, seed + number)
        margin[tested] += fold_margin(problem, learn, tested, best, seed) / repeats
        found = fit_baselines(task(material, learn), seed, more)
        for name, score in found.scores(problem.X[tested]).items():
            others.setdefault(name, np.zeros(len(problem.y)))[tested] += score / repeats
    return margin, others


def crossed(
    material: Material, plan: StudyPlan, best: Best, seed: int, fit: Fit = fit_booster
) -> Floats | None:
    """The margin of each fit row by trees that learnt from other customers, NaN of other rows.

    So all learning rows calibrate, six times those that the trees do not see, and none is told by
    trees that know it. None where the plan lets the latest as_of alone calibrate.
    """
    if plan.calibration == "latest":
        return None
    problem, rows = material.problem, material.split.fit
    margin = np.full(len(problem.y), np.nan)
    places = percents(f"{plan.split_key}:validation", material.customers)
    for learn, tested in inner_folds(places, rows, FOLDS):
        margin[tested] = fold_margin(problem, learn, tested, best, seed, fit)
    return margin


def fold_margin(
    problem: Problem, learn: Index, tested: Index, best: Best, seed: int, fit: Fit = fit_booster
) -> Floats:  # fmt: skip
    """The margins of the tested rows by a booster of the others."""
    now = encoded(problem, learn)
    booster = fit(now, learn, best, seed)
    return np.asarray(booster.predict(now.X[tested], raw_score=True, num_threads=1))


def _tune_fold(material: Material, learn: Index, seed: int) -> Best:
    places = percents(f"fold:{seed}", material.customers)
    search = Search(Budget(FOLD_TRIALS), seed)
    inner = inner_folds(places, learn, search.folds(material.problem, learn))
    study = make_study("fold", None, search, is_amount=material.problem.is_amount)
    return tune(material.problem, inner, study, search)
