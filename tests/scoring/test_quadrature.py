"""Gauss-Legendre nodes are exact where they must be, and the same on every machine."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from scoring.quadrature import gauss_legendre


@pytest.mark.parametrize("count", [1, 2, 5, 8, 16, 40])
def test_polynomials_up_to_twice_the_nodes_are_integrated_exactly(count: int) -> None:
    nodes, weights = gauss_legendre(count)
    for power in range(2 * count):
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), rel=2e-15 * count)
    if count < 9:  # later the fault is below a float's last digit
        assert weights @ nodes ** (2 * count) != pytest.approx(
            1 / (2 * count + 1), rel=1e-13, abs=0
        )


@pytest.mark.parametrize("count", range(1, 20))
def test_nodes_and_weights_are_numpy_s_to_its_last_digits(count: int) -> None:
    nodes, weights = gauss_legendre(count)
    theirs, heavy = np.polynomial.legendre.leggauss(count)
    assert np.abs(nodes - (1 + theirs) / 2).max() < 1e-15
    assert np.abs(weights - heavy / 2).max() < 1e-15


def test_three_nodes_are_the_closed_form_rounded_once() -> None:
    nodes, weights = gauss_legendre(3)
    with localcontext(prec=60):
        side = (Decimal(3) / 5).sqrt()
        assert nodes.tolist() == [float((1 - side) / 2), 0.5, float((1 + side) / 2)]
        assert weights.tolist() == [float(Decimal(v) / 18) for v in (5, 8, 5)]
