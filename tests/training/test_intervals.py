"""Intervals of every figure, against the figures themselves on rows drawn again and again."""

from __future__ import annotations

import numpy as np
import pytest

from training.intervals import intervals, reliability
from training.judge import Evidence, amount_figures, outcome_figures, resample
from training.metrics import calibration_table

SEED, ROWS = 5, 120


def evidence(*, is_amount: bool) -> Evidence:
    """Rows of sixty customers, with ties in the score."""
    rng = np.random.default_rng(2)
    score = np.round(rng.normal(size=ROWS), 1)
    if is_amount:
        y = np.where(rng.random(ROWS) < 0.3, 0.0, np.exp(score + rng.normal(size=ROWS)))
        predicted = np.exp(score)
    else:
        y = (rng.random(ROWS) < 1 / (1 + np.exp(-score))).astype(np.float64)
        predicted = 1 / (1 + np.exp(-score))
    return Evidence(y, score, predicted, {}, [f"C{row % 60:02}" for row in range(ROWS)])


def drawn_again(found: Evidence, *, is_amount: bool) -> dict[str, list[float]]:
    """Each figure on the rows of each resample, a row as often as it was drawn."""
    told: dict[str, list[float]] = {}
    for weight in resample(found.customers, SEED):
        rows = np.repeat(np.arange(ROWS), weight.astype(int))
        y = found.y[rows]
        some = Evidence(y, found.score[rows], found.predicted[rows], {}, [])
        figures = (
            {**amount_figures(some), "mean": y.mean()}
            if is_amount
            else {**outcome_figures(some), "base_rate": 1 - y.mean()}
        )
        for name, value in figures.items():
            told.setdefault(name, []).append(float(value))
    return told


@pytest.mark.parametrize("is_amount", [False, True])
def test_every_figure_has_the_interval_of_its_resamples(is_amount):
    found = evidence(is_amount=is_amount)
    told = intervals(found, SEED, is_amount=is_amount)
    drawn = drawn_again(found, is_amount=is_amount)
    assert {*told} == {*drawn} - {"calibration_error"}
    for name, ends in told.items():
        if name == "spearman":  # of the ranks in the whole sample, by the judge's own measure
            continue
        assert ends == pytest.approx(np.quantile(drawn[name], [0.025, 0.975]), rel=1e-9), name


def test_the_interval_of_the_ranking_measure_is_the_judges():
    from training.judge import judge, judge_amount

    for is_amount, judged in ((False, judge), (True, judge_amount)):
        found = evidence(is_amount=is_amount)
        whole = judged(found, SEED)
        told = intervals(found, SEED, is_amount=is_amount)
        assert told[whole.metric] == whole.figures["interval"]


def test_a_tenth_has_its_means_and_the_interval_of_its_own_rows():
    found = evidence(is_amount=False)
    weights = resample(found.customers, SEED)
    table = reliability(found.y, found.predicted, weights)
    plain = [(r["predicted"], r["seen"], r["rows"]) for r in table]
    assert plain == calibration_table(found.y, found.predicted)
    last = np.argsort(found.predicted, kind="stable")[-table[-1]["rows"] :]
    means = [np.repeat(found.y[last], w[last].astype(int)).mean() for w in weights if w[last].any()]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (table[-1]["low"], table[-1]["high"]) == pytest.approx((low, high), rel=1e-9)
    assert all(r["low"] <= r["seen"] <= r["high"] for r in table)
