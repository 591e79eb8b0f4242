"""The move between two decisions is split exactly, without an order, and to its cause alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from domain.policy import Policy, default_policy
from scoring.change import Change, Scored, _turned, changed, tier_changed
from scoring.scorer import Calibration, Scorer
from tests.scoring.explain_world import NAMES, credit_scorer, rows

OLD, NEW = credit_scorer(1), credit_scorer(2, slope=0.9)


def scored(scorer: Scorer, x: np.ndarray) -> Scored:
    return Scored(scorer, dict(zip(NAMES, [None if np.isnan(v) else v for v in x], strict=True)))


def narrower(scorer: Scorer) -> Scorer:
    """A scorer of other features: one renamed, so that each knows one the other does not."""
    names = (*NAMES[:-1], "limit_last")
    text = scorer.booster_text.replace("bill_last", "limit_last")
    return replace(scorer, features=names, booster_text=text)


def total(change: Change) -> int:
    return change.before + sum(change.data.values()) + change.model


@pytest.mark.parametrize("new", [OLD, NEW, narrower(NEW)], ids=["same", "other", "other features"])
def test_the_parts_add_up_and_the_way_back_is_the_negative(new):
    X = rows(80, 21)
    for i in range(0, 80, 2):
        a, b = scored(OLD, X[i]), scored(new, X[i + 1])
        there, back = changed(a, b), changed(b, a)
        assert total(there) == there.after == int(new.points(b.row(new)[None, :])[0])
        assert there.before == back.after
        assert there.data == {n: -p for n, p in back.data.items()}
        assert there.model == -back.model
        assert new is not OLD or there.model == 0


def test_nothing_changed_is_all_zero():
    for x in rows(20, 22):
        assert changed(scored(OLD, x), scored(OLD, x)) == Change(
            int(OLD.points(x[None, :])[0]), int(OLD.points(x[None, :])[0]), {}, 0
        )


def test_a_change_of_the_model_alone_is_the_models():
    calibrated = replace(OLD, calibration=Calibration(1.6, 0.3))
    for new in (NEW, calibrated):
        for x in rows(20, 23):
            found = changed(scored(OLD, x), scored(new, x))
            assert found.data == {}
            assert found.model == found.after - found.before


def test_an_equal_model_is_no_other_model():
    X = rows(60, 26)
    for i in range(0, 60, 2):
        found = changed(scored(OLD, X[i]), scored(replace(OLD), X[i + 1]))
        assert found.model == 0
        assert found == changed(scored(OLD, X[i]), scored(OLD, X[i + 1]))


def test_a_change_of_one_value_alone_is_that_features():
    x = rows(1, 24, missing=0.0)[0]
    y = x.copy()
    y[0] = 60.0 - y[0]
    found = changed(scored(OLD, x), scored(OLD, y))
    assert found.after != found.before
    assert found.data == {NAMES[0]: found.after - found.before}


def test_it_is_shapley_over_the_two_orders_by_enumeration():
    """Each order moves data then model or model then data; inside data every order of features."""
    X = rows(12, 25)
    for i in range(0, 12, 2):
        before, after = X[i].copy(), X[i + 1].copy()
        moved = [0, 2, 4, 6]
        stays = [j for j in range(len(NAMES)) if j not in moved]
        after[stays] = before[stays]
        orders = list(permutations(moved))
        real = dict.fromkeys(moved, 0.0)
        model = 0.0
        points = lambda s, x: float(s.scale.real(s.calibrated(x[None, :]))[0])  # noqa: E731
        for scorer in (OLD, NEW):
            for order in orders:
                x = before.copy()
                for j in order:
                    start = points(scorer, x)
                    x[j] = after[j]
                    real[j] += (points(scorer, x) - start) / len(orders) / 2
        for x in (before, after):
            model += (points(NEW, x) - points(OLD, x)) / 2
        found = changed(scored(OLD, before), scored(NEW, after))
        for j in moved:
            assert abs(found.data.get(NAMES[j], 0) - real[j]) <= 1 + 1e-9
        assert abs(found.model - model) <= 1 + 1e-9
        assert sum(real.values()) + model == pytest.approx(points(NEW, after) - points(OLD, before))


@given(
    st.lists(st.floats(-50, 50, allow_subnormal=False), min_size=1, max_size=8),
    st.integers(-60, 60),
)
def test_rounding_is_the_same_there_and_back(parts, wanted):
    there = _turned(np.array(parts), wanted)
    assert sum(there) == wanted
    back = _turned(-np.array(parts), -wanted)
    if wanted or any(parts):
        assert back == [-p for p in there]


def test_scores_of_two_targets_are_refused():
    churn = replace(OLD, target="churn")
    x = rows(1, 1)[0]
    with pytest.raises(InputError, match="credit and a churn"):
        changed(scored(OLD, x), scored(churn, x))


def shifted(by: int) -> Policy:
    told = default_policy().model_dump()
    for step in told["cuts"]["credit"]:
        if step["from_points"] is not None:
            step["from_points"] += by
    return Policy.model_validate(told)


POLICIES = [shifted(by) for by in (-60, 0, 0, 55, 130)]


def step(points: int, policy: Policy) -> int:
    return sum(points >= bound for bound in policy.steps["credit"].bounds)


@pytest.mark.parametrize(("old", "new"), list(combinations(POLICIES, 2)))
def test_the_tier_is_split_by_both_orders_of_points_and_policy(old, new):
    for before in range(560, 860, 23):
        for after in range(560, 860, 31):
            found = tier_changed("credit", (before, old), (after, new))
            back = tier_changed("credit", (after, new), (before, old))
            assert found.by_points + found.by_policy == step(after, new) - step(before, old)
            assert (back.by_points, back.by_policy) == (-found.by_points, -found.by_policy)
            first = step(after, old) - step(before, old), step(after, new) - step(after, old)
            last = step(before, new) - step(before, old), step(after, new) - step(before, new)
            assert found.by_points == (first[0] + last[1]) / 2
            assert found.by_policy == (first[1] + last[0]) / 2
            assert found.after.name == new.steps["credit"].assign(after).name


def test_a_tier_moves_by_its_cause_alone():
    old, new = shifted(0), shifted(60)
    assert tier_changed("credit", (700, old), (700, new)).by_points == 0
    assert tier_changed("credit", (700, old), (700, new)).by_policy == -1
    assert tier_changed("credit", (700, old), (800, old)).by_policy == 0
    assert tier_changed("credit", (700, old), (800, old)).by_points == 2
