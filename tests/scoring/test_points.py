"""Points are exact: worked numbers, and I1 for any parts, however large or small."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from scoring.points import PointScale, whole_reasons

PARTS = st.lists(
    st.one_of(
        st.floats(-1e12, 1e12),
        st.floats(-2, 2),
        st.floats(-1e-300, 1e-300),
        st.integers(-1000, 1000).map(lambda i: i / 2),
    ),
    min_size=1,
    max_size=12,
)


def whole(base: float, reasons: list[float], points: int) -> tuple[int, list[int]]:
    b, r = whole_reasons(np.array([base]), np.array([reasons]), np.array([points]))
    return int(b[0]), r[0].tolist()


def obvious(parts: list[float], points: int) -> list[int]:
    """Largest remainder with exact fractions, one point at a time."""
    floors = [math.floor(p) for p in parts]
    lost = [float(Fraction(p) - math.floor(p)) for p in parts]
    for _ in range(points - sum(floors)):
        i = max(range(len(parts)), key=lambda i: (lost[i], -i))
        floors[i] += 1
        lost[i] = -1.0
    return floors


def test_so_many_points_are_twice_the_odds() -> None:
    scale = PointScale(anchor_margin=math.log(3), anchor_points=600, points_to_double=20)
    odds = np.array([3.0, 6.0, 12.0, 1.5])
    assert scale.points(np.log(odds)).tolist() == [600, 620, 640, 580]


def test_halves_go_to_the_even_neighbour() -> None:
    scale = PointScale(0.0, anchor_points=0, points_to_double=1)
    margins = (np.arange(-40, 40) + 0.5) * math.log(2)
    real = scale.real(margins)
    halves = real % 1 == 0.5
    assert halves.sum() > 20
    expected = [2 * round(r / 2) for r in real[halves].tolist()]
    assert scale.points(margins[halves]).tolist() == expected
    assert {abs(e - r) for e, r in zip(expected, real[halves].tolist(), strict=True)} == {0.5}


@given(PARTS)
def test_base_and_reasons_add_up_and_stay_within_one(parts: list[float]) -> None:
    points = round(Fraction(0) + sum(map(Fraction, parts)))
    base, reasons = whole(parts[0], parts[1:], points)
    assert base + sum(reasons) == points
    assert all(abs(Fraction(p) - w) < 1 for p, w in zip(parts, [base, *reasons], strict=True))


@given(PARTS, st.integers(-(10**12), 10**12))
def test_base_and_reasons_add_up_to_any_total(parts: list[float], points: int) -> None:
    base, reasons = whole(parts[0], parts[1:], points)
    assert base + sum(reasons) == points


@given(PARTS)
def test_it_agrees_with_the_obvious_one_point_at_a_time(parts: list[float]) -> None:
    points = round(sum(map(Fraction, parts)))
    base, reasons = whole(parts[0], parts[1:], points)
    assert [base, *reasons] == obvious(parts, points)


@given(st.lists(PARTS.filter(lambda p: len(p) >= 3).map(lambda p: p[:3]), min_size=2, max_size=6))
def test_a_row_does_not_depend_on_the_others(rows: list[list[float]]) -> None:
    parts = np.array(rows)
    points = np.array([round(sum(map(Fraction, row))) for row in rows])
    base, reasons = whole_reasons(parts[:, 0], parts[:, 1:], points)
    for i, row in enumerate(rows):
        assert (int(base[i]), reasons[i].tolist()) == whole(row[0], row[1:], int(points[i]))


def test_ties_go_to_the_base_and_then_to_the_earlier_feature() -> None:
    assert whole(0.5, [0.5, 0.5, 0.5], 2) == (1, [1, 0, 0])
    assert whole(0.0, [0.5, 0.5, 0.5], 2) == (0, [1, 1, 0])


def test_a_feature_without_points_gets_none() -> None:
    assert whole(500.25, [0.0, 0.25, 0.0, 0.25], 501) == (501, [0, 0, 0, 0])
    assert whole(500.0, [0.0, 0.25, 0.0, 0.5], 501) == (500, [0, 0, 0, 1])


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e17])
def test_parts_that_are_not_exact_numbers_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="not finite or beyond"):
        whole(0.0, [bad], 0)
    with pytest.raises(InputError, match="not finite or beyond"):
        PointScale(0.0).points(np.array([bad]))


@pytest.mark.parametrize("fields", [{"anchor_margin": math.nan}, {"points_to_double": 0}])
def test_a_scale_without_a_meaning_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(InputError, match="give a"):
        PointScale(**{"anchor_margin": 0.0, **fields})
