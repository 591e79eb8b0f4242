"""The grid of segments: every cell has a name, every name a cell, and better is never worse."""

from __future__ import annotations

import itertools

import pytest

from domain.errors import InputError
from domain.segments import RFM_SEGMENTS, rfm_segment

SCORES = range(1, 6)


def test_every_three_scores_have_a_segment_and_every_segment_scores():
    found = {rfm_segment(*scores) for scores in itertools.product(SCORES, repeat=3)}
    assert found == set(RFM_SEGMENTS)
    assert all(zh and en for zh, en in RFM_SEGMENTS.values())


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ((5, 5, 5), "champions"),
        ((5, 1, 1), "new"),
        ((4, 1, 1), "promising"),
        ((4, 2, 3), "potential_loyal"),
        ((3, 3, 3), "needs_attention"),
        ((3, 2, 2), "about_to_sleep"),
        ((3, 5, 3), "loyal"),
        ((2, 3, 4), "at_risk"),
        ((1, 4, 5), "cannot_lose"),
        ((2, 2, 1), "hibernating"),
        ((1, 1, 2), "lost"),
    ],
)
def test_the_customary_cells_have_the_customary_names(scores, name):
    assert rfm_segment(*scores) == name


def test_frequency_and_money_count_alike_and_halves_go_upwards():
    for r, f, m in itertools.product(SCORES, repeat=3):
        assert rfm_segment(r, f, m) == rfm_segment(r, m, f)
    assert rfm_segment(5, 1, 2) == rfm_segment(5, 2, 2) != rfm_segment(5, 1, 1)


@pytest.mark.parametrize("scores", [(0, 1, 1), (1, 6, 1), (1, 1, -1)])
def test_a_score_that_is_none_is_refused(scores):
    with pytest.raises(InputError, match="from 1 to 5"):
        rfm_segment(*scores)
