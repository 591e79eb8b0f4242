"""Intervals of every figure and paired differences, against the judge's and slow loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, f1_score

from tests.training.test_judge import amounts, evidence
from training.judge import Evidence, interval, judge, judge_amount, plain_figures, resample
from training.metrics import calibration_table
from training.spread import against, of_first, reliability, spread, tier_spread
from training.tier_figures import MEASURES

MADE = [(evidence(3), judge, False), (amounts(3), judge_amount, True)]


@pytest.mark.parametrize(("made", "judged", "is_amount"), MADE)
def test_every_figure_has_an_interval_about_it_and_the_ranking_one_is_the_judges(
    made, judged, is_amount
):
    found, told = spread(made, 1, is_amount=is_amount), judged(made, 1)
    plain = plain_figures(made, is_amount=is_amount)
    assert {*found["intervals"]} == {*plain, "mean" if is_amount else "base_rate"}
    for name in plain:
        low, high = found["intervals"][name]
        slack = 0.02 if name == "calibration_error" else 0.0
        assert low - slack < plain[name] < high, name
    assert found["intervals"][told.metric] == told.figures["interval"]
    for other, gaps in found["differences"].items():
        assert gaps[told.metric] == pytest.approx(told.figures["difference"][other])
        assert {*gaps} < {*plain}, "a baseline predicts nothing that could be held to the truth"


def tied(*, is_amount: bool, n: int = 120) -> Evidence:
    """Rows of half as many customers, with ties in the score."""
    rng = np.random.default_rng(2)
    score = np.round(rng.normal(size=n), 1)
    who = [f"C{row // 2:02}" for row in range(n)]
    if is_amount:
        y = np.where(rng.random(n) < 0.3, 0.0, np.exp(score + rng.normal(size=n)))
        return Evidence(y, score, np.exp(score), {}, who)
    p = 1 / (1 + np.exp(-score))
    return Evidence((rng.random(n) < p).astype(np.float64), score, p, {}, who)


@pytest.mark.parametrize("is_amount", [False, True])
def test_the_interval_of_a_figure_is_that_of_rows_drawn_again(is_amount):
    made, again = tied(is_amount=is_amount), []
    for weight in resample(made.customers, 5):
        rows = np.repeat(np.arange(120), weight.astype(int))
        y = made.y[rows]
        some = Evidence(y, made.score[rows], made.predicted[rows], {}, [])
        truth = {"mean": y.mean()} if is_amount else {"base_rate": 1 - y.mean()}
        again.append({**plain_figures(some, is_amount=is_amount), **truth})
    told = spread(made, 5, is_amount=is_amount)["intervals"]
    assert {*told} == {*again[0]}
    for name in {*told} - {"calibration_error", "spearman"}:  # these keep the groups and ranks
        ends = np.quantile([drawn[name] for drawn in again], [0.025, 0.975])
        assert told[name] == pytest.approx(ends, rel=1e-9), name


def test_a_tenth_has_its_means_and_the_interval_of_its_own_rows():
    made = tied(is_amount=False)
    weights = resample(made.customers, 5)
    found = reliability(made.y, made.predicted, weights)
    plain = [(r["predicted"], r["seen"], r["rows"]) for r in found]
    assert plain == calibration_table(made.y, made.predicted)
    last = np.argsort(made.predicted, kind="stable")[-found[-1]["rows"] :]
    means = [np.repeat(made.y[last], w[last].astype(int)).mean() for w in weights if w[last].any()]
    ends = np.quantile(means, [0.025, 0.975])
    assert (found[-1]["low"], found[-1]["high"]) == pytest.approx(ends, rel=1e-9)
    assert all(r["low"] <= r["seen"] <= r["high"] for r in found)


def test_a_difference_is_paired_over_rows_drawn_as_often():
    made = evidence(4, n=200)
    gap, low, high = spread(made, 2, is_amount=False)["differences"]["peer"]["pr_auc"]
    peer, slow = made.baselines["peer"], []
    for weight in resample(made.customers, 2)[:60]:
        rows = np.repeat(np.arange(200), weight.astype(int))
        bad = 1 - made.y[rows]
        ours, theirs = (average_precision_score(bad, -s[rows]) for s in (made.score, peer))
        slow.append(ours - theirs)
    bad = 1 - made.y
    ours, theirs = (average_precision_score(bad, -s) for s in (made.score, peer))
    assert gap == pytest.approx(ours - theirs)
    begin, end = interval(np.array(slow))
    assert low == pytest.approx(begin, abs=0.02)
    assert high == pytest.approx(end, abs=0.02)


def test_a_rival_is_held_to_what_it_predicts_too():
    made = evidence(5)
    same = against(made, logit(made.predicted), 1, is_amount=False)
    assert same["differences"]["brier"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert same["difference"] == same["differences"]["auc"]
    worse = against(made, logit(made.predicted) + 1, 1, is_amount=False)
    assert worse["figures"]["auc"] == same["figures"]["auc"] == worse["figure"]
    p = 1 / (1 + np.exp(-logit(made.predicted) - 1))
    assert worse["figures"]["brier"] == pytest.approx(brier_score_loss(made.y, p))
    assert worse["differences"]["brier"][2] < 0
    money = amounts(5)
    twice = against(money, np.log(2 * money.predicted), 1, is_amount=True)
    ours = plain_figures(money, is_amount=True)["sum_ratio"]
    assert twice["figures"]["sum_ratio"] == pytest.approx(2 * ours)


def test_tiers_are_held_to_those_of_a_rule_of_the_same_sizes():
    rng = np.random.default_rng(6)
    latent = rng.normal(size=900)
    truth = np.searchsorted([-0.5, 0.8], latent + 0.3 * rng.normal(size=900))
    said = np.searchsorted([-0.6, 1.0], latent)
    rules = {"same": latent, "rough": latent + rng.normal(size=900), "flat": np.zeros(900)}
    made = evidence(1, n=900)
    told = tier_spread(made, truth, said, rules, 1)
    found = told["better_than"]
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
    none = tier_spread(made, np.zeros(900, int), np.zeros(900, int), rules, 1)
    assert none["better_than"] == {}
    assert none["intervals"].keys() == {*told["intervals"]} - {"quadratic_kappa"}


def test_intervals_of_tiers_are_those_of_rows_drawn_again():
    made, rng = tied(is_amount=True), np.random.default_rng(3)
    truth, said = rng.integers(0, 3, 120), rng.integers(0, 3, 120)
    again = []
    for weight in resample(made.customers, 4):
        pair = [np.repeat(v, weight.astype(int)) for v in (truth, said)]
        far = [((pair[0] == a) & (pair[1] == b)).mean() for a, b in ((0, 2), (2, 0))]
        f1 = f1_score(*pair, average="macro")
        again.append([f1, cohen_kappa_score(*pair, weights="quadratic"), *far])
    ends = np.quantile(again, [0.025, 0.975], axis=0).T
    told = tier_spread(made, truth, said, {}, 4)["intervals"]
    assert [*told] == [*MEASURES]
    assert np.array([*told.values()]) == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize("first", [1, -1])
def test_what_the_first_rows_hold_is_a_slow_sum_over_rows_drawn_as_often(first):
    rng = np.random.default_rng(7)
    worth, score = rng.normal(size=30), rng.normal(size=30)
    weights = resample([str(i // 2) for i in range(30)], 1)[:20]
    ends = np.array([0, 7, 30])
    sums, rows = of_first(worth, score, first, ends, weights)
    ranked = sorted(range(30), key=lambda i: -first * score[i])
    for each, total, weight in zip(sums, rows, weights, strict=True):
        assert total == weight.sum()
        for end, held in zip(ends, each, strict=True):
            assert held == pytest.approx(sum(weight[i] * worth[i] for i in ranked[:end]))
