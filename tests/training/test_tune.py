"""Studies: the same seed, the same winner, stopped or not; pruning; directions by proof."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from domain.errors import BundleError
from scoring.booster import booster_text
from scoring.monotone import violations
from tests.training.fit_world import MONOTONE, NAMES, problem
from training import tune as tuning
from training.kept import Budget, Kept
from training.metrics import auc
from training.space import Space, default_trial
from training.splits import percents
from training.tune import (
    METHODS,
    Best,
    Problem,
    Search,
    best_of,
    constant_columns,
    fit_booster,
    inner_folds,
    is_few,
    learner,
    make_study,
    slowly,
    tune,
)

PARTS = ((np.arange(0, 500), np.arange(500, 700)), (np.arange(200, 700), np.arange(0, 200)))


def study(storage: str | None = None, *, is_amount: bool = False) -> Kept:
    return make_study("s", storage, Search(Budget(), 0), is_amount=is_amount)


def search(trials: int, seed: int) -> Search:
    return Search(Budget(trials), seed)


def params_of(made: Kept) -> list[dict]:
    done = made.study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [t.params for t in done]


@pytest.mark.parametrize("is_amount", [False, True])
def test_the_same_seed_finds_the_same_trials_and_winner_and_another_seed_others(is_amount):
    """I11."""
    made = problem(700, 1, is_amount=is_amount)
    studies = [study(is_amount=is_amount) for _ in range(3)]
    seeds = zip(studies, (5, 5, 6), strict=True)
    found = [tune(made, PARTS, s, search(4, seed)) for s, seed in seeds]
    assert found[0] == found[1]
    assert params_of(studies[0]) == params_of(studies[1])
    assert params_of(studies[0])[1:] != params_of(studies[2])[1:]
    assert len({str(p) for p in params_of(studies[0])}) == 4, "every trial draws anew"


@pytest.mark.parametrize("stops", [(1,), (3, 5), (12,)])
def test_a_study_taken_up_again_ends_like_one_that_was_never_stopped(tmp_path, stops):
    """I11; 14 trials reach past the random start of the sampler."""
    made = problem(700, 1)
    whole = study()
    expected = tune(made, PARTS, whole, search(14, 5))
    url = f"sqlite:///{tmp_path}/studies.db"
    for trials in (*stops, 14):
        again = study(url)
        found = tune(made, PARTS, again, search(trials, 5))
    assert found == expected
    assert params_of(again) == params_of(whole)


def test_a_trial_that_was_killed_is_done_again_and_changes_nothing(tmp_path, monkeypatch):
    made = problem(700, 1)
    whole = study()
    expected = tune(made, PARTS, whole, search(4, 5))
    url = f"sqlite:///{tmp_path}/studies.db"

    class Killed(BaseException):
        """What ends a process while a trial is under way."""

    def kill(*_: object, **__: object):
        raise Killed

    for done in (1, 3):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(tuning.lgb, "cv", kill)
            tune(made, PARTS, study(url), search(done, 5))
        tune(made, PARTS, study(url), search(done, 5))
    again = study(url)
    assert tune(made, PARTS, again, search(4, 5)) == expected
    assert params_of(again) == params_of(whole)
    assert [t.state for t in again.trials()] == [t.state for t in whole.trials()]


def test_the_first_trials_are_the_sensible_ones_and_a_done_study_trains_nothing_more():
    made, seen = problem(700, 1), []
    mine = study()
    first = tune(made, PARTS, mine, search(3, 5), seen.append)
    assert [t.number for t in seen] == [0, 1, 2]
    slow = default_trial(500)
    assert [t.params for t in seen[:2]] == [{**slow, "learning_rate": 0.1}, slow]
    assert seen[2].params == Space().first(500)[2]
    assert tune(made, PARTS, mine, search(3, 5), seen.append) == first
    assert len(seen) == 3


def test_the_winner_is_the_best_trial_by_its_validation_figure():
    for is_amount, highest in ((False, max), (True, min)):
        mine = study(is_amount=is_amount)
        found = tune(problem(700, 1, is_amount=is_amount), PARTS, mine, search(5, 5))
        figures = [t.value for t in mine.study.get_trials(states=(TrialState.COMPLETE,))]
        assert found.figure == highest(figures)
        assert found.params["bagging_freq"] == 1
        assert 1 <= best_of(mine.study.best_trial).trees <= tuning.TREES


def test_hopeless_trials_are_pruned():
    mine = study()
    tune(problem(700, 1), PARTS, mine, search(16, 5))
    states = [t.state for t in mine.study.get_trials()]
    assert TrialState.PRUNED in states
    assert TrialState.COMPLETE in states
    assert TrialState.FAIL not in states


BEST = Best(
    {**default_trial(600), "bagging_freq": 1, "num_leaves": 31, "min_data_in_leaf": 5}, 150, 0
)


def rough(seed: int) -> Problem:
    """Missing values in every column, all of them constrained: what breaks LightGBM's own rule."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 6))
    y = (X[:, 0] * X[:, 1] - X[:, 2] + X[:, 3] * X[:, 4] + rng.normal(size=600) > 0).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    return Problem(X, y, tuple("abcdef"), (1, 1, -1, 1, -1, 1), is_amount=False)


