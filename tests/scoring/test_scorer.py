"""A scorer answers by row alone (I4), its reasons are the booster's SHAP values (I1), I9."""

from __future__ import annotations

import importlib
import json
import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from domain.asof import parse_instant
from domain.errors import BundleError, InputError
from scoring.booster import booster_text
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer, by_month, scorer_from


@pytest.fixture(scope="module")
def big(kit) -> Scorer:
    return kit.scorer("churn", rounds=150, leaves=31)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def answers(scorer: Scorer, X: np.ndarray) -> list[np.ndarray]:
    explained = scorer.explain(X)
    return [
        scorer.margin(X),
        scorer.p_bad(X),
        scorer.points(X),
        explained.points,
        explained.base_points,
        explained.reasons,
    ]


def test_permuting_rows_changes_no_bit(kit, big) -> None:
    X = kit.rows(300, 5)
    order = np.random.default_rng(0).permutation(len(X))
    for whole, moved in zip(answers(big, X), answers(big, X[order]), strict=True):
        assert same_bits(whole[order], moved)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 299])
def test_splitting_a_batch_changes_no_bit(kit, big, size: int) -> None:
    X = kit.rows(300, 5)
    pieces = [answers(big, X[i : i + size]) for i in range(0, len(X), size)]
    for i, whole in enumerate(answers(big, X)):
        assert same_bits(whole, np.concatenate([piece[i] for piece in pieces]))


def test_threads_and_memory_layout_change_no_bit(kit, big) -> None:
    X = kit.rows(300, 5)
    expected = answers(big, X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: answers(big, X), range(8)):
            assert all(same_bits(a, b) for a, b in zip(expected, found, strict=True))
    spread = np.asfortranarray(X)
    strided = np.repeat(X, 2, axis=0)[::2]
    for other in (spread, strided):
        assert all(same_bits(a, b) for a, b in zip(expected, answers(big, other), strict=True))
    for threads in (1, 2, 4):
        margin = big.booster.predict(X, raw_score=True, num_threads=threads)
        assert same_bits(expected[0], margin)


@settings(max_examples=60, deadline=None)
@given(
    X=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.just(4)),
        elements=st.one_of(st.floats(-1e300, 1e300), st.floats(-5, 5), st.just(math.nan)),
    ),
    slope=st.floats(1e-3, 1e6),
    double=st.integers(1, 10_000),
)
def test_base_and_reasons_are_the_points_for_any_row_and_scale(kit, X, slope, double) -> None:
    base = _cached(kit)
    scorer = replace(base, calibration=Calibration(slope, -3.3), scale=PointScale(0.1, 500, double))
    explained = scorer.explain(X)
    assert (explained.base_points + explained.reasons.sum(axis=1) == explained.points).all()
    assert (explained.points == scorer.points(X)).all()
    row = explained[len(X) - 1]
    assert row.base_points + sum(row.reasons.tolist()) == row.points


_KEPT: list[Scorer] = []


def _cached(kit) -> Scorer:
    if not _KEPT:
        _KEPT.append(kit.scorer("churn"))
    return _KEPT[0]


def test_reasons_are_within_a_point_of_the_shap_values(kit, big) -> None:
    X = kit.rows(200, 6)
    explained = big.explain(X)
    shap = big.booster.predict(X, pred_contrib=True)
    factor = 50 / math.log(2) * 1.2
    assert np.abs(explained.reasons - factor * shap[:, :4]).max() < 1
    assert (
        np.abs(explained.base_points - (500 + factor * shap[:, 4] + 50 / math.log(2) * -0.35)).max()
        < 1
    )


@pytest.mark.parametrize("explainer", ["tree_shap", "pred_contrib"])
def test_both_explainers_answer_by_row_alone(kit, big, explainer: str) -> None:
    scorer = replace(big, explainer=explainer)
    X = kit.rows(60, 5)
    whole = scorer.explain(X)
    for i in range(len(X)):
        alone = scorer.explain(X[i : i + 1])
        assert same_bits(alone.reasons[0], whole.reasons[i])
        assert alone.base_points[0] == whole.base_points[i]
    other = replace(big, explainer="pred_contrib").explain(X)
    assert np.abs(whole.reasons - other.reasons).max() <= 1
    assert (whole.points == other.points).all()


