"""Tables with intervals, against slow loops over rows drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from tests.training.test_judge import tied
from training import metrics
from training.draws import resample
from training.metrics import calibration_table
from training.spread import gains, of_first, profit, reliability, tier_spread
from training.tier_figures import MEASURES


def test_a_tenth_has_its_means_and_the_interval_of_its_own_rows():
    made = tied(is_amount=False)
    weights = resample(made.customers, 5)
    found = reliability(made.y, made.predicted, weights, is_amount=False)[::-1]
    plain = [(1 - r["predicted"], 1 - r["seen"], r["rows"]) for r in found]
    assert np.array(plain) == pytest.approx(np.array(calibration_table(made.y, made.predicted)))
    order = np.argsort(made.predicted, kind="stable")
    for rows in (order[: found[0]["rows"]], order[-found[-1]["rows"] :]):
        drawn = [np.repeat(1 - made.y[rows], w[rows].astype(int)) for w in weights]
        ends = np.quantile([d.mean() for d in drawn if d.size], [0.025, 0.975])
        told = found[0] if rows[0] == order[0] else found[-1]
        assert told["interval"] == pytest.approx(ends, rel=1e-9)
        assert told["interval"][0] <= told["seen"] <= told["interval"][1]


def test_a_resample_without_any_row_of_a_tenth_says_nothing_of_it():
    y = np.array([0.0, 1.0] * 5)
    weights = resample([str(i) for i in range(10)], 1)
    assert (weights == 0).any(axis=0).all()
    for row in reliability(y, np.arange(10) / 10, weights, is_amount=False):
        assert row["interval"] == [row["seen"], row["seen"]]


def test_tenths_of_amounts_are_by_their_mean():
    made = tied(is_amount=True)
    weights, mean = resample(made.customers, 5), made.y.mean()
    found = reliability(made.y, made.predicted, weights, is_amount=True)
    plain = [(mean * r["predicted"], mean * r["seen"], r["rows"]) for r in found]
    assert np.array(plain) == pytest.approx(np.array(calibration_table(made.y, made.predicted)))


def test_tiers_are_held_to_those_of_a_rule_of_the_same_sizes():
    rng = np.random.default_rng(6)
    latent = rng.normal(size=900)
    truth = np.searchsorted([-0.5, 0.8], latent + 0.3 * rng.normal(size=900))
    said = np.searchsorted([-0.6, 1.0], latent)
    rules = {"same": latent, "rough": latent + rng.normal(size=900), "flat": np.zeros(900)}
    weights = resample([str(i // 2) for i in range(900)], 1)
    told = tier_spread(truth, said, rules, weights)
    found = {rule: gaps["quadratic_kappa"] for rule, gaps in told["differences"].items()}
    assert found["same"] == [0.0, 0.0, 0.0]
    sizes = np.bincount(said)
    order = np.argsort(rules["rough"])
    placed = np.empty(900, int)
    placed[order] = np.repeat([0, 1, 2], sizes)
    ours, theirs = (cohen_kappa_score(truth, p, weights="quadratic") for p in (said, placed))
    assert found["rough"][0] == pytest.approx(ours - theirs)
    assert 0 < found["rough"][1] < found["rough"][0] < found["rough"][2]
    assert found["flat"][0] == pytest.approx(ours), "rows ranked alike stand in one tier"
    low, high = told["intervals"]["quadratic_kappa"]
    assert low < ours < high
    low, high = told["intervals"]["macro_f1"]
    assert low < f1_score(truth, said, average="macro") < high
    none = tier_spread(np.zeros(900, int), np.zeros(900, int), rules, weights)
    assert none["differences"] == {}
    assert none["intervals"].keys() == {*told["intervals"]} - {"quadratic_kappa"}


def test_rows_that_a_rule_ranks_alike_across_a_cut_stand_above_it():
    truth, said = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    told = tier_spread(truth, said, {"pair": np.array([1.0, 2.0, 2.0, 3.0])}, np.ones((2, 4)))
    ours, above = (
        cohen_kappa_score(truth, tiers, weights="quadratic") for tiers in (said, [0, 1, 1, 1])
    )
    assert told["differences"]["pair"]["quadratic_kappa"][0] == pytest.approx(ours - above)


@pytest.mark.parametrize("most", [3, 2])
def test_intervals_of_tiers_are_those_of_rows_drawn_again(most):
    """Also where nobody is put into the highest."""
    rng, weights = np.random.default_rng(3), resample([str(i // 2) for i in range(120)], 4)
    truth, said = rng.integers(0, 3, 120), rng.integers(0, most, 120)
    again = []
    for weight in weights:
        pair = [np.repeat(v, weight.astype(int)) for v in (truth, said)]
        far = [((pair[0] == a) & (pair[1] == b)).mean() for a, b in ((0, 2), (2, 0))]
        f1 = f1_score(*pair, average="macro")
        again.append([f1, cohen_kappa_score(*pair, weights="quadratic"), *far])
    ends = np.quantile(again, [0.025, 0.975], axis=0).T
    told = tier_spread(truth, said, {}, weights)["intervals"]
    assert [*told] == [*MEASURES]
    assert np.array([*told.values()]) == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize("first", [1, -1])
def test_what_the_first_rows_hold_is_a_slow_sum_over_rows_drawn_as_often(first):
    rng = np.random.default_rng(7)
    worth, score = rng.normal(size=30), rng.normal(size=30)
    weights = resample([str(i // 2) for i in range(30)], 1)[:20]
    ends = np.array([0, 7, 30])
    sums = of_first(worth, score, first, ends, weights)
    ranked = sorted(range(30), key=lambda i: -first * score[i])
    for each, weight in zip(sums, weights, strict=True):
        for end, held in zip(ends, each, strict=True):
            assert held == pytest.approx(sum(weight[i] * worth[i] for i in ranked[:end]))


@pytest.mark.parametrize("first", [1, -1])
def test_gains_and_profit_have_the_intervals_of_rows_drawn_again(first):
    rng = np.random.default_rng(8)
    worth, score = rng.integers(0, 2, 53).astype(float), rng.normal(size=53)
    weights = resample([str(i // 3) for i in range(53)], 1)
    ranked = np.argsort(-first * score)
    told, money = gains(worth, score, first, weights), profit(worth - 0.3, score, first, weights)
    bare = [{k: v for k, v in row.items() if k != "interval"} for row in told]
    assert bare == metrics.gains(worth, score, first)
    held = [np.cumsum((w * worth)[ranked]) for w in weights]
    end = told[0]["rows"] + told[1]["rows"] - 1
    ends = np.quantile([h[end] / h[-1] for h in held], [0.025, 0.975])
    assert told[1]["interval"] == pytest.approx(ends)
    assert money["best"]["profit"] == max(row["profit"] for row in money["curve"])
    for row in money["curve"]:
        acted = ranked[: round(row["share"] * 53)]
        drawn = [(w * (worth - 0.3))[acted].sum() / w.sum() for w in weights]
        assert row["interval"] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_a_resample_in_which_nothing_is_sought_says_nothing_of_what_is_captured():
    worth = np.array([1.0, *[0.0] * 9])
    told = gains(worth, np.arange(10.0), -1, resample([str(i) for i in range(10)], 1))
    assert [row["interval"] for row in told] == [[1.0, 1.0]] * 10
