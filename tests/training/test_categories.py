"""Statistics of levels: out of fold, drawn to everybody's, and no row told its own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from domain.errors import InputError
from scoring import categories as frozen
from tests.training.fit_world import PLAN, material
from training import metrics
from training.baselines import fit_baselines
from training.categories import FOLDS, MOST_M, _rows_of_everybody, encoded, learn_levels
from training.fit import evidence, fit_scorer, task
from training.splits import percents
from training.tune import Best, Problem, _binned_once, fit_booster, inner_folds

BEST = Best({"num_leaves": 7, "min_data_in_leaf": 20, "bagging_freq": 1}, 60, 0.0)
NAN = np.nan


def problem(n: int, levels: int, effect: float, seed: int, *, is_amount: bool = False) -> Problem:
    """One honest number and a code whose levels move the log-odds by `effect`; 5 % missing."""
    rng = np.random.default_rng(seed)
    number, code = rng.normal(size=n), rng.integers(0, levels, n)
    margin = number + effect * rng.normal(size=levels)[code]
    if is_amount:
        y = np.exp(2 + margin + 0.2 * rng.normal(size=n))
    else:
        y = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)
    X = np.column_stack([number, np.where(rng.random(n) < 0.05, NAN, 10.0 * code + 3)])
    parts = percents("categories", [f"c{i}" for i in range(n)]) % FOLDS
    return Problem(X, y, ("number", "branch"), (1, 0), is_amount, ("branch",), parts)


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=20, deadline=None)
def test_statistics_are_those_of_scikit_learn_with_the_same_smoothing(seed, is_amount) -> None:
    made = problem(400, 9, 1.0, seed, is_amount=is_amount)
    rows = np.flatnonzero(~np.isnan(made.X[:, 1]))
    codes, y = made.X[rows, 1], made.learnt[rows]
    kinds, place = np.unique(codes, return_inverse=True)
    n = np.bincount(place).astype(float)
    means = np.array([y[place == k].mean() for k in range(len(kinds))])
    m = _rows_of_everybody(n, means, float(sum(((y[place == k] - means[k]) ** 2).sum()
                                               for k in range(len(kinds)))))  # fmt: skip
    theirs = TargetEncoder(smooth=m, target_type="continuous").fit(codes[:, None], y)
    [ours] = learn_levels(made, rows)
    assert ours.codes == tuple(theirs.categories_[0].tolist())
    assert np.allclose(ours.statistics, theirs.encodings_[0], rtol=1e-12)
    assert ours.unseen == pytest.approx(theirs.target_mean_)


def test_rows_of_everybody_are_the_ratio_of_the_planted_variances() -> None:
    """Levels spread with 0.5, rows in them with 2: four squared times as much variance, 16."""
    rng = np.random.default_rng(4)
    place = np.repeat(np.arange(4000), 10)
    y = (0.5 * rng.normal(size=4000))[place] + 2 * rng.normal(size=place.size)
    n = np.bincount(place).astype(float)
    means = np.bincount(place, weights=y) / n
    found = _rows_of_everybody(n, means, float(((y - means[place]) ** 2).sum()))
    assert found == pytest.approx(16, rel=0.1)


@pytest.mark.parametrize("n", [[1.0, 1.0], [5.0], [3.0, 3.0]])
def test_levels_that_tell_nothing_stand_for_everybody(n) -> None:
    means = np.full(len(n), 0.4)
    assert _rows_of_everybody(np.array(n), means, 1.0) == MOST_M


def test_a_row_is_told_by_other_customers_only() -> None:
    made = problem(600, 5, 1.0, 2)
    learn = np.arange(500)
    told = encoded(made, learn).X[:, 1]
    assert made.parts is not None
    for row in (0, 17, 499):
        others = learn[made.parts[learn] != made.parts[row]]
        same = others[made.X[others, 1] == made.X[row, 1]]
        [levels] = learn_levels(made, others)
        assert told[row] == levels.read(made.X[[row], 1])[0] or np.isnan(made.X[row, 1])
        assert row not in same
    [whole] = learn_levels(made, learn)
    assert np.array_equal(told[500:], whole.read(made.X[500:, 1]), equal_nan=True)


def test_outcomes_of_rows_that_are_not_learnt_from_change_nothing() -> None:
    made = problem(600, 5, 1.0, 2)
    learn = np.arange(400)
    other = made.y.copy()
    other[400:] = 1 - other[400:]
    assert np.array_equal(
        encoded(made, learn).X, encoded(replace(made, y=other), learn).X, equal_nan=True
    )


def test_an_own_outcome_does_not_move_the_own_statistic() -> None:
    made = problem(300, 40, 1.0, 3)
    learn = np.arange(300)
    before = encoded(made, learn).X[:, 1]
    for row in range(0, 300, 50):
        y = made.y.copy()
        y[row] = 1 - y[row]
        after = encoded(replace(made, y=y), learn).X[:, 1]
        assert before[row] == after[row] or np.isnan(before[row])


def test_categories_without_folds_are_refused() -> None:
    with pytest.raises(InputError, match="parts"):
        encoded(replace(problem(50, 3, 1.0, 1), parts=None), np.arange(40))


def auc(made: Problem, X: np.ndarray, learn: np.ndarray, asked: np.ndarray) -> float:
    plain = replace(made, X=X, categories=(), parts=None)
    said = fit_booster(plain, learn, BEST, 1).predict(X[asked], raw_score=True, num_threads=1)
    return float(metrics.auc(made.y[asked], np.asarray(said))(np.ones(asked.size)))


def test_a_thousand_levels_of_noise_do_not_fool_it_and_would_in_sample() -> None:
    made = problem(3000, 1000, 0.0, 5)
    learn, asked = np.arange(2000), np.arange(2000, 3000)
    ours = auc(made, encoded(made, learn).X, learn, asked)
    [levels] = learn_levels(made, learn)
    honest = auc(replace(made, X=made.X.copy()), np.column_stack([made.X[:, 0]] * 2), learn, asked)
    rough = replace(
        levels, statistics=tuple(float(np.mean(made.y[learn][made.X[learn, 1] == c]))
                                 for c in levels.codes)
    )  # fmt: skip
    fooled = auc(made, frozen.encoded(made.X, made.names, (rough,)), learn, asked)
    assert ours > honest - 0.02
    assert fooled < honest - 0.05


def test_levels_that_move_the_odds_are_found() -> None:
    made = problem(4000, 60, 1.5, 6)
    learn, asked = np.arange(3000), np.arange(3000, 4000)
    ours = auc(made, encoded(made, learn).X, learn, asked)
    without = auc(made, np.column_stack([made.X[:, 0]] * 2), learn, asked)
    assert ours > without + 0.08


def test_each_fold_of_a_study_sees_statistics_of_its_own_learning_rows() -> None:
    made = problem(500, 12, 1.0, 7)
    folds = inner_folds(percents("v", [f"c{i}" for i in range(500)]), np.arange(450))
    X, y, within = _binned_once(made, folds)
    for (learn, valid), (a, b) in zip(folds, within, strict=True):
        now = encoded(made, learn)
        assert np.array_equal(X[a], now.X[learn], equal_nan=True)
        assert np.array_equal(X[b], now.X[valid], equal_nan=True)
        assert np.array_equal(y[b], made.y[valid])
    assert len({*within[0][0].tolist()} & {*within[1][0].tolist()}) == 0


@pytest.mark.parametrize("target", ["churn", "value"])
def test_the_scorer_says_of_codes_what_its_booster_said_of_statistics(target) -> None:
    made = material(target, 1500, 1)
    rng = np.random.default_rng(3)
    X = made.problem.X.copy()
    X[:, 3] = rng.integers(0, 30, 1500)
    coded = replace(
        made.problem, X=X, categories=("noise",),
        parts=percents("categories", made.customers) % FOLDS,
    )  # fmt: skip
    made = replace(made, problem=coded)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    [levels] = scorer.categories
    assert levels == learn_levels(coded, made.split.fit)[0]
    booster = fit_booster(coded, made.split.fit, BEST, 1)
    asked = encoded(coded, made.split.fit).X[made.split.test]
    assert np.array_equal(
        scorer.margin(X[made.split.test]), booster.predict(asked, raw_score=True, num_threads=1)
    )
    beaten = fit_baselines(task(made, made.split.fit), 1, ["lightgbm"])
    said = evidence(made, scorer, made.split.test, beaten)
    told = replace(coded, X=encoded(coded, made.split.fit).X, categories=(), parts=None)
    same = fit_baselines(task(replace(made, problem=told), made.split.fit), 1, ["lightgbm"])
    assert np.array_equal(said.baselines["lightgbm"], same.scores(asked)["lightgbm"])
