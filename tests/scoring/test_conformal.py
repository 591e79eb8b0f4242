"""Conformal sets: what was learnt is read strictly, and points alone tell what is left."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BundleError
from domain.policy import default_policy
from domain.tiers import Cuts, Step
from scoring.conformal import (
    Amounts,
    Conformal,
    Outcomes,
    Span,
    interval,
    outcomes,
    rank,
    read_conformal,
    sure,
    tiers_met,
)

CUTS = default_policy().steps
SPENT = Amounts(
    percent=90,
    spans=(
        Span(from_points=None, low=None, high=60, rows=100),
        Span(from_points=500, low=-70, high=45, rows=100),
    ),
)
STAYS = Outcomes(percent=90, good_from=480, bad_to=590, good_rows=300, bad_rows=80)
LEARNT = Conformal(value=SPENT, churn=STAYS)


@given(st.integers(0, 3000), st.integers(50, 99), st.sampled_from([1, 2]))
def test_a_tail_keeps_the_published_rank_in_exact_fractions(n: int, percent: int, tails: int):
    """`ceil((n + 1)(1 - alpha))`, as a fraction, counted from the other side."""
    alpha = Fraction(100 - percent, 100) / tails
    assert n + 1 - rank(n, percent, tails) == ceil((n + 1) * (1 - alpha))


def test_an_interval_is_that_of_customers_of_like_points():
    assert interval(SPENT, 499) == (None, 559)
    assert interval(SPENT, 500) == (430, 545)


@pytest.mark.parametrize(
    ("points", "left"),
    [(479, ("bad",)), (480, ("good", "bad")), (590, ("good", "bad")), (591, ("good",))],
)
def test_outcomes_are_left_on_their_own_side_of_two_points(points: int, left: tuple[str, ...]):
    assert outcomes(STAYS, points) == left


def test_nothing_is_ruled_out_where_too_few_were_seen():
    few = Outcomes(percent=90, good_from=None, bad_to=None, good_rows=8, bad_rows=3)
    for points in (-(10**6), 0, 10**6):
        assert outcomes(few, points) == ("good", "bad")


@given(st.lists(st.integers(-50, 50), max_size=4, unique=True), st.integers(-60, 60), st.data())
def test_the_tiers_of_an_interval_are_those_of_every_point_in_it(bounds, low, data):
    high = data.draw(st.integers(low, 70))
    steps = [Step(f"t{i}", b, "级", "tier") for i, b in enumerate([None, *sorted(bounds)])]
    cuts = Cuts(tuple(steps))
    held = {cuts.assign(p).name for p in range(low, high + 1)}
    assert tiers_met(cuts, low, high) == tuple(s.name for s in steps if s.name in held)
    assert tiers_met(cuts, None, None) == tuple(s.name for s in steps)


def test_a_customer_of_value_hears_the_tiers_that_may_come_true_and_how_near_the_cut_is():
    (far, near) = sure(LEARNT, "value", [500, 541], CUTS["value"], 50) or []
    assert (far.low, far.high, far.tiers) == (430, 545, ("low", "mid"))
    assert (far.points_to_cut, far.near_cut, far.unsure) == (50, False, True)
    assert (near.tiers, near.points_to_cut, near.near_cut) == (("mid", "high"), -9, True)
    assert near.model_dump(mode="json")["tiers"] == ["mid", "high"]


def test_a_customer_of_churn_hears_the_outcomes_that_are_left():
    (one, two) = sure(LEARNT, "churn", [470, 510], CUTS["churn"], 50) or []
    assert (one.outcomes, one.unsure, one.tiers, one.low) == (("bad",), False, (), None)
    assert (two.outcomes, two.unsure, two.near_cut) == (("good", "bad"), True, True)


def test_a_target_of_which_nothing_was_learnt_has_no_answer():
    assert sure(LEARNT, "credit", [600], CUTS["credit"], 50) is None


def test_what_was_learnt_is_read_as_it_was_written():
    assert read_conformal(LEARNT.model_dump(mode="json")) == LEARNT


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"other": {}}, "other"),
        ({"churn": {"percent": 90}}, "churn.good_from"),
        ({"churn": {**STAYS.model_dump(), "percent": 100}}, "churn.percent"),
        ({"churn": {**STAYS.model_dump(), "good_from": 480.5}}, "churn.good_from"),
        ({"churn": {**STAYS.model_dump(), "good_from": 700}}, "no outcome"),
        ({"value": {"percent": 90, "spans": []}}, "value.spans"),
        ({"value": {"percent": 90, "spans": [SPENT.spans[1].model_dump()]}}, "first span alone"),
        ({"value": {"percent": 90, "spans": [s.model_dump() for s in SPENT.spans * 2]}}, "alone"),
    ],
)
def test_a_foreign_file_is_refused_with_its_place(change, place: str):
    with pytest.raises(BundleError, match=place):
        read_conformal({**LEARNT.model_dump(mode="json"), **change})


def test_spans_that_do_not_rise_are_refused():
    spans = [SPENT.spans[0], SPENT.spans[1], SPENT.spans[1]]
    with pytest.raises(BundleError, match="must rise"):
        read_conformal({"value": {"percent": 90, "spans": [s.model_dump() for s in spans]}})
