"""The closed forms against published numbers, a sum without cancellation, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import beta, gamma

from domain.errors import InputError
from scoring.buy_till_die import LARGEST, NEAR, BgNbd, GammaGamma

CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
CDNOW_SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)
FIRST = (2.0, 30.43, 38.86)
"""Customer 1 of CDNOW, in weeks."""


def slow_purchases(m: BgNbd, x: float, age: float, days: float) -> float:
    """Of one who is alive: sum over the n purchases of one who never leaves (negative binomial) of
    how many of them are still made by one who may. Every term is positive: nothing cancels."""
    size, z = m.r + x, days / (m.alpha + age + days)
    n = np.arange(int(3 * size * z / (1 - z) + 80 / (1 - z)) + 50)
    log_p = gammaln(size + n) - gammaln(size) - gammaln(n + 1) + n * math.log(z)
    still = np.cumprod((m.b + x + n) / (m.a + m.b + x + n))
    made = np.concatenate([[0.0, 1.0], 1.0 + np.cumsum(still)])[: len(n)]
    return float(np.exp(log_p + size * math.log1p(-z)) @ made)


def slow_alive(m: BgNbd, x: float, t_x: float, age: float) -> float:
    """Bayes over a customer's own rate and chance to leave, by integration."""
    if x == 0:
        return 1.0
    left = beta(m.a, m.b).expect(lambda p: p * (1 - p) ** (x - 1))
    stayed = beta(m.a, m.b).expect(lambda p: (1 - p) ** x)
    rate = gamma(m.r, scale=1 / m.alpha)
    at = [rate.expect(lambda s, t=t: s**x * math.exp(-s * t)) for t in (t_x, age)]
    return stayed * at[1] / (stayed * at[1] + left * at[0])


def test_the_first_customer_of_cdnow_buys_as_published():
    """Fader, Hardie and Lee (2005): 1.226 purchases in the coming 39 weeks."""
    assert CDNOW.purchases(*FIRST, 39.0) == pytest.approx(1.226, abs=5e-4)
    assert CDNOW.p_alive(*FIRST) == pytest.approx(0.7266, abs=5e-4)


def test_the_first_customers_of_cdnow_spend_as_published():
    """Fader and Hardie (2013); the package lifetimes gives these figures, from more digits."""
    assert CDNOW_SPEND.mean(2.0, 22.35) == pytest.approx(24.66, abs=0.02)
    assert CDNOW_SPEND.mean(0.0, 0.0) == pytest.approx(35.17, abs=0.06)
    assert CDNOW_SPEND.mean(7.0, 73.74) == pytest.approx(71.46, abs=0.06)


PARAMETER = st.floats(0.05, 15.0)


HISTORY = (st.integers(0, 250), st.floats(0, 1), st.floats(0, 1500), st.floats(1, 400))
MODEL = st.builds(BgNbd, st.floats(0.05, LARGEST), st.floats(0.5, 300.0), PARAMETER, PARAMETER)


@settings(max_examples=200, deadline=None)
@given(MODEL, *HISTORY)
def test_expected_purchases_are_the_sum_without_cancellation(model, x, share, age, days):
    expected = model.p_alive(x, share * age, age) * slow_purchases(model, x, age, days)
    found = model.purchases(x, share * age, age, days)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("a", [0.3, 1.0, 2.5, 19.0])
@pytest.mark.parametrize("r", [0.05, 2.0, 19.0])
def test_a_long_horizon_after_a_short_history_is_summed_to_the_end(a, r):
    model = BgNbd(r, 0.5, a, 0.4)
    found = model.purchases(0, 0, 0, 200)
    assert found == pytest.approx(slow_purchases(model, 0, 0, 200), rel=1e-7)


@pytest.mark.parametrize("off", [0.0, 1e-12, -1e-9, 0.4 * NEAR, 0.6 * NEAR, -2 * NEAR])
def test_the_removable_singularities_are_removed(off):
    at_one = BgNbd(0.3, 5.0, 1.0 + off, 2.0)
    assert at_one.purchases(3, 20, 50, 90) == pytest.approx(
        at_one.p_alive(3, 20, 50) * slow_purchases(at_one, 3, 50, 90), rel=1e-8
    )
    none_yet = BgNbd(0.3, 5.0, 0.5 + off, 0.5)
    assert none_yet.purchases(0, 0, 50, 90) == pytest.approx(
        slow_purchases(none_yet, 0, 50, 90), rel=1e-8
    )


