"""The scale of amounts: slow loops, and what must not move a tree."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.booster import booster_text
from tests.training.fit_world import problem
from training.truth import date_levels, on_scale, unit_of
from training.tune import Best, fit_booster

BEST = Best({"learning_rate": 0.1, "num_leaves": 6, "min_data_in_leaf": 20}, 15, 0.0)
ROWS = np.arange(600)


@given(st.lists(st.floats(0, 1e6), max_size=30))
def test_the_unit_is_a_quarter_of_the_middle_amount_of_those_who_spend(amounts):
    paid = [a for a in amounts if a > 0]
    expected = median(paid) / 4 if paid else 1.0
    assert unit_of(np.array(amounts)) == pytest.approx(expected)


@given(st.integers(0, 1000))
def test_the_level_of_a_date_is_the_mean_of_its_learners_by_a_slow_loop(seed):
    rng = np.random.default_rng(seed)
    learnt, as_of = rng.normal(size=40), rng.integers(0, 4, 40)
    rows = np.flatnonzero(rng.random(40) < 0.4)
    for i, found in enumerate(date_levels(learnt, as_of, rows)):
        alike = [learnt[r] for r in rows if as_of[r] == as_of[i]]
        if alike:
            assert found == pytest.approx(sum(alike) / len(alike))
        else:
            assert np.isnan(found)


def test_the_currency_of_the_amounts_moves_no_tree_and_a_log_of_plain_amounts_would():
    made = problem(600, 1, is_amount=True)
    yen = replace(made, y=made.y * 256)
    as_of = np.repeat([0, 1], 300)

    def text(p, *, is_scaled: bool) -> str:
        p = on_scale(p, as_of, ROWS) if is_scaled else p
        return booster_text(fit_booster(p, ROWS, BEST, 1))

    assert text(made, is_scaled=True) == text(yen, is_scaled=True)
    assert text(made, is_scaled=False) != text(yen, is_scaled=False)


def test_trees_do_not_learn_what_a_date_tells_of_everybody():
    """A feature that is the date alone, and a month in which everybody spends the most: with levels
    the trees cannot use it; without they do."""
    made = problem(600, 1, is_amount=True)
    as_of = np.repeat([0, 1, 2], 200)
    X = made.X.copy()
    X[:, 3] = as_of
    dated = replace(made, X=X, y=made.y * np.array([1.0, 1.0, 8.0])[as_of])

    def gain(*, by_date: bool) -> float:
        scaled = on_scale(dated, as_of, ROWS)
        scaled = scaled if by_date else replace(scaled, level=0.0)
        told = fit_booster(scaled, ROWS, BEST, 1).feature_importance("gain")
        return float(told[3] / told.sum())

    assert gain(by_date=True) < 0.03 < 0.1 < gain(by_date=False)


def test_the_scale_is_told_by_the_rows_that_may_teach_and_by_all_of_them():
    made, as_of = problem(600, 1, is_amount=True), np.repeat([0, 1], 300)
    rows = np.flatnonzero(np.random.default_rng(2).random(600) < 0.5)
    y = np.full(600, 1e6)
    y[rows] = made.y[rows]
    found = on_scale(replace(made, y=y), as_of, rows)
    assert found.unit == pytest.approx(median(v for v in y[rows] if v > 0) / 4)
    for date in (0, 1):
        alike = [np.log1p(y[r] / found.unit) for r in rows if as_of[r] == date]
        assert found.level[as_of == date] == pytest.approx(sum(alike) / len(alike))


def test_an_outcome_has_no_scale():
    made = problem(600, 1)
    assert on_scale(made, np.repeat([0, 1], 300), ROWS) is made
