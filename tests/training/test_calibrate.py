"""Two numbers: known slopes and intercepts are found again, and the slope never turns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from domain.errors import NotEnoughDataError
from training.calibrate import (
    LEAST_SLOPE,
    fit_log_amount,
    fit_log_odds,
    log_amount_shift,
    log_odds_shift,
    smooth_season,
)


def outcomes(slope: float, intercept: float, n: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    margin = rng.normal(0.5, 1.5, n)
    return margin, (rng.random(n) < expit(slope * margin + intercept)).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, -1.5), (2.5, 3.0), (1.0, -4.0)])
def test_log_odds_find_the_known_slope_and_intercept(slope, intercept):
    found = fit_log_odds(*outcomes(slope, intercept))
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.intercept == pytest.approx(intercept, abs=0.1)


def test_log_odds_are_those_of_a_logistic_regression_without_penalty():
    margin, good = outcomes(0.7, 0.3, 5000)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], good)
    found = fit_log_odds(margin, good)
    assert found.slope == pytest.approx(model.coef_[0, 0], rel=2e-3)
    assert found.intercept == pytest.approx(model.intercept_[0], abs=2e-3)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 4.0), (1.8, -2.0)])
def test_log_amounts_find_the_known_slope_and_intercept_among_many_zeros(slope, intercept):
    rng = np.random.default_rng(1)
    margin = rng.normal(0.5, 0.6, 60_000)
    is_spent = rng.random(60_000) < 0.5
    amount = np.exp(slope * margin + intercept) * is_spent * 2 * rng.gamma(4, 0.25, 60_000)
    found = fit_log_amount(margin, amount)
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.intercept == pytest.approx(intercept, abs=0.05)


def test_log_amounts_are_those_of_a_poisson_regression_and_add_up():
    rng = np.random.default_rng(2)
    margin = rng.normal(size=3000)
    amount = rng.poisson(np.exp(0.6 * margin + 1)).astype(float)
    model = PoissonRegressor(alpha=0, tol=1e-10).fit(margin[:, None], amount)
    found = fit_log_amount(margin, amount)
    assert found.slope == pytest.approx(model.coef_[0], rel=1e-3)
    expected = np.exp(found.slope * margin + found.intercept)
    assert expected.sum() == pytest.approx(amount.sum(), rel=1e-4)


def test_an_amount_far_above_the_mean_counts_whole():
    margin = np.array([*[0.0] * 999, 8.0])
    found = fit_log_amount(margin, np.exp(margin))
    assert (found.slope, found.intercept) == pytest.approx((1.0, 0.0), abs=1e-3)


def test_a_margin_that_ranks_the_wrong_way_gets_the_least_slope_and_the_right_mean():
    margin, good = outcomes(-1.0, 0.0, 5000)
    found = fit_log_odds(margin, good)
    assert found.slope == pytest.approx(LEAST_SLOPE)
    assert expit(found.slope * margin + found.intercept).mean() == pytest.approx(
        good.mean(), abs=1e-3
    )
    assert fit_log_amount(margin, np.exp(-margin)).slope == pytest.approx(LEAST_SLOPE)


def test_a_constant_margin_gets_the_mean():
    found = fit_log_odds(np.full(100, 2.0), (np.arange(100) < 80).astype(float))
    assert expit(found.slope * 2 + found.intercept) == pytest.approx(0.8, abs=0.01)


def test_a_few_rows_that_a_margin_parts_perfectly_stay_below_certainty():
    found = fit_log_odds(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    chance = expit(found.slope * np.array([-1.0, 1.0]) + found.intercept)
    assert 0.1 < chance[0] < 0.4 < 0.6 < chance[1] < 0.9


@pytest.mark.parametrize("one", [0.0, 1.0])
def test_rows_of_one_outcome_are_refused(one):
    with pytest.raises(NotEnoughDataError, match="one outcome only"):
        fit_log_odds(np.arange(5.0), np.full(5, one))


def test_amounts_that_are_all_zero_are_refused():
    with pytest.raises(NotEnoughDataError, match="no amount above 0"):
        fit_log_amount(np.arange(5.0), np.zeros(5))


@pytest.mark.parametrize("shift", [-1.5, 0.0, 0.6])
def test_a_shift_is_the_intercept_of_a_regression_whose_slope_is_fixed(shift):
    margin, good = outcomes(1.0, shift)
    found = log_odds_shift(margin, good)
    assert found == pytest.approx(shift, abs=0.03)
    assert expit(margin + found).mean() == pytest.approx(good.mean(), abs=1e-9)
    steps = np.linspace(-2, 2, 401)
    likelihood = [(good * (margin + s) - np.logaddexp(0, margin + s)).mean() for s in steps]
    assert found == pytest.approx(steps[int(np.argmax(likelihood))], abs=0.011)


def test_a_shift_of_equal_margins_is_the_distance_to_the_log_odds():
    for good in range(1, 30):
        found = log_odds_shift(np.full(30, 0.3), (np.arange(30) < good).astype(float))
        assert found == pytest.approx(np.log(good / (30 - good)) - 0.3)


def test_an_amount_s_shift_makes_the_sums_equal():
    calibrated, amount = np.log([10.0, 20.0, 30.0]), np.array([0.0, 100.0, 20.0])
    assert log_amount_shift(calibrated, amount) == pytest.approx(np.log(2))


def test_a_shift_of_one_outcome_or_no_amount_is_refused():
    for one in (np.zeros(3), np.ones(3)):
        with pytest.raises(NotEnoughDataError):
            log_odds_shift(np.zeros(3), one)
    with pytest.raises(NotEnoughDataError):
        log_amount_shift(np.zeros(3), np.zeros(3))


def planted(month: int) -> float:
    """A season of a yearly and a half-yearly wave, as a formula of its own."""
    angle = math.pi * month / 6
    return 0.5 * math.cos(angle - 1.0) + 0.3 * math.cos(2 * angle + 0.4)


def test_a_planted_season_is_found_again_in_months_that_taught_nothing_too():
    truth = [planted(m) for m in range(12)]
    seen = [0.0 if m in (3, 4) else v for m, v in enumerate(truth)]
    assert smooth_season(seen) == pytest.approx(truth, abs=1e-9)


def test_what_one_year_adds_to_single_months_is_mostly_left_out():
    truth = np.array([planted(m) for m in range(12)])
    rng = np.random.default_rng(1)
    raw, curve = [], []
    for _ in range(200):
        seen = truth + rng.normal(0, 0.15, 12)
        raw.append(((seen - truth) ** 2).mean())
        curve.append(((np.array(smooth_season(seen)) - truth) ** 2).mean())
    assert np.mean(curve) == pytest.approx(np.mean(raw) * 4 / 12, rel=0.15)


def test_few_months_draw_no_curve():
    with pytest.raises(NotEnoughDataError, match="7 calendar months teach a season"):
        smooth_season([0.1] * 7 + [0.0] * 5)
