"""Clusters: the nearest centre by a slow loop, the row alone, names from what sets them apart."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from scoring.clusters import TRAITS, Clusters, signed_log

FEATURES = tuple(TRAITS)
CLUSTERS = Clusters(
    features=FEATURES,
    mean=(4.0, 5.0, 1.0, 6.0),
    spread=(1.0, 0.5, 0.7, 2.0),
    centres=((1.2, 0.0, -1.0, -2.0), (0.1, -0.2, 0.3, 0.4), (-1.6, 0.4, 1.5, 0.9)),
)
VALUE = st.floats(-1e9, 1e9) | st.just(np.nan)
ROWS = st.lists(st.tuples(VALUE, VALUE, VALUE, VALUE), min_size=1, max_size=25)


def slow(row: tuple[float, ...]) -> int:
    if any(math.isnan(v) for v in row):
        return 0
    z = [
        ((1 if v >= 0 else -1) * math.log1p(abs(v)) - m) / s
        for v, m, s in zip(row, CLUSTERS.mean, CLUSTERS.spread, strict=True)
    ]
    far = [sum((a - b) ** 2 for a, b in zip(z, c, strict=True)) for c in CLUSTERS.centres]
    return 1 + far.index(min(far))


@given(ROWS)
def test_the_nearest_centre_is_that_of_the_obvious_loop(rows):
    assert CLUSTERS.numbers(np.array(rows)).tolist() == [slow(row) for row in rows]


@given(ROWS, st.randoms())
def test_a_row_is_in_its_cluster_in_any_company(rows, random):
    X, order = np.array(rows), list(range(len(rows)))
    random.shuffle(order)
    whole = CLUSTERS.numbers(X)
    assert CLUSTERS.numbers(X[order]).tolist() == whole[order].tolist()
    assert [CLUSTERS.numbers(row[None])[0] for row in X] == whole.tolist()


def test_of_two_centres_as_near_the_first_counts():
    even = Clusters(("spend_sum_365d",), (0.0,), (1.0,), ((-1.0,), (1.0,), (1.0,)))
    assert even.numbers(np.array([[0.0], [5.0], [-5.0]])).tolist() == [1, 2, 1]


def test_a_cluster_is_named_by_what_sets_it_most_apart():
    assert CLUSTERS.labels[0].model_dump() == {
        "name": "cluster_1",
        "zh": "客群1：消费金额低，久未消费",
        "en": "cluster 1: spend little, silent for long",
    }
    assert CLUSTERS.labels[1].en == "cluster 2: middling in everything"
    assert CLUSTERS.labels[2].zh == "客群3：近期来过，消费频繁"
    one = dataclasses.replace(CLUSTERS, centres=((0.1, 0.9, 0.1, -0.1),))
    assert one.labels[0].en == "cluster 1: long with us"


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("age", *FEATURES[1:])},
        {"features": (FEATURES[0],) * 4},
        {"mean": (1.0, 2.0)},
        {"spread": (1.0, 1.0, 0.0, 1.0)},
        {"centres": ((np.nan, 0.0, 0.0, 0.0),)},
        {"centres": ()},
    ],
)
def test_what_is_no_clustering_is_refused(change):
    with pytest.raises(InputError, match="clusters"):
        dataclasses.replace(CLUSTERS, **change)


def test_a_signed_log_keeps_the_sign():
    values = np.array([0.0, 1.0, -1.0, 1e300, -1e300])
    assert signed_log(values) == pytest.approx(np.sign(values) * np.log1p(np.abs(values)))