def test_an_unknown_explainer_is_refused(kit) -> None:
    with pytest.raises(InputError, match="explainer is 'guess'"):
        replace(kit.scorer("churn"), explainer="guess")


def test_contributions_are_those_of_the_shap_package(kit, big) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap and its imports warn of their own parts
        shap = importlib.import_module("shap")
        X = kit.rows(60, 7)
        explainer = shap.TreeExplainer(lgb.Booster(model_str=big.booster_text))
        theirs = np.asarray(explainer.shap_values(X))
        expected = float(np.ravel(explainer.expected_value)[-1])
    ours = big.tree_shap.explain(X)
    assert np.abs(ours[:, :4] - theirs).max() < 1e-10
    assert np.abs(ours[:, 4] - expected).max() < 1e-10
    assert np.abs(ours.sum(axis=1) - big.margin(X)).max() < 1e-10


def test_margin_is_the_booster_s_own_and_points_follow_it(kit, big) -> None:
    X = kit.rows(100, 8)
    margin = lgb.Booster(model_str=big.booster_text).predict(X, raw_score=True)
    assert same_bits(big.margin(X), margin)
    points = [round(500 + 50 * (1.2 * m - 0.1 - 0.25) / math.log(2)) for m in margin.tolist()]
    assert big.points(X).tolist() == points


def test_p_bad_is_one_minus_the_probability_of_the_good_outcome(kit) -> None:
    scorer = kit.scorer("credit")
    X = kit.rows(100, 8)
    good = 1 / (1 + np.exp(-scorer.calibrated(X)))
    assert np.abs(scorer.p_bad(X) - (1 - good)).max() < 1e-15
    order = np.argsort(scorer.points(X), kind="stable")
    assert (np.diff(scorer.p_bad(X)[order][[0, 50, 99]]) < 0).all()


@pytest.mark.parametrize(("intercept", "expected"), [(1e5, 0.0), (-1e5, 1.0)])
def test_p_bad_stays_a_probability_at_the_ends(kit, intercept: float, expected: float) -> None:
    scorer = replace(kit.scorer("churn"), calibration=Calibration(1.0, intercept))
    assert scorer.p_bad(kit.rows(3, 1)) == pytest.approx([expected] * 3, abs=1e-300)


def test_amount_is_the_exponential_of_the_calibrated_margin(kit) -> None:
    scorer = kit.scorer("value")
    X = kit.rows(100, 8)
    assert scorer.amount(X) == pytest.approx(np.exp(scorer.calibrated(X)), rel=1e-14)
    huge = replace(scorer, calibration=Calibration(1.0, 800.0))
    with pytest.raises(BundleError, match="above 700"):
        huge.amount(X)


def test_each_target_answers_only_what_it_knows(kit) -> None:
    X = kit.rows(2, 1)
    with pytest.raises(InputError, match="ask for its amount"):
        kit.scorer("value").p_bad(X)
    with pytest.raises(InputError, match="ask for its p_bad"):
        kit.scorer("churn").amount(X)


def test_a_booster_of_one_leaf_scores_everybody_alike(kit) -> None:
    X = kit.rows(50, 2)
    constant = booster_text(kit.train(X, np.full(50, 2.0), objective="regression"))
    scorer = replace(kit.scorer("value"), booster_text=constant)
    explained = scorer.explain(X)
    assert set(scorer.margin(X).tolist()) == {2.0}
    assert not explained.reasons.any()
    assert (explained.base_points == explained.points).all()


def test_no_rows_give_no_answers(kit) -> None:
    X = np.empty((0, 4))
    explained = kit.scorer("churn").explain(X)
    assert len(explained) == 0
    assert explained.reasons.shape == (0, 4)
    assert kit.scorer("value").amount(X).shape == (0,)