def broken(made: Problem, method: str, seed: int = 1) -> bool:
    data = lgb.Dataset(made.X, made.learnt, feature_name=list(made.names), params=tuning._BINNING)
    params = {**made.fixed(seed), **BEST.params, "monotone_constraints_method": method}
    text = booster_text(lgb.train(params, data, BEST.trees))
    return bool(violations(text, made.monotone))


def test_where_intermediate_breaks_a_direction_basic_is_taken_and_proved():
    made = next(p for p in map(rough, range(60)) if broken(p, METHODS[0]))
    assert not broken(made, METHODS[1])
    booster = fit_booster(made, np.arange(600), BEST, 1)
    assert not violations(booster_text(booster), made.monotone)


def test_where_intermediate_keeps_the_directions_it_is_taken(monkeypatch):
    made = next(p for p in map(rough, range(60)) if not broken(p, METHODS[0]))
    usual = booster_text(fit_booster(made, np.arange(600), BEST, 1))
    monkeypatch.setattr(tuning, "METHODS", ("intermediate",))
    assert booster_text(fit_booster(made, np.arange(600), BEST, 1)) == usual


def test_where_no_method_keeps_the_directions_nothing_is_fitted(monkeypatch):
    made = next(p for p in map(rough, range(60)) if broken(p, METHODS[0]))
    monkeypatch.setattr(tuning, "METHODS", ("intermediate",))
    with pytest.raises(BundleError, match="free some features"):
        fit_booster(made, np.arange(600), BEST, 1)


def test_declared_directions_are_followed():
    made = problem(2000, 1, missing=0.0)
    booster = fit_booster(made, np.arange(2000), BEST, 1)
    grid = np.zeros((50, 4))
    for column, sign in enumerate(MONOTONE[:2]):
        asked = grid.copy()
        asked[:, column] = np.linspace(-3, 3, 50)
        steps = np.diff(booster.predict(asked, raw_score=True)) * sign
        assert (steps >= 0).all()
        assert steps.sum() > 0.5


def test_customers_validate_a_fifth_at_a_time_what_the_others_teach():
    customers = [f"c{i // 4}" for i in range(2000)]
    folds = inner_folds(percents("k", customers), np.arange(2000))
    assert len(folds) == 3
    for learn, valid in folds:
        mine = [{customers[i] for i in part} for part in (learn, valid)]
        assert not mine[0] & mine[1]
        assert 0.15 < valid.size / 2000 < 0.25
        assert learn.size + valid.size == 2000
    assert not set(folds[0][1]) & set(folds[1][1])


def test_a_trial_is_judged_by_the_mean_over_its_folds():
    made, mine = problem(700, 1), study()
    tune(made, PARTS, mine, search(1, 5))
    found = best_of(mine.study.best_trial)
    data = lgb.Dataset(made.X, made.learnt, params=tuning._BINNING, free_raw_data=False)
    data.construct()
    params = {**made.fixed(5), **found.params}
    figures = []
    for learn, valid in PARTS:
        own = data.subset(np.sort(learn))
        booster = lgb.train(params, own, found.trees)
        figures.append(auc(made.y[valid], booster.predict(made.X[valid]))(np.ones(valid.size)))
    assert found.figure == pytest.approx(np.mean(figures), abs=1e-9)


