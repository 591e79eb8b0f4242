"""Proportional odds: one margin for ordered tiers, its thresholds learnt with it.

Enters: margins and tiers 0..K-1. Leaves: thresholds, the likelihood, and what LightGBM asks of an
objective of our own. Thresholds are those most likely at the margins at hand, fitted again in every
round, so that the gradient is that of the likelihood with its thresholds maximised out.
Source: McCullagh (1980), regression models for ordinal data.
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float64]
Tiers = NDArray[np.int64]
LEAST = 1e-12


def _ends(margin: Floats, tier: Tiers, thresholds: Floats) -> tuple[Floats, Floats]:
    """`P(tier <= own)` and `P(tier < own)` of each row."""
    below = expit(thresholds[None, :] - margin[:, None])
    sums = np.column_stack([np.zeros(len(margin)), below, np.ones(len(margin))])
    rows = np.arange(len(margin))
    return sums[rows, tier + 1], sums[rows, tier]


def loss(margin: Floats, tier: Tiers, thresholds: Floats) -> float:
    """Mean negative log-likelihood of `P(tier <= k) = sigmoid(threshold_k - margin)`."""
    upper, lower = _ends(margin, tier, thresholds)
    return float(-np.log(np.maximum(upper - lower, LEAST)).mean())


def gradient(margin: Floats, tier: Tiers, thresholds: Floats) -> tuple[Floats, Floats]:
    """First and second derivative (n,) of each row's negative log-likelihood by its margin.

    With `S` the sigmoid, `S' = S (1 - S)`: the quotient of differences shortens to
    `1 - upper - lower`, and its derivative is never negative.
    """
    upper, lower = _ends(margin, tier, thresholds)
    return 1.0 - upper - lower, upper * (1.0 - upper) + lower * (1.0 - lower)


def fit_thresholds(margin: Floats, tier: Tiers) -> Floats:
    """The most likely thresholds (K-1,) at these margins, in rising order.

    The steps between them are fitted as logs, so that they cannot cross. Every tier must occur.
    """
    tiers = int(tier.max()) + 1
    share = np.cumsum(np.bincount(tier, minlength=tiers))[:-1] / len(tier)
    start = logit(share) + float(margin.mean())

    def placed(free: Floats) -> Floats:
        found: Floats = np.cumsum(np.concatenate([free[:1], np.exp(free[1:])]))
        return found

    def objective(free: Floats) -> tuple[float, Floats]:
        thresholds = placed(free)
        upper, lower = _ends(margin, tier, thresholds)
        chance = np.maximum(upper - lower, LEAST)
        up = np.bincount(tier, -upper * (1 - upper) / chance, minlength=tiers)[:-1]
        down = np.bincount(tier, lower * (1 - lower) / chance, minlength=tiers)[1:]
        each = (up + down) / len(tier)
        after = np.cumsum(each[::-1])[::-1]
        steps = np.concatenate([[1.0], np.exp(free[1:])])
        return float(-np.log(chance).mean()), after * steps

    free = np.concatenate([start[:1], np.log(np.diff(start))])
    return placed(minimize(objective, free, jac=True, method="L-BFGS-B").x)


def objective(margin: Floats, data: lgb.Dataset) -> tuple[Floats, Floats]:
    """For `lgb.train(params={"objective": objective})`; the data's label is the tier."""
    tier = np.asarray(data.get_label()).astype(np.int64)
    return gradient(margin, tier, fit_thresholds(margin, tier))


def metric(margin: Floats, data: lgb.Dataset) -> tuple[str, float, bool]:
    """The likelihood as a metric of LightGBM, at the thresholds most likely on the data."""
    tier = np.asarray(data.get_label()).astype(np.int64)
    return "ordinal", loss(margin, tier, fit_thresholds(margin, tier)), False
