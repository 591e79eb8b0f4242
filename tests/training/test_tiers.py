"""What the comparison of losses computes, against slow loops and another library."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from experiments.tiers import CANDIDATES, figures, ranks, tiers


def test_ranks_count_who_is_below_within_the_same_as_of_and_ties_share_theirs():
    rng = np.random.default_rng(1)
    amount, as_of = rng.integers(0, 9, 120) * 10.0, rng.integers(0, 3, 120)
    for i, found in enumerate(ranks(amount, as_of)):
        others = amount[as_of == as_of[i]]
        below, same = (others < amount[i]).sum(), (others == amount[i]).sum()
        assert found == pytest.approx((below + (same + 1) / 2) / others.size)


def test_a_better_month_for_everybody_moves_no_rank():
    rng = np.random.default_rng(3)
    amount, as_of = rng.gamma(1.0, 100.0, 90), np.repeat([0, 1, 2], 30)
    season = np.array([1.0, 2.0, 0.5])[as_of]
    assert (ranks(amount * season, as_of) == ranks(amount, as_of)).all()
    ranked = next(c for c in CANDIDATES if c.is_ranked)
    assert (ranked.truth(amount, tiers(amount), as_of) == ranks(amount, as_of)).all()


def test_kappa_f1_and_far_errors_are_those_of_scikit_learn():
    rng = np.random.default_rng(5)
    truth, said = rng.integers(0, 3, (2, 300))
    weight = rng.integers(0, 4, 300).astype(float)
    seen = confusion_matrix(truth, said, sample_weight=weight)
    assert figures(truth, said, weight) == pytest.approx((
        cohen_kappa_score(truth, said, weights="quadratic", sample_weight=weight),
        f1_score(truth, said, average="macro", sample_weight=weight),
        (seen[0, 2] + seen[2, 0]) / seen.sum(),
    ))  # fmt: skip