@pytest.mark.parametrize("history", [(0, 0, 50), (1, 3, 80), (2, 30.43, 38.86), (9, 60, 100)])
def test_the_chance_to_be_alive_is_that_of_bayes(history):
    assert CDNOW.p_alive(*history) == pytest.approx(slow_alive(CDNOW, *history), rel=1e-6)


@pytest.mark.parametrize(("history", "days"), [((0, 0, 50), 30), ((4, 20, 38.86), 39)])
def test_a_silence_is_of_one_who_left_or_is_slow(history, days):
    """By integration over the rate of one who is alive."""
    x, _, age = history
    rate = gamma(CDNOW.r + x, scale=1 / (CDNOW.alpha + age))
    silent = quad(lambda s: math.exp(-s * days) * rate.pdf(s), 0, np.inf, limit=200)[0]
    alive = CDNOW.p_alive(*history)
    found = CDNOW.p_no_purchase(*history, days)
    assert found == pytest.approx(1 - alive + alive * silent, rel=1e-6)


def test_a_new_customer_buys_as_simulated():
    """Customers drawn from the model, purchase by purchase; four standard errors."""
    rng = np.random.default_rng(5)
    model, days, made = BgNbd(1.2, 20.0, 0.8, 2.5), 60.0, []
    for _ in range(20_000):
        rate, leave = rng.gamma(model.r, 1 / model.alpha), rng.beta(model.a, model.b)
        t, bought = rng.exponential(1 / rate), 0
        while t <= days:
            bought += 1
            if rng.random() < leave:
                break
            t += rng.exponential(1 / rate)
        made.append(bought)
    error = 4 * np.std(made) / math.sqrt(len(made))
    assert model.purchases(0, 0, 0, days) == pytest.approx(np.mean(made), abs=error)
    silent = np.mean(np.array(made) == 0)
    assert model.p_no_purchase(0, 0, 0, days) == pytest.approx(silent, abs=0.015)


@settings(deadline=None)
@given(
    MODEL, st.integers(0, 36_526), st.floats(0, 1), st.floats(0, 36_525), st.integers(1, 1830)
)  # fmt: skip
def test_no_history_overflows(model, x, share, age, days):
    p = model.p_alive(x, share * age, age)
    none = model.p_no_purchase(x, share * age, age, days)
    expected = model.purchases(x, share * age, age, days)
    assert 0 <= p <= 1
    assert 0 <= none <= 1
    assert 0 <= expected < math.inf


@pytest.mark.parametrize(("count", "amount"), [(0, 0), (1, 30), (7, 12.5)])
def test_an_expected_amount_is_that_of_bayes(count, amount):
    """By integration over the customer's rate: Gamma(q + p n, v + n m)."""
    m = CDNOW_SPEND
    rate = gamma(m.q + m.p * count, scale=1 / (m.v + count * amount))
    expected = quad(lambda s: m.p / s * rate.pdf(s), 0, np.inf, limit=200)[0]
    assert m.mean(count, amount) == pytest.approx(expected, rel=1e-6)


def test_more_refunded_than_bought_counts_as_nothing():
    assert CDNOW_SPEND.mean(3, -50) == CDNOW_SPEND.mean(3, 0) > 0


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_parameters_that_are_none_are_refused(bad):
    for place in range(4):
        with pytest.raises(InputError, match="above 0"):
            BgNbd(*[bad if i == place else 1.0 for i in range(4)])
    for place in range(3):
        with pytest.raises(InputError, match="above 0"):
            GammaGamma(*[bad if i == place else 2.0 for i in range(3)])
    with pytest.raises(InputError, match="mean amount is finite"):
        GammaGamma(1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="days are the least"):
        BgNbd(1.0, 0.04, 1.0, 1.0)
    for parameters in ((20.1, 1.0, 1.0, 1.0), (1.0, 1.0, 20.1, 1.0)):
        with pytest.raises(InputError, match="differ at all"):
            BgNbd(*parameters)
