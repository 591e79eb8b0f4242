"""What a feature tells of the outcome: by ranking, company, rare values, and means of outcomes."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from tests.training.fit_world import material
from training import leak_values
from training.leak_values import learning_rows


def test_a_single_feature_ranks_as_another_library_says():
    made = material("churn", 3000, 5)
    rows = made.split.fit
    y, X = made.problem.y[rows], np.nan_to_num(made.problem.X[rows], nan=-1e9)
    for found, x in zip(learning_rows(made).alone, X.T, strict=True):
        plain = roc_auc_score(y, x)
        assert found >= max(plain, 1 - plain) - 1e-12
        assert found <= max(plain, 1 - plain) + 0.06


def test_a_few_rare_codes_among_common_ones_are_seen():
    rng = np.random.default_rng(1)
    y = (np.arange(4000) % 40 == 0).astype(float)
    code = np.where(y == 1, 2 * rng.integers(0, 8, 4000) + 1, 2 * rng.integers(0, 9, 4000))
    assert leak_values._auc(code.astype(float), y, rng.integers(0, 2, 4000)) > 0.98


def test_a_value_of_two_rows_names_a_person_and_no_outcome():
    rng = np.random.default_rng(1)
    twice = rng.permutation(np.repeat(np.arange(1500), 2))
    y = rng.integers(0, 2, 1500).astype(float)[twice]
    assert leak_values._auc(twice.astype(float), y, rng.integers(0, 2, 3000)) < 0.56
