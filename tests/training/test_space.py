"""The space of a study: ranges that hold, the first trials inside them."""

from __future__ import annotations

import lightgbm as lgb
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from training.space import Space, default_trial

ROWS = 3000
DEFAULT = {"learning_rate", "num_leaves", "min_data_in_leaf", "feature_fraction",
           "bagging_fraction", "lambda_l2"}  # fmt: skip


def suggested(space: Space, seed: int) -> dict:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    return space.suggest(study.ask(), ROWS)


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@settings(deadline=None, max_examples=30)
@given(
    leaves=st.lists(st.integers(2, 200), min_size=2, max_size=2).map(sorted),
    rate=st.lists(st.floats(0.001, 1), min_size=2, max_size=2).map(sorted),
    seed=st.integers(0, 99),
)
def test_suggestions_and_the_first_trials_lie_in_the_ranges(leaves, rate, seed):
    space = Space(num_leaves=leaves, learning_rate=rate, lambda_l1=(0.1, 0.2), max_depth=(3, 3))
    for found in (suggested(space, seed), *space.first(ROWS)):
        assert set(found) - {"bagging_freq"} == DEFAULT | {"lambda_l1", "max_depth"}
        assert leaves[0] <= found["num_leaves"] <= leaves[1]
        assert rate[0] <= found["learning_rate"] <= rate[1]
        assert 0.1 <= found["lambda_l1"] <= 0.2
        assert found["max_depth"] == 3
        assert all(isinstance(found[n], int) for n in ("num_leaves", "max_depth"))


def test_the_default_space_begins_with_the_sensible_values_and_searches_nothing_else():
    slow = default_trial(ROWS)
    assert Space().first(ROWS)[:2] == [{**slow, "learning_rate": 0.1}, slow]
    assert set(Space().ranges(ROWS)) == DEFAULT


def test_the_third_trial_is_what_lightgbm_does_by_default():
    """As LightGBM's own wrapper tells it; of the penalty the least that is searched."""
    whole = {n: (0.2, 1.0) for n in ("feature_fraction", "bagging_fraction")}
    space = Space(num_leaves=(4, 31), max_depth=(2, 64), lambda_l1=(1e-8, 1), **whole)
    given = lgb.LGBMModel().get_params()
    found = space.first(ROWS)[2]
    assert {n: found[n] for n in ("learning_rate", "num_leaves")} == {
        n: given[n] for n in ("learning_rate", "num_leaves")
    }
    assert found["min_data_in_leaf"] == given["min_child_samples"]
    assert found["feature_fraction"] == given["colsample_bytree"]
    assert found["bagging_fraction"] == given["subsample"]
    assert (given["reg_lambda"], found["lambda_l2"]) == (0, space.lambda_l2[0])
    assert (given["reg_alpha"], found["lambda_l1"]) == (0, 1e-8)
    assert (given["max_depth"], found["max_depth"]) == (-1, 64)


@pytest.mark.parametrize(
    ("rates", "tried"),
    [((0.05, 0.05), [0.05]), ((0.2, 0.3), [0.2]), ((0.02, 0.06), [0.06, 0.03]),
     ((0.05, 0.3), [0.1, 0.05])],
)  # fmt: skip
def test_the_same_trial_is_not_begun_with_twice(rates, tried):
    """Where all but the rate is fixed, LightGBM's defaults are the first trial."""
    fixed = {n: (v, v) for n, v in default_trial(ROWS).items()}
    found = Space(**{**fixed, "learning_rate": rates}).first(ROWS)
    assert [t["learning_rate"] for t in found] == tried


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_leaves": [9, 4]},
        {"num_leaves": [1, 4]},
        {"num_leaves": [2.5, 4]},
        {"learning_rate": [0.1]},
        {"bagging_fraction": [0.5, 1.5]},
        {"lambda_l2": [0, 1]},
        {"leaves": [2, 4]},
    ],
)
def test_a_range_that_is_none_is_refused(wrong):
    with pytest.raises(ValidationError):
        Space(**wrong)
