"""What the comparison of losses computes, against slow loops and another library."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from experiments.tiers import CANDIDATES, LATEST, Asked, figures, goal, ranks, tiers


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


def test_the_goal_is_reached_by_who_has_all_three_figures_on_the_test_rows():
    """Off by one in up to a tenth of the rows is near enough, far off in a fifteenth is not; errors
    on rows that are not of the test do not count."""
    y = np.tile([0.0, 100.0, 1000.0], 100)
    near, far = tiers(y), tiers(y)
    near[:30] = 1
    far[:30] = 2 - far[:30]
    elsewhere = np.append(tiers(y), np.zeros(300, dtype=np.int64))
    made = SimpleNamespace(
        split=SimpleNamespace(test=np.arange(300)), problem=SimpleNamespace(y=np.append(y, y))
    )
    said = {"near": near, "far": far, "elsewhere": elsewhere}
    told = goal(made, {n: Asked(1, {LATEST: t}, t, None) for n, t in said.items()})
    assert f"reached by: near ({LATEST}), elsewhere ({LATEST})." in told
    only_far = goal(made, {"far": Asked(1, {LATEST: far}, far, None)})
    assert "reached by: no candidate." in only_far
    kappa, f1, _ = figures(tiers(y), far, np.ones(300))
    assert min(kappa, f1) > 0.565
