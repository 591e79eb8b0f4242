"""Conformal sets cover as often as they say on exchangeable rows, and say so of the test."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from domain.policy import default_policy
from domain.tiers import Cuts, Step
from scoring.conformal import interval, outcomes, read_conformal
from scoring.points import PointScale
from tests.training.fit_world import PLAN, material
from training import conformal
from training.case import Case
from training.draws import resample
from training.fit import fit_scorer
from training.tune import Best

CUTS = default_policy().steps
SCALE = PointScale(anchor_margin=0.0)
ONE = [conformal.Like(None, True)]
TWO = [*ONE, conformal.Like(5, True)]
HALVES = [conformal.Like(None, False), conformal.Like(500, True)]
BEST = Best({"learning_rate": 0.1, "num_leaves": 7, "min_child_samples": 20}, 30, 0.0)


def slow_p_value(calibration: list[int], points: int, *, high_is_strange: bool) -> Fraction:
    """How many of the calibration rows and the row itself are at least as strange, counted."""
    strange = [c >= points if high_is_strange else c <= points for c in calibration]
    return Fraction(sum(strange) + 1, len(calibration) + 1)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=80),
    st.integers(-1, 13),
    st.sampled_from([50, 80, 90, 95]),
)
def test_an_outcome_is_left_wherever_a_slow_p_value_is_above_alpha(rows, points, percent):
    """Oracle: p-values counted one by one, among the customers of an outcome and of like points."""
    p = np.array([r[0] for r in rows], np.int64)
    good = np.array([float(r[1]) for r in rows])
    left = outcomes(conformal.learn_outcomes(p, good, [4, 8], percent), points)
    alpha = Fraction(100 - percent, 100)
    same = [r for r in rows if (r[0] >= 4) + (r[0] >= 8) == (points >= 4) + (points >= 8)]
    for name, truth in (("good", True), ("bad", False)):
        own = [r[0] for r in rows if r[1] is truth]
        of_own = slow_p_value(own, points, high_is_strange=not truth)
        of_like = Fraction(sum(r[1] is truth for r in same) + 1, len(same) + 1)
        if max(of_own, of_like) > alpha:
            assert name in left
    assert left, "never nothing"


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(-20, 20)), max_size=80),
    st.integers(0, 9),
    st.sampled_from([50, 80, 90]),
)
def test_an_interval_holds_what_is_not_strange_among_customers_of_like_points(rows, at, percent):
    points = np.array([r[0] for r in rows], np.int64)
    truth = np.array([float(r[0] + r[1]) for r in rows])
    truth[truth < -15] = -np.inf
    learnt = conformal.learn_amounts(points, truth, TWO, percent)
    low, high = interval(learnt, at)
    like = [t - p for p, t in zip(points, truth, strict=True) if (p >= 5) == (at >= 5)]
    alpha = Fraction(100 - percent, 200)
    for off in range(-30, 31):
        below = Fraction(sum(o <= off for o in like) + 1, len(like) + 1)
        above = Fraction(sum(o >= off for o in like) + 1, len(like) + 1)
        inside = (low is None or at + off >= low) and (high is None or at + off <= high)
        assert inside or below <= alpha or above <= alpha
        if inside and below < alpha:
            assert low is None or at + off == low or any(o == -np.inf for o in like)


def test_too_few_calibration_rows_rule_nothing_out():
    few = conformal.learn_outcomes(np.arange(8), np.ones(8), [])
    assert (few.good_from, few.bad_to) == (None, None)
    nine = conformal.learn_outcomes(np.arange(100, 109), np.ones(9), [50])
    assert (nine.good_from, nine.bad_to) == (None, None), "nobody is like those below 50"
    amounts = conformal.learn_amounts(np.zeros(18, np.int64), np.arange(18.0), ONE)
    assert amounts.spans[0].low is None and amounts.spans[0].high is None
    amounts = conformal.learn_amounts(np.zeros(19, np.int64), np.arange(19.0), ONE)
    assert (amounts.spans[0].low, amounts.spans[0].high) == (0, 18)


def test_good_and_bad_and_low_and_high_are_each_covered_on_exchangeable_rows():
    """400 repeats: the mean coverage is at least what was said, less what chance allows; of the
    rarer outcome too, and among low and high points."""
    rng = np.random.default_rng(5)
    hits: dict[tuple[str, float], list[int]] = {}
    sure = 0
    for _ in range(400):
        good = (rng.random(260) < 0.85).astype(float)
        points = np.rint(500 + 90 * good + 40 * rng.normal(size=260)).astype(np.int64)
        learnt = conformal.learn_outcomes(points[:250], good[:250], [540, 600])
        for p, g in zip(points[250:].tolist(), good[250:], strict=True):
            left = outcomes(learnt, p)
            sure += len(left) == 1
            for kind in (("outcome", g), ("span", (p >= 540) + (p >= 600))):
                found = hits.setdefault(kind, [0, 0])
                found[0] += ("good" if g else "bad") in left
                found[1] += 1
    assert len(hits) == 5
    for inside, n in hits.values():
        assert inside >= binom.ppf(1e-4, n, 0.90)
    assert sure > 1500, "and the sets are not idle"


def test_amounts_are_covered_among_customers_of_low_and_of_high_points():
    rng = np.random.default_rng(6)
    hits, many = np.zeros(2), np.zeros(2)
    for _ in range(300):
        points = rng.integers(400, 600, 220)
        spread = np.where(points < 500, 60, 15)
        truth = np.rint(points + spread * rng.normal(size=220))
        truth[(points < 500) & (rng.random(220) < 0.3)] = -np.inf
        learnt = conformal.learn_amounts(points[:200], truth[:200], HALVES)
        for p, t in zip(points[200:].tolist(), truth[200:], strict=True):
            low, high = interval(learnt, p)
            place = int(p >= 500)
            hits[place] += (low is None or t >= low) and (high is None or t <= high)
            many[place] += 1
    assert (hits >= binom.ppf(1e-4, many, 0.90)).all()
    assert hits[1] / many[1] < 0.95


def test_where_good_and_bad_do_not_meet_one_cut_serves_both():
    points = np.array([*range(100, 120), *range(200, 220)])
    learnt = conformal.learn_outcomes(points, (points >= 200).astype(float), [160])
    assert (learnt.good_from, learnt.bad_to) == (160, 159)
    assert all(len(outcomes(learnt, p)) == 1 for p in range(90, 230))


def test_few_bad_customers_do_not_make_the_good_ones_near_them_bad():
    """Nine in ten payers score higher than these, of whom two thirds pay all the same."""
    points = np.array([400] * 30 + [600] * 470)
    good = np.array([1.0] * 20 + [0.0] * 10 + [1.0] * 470)
    learnt = conformal.learn_outcomes(points, good, [500])
    assert outcomes(learnt, 400) == ("good", "bad")
    assert outcomes(learnt, 600) == ("good",)


def test_true_points_are_those_of_the_amount_itself():
    amounts = np.array([0.0, 1.0, 2.0, 4.0, -3.0])
    assert conformal.true_points(SCALE, amounts).tolist() == [-np.inf, 500, 550, 600, -np.inf]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40))
def test_tenths_rise_and_leave_no_span_empty(points):
    p = np.array(points)
    spans = conformal.like(p, p.astype(float))
    starts = [s.from_points for s in spans[1:]]
    assert spans[0].from_points is None
    assert starts == sorted(set(starts)) and len(starts) <= 9
    for a, b in pairwise([-math.inf, *starts, math.inf]):
        assert ((p >= a) & (p < b)).any()


def test_where_many_come_to_nothing_all_that_may_be_missed_lies_above():
    points = np.zeros(200, np.int64)
    truth = np.where(np.arange(200) % 10 == 0, -np.inf, np.arange(200.0))
    (span,) = conformal.like(points, truth)
    assert not span.bounded
    (learnt,) = conformal.learn_amounts(points, truth, [span]).spans
    kept = np.sort(truth)[: math.ceil(201 * 0.9)]
    assert (learnt.low, learnt.high) == (None, kept[-1])
    assert conformal.like(points, np.arange(200.0))[0].bounded


def drawn(case: Case) -> np.ndarray:
    """Resamples of the test rows."""
    return resample([case.material.customers[r] for r in case.rows["test"]], case.seed)


@pytest.mark.parametrize("target", ["value", "churn"])
def test_what_the_calibration_rows_teach_covers_the_test(target):
    made = material(target, 2500, 3)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    learnt = conformal.learn(made, scorer, None)
    case = Case(made, scorer, BEST, {}, {"test": made.split.test}, default_policy(), 1)
    found = conformal.figures(case, "test", learnt, None, drawn(case))
    assert found["all"]["rows"] == len(made.split.test)
    assert found["all"]["interval"][1] >= 0.90
    assert found["all"]["interval"][0] <= found["all"]["coverage"] <= found["all"]["interval"][1]
    assert ("good" in found) == (target == "churn")
    assert 0 < found["all"]["unsure"] < 1
    assert sum(v["rows"] for k, v in found.items() if k.startswith("tier")) <= found["all"]["rows"]
    assert read_conformal({target: learnt.model_dump(mode="json")})


def test_only_calibration_rows_teach():
    """Other amounts on every other row change nothing; on the calibration rows they do."""
    made = material("value", 1500, 4)
    scorer = fit_scorer(made, PLAN, BEST, 1, None)
    before = conformal.learn(made, scorer, None)
    for rows, same in (
        (made.split.test, True),
        (made.split.fit, True),
        (made.split.calibration, False),
    ):
        y = made.problem.y.copy()
        y[rows] *= 1000
        other = dataclasses.replace(made, problem=dataclasses.replace(made.problem, y=y))
        assert (conformal.learn(other, scorer, None) == before) is same


def test_out_of_fold_every_row_is_held_by_what_other_folds_teach():
    made = material("credit", 900, 5, folds=True)
    margin = np.nan_to_num(made.problem.X) @ np.array([1.0, -1.0, 0.5, 0.0])
    scorer = fit_scorer(made, PLAN, BEST, 1, margin)
    points, inside, unsure = conformal.held_out_of_fold(made, scorer, margin, CUTS["credit"])
    tested = made.split.folds[0][1]
    y = made.problem.y.copy()
    y[tested] = 1 - y[tested]
    other = dataclasses.replace(made, problem=dataclasses.replace(made.problem, y=y))
    same, flipped, _ = conformal.held_out_of_fold(other, scorer, margin, CUTS["credit"])
    assert (points[tested] == same[tested]).all(), "its own truth does not teach a fold"
    assert (inside[tested] != flipped[tested]).tolist() == (~unsure[tested]).tolist()
    assert 0 < unsure[tested].sum() < len(tested)
    learnt = conformal.learn(made, scorer, margin)
    case = Case(made, scorer, BEST, {}, {"test": made.split.test}, default_policy(), 1)
    found = conformal.figures(case, "test", learnt, margin, drawn(case))["all"]
    assert found["interval"][1] >= 0.9


def test_segments_part_rows_by_tier_and_by_thin_file():
    points, y = np.array([440, 450, 560]), np.array([0.0, 1.0, 2.0])
    cuts = Cuts((Step("low", None, "低", "low"), Step("high", 450, "高", "high")))
    parts = conformal._segments(points, y, cuts, np.array([True, False, False]), is_amount=True)
    assert {k: v.tolist() for k, v in parts.items()} == {
        "tier low": [True, False, False], "tier high": [False, True, True],
        "thin": [True, False, False], "not thin": [False, True, True],
    }  # fmt: skip


def test_a_thin_file_misses_every_sign_of_a_history():
    names = ("transaction_tenure_days", "statement_tenure_days", "x")
    X = np.array([[np.nan, np.nan, 1.0], [np.nan, 3.0, 1.0]])
    assert conformal.thin_file(X, names).tolist() == [True, False]
    assert conformal.thin_file(X[:, 2:], ("x",)).tolist() == [False, False]
