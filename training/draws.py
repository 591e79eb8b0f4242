"""The same customers drawn again: once for a set of rows, and every interval over those draws.

Enters: whose rows they are; measures that take a weight a row. Leaves: the weights of each
resample, the middle 95 % of what was drawn, and paired differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.metrics import Weighted

Floats = NDArray[np.float64]
Drawn = dict[str, Floats]
"""By measure the figure of the rows themselves, then of each resample."""
RESAMPLES = 500


def resample(customers: Sequence[str], seed: int) -> Floats:
    """Weights (RESAMPLES, rows): how often each row's customer was drawn."""
    _, codes = np.unique(np.asarray(customers), return_inverse=True)
    n = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
    return np.stack(drawn).astype(np.float64)[:, codes]


def interval(found: Floats) -> list[float]:
    """The middle 95 % of what was drawn."""
    return [float(v) for v in np.nanquantile(found, [0.025, 0.975])]


def over(measures: Mapping[str, Weighted], weights: Floats) -> Drawn:
    """Every measure over the same draws."""
    even = np.ones(weights.shape[1])
    return {n: np.array([f(even), *(f(w) for w in weights)]) for n, f in measures.items()}


def intervals(drawn: Drawn) -> dict[str, list[float]]:
    """The interval of each figure."""
    return {name: interval(values[1:]) for name, values in drawn.items()}


def apart(ours: Drawn, theirs: Drawn) -> dict[str, list[float]]:
    """Ours minus each figure of theirs, paired: `[difference, low, high]`."""
    gaps = {name: ours[name] - values for name, values in theirs.items()}
    return {name: [float(gap[0]), *interval(gap[1:])] for name, gap in gaps.items()}