def test_infinite_values_are_refused_by_the_name_of_their_feature(kit) -> None:
    X = kit.rows(4, 1)
    X[1, 2], X[3, 0] = np.inf, -1.1e300
    with pytest.raises(InputError) as caught:
        kit.scorer("churn").margin(X)
    assert [f.path for f in caught.value.faults] == ["spend_sum_90d", "complaint_count_90d"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
        (np.zeros(4), r"shape \(4,\)"),
        (np.zeros((2, 4), dtype=np.float32), "float32"),
        (np.zeros((2, 4), dtype=object), "object"),
        ([[0.0] * 4], "list"),
    ],
)
def test_other_shapes_and_types_are_refused(kit, X, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kit.scorer("churn").margin(X)


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("a", "a", "b", "c")},
        {"features": ()},
        {"monotone": (1, 0, 0)},
        {"monotone": (2, 0, 0, 0)},
        {"horizon_days": 0},
    ],
)
def test_a_scorer_that_contradicts_itself_is_refused(kit, change) -> None:
    with pytest.raises(InputError):
        replace(kit.scorer("churn"), **change)


def test_features_in_another_order_than_the_booster_s_are_refused(kit) -> None:
    scorer = kit.scorer("churn")
    with pytest.raises(BundleError, match="other features"):
        replace(scorer, features=scorer.features[::-1])


@pytest.mark.parametrize(("slope", "intercept"), [(0, 0), (-1, 0), (math.inf, 0), (1, math.nan)])
def test_a_calibration_that_turns_good_into_bad_is_refused(slope, intercept) -> None:
    with pytest.raises(InputError, match="slope"):
        Calibration(slope, intercept)


def test_fields_and_text_make_the_same_scorer(kit) -> None:
    scorer = kit.scorer("value")
    assert scorer_from(scorer.fields(), scorer.booster_text) == scorer


MONTHLY = (0.4, *[0.0] * 7, -0.7, 0.0, 0.0, 0.0)
"""January and September move."""


@pytest.mark.parametrize("target", ["churn", "value"])
def test_a_month_s_shift_stands_in_the_base_and_reasons_add_up(kit, target) -> None:
    base, X = kit.scorer(target), kit.rows(200, 5)
    scorer = replace(base, calibration=replace(base.calibration, monthly=MONTHLY))
    for day, shift in (("2027-01-31T23:59:59Z", 0.4), ("2031-09-01T00:00:00Z", -0.7)):
        now = scorer.at(parse_instant(day))
        moved = replace(base, calibration=Calibration(
            base.calibration.slope, base.calibration.intercept + shift))  # fmt: skip
        assert now == moved
        assert now.points(X).tolist() == moved.points(X).tolist()
        told = now.explain(X)
        assert (told.base_points + told.reasons.sum(axis=1)).tolist() == told.points.tolist()
        assert np.abs(told.base_points - base.explain(X).base_points - shift * now.scale.factor
                      ).max() <= 2  # fmt: skip
        assert now.booster is scorer.booster
        assert now.tree_shap is scorer.tree_shap
        assert now.leaves is scorer.leaves
    assert scorer.points(X).tolist() == base.points(X).tolist()
    assert base.at(0) is base


def test_rows_of_many_instants_are_parted_by_their_month(kit) -> None:
    base = kit.scorer("churn")
    scorer = replace(base, calibration=replace(base.calibration, monthly=MONTHLY))
    days = ["2026-01-01", "2026-02-01", "2027-01-31", "2026-01-31", "2025-12-31"]
    moments = np.array([parse_instant(d) for d in days])
    found = np.full(5, np.nan)
    for now, rows in by_month(scorer, moments):
        found[rows] = now.calibration.intercept
    assert found.tolist() == [scorer.at(int(m)).calibration.intercept for m in moments]
    [(same, rows)] = by_month(base, moments)
    assert same is base
    assert rows.tolist() == [0, 1, 2, 3, 4]


def test_months_that_are_not_twelve_numbers_are_refused_and_the_others_survive_json(kit) -> None:
    for wrong in ((0.0,) * 11, (math.nan, *[0.0] * 11)):
        with pytest.raises(InputError, match="twelve"):
            Calibration(1.0, 0.0, wrong)
    base = kit.scorer("churn")
    scorer = replace(base, calibration=replace(base.calibration, monthly=MONTHLY))
    assert scorer_from(json.loads(json.dumps(scorer.fields())), scorer.booster_text) == scorer
    old = scorer.fields()
    del old["calibration"]["monthly"]
    assert scorer_from(old, scorer.booster_text) == base
