"""Points of a case are those of its scorer, from what was predicted; bands those of its policy."""

from __future__ import annotations

import numpy as np
import pytest

from domain.policy import default_policy
from tests.training.fit_world import PLAN, material
from tests.training.test_fit import BEST
from training.baselines import Baselines
from training.case import Case
from training.fit import evidence, fit_scorer, points


@pytest.mark.parametrize("target", ["churn", "value"])
def test_points_of_the_test_are_those_of_the_scorer(target):
    made = material(target, 900, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    rows = {"test": made.split.test}
    parts = {"test": evidence(made, scorer, made.split.test, Baselines({}, {}))}
    case = Case(made, scorer, BEST, parts, rows, default_policy())
    assert case.is_amount == (target == "value")
    assert case.test is parts["test"]
    np.testing.assert_array_equal(case.points, points(made, scorer, made.split.test))
    assert case.cuts == default_policy().steps[target]
