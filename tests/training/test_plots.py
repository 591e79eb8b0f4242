"""The plots of a training are drawn, and drawn from the scorer's points."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.image as image
import numpy as np
import pytest

from tests.training.fit_world import PLAN, material
from training.baselines import Baselines
from training.fit import evidence, fit_scorer
from training.plots import plots
from training.space import default_trial
from training.tune import Best

BEST = Best({**default_trial(1000), "bagging_freq": 1}, 20, 0.0)


@pytest.mark.parametrize("target", ["churn", "value"])
def test_three_plots_are_drawn_and_none_is_blank(tmp_path, target):
    made = material(target, 800, 1)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    test = made.split.test
    X = made.problem.X[test]
    kept = X.copy()
    files = plots(scorer, X, evidence(made, scorer, test, Baselines({}, {})), tmp_path)
    assert [f.name for f in files] == ["reasons.png", "importance.png", "calibration.png"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    for file in files:
        drawn = image.imread(file)
        assert min(drawn.shape[:2]) > 200
        assert drawn[..., :3].std() > 0.02
    np.testing.assert_array_equal(X, kept)
    assert mpl.get_backend().lower() == "agg"
