"""Cuts on points, against a plain loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PolicyError
from domain.tiers import Cuts, Step


def cuts(*bounds: int | None) -> Cuts:
    return Cuts(tuple(Step(f"s{i}", b, "层", "step") for i, b in enumerate(bounds)))


@given(st.sets(st.integers(-2000, 2000), max_size=6), st.integers(-3000, 3000))
def test_points_fall_into_the_highest_step_they_reach(bounds, points):
    ladder = cuts(None, *sorted(bounds))
    reached = 0
    for i, bound in enumerate(sorted(bounds), start=1):
        if points >= bound:
            reached = i
    assert ladder.assign(points).name == f"s{reached}"


@given(st.integers(-3000, 3000), st.integers(0, 500))
def test_more_points_never_mean_a_lower_step(points, more):
    ladder = cuts(None, 450, 550)
    assert ladder.assign(points + more).name >= ladder.assign(points).name


def test_the_distance_to_the_nearest_cut_has_a_sign():
    ladder = cuts(None, 450, 550)
    assert [ladder.distance(p) for p in (440, 450, 540, 560)] == [-10, 0, -10, 10]
    assert cuts(None).distance(500) is None


@pytest.mark.parametrize("bounds", [(), (100,), (None, 5, 5), (None, 7, 5), (None, None)])
def test_cuts_that_overlap_or_leave_a_hole_are_refused(bounds):
    with pytest.raises(PolicyError):
        cuts(*bounds)


def test_two_steps_may_not_share_a_name():
    with pytest.raises(PolicyError, match="repeat"):
        Cuts((Step("a", None, "层", "step"), Step("a", 5, "层", "step")))
