"""Figures and intervals of the judge, against scikit-learn, slow loops and large samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.draws import interval, resample
from training.judge import Evidence, Judged, against, judge, plain_figures


def evidence(seed: int, n: int = 1500, noise: float = 0.0, shift: float = 0.0) -> Evidence:
    """Truth drawn from a known chance, that chance as the prediction, and two baselines."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    score = z + noise * rng.normal(size=n)
    others = {"rule": z + 2 * rng.normal(size=n), "peer": z + 0.1 * rng.normal(size=n)}
    p = 1 / (1 + np.exp(-z - shift))
    return Evidence(y, score, p, others, [str(i // 2) for i in range(n)])


def amounts(seed: int, n: int = 1500, factor: float = 1.0) -> Evidence:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    y = np.where(rng.random(n) < 0.7, np.exp(3 + z + 0.3 * rng.normal(size=n)), 0.0)
    others = {"rule": rng.normal(size=n), "peer": z}
    predicted = factor * 0.7 * np.exp(3 + z + 0.045)
    return Evidence(y, z, predicted, others, [str(i) for i in range(n)])


def outcomes(found: Evidence, seed: int, *, whole: bool = False) -> Judged:
    return judge(found, resample(found.customers, seed), seed, is_amount=False, whole=whole)


def money(found: Evidence, seed: int, *, whole: bool = False) -> Judged:
    return judge(found, resample(found.customers, seed), seed, is_amount=True, whole=whole)


MADE = [(outcomes, evidence), (money, amounts)]


def test_figures_are_those_of_scikit_learn():
    found = evidence(1)
    figures = outcomes(found, seed=1).figures
    assert figures["brier"] == pytest.approx(brier_score_loss(found.y, found.predicted))
    assert figures["log_loss"] == pytest.approx(log_loss(found.y, found.predicted))
    bad = average_precision_score(1 - found.y, -found.score)
    assert figures["pr_auc"] == pytest.approx(bad)
    assert figures["gini"] == pytest.approx(2 * roc_auc_score(found.y, found.score) - 1)
    assert figures["rows"] == 1500
    assert figures["events"] == (found.y == 0).sum()
    assert figures["base_rate"] == pytest.approx((found.y == 0).mean())
    assert figures["mean_predicted"] == pytest.approx(1 - found.predicted.mean())


def test_figures_of_an_amount_are_what_their_names_say():
    found = amounts(1)
    figures = money(found, seed=1).figures
    assert figures["mae"] == pytest.approx(np.mean(np.abs(found.y - found.predicted)))
    assert figures["sum_ratio"] == pytest.approx(found.predicted.sum() / found.y.sum())
    assert figures["events"] == (found.y > 0).sum()


@pytest.mark.parametrize("make", MADE)
def test_the_same_seed_gives_the_same_figures_and_another_seed_other_intervals(make):
    said, drawn = make
    a, b, c = (said(drawn(1), seed).figures for seed in (7, 7, 8))
    assert a == b
    assert a["intervals"] != c["intervals"]


def test_rows_of_the_same_customer_widen_the_interval():
    found = evidence(1)
    alone = Evidence(found.y, found.score, found.predicted, {}, [str(i) for i in range(1500)])
    twice = Evidence(*(np.repeat(v, 4) for v in (found.y, found.score, found.predicted)), {}, [
        str(i) for i in range(1500) for _ in range(4)
    ])  # fmt: skip
    low, high = outcomes(alone, 1).figures["intervals"]["auc"]
    again = outcomes(twice, 1).figures["intervals"]["auc"]
    assert again[1] - again[0] == pytest.approx(high - low, rel=0.1)


def test_intervals_hold_the_true_auc_in_about_nineteen_of_twenty_samples():
    big = evidence(1000, 200_000)
    truth = roc_auc_score(big.y, big.score)
    held = 0
    for seed in range(40):
        found = evidence(seed, 400)
        bare = Evidence(found.y, found.score, found.predicted, {}, [str(i) for i in range(400)])
        low, high = outcomes(bare, seed).figures["intervals"]["auc"]
        held += low <= truth <= high
    assert 33 <= held <= 40


def test_the_paired_difference_is_the_gap_of_the_figures_and_narrower_than_apart():
    figures = outcomes(evidence(1, noise=0.1), seed=1).figures
    gap, low, high = figures["differences"]["peer"]["auc"]
    assert gap == pytest.approx(figures["auc"] - figures["baseline"]["peer"])
    assert low < gap < high
    first, last = figures["intervals"]["auc"]
    assert high - low < (last - first) / 2


@pytest.mark.parametrize("make", MADE)
def test_the_whole_test_has_every_interval_and_a_part_that_of_the_ranking_measure(make):
    said, drawn = make
    made, is_amount = drawn(3), said is money
    whole, part = said(made, 1, whole=True), said(made, 1)
    plain = plain_figures(made, is_amount=is_amount)
    assert {*whole.figures["intervals"]} == {*plain, "mean" if is_amount else "base_rate"}
    for name in plain:
        low, high = whole.figures["intervals"][name]
        slack = 0.02 if name == "calibration_error" else 0.0
        assert low - slack < plain[name] < high, name
        assert whole.figures[name] == part.figures[name] == plain[name]
    low, high = whole.interval
    assert part.figures["intervals"] == {part.metric: [low, high]}
    assert low < whole.value < high
    for other, gaps in part.figures["differences"].items():
        assert gaps == {part.metric: whole.figures["differences"][other][part.metric]}
        assert {*whole.figures["differences"][other]} < {*plain}, "a baseline predicts nothing"


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
    said = money if is_amount else outcomes
    told = said(made, 5, whole=True).figures["intervals"]
    assert {*told} == {*again[0]}
    for name in {*told} - {"calibration_error", "spearman"}:  # these keep the groups and ranks
        ends = np.quantile([drawn[name] for drawn in again], [0.025, 0.975])
        assert told[name] == pytest.approx(ends, rel=1e-9), name


def test_a_difference_is_paired_over_rows_drawn_as_often():
    made = evidence(4, n=200)
    gap, low, high = outcomes(made, 2, whole=True).figures["differences"]["peer"]["pr_auc"]
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
    weights = resample(made.customers, 1)
    same = against(made, logit(made.predicted), weights, is_amount=False)
    assert same["differences"]["brier"] == pytest.approx([0, 0, 0], abs=1e-12)
    worse = against(made, logit(made.predicted) + 1, weights, is_amount=False)
    assert worse["figures"]["auc"] == same["figures"]["auc"]
    p = 1 / (1 + np.exp(-logit(made.predicted) - 1))
    assert worse["figures"]["brier"] == pytest.approx(brier_score_loss(made.y, p))
    assert worse["differences"]["brier"][2] < 0
    paid = amounts(5)
    weights = resample(paid.customers, 1)
    twice = against(paid, np.log(2 * paid.predicted), weights, is_amount=True)
    ours = plain_figures(paid, is_amount=True)["sum_ratio"]
    assert twice["figures"]["sum_ratio"] == pytest.approx(2 * ours)
