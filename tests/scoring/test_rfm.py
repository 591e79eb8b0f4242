"""RFM scores against a slow obvious loop: ties, missing values, and the row alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from scoring.rfm import Rfm

CUTS = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4).map(lambda c: tuple(sorted(c)))
VALUE = st.floats(-1e7, 1e7) | st.just(np.nan)


def slow(rfm: Rfm, row: list[float]) -> list[int]:
    """One point for each cut that is passed; of recency the cuts passed are lost."""
    if any(np.isnan(row)):
        return [0, 0, 0]
    passed = [
        sum(value > cut for cut in cuts)
        for value, cuts in zip(row, (rfm.recency, rfm.frequency, rfm.money), strict=True)
    ]
    return [5 - passed[0], 1 + passed[1], 1 + passed[2]]


@given(CUTS, CUTS, CUTS, st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=1, max_size=30))
def test_scores_are_those_of_the_obvious_loop(recency, frequency, money, rows):
    rfm = Rfm(recency, frequency, money)
    rows = [*rows, (recency[0], frequency[3], money[1])]  # on a cut
    X = np.array(rows)
    assert rfm.scores(X).tolist() == [slow(rfm, list(row)) for row in rows]


@given(CUTS, st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=2, max_size=30), st.randoms())
def test_a_row_scores_alike_in_any_company(cuts, rows, random):
    rfm, X = Rfm(cuts, cuts, cuts), np.array(rows)
    order = list(range(len(X)))
    random.shuffle(order)
    whole = rfm.scores(X)
    assert rfm.scores(X[order]).tolist() == whole[order].tolist()
    assert rfm.scores(X[:1]).tolist() == whole[:1].tolist()


@given(CUTS, st.tuples(*[st.floats(-1e7, 1e7)] * 3), st.floats(0, 1e6))
def test_more_is_never_worse_but_days_of_silence_never_better(cuts, row, more):
    rfm, X = Rfm(cuts, cuts, cuts), np.array([row])
    before, after = rfm.scores(X)[0], rfm.scores(X + more)[0]
    assert after[0] <= before[0]
    assert (after[1:] >= before[1:]).all()


@pytest.mark.parametrize("cuts", [(4.0, 3.0, 2.0, 1.0), (1.0, 2.0, 3.0, np.inf), (np.nan,) * 4])
def test_cuts_that_fall_or_are_not_finite_are_refused(cuts):
    with pytest.raises(InputError, match="do not fall"):
        Rfm((1.0, 2.0, 3.0, 4.0), cuts, (1.0, 2.0, 3.0, 4.0))
