"""Golden predictions: a few rows whose scores a loaded scorer must repeat bit for bit.

Enters: a scorer and rows. Leaves: what it answered, as JSON without loss, and later whether it
answers the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from scoring.scorer import Scorer

SCORES = ("margins", "points")
REASONS = ("base_points", "reasons")
"""The answers of `make_golden`: what LightGBM says, and what the explanation says."""


def make_golden(scorer: Scorer, X: NDArray[np.float64]) -> dict[str, Any]:
    """Rows (null for missing) with their margins, base, reasons and points.

    Floats are written in their shortest exact form, so JSON keeps every bit.

    Raises:
        InputError: no rows; or what `Scorer.margin` refuses.
    """
    if not len(X):
        raise InputError(f"no golden rows for {scorer.target}: give at least one")
    explained = scorer.explain(X)
    return {
        "rows": [[None if np.isnan(v) else v for v in row] for row in X.tolist()],
        **_scores(scorer, X),
        "base_points": explained.base_points.tolist(),
        "reasons": explained.reasons.tolist(),
    }


def draw_rows(X: NDArray[np.float64], n: int, seed: int) -> NDArray[np.float64]:
    """`n` rows whose every column is drawn by itself, so that none of them is a customer's (I12).

    Raises:
        InputError: no rows to draw from.
    """
    if not len(X):
        raise InputError("no rows to draw golden rows from: give at least one")
    picked = np.random.default_rng(seed).integers(0, len(X), size=(n, X.shape[1]))
    return np.take_along_axis(X, picked, axis=0)


def golden_rows(golden: Mapping[str, Any]) -> NDArray[np.float64]:
    """The rows (n, k) of a golden file, NaN where missing."""
    rows = [[np.nan if v is None else v for v in row] for row in golden["rows"]]
    return np.array(rows, dtype=np.float64)


def first_difference(
    scorer: Scorer, golden: Mapping[str, Any], what: Sequence[str] = (*SCORES, *REASONS)
) -> str | None:
    """What differs first from the golden answers, or None where every bit is the same.

    Raises:
        InputError: the rows do not fit the scorer.
    """
    X = golden_rows(golden)
    found = make_golden(scorer, X) if {*what} & {*REASONS} else _scores(scorer, X)
    for each in what:
        kind = np.float64 if each == "margins" else np.int64
        is_now = np.array(found[each], dtype=kind)
        was = np.array(golden[each], dtype=kind)
        if is_now.shape != was.shape:
            return f"{each}: {len(is_now)} rows now, {len(was)} golden"
        differ = np.array([a.tobytes() != b.tobytes() for a, b in zip(is_now, was, strict=True)])
        if differ.any():
            return f"{each} of golden row {int(np.argmax(differ))}"
    return None


def _scores(scorer: Scorer, X: NDArray[np.float64]) -> dict[str, Any]:
    return {"margins": scorer.margin(X).tolist(), "points": scorer.points(X).tolist()}
