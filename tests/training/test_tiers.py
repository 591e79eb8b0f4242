"""What the comparison of losses computes, against slow loops and another library."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from experiments.tiers import ranked, tier_within_dates
from experiments.tiers_page import LATEST, Asked, figures, goal, inside_table, tiers
from training.metrics import spearman


def world(amount: np.ndarray, as_of: np.ndarray, fit: int) -> SimpleNamespace:
    """Rows of which the first `fit` teach, a customer each, the others test."""
    rows = np.arange(len(amount))
    return SimpleNamespace(
        problem=SimpleNamespace(y=amount), as_of=as_of, customers=[f"c{i}" for i in rows],
        split=SimpleNamespace(fit=rows[:fit], calibration=rows[:0], test=rows[fit:]),
    )  # fmt: skip


def test_ranks_count_who_is_below_within_the_same_as_of_and_ties_share_theirs():
    rng = np.random.default_rng(1)
    amount, as_of = rng.integers(0, 9, 120) * 10.0, rng.integers(0, 3, 120)
    for i, found in enumerate(ranked(world(amount, as_of, 120))):
        others = amount[as_of == as_of[i]]
        below, same = (others < amount[i]).sum(), (others == amount[i]).sum()
        assert found == pytest.approx((below + (same + 1) / 2) / others.size)


def test_a_better_month_for_everybody_moves_no_rank():
    rng = np.random.default_rng(3)
    amount, as_of = rng.gamma(1.0, 100.0, 90), np.repeat([0, 1, 2], 30)
    season = np.array([1.0, 2.0, 0.5])[as_of]
    assert (ranked(world(amount * season, as_of, 90)) == ranked(world(amount, as_of, 90))).all()


def test_tiers_within_dates_sum_to_nothing_on_every_date_that_teaches():
    rng = np.random.default_rng(4)
    amount, as_of = rng.choice([0.0, 100.0, 1000.0], 90), np.repeat([0, 1, 2], 30)
    found = tier_within_dates(world(amount, as_of, 60))
    steps = np.diff(np.unique(found[:30]))
    assert [found[:30].sum(), found[30:60].sum()] == pytest.approx([0, 0])
    assert steps == pytest.approx(np.ones(2))
    assert np.isnan(found[60:]).all()


def test_inside_the_training_a_truth_is_told_by_its_own_figures_and_its_gap_to_the_first():
    rng = np.random.default_rng(6)
    amount, as_of = rng.choice([0.0, 100.0, 1000.0], 120), np.repeat([0, 1, 2], 40)
    made = world(amount, as_of, 100)
    noise = np.log1p(amount) + rng.normal(size=120)
    first, best = inside_table(made, {"noise": noise, "truth": amount})
    rows = slice(0, 100)
    own = [rows.start <= i < rows.stop for i in range(120)]
    dates = [spearman(amount[own & (as_of == d)], noise[own & (as_of == d)]) for d in range(3)]
    each = [rank(np.ones((own & (as_of == d)).sum())) for d, rank in enumerate(dates)]
    assert float(first[7]) == pytest.approx(np.mean(each), abs=5e-5)
    assert first[4] == first[6] == first[8] == ""
    assert best[:4] == ("truth", "1.0000", "1.0000", "0.0000")
    gained = float(best[4].split()[0]) + float(first[1]) + float(first[2])
    assert gained == pytest.approx(2, abs=2e-4)


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
