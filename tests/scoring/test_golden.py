"""Golden predictions survive JSON bit for bit, and name what is no longer repeated."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InputError
from scoring.golden import draw_rows, first_difference, golden_rows, make_golden
from scoring.scorer import Calibration


def test_rows_and_answers_survive_json_bit_for_bit(kit, scorers) -> None:
    X = kit.rows(40, 2)
    X[0] = [1e-310, -0.0, 1e300, 0.1]
    golden = json.loads(json.dumps(make_golden(scorers["value"], X)))
    assert golden_rows(golden).tobytes() == X.tobytes()
    assert first_difference(scorers["value"], golden) is None


@pytest.mark.parametrize("what", ["margins", "points", "base_points", "reasons"])
def test_the_first_row_that_differs_is_named(kit, scorers, what: str) -> None:
    golden = make_golden(scorers["value"], kit.rows(4, 2))
    was = golden[what][2]
    up = np.nextafter(was, np.inf).item() if what == "margins" else was
    golden[what][2] = [was[0] + 1, *was[1:]] if what == "reasons" else up + (what != "margins")
    assert first_difference(scorers["value"], golden) == f"{what} of golden row 2"


def test_another_calibration_does_not_repeat_the_points(kit, scorers) -> None:
    golden = make_golden(scorers["churn"], kit.rows(4, 2))
    other = replace(scorers["churn"], calibration=Calibration(1.0, 0.0))
    assert first_difference(other, golden) == "points of golden row 0"


def test_drawn_rows_are_nobody_s(kit) -> None:
    X = kit.rows(500, 3, missing=0.0)
    drawn = draw_rows(X, 20, seed=1)
    assert drawn.tobytes() == draw_rows(X, 20, seed=1).tobytes()
    for j in range(X.shape[1]):
        assert set(drawn[:, j]) <= set(X[:, j])
    assert not {tuple(row) for row in drawn} & {tuple(row) for row in X}
    with pytest.raises(InputError, match="at least one"):
        draw_rows(X[:0], 5, seed=1)