def least_at(losses: list[float]) -> int:
    """How many trees the least loss has, were one to stop `PATIENCE` trees after it."""
    best = 0
    for k, loss in enumerate(losses):
        if loss < losses[best]:
            best = k
        elif k - best >= tuning.PATIENCE:
            break
    return best + 1


def test_where_there_are_few_trees_end_where_the_mean_log_loss_is_least():
    made, mine = problem(400, 1), study()
    rows = np.sort(np.r_[np.flatnonzero(made.y), np.flatnonzero(made.y == 0)[:40]])
    parts = inner_folds(np.arange(400) % 100, rows, 5)
    tune(made, parts, mine, search(1, 5))
    found = best_of(mine.study.best_trial)
    data = lgb.Dataset(made.X[rows], made.y[rows], params=tuning._BINNING, free_raw_data=False)
    data.construct()
    losses, ranks = np.zeros((2, 150))
    for learn, valid in parts:
        own = data.subset(np.searchsorted(rows, learn))
        booster = lgb.train({**made.fixed(5), **found.params}, own, 150)
        y, even = made.y[valid], np.ones(valid.size)
        for k in range(150):
            p = booster.predict(made.X[valid], num_iteration=k + 1)
            losses[k] -= np.log(np.where(y == 1, p, 1 - p)).mean() / len(parts)
            ranks[k] += auc(y, p)(even) / len(parts)
    assert found.trees == least_at(losses.tolist())
    assert found.figure == pytest.approx(ranks[found.trees - 1], abs=1e-9)
    assert found.trees != least_at((-ranks).tolist()), "else it would not tell the two apart"


@pytest.mark.parametrize(("good", "bad", "few"), [(49, 90, True), (90, 49, True), (50, 50, False)])
def test_few_are_told_by_the_rarer_outcome_and_amounts_are_never_few(good, bad, few):
    made = problem(good + bad + 500, 1)
    made.y[: good + bad] = np.arange(good + bad) < good
    rows = np.arange(good + bad)
    assert is_few(made, rows) is few
    assert not is_few(replace(made, is_amount=True), rows)
    assert search(1, 1).folds(made, rows) == (5 if few else 3)
    assert replace(search(1, 1), explained=True).folds(made, rows) == 5


@given(rate=st.floats(0.02, 1), least=st.floats(0.001, 1), trees=st.integers(1, 600))
def test_a_slow_winner_goes_as_far_in_steps_that_the_space_allows(rate, least, trees):
    low = min(least, rate)
    fast = Best({"learning_rate": rate, "num_leaves": 6}, trees, 0.8)
    slow = slowly(fast, Space(learning_rate=(low, rate)))
    now = slow.params["learning_rate"]
    assert slow.trees * now == pytest.approx(trees * rate)
    assert low * (1 - 1e-9) <= now <= rate
    assert now <= tuning.SLOW or now < 2 * low, "slower only where the space forbids more"
    assert replace(slow, params=fast.params, trees=trees) == fast


def test_the_winner_of_a_fast_trial_is_given_slowly_and_with_its_price_as_it_was_tried():
    made = problem(700, 1)
    for explained, rate in ((False, 0.05), (True, 0.1)):
        asked = replace(search(1, 5), explained=explained)
        mine = make_study("s", None, asked, is_amount=False)
        found = tune(made, PARTS, mine, asked)
        (tried,) = mine.trials()
        assert tried.params["learning_rate"] == 0.1
        assert found.params["learning_rate"] == rate
        assert found.trees * rate == pytest.approx(tried.user_attrs["trees"] * 0.1)
        assert found.figure == tried.values[0]


def test_columns_of_one_value_or_none_are_named_and_one_value_with_gaps_is_not():
    nan = np.nan
    X = np.array([[1.0, nan, 1.0, 1.0], [1.0, nan, nan, 2.0]])
    assert constant_columns(X, NAMES) == ("up", "down")


def test_a_learner_other_than_that_of_one_machine_has_a_name():
    def elsewhere(*_):
        raise AssertionError

    assert learner(fit_booster) is learner(partial(fit_booster)) is None
    assert learner(elsewhere) == learner(partial(elsewhere, 1)) == f"{__name__}.elsewhere"
