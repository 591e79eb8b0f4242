"""Points of a case are those of its scorer, from what was predicted; bands those of its policy."""

from __future__ import annotations

import numpy as np
import pytest

from domain.policy import default_policy
from tests.training.fit_world import PLAN, material
from tests.training.test_fit import BEST
from training.baselines import Baselines
from training.case import Case
from training.draws import resample
from training.fit import evidence, fit_scorer, points


@pytest.mark.parametrize("target", ["churn", "value"])
def test_points_of_the_test_are_those_of_the_scorer(target):
    made = material(target, 900, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    rows = {"test": made.split.test, "half": made.split.test[::2]}
    parts = {n: evidence(made, scorer, r, Baselines({}, {})) for n, r in rows.items()}
    case = Case(made, scorer, BEST, parts, rows, default_policy(), 1)
    assert case.is_amount == (target == "value")
    assert case.test is parts["test"]
    np.testing.assert_array_equal(case.points, points(made, scorer, made.split.test))
    assert case.cuts == default_policy().steps[target]
    assert case.drawn("test") is case.drawn("test")
    np.testing.assert_array_equal(case.drawn("half"), resample(parts["half"].customers, 1))
