"""Affine calibration of a margin: two numbers, learnt on rows of their own, and a season's shift.

Enters: margins and truth of the calibration rows. Leaves: a `Calibration` to the log-odds of the
good outcome, or to the log of the expected amount.
Source: Platt (1999), with the targets smoothed; quasi-Poisson regression with a log link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from domain.errors import NotEnoughDataError
from scoring.scorer import Calibration

Floats = NDArray[np.float64]
LEAST_SLOPE = 1e-3
LEAST_MONTHS = 8
WAVES = (1, 2)
"""Waves a year: a third fits what one year shows, not the next (docs/decisions/0014)."""


def fit_log_odds(margin: Floats, good: Floats) -> Calibration:
    """The slope and intercept that make `sigmoid(slope * margin + intercept)` the chance of good.

    Raises:
        NotEnoughDataError: one outcome only.
    """
    n_good, n_bad = float(good.sum()), float((1 - good).sum())
    if not n_good or not n_bad:
        raise NotEnoughDataError("calibration rows hold one outcome only: take more customers")
    smooth = np.where(good > 0, (n_good + 1) / (n_good + 2), 1 / (n_bad + 2))

    def loss(z: Floats) -> tuple[Floats, Floats]:
        return np.logaddexp(0, z) - smooth * z, expit(z) - smooth

    start = float(np.log(n_good / n_bad) - margin.mean())
    return _fit(margin, loss, start)


def fit_log_amount(margin: Floats, amount: Floats) -> Calibration:
    """The slope and intercept that make `exp(slope * margin + intercept)` the expected amount.

    Raises:
        NotEnoughDataError: no amount above zero.
    """
    mean = float(amount.mean())
    if mean <= 0:
        raise NotEnoughDataError("calibration rows hold no amount above 0: take more customers")
    scaled = amount / mean

    def loss(z: Floats) -> tuple[Floats, Floats]:
        expected = np.exp(np.minimum(z, 50.0))
        return expected - scaled * z, expected - scaled

    found = _fit(margin, loss, -float(margin.mean()))
    return Calibration(found.slope, found.intercept + float(np.log(mean)))


def log_odds_shift(calibrated: Floats, good: Floats) -> float:
    """What, added to these log-odds, makes the mean chance of good what it came to be.

    Raises:
        NotEnoughDataError: one outcome only.
    """
    rate = float(good.mean())
    if not 0 < rate < 1:
        raise NotEnoughDataError("rows of a month hold one outcome only: take more customers")
    middle = float(logit(rate))
    ends = middle - float(calibrated.max()), middle - float(calibrated.min())
    if ends[0] == ends[1]:
        return ends[0]
    return float(brentq(lambda shift: float((expit(calibrated + shift) - good).sum()), *ends))


def log_amount_shift(calibrated: Floats, amount: Floats) -> float:
    """What, added to these logs, makes the expected amounts add up to those that came true.

    Raises:
        NotEnoughDataError: no amount above zero.
    """
    if amount.sum() <= 0:
        raise NotEnoughDataError("rows of a month hold no amount above 0: take more customers")
    return float(np.log(amount.sum() / np.exp(calibrated).sum()))


def smooth_season(shifts: Sequence[float]) -> tuple[float, ...]:
    """The yearly and half-yearly wave nearest to the shifts of the months; 0 taught nothing.

    Four numbers from eight months or more: what one year adds to one month alone is left out, as
    the next year does not repeat it, and months that taught nothing lie on the curve.

    Raises:
        NotEnoughDataError: fewer than eight months.
    """
    found = np.asarray(shifts)
    taught = found != 0
    if taught.sum() < LEAST_MONTHS:
        raise NotEnoughDataError(
            f"{int(taught.sum())} calendar months teach a season: `smooth` takes {LEAST_MONTHS} "
            "or more; take more training dates, or season year_before"
        )
    turns = 2 * np.pi * np.outer(np.arange(12) / 12, WAVES)
    curve = np.hstack([np.cos(turns), np.sin(turns)])
    return tuple((curve @ np.linalg.lstsq(curve[taught], found[taught])[0]).tolist())


def _fit(
    margin: Floats, loss: Callable[[Floats], tuple[Floats, Floats]], start: float
) -> Calibration:  # fmt: skip
    centre, spread = float(margin.mean()), float(margin.std()) or 1.0
    x = (margin - centre) / spread

    def objective(ab: Floats) -> tuple[float, Floats]:
        value, slope = loss(ab[0] * x + ab[1])
        return float(value.mean()), np.array([(slope * x).mean(), slope.mean()])

    least = LEAST_SLOPE * spread
    found = minimize(
        objective, np.array([max(spread, least), start + centre]), jac=True, method="L-BFGS-B",
        bounds=[(least, None), (None, None)], options={"maxiter": 500, "ftol": 1e-14},
    )  # fmt: skip
    slope = float(found.x[0]) / spread
    return Calibration(slope, float(found.x[1]) - slope * centre)
