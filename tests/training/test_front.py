"""The front: nothing better and cheaper is left out; the choice by a slow obvious rule; plots."""

from __future__ import annotations

import matplotlib.pyplot as plt
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.study import StudyDirection
from optuna.trial import TrialState

from training import front
from training.front import cheapest, draw_study

FIGURES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=8
)


def study_of(rows, direction: str = "maximize") -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = optuna.create_study(directions=[direction, "minimize"])
    for figure, cost, error in rows:
        trial = optuna.create_trial(values=[figure, cost], user_attrs={"error": error})
        made.add_trial(trial)
    return made


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@settings(deadline=None, max_examples=40)
@given(rows=FIGURES)
def test_nothing_within_one_error_of_the_best_explains_cheaper(direction, rows):
    study = study_of(rows, direction)
    sign = 1 if direction == "maximize" else -1
    found = cheapest(study.best_trials, study.directions[0])
    best = max(sign * f for f, _, _ in rows)
    of_best = min((cost, n) for n, (f, cost, _) in enumerate(rows) if sign * f == best)[1]
    enough = [r for r in rows if sign * r[0] >= best - rows[of_best][2]]
    assert found.values[1] == min(cost for _, cost, _ in enough)
    assert sign * found.values[0] == max(sign * f for f, c, _ in enough if c == found.values[1])


def test_the_error_is_that_of_the_best_and_not_of_the_cheap():
    trials = study_of([(0.80, 200, 0.01), (0.795, 150, 0.0), (0.78, 120, 0.5)]).best_trials
    assert cheapest(trials, StudyDirection.MAXIMIZE).values == [0.795, 150]


def test_of_trials_that_are_equal_the_first_counts():
    trials = study_of([(0.8, 200, 0.0), (0.8, 200, 0.1), (0.75, 100, 0.0)]).best_trials
    assert cheapest(trials, StudyDirection.MAXIMIZE).number == 0


def test_history_and_front_are_drawn_and_one_objective_has_no_front(tmp_path):
    two = draw_study(
        study_of([(0.8, 200, 0.01), (0.7, 150, 0.01), (0.6, 300, 0.0)]), "auc", tmp_path
    )
    assert [f.name for f in two] == ["history.png", "front.png"]
    assert all(f.read_bytes().startswith(b"\x89PNG") for f in two)
    one = optuna.create_study(direction="maximize")
    one.add_trial(optuna.create_trial(value=0.5))
    assert [f.name for f in draw_study(one, "auc", tmp_path)] == ["history.png"]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_history_has_every_trial_the_best_so_far_and_the_pruned(direction):
    study = study_of([(0.6, 1, 0), (0.8, 1, 0), (0.7, 1, 0), (0.5, 1, 0)], direction)
    study.add_trial(optuna.create_trial(state=TrialState.PRUNED))
    figure = front._history(study, "auc")
    [axis] = figure.axes
    best, pruned = axis.lines
    expected = [0.6, 0.8, 0.8, 0.8] if direction == "maximize" else [0.6, 0.6, 0.6, 0.5]
    assert list(best.get_ydata()) == expected
    assert list(pruned.get_xdata()) == [4]
    assert axis.collections[0].get_offsets()[:, 1].tolist() == [0.6, 0.8, 0.7, 0.5]
    plt.close(figure)


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_the_front_is_drawn_by_cost_with_the_trial_that_is_taken_and_the_least_figure(
    direction, sign
):
    rows = [(0.80 * sign, 200, 0.01), (0.795 * sign, 150, 0.0), (0.6 * sign, 100, 0.0)]
    study = study_of([*rows, (0.5 * sign, 300, 0.0)], direction)
    study.add_trial(optuna.create_trial(state=TrialState.PRUNED))
    figure = front._front(study, "auc")
    [axis] = figure.axes
    trials, taken = (c.get_offsets().tolist() for c in axis.collections)
    assert trials == [[cost, value] for value, cost, _ in (*rows, (0.5 * sign, 300, 0.0))]
    assert taken == [[150, 0.795 * sign]]
    line, least = axis.lines
    assert [*line.get_xdata()] == [100, 150, 200]
    assert [*line.get_ydata()] == [value for value, _, _ in rows[::-1]]
    assert [*least.get_ydata()] == pytest.approx([0.79 * sign] * 2)
    plt.close(figure)
