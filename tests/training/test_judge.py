"""Figures, intervals and gates; each gate is made to fail once, alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from domain.policy import default_policy
from training.judge import (
    RESAMPLES,
    Evidence,
    Gate,
    Judged,
    Verdict,
    judge,
    judge_amount,
    resample,
    verdict,
)

LIMITS = default_policy().limits


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


def test_figures_are_those_of_scikit_learn():
    found = evidence(1)
    figures = judge(found, seed=1).figures
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
    figures = judge_amount(found, seed=1).figures
    assert figures["mae"] == pytest.approx(np.mean(np.abs(found.y - found.predicted)))
    assert figures["sum_ratio"] == pytest.approx(found.predicted.sum() / found.y.sum())
    assert figures["events"] == (found.y > 0).sum()


@pytest.mark.parametrize("make", [(judge, evidence), (judge_amount, amounts)])
def test_the_same_seed_gives_the_same_figures_and_another_seed_other_intervals(make):
    said, drawn = make
    a, b, c = (said(drawn(1), seed).figures for seed in (7, 7, 8))
    assert a == b
    assert a["interval"] != c["interval"]


def test_whole_customers_are_drawn_with_replacement():
    customers = ["a", "b", "a", "c"]
    weights = resample(customers, seed=3)
    assert weights.shape == (RESAMPLES, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 1].mean() == pytest.approx(1, abs=0.15)


def test_rows_of_the_same_customer_widen_the_interval():
    found = evidence(1)
    alone = Evidence(found.y, found.score, found.predicted, {}, [str(i) for i in range(1500)])
    twice = Evidence(*(np.repeat(v, 4) for v in (found.y, found.score, found.predicted)), {}, [
        str(i) for i in range(1500) for _ in range(4)
    ])  # fmt: skip
    low, high = judge(alone, 1).figures["interval"]
    again = judge(twice, 1).figures["interval"]
    assert again[1] - again[0] == pytest.approx(high - low, rel=0.1)


def test_intervals_hold_the_true_auc_in_about_nineteen_of_twenty_samples():
    big = evidence(1000, 200_000)
    truth = roc_auc_score(big.y, big.score)
    held = 0
    for seed in range(40):
        found = evidence(seed, 400)
        bare = Evidence(found.y, found.score, found.predicted, {}, [str(i) for i in range(400)])
        low, high = judge(bare, seed).figures["interval"]
        held += low <= truth <= high
    assert 33 <= held <= 40


def test_the_paired_difference_is_the_gap_of_the_figures_and_narrower_than_apart():
    figures = judge(evidence(1, noise=0.1), seed=1).figures
    gap, low, high = figures["difference"]["peer"]
    assert gap == pytest.approx(figures["auc"] - figures["baseline"]["peer"])
    assert low < gap < high
    first, last = figures["interval"]
    assert high - low < (last - first) / 2


def failed(judged: Judged) -> list[str]:
    found = verdict(judged, ["rule"], ["peer"], LIMITS)
    names = [gate.name for gate in found.gates]
    assert names == ["better than rule", "not worse than peer", "calibrated"]
    wrong = [gate.name for gate in found.gates if gate.outcome != "passed"]
    assert found.word == ("failed" if wrong else "passed")
    assert found.having("failed") == tuple(wrong)
    return wrong


def test_a_verdict_with_a_gate_that_is_not_judged_is_neither_passed_nor_failed():
    passed, failed, open_ = (Gate(o, o, "") for o in ("passed", "failed", "not judged"))
    assert Verdict((passed, passed)).word == "passed"
    assert Verdict((passed, open_)).word == "partly judged"
    assert Verdict((failed, open_)).word == "failed"
    assert Verdict((passed, open_)).having("not judged") == ("not judged",)


@pytest.mark.parametrize("make", [(judge, evidence), (judge_amount, amounts)])
def test_a_good_model_passes_every_gate(make):
    said, drawn = make
    assert failed(said(drawn(2), seed=1)) == []


def swapped(found: Evidence, **others: np.ndarray) -> Evidence:
    return Evidence(
        found.y, found.score, found.predicted, {**found.baselines, **others}, found.customers
    )


@pytest.mark.parametrize("make", [(judge, evidence), (judge_amount, amounts)])
def test_a_model_no_better_than_a_rule_fails_that_gate(make):
    said, drawn = make
    found = drawn(2)
    assert failed(said(swapped(found, rule=found.score), seed=1)) == ["better than rule"]
    slight = found.score + 0.01 * np.random.default_rng(1).normal(size=len(found.y))
    assert failed(said(swapped(found, rule=slight), seed=1)) == ["better than rule"]


@pytest.mark.parametrize("make", [(judge, evidence), (judge_amount, amounts)])
def test_a_model_clearly_worse_than_its_peer_fails_that_gate(make):
    said, drawn = make
    found = drawn(2)
    rng = np.random.default_rng(1)
    worse = Evidence(
        found.y, found.score + rng.normal(size=len(found.y)), found.predicted,
        {"rule": rng.normal(size=len(found.y)), "peer": found.score}, found.customers,
    )  # fmt: skip
    assert failed(said(worse, seed=1)) == ["not worse than peer"]


def test_shifted_probabilities_fail_the_calibration_gate_alone():
    judged = judge(evidence(2, shift=0.6), seed=1)
    assert failed(judged) == ["calibrated"]
    said = verdict(judged, ["rule"], ["peer"], LIMITS).gates[-1][2]
    figures = judged.figures
    error, floor = figures["calibration_error"], figures["calibration_floor"]
    assert said == f"error {error:.3f}, floor {floor:.3f}"


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_amounts_that_add_up_to_too_little_or_too_much_fail_the_calibration_gate(factor):
    judged = judge_amount(amounts(2, factor=factor), seed=1)
    assert failed(judged) == ["calibrated"]
    said = verdict(judged, ["rule"], ["peer"], LIMITS).gates[-1][2]
    assert said == f"sum ratio {judged.figures['sum_ratio']:.2f}"


def test_a_gate_says_the_gap_with_its_interval():
    judged = judge(evidence(2), seed=1)
    gap, low, high = judged.figures["difference"]["rule"]
    assert verdict(judged, ["rule"], [], LIMITS, 0.01).gates[0] == (
        "better than rule", "passed", f"{gap:+.4f} [{low:+.4f}, {high:+.4f}], seeds 0.0100",
    )  # fmt: skip


@pytest.mark.parametrize("make", [(judge, evidence), (judge_amount, amounts)])
def test_a_model_worse_than_its_peer_by_no_more_than_chance_passes(make):
    said, drawn = make
    found = drawn(2)
    draws = np.random.default_rng(1)
    noises = (found.score + 0.02 * draws.normal(size=len(found.y)) for _ in range(50))
    judged = (said(swapped(found, peer=noisy), seed=1) for noisy in noises)
    worse = next(j for j in judged if j.figures["difference"]["peer"][0] < 0)
    assert failed(worse) == []


@pytest.mark.parametrize(("noise", "outcome"), [(0.0, "passed"), (0.5, "failed")])
def test_a_gain_within_the_noise_of_the_seed_is_none(noise, outcome):
    judged = judge(evidence(2), seed=1)
    gap, low, _ = judged.figures["difference"]["rule"]
    assert 0 < low < gap < 0.5
    assert verdict(judged, ["rule"], [], LIMITS, noise).gates[0].outcome == outcome
