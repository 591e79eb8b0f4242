"""The published buying model: its histories by a loop, its fit, and the mean of the dates."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from domain.asof import MICROS_PER_DAY
from experiments.classical import by_date, expected, fit, histories, purchase_days
from training.buy_till_die import fit_bg_nbd, fit_gamma_gamma

NOW = 60
"""Days since 1970 of the as_of."""


@pytest.fixture(scope="module")
def rows():
    """Purchases and refunds before and after NOW, several on one day."""
    rng = np.random.default_rng(4)
    n = 3000
    return pd.DataFrame({
        "customer_id": rng.integers(0, 400, n).astype(str),
        "happened_at": pd.to_datetime(rng.integers(0, 80 * 24, n), unit="h", utc=True),
        "kind": rng.choice(["purchase", "refund"], n, p=[0.9, 0.1]),
        "amount": rng.gamma(2.0, 30.0, n),
    })  # fmt: skip


def by_loop(rows, customer):
    """(x, t_x, age, mean amount) of a customer, purchase by purchase."""
    spent: dict[int, float] = {}
    for row in rows[rows["customer_id"] == customer].itertuples():
        day = (row.happened_at - pd.Timestamp("1970-01-01", tz="UTC")).days
        if row.kind == "purchase" and day < NOW:
            spent[day] = spent.get(day, 0.0) + row.amount
    first, *again = sorted(spent)
    mean = sum(spent[d] for d in again) / len(again) if again else 0.0
    return len(again), max(spent) - first, NOW - first, mean


def test_histories_are_those_of_a_loop_over_purchases_before_the_as_of(rows):
    found = histories(purchase_days(rows), NOW * MICROS_PER_DAY)
    assert len(found) > 350
    for customer, *known in found.itertuples():
        assert known == pytest.approx(by_loop(rows, customer))


def test_without_a_penalty_the_fit_is_the_product_s_and_a_penalty_pulls_to_zero():
    """Customers who do leave, drawn by the model, so that best parameters exist."""
    rng = np.random.default_rng(7)
    n = 3000
    age, rate, leave = rng.uniform(100, 700, n), rng.gamma(0.7, 1 / 60, n), rng.beta(0.8, 3, n)
    x, t_x = np.zeros(n), np.zeros(n)
    for i in range(n):
        t = rng.exponential(1 / rate[i])
        while t <= age[i]:
            x[i], t_x[i] = x[i] + 1, t
            t = np.inf if rng.random() < leave[i] else t + rng.exponential(1 / rate[i])
    free, known = fit(x, t_x, age, 0.0), fit_bg_nbd(x, t_x, age)
    assert [free.r, free.alpha, free.a, free.b] == pytest.approx(
        [known.r, known.alpha, known.a, known.b], rel=0.02
    )
    pulled, unit = fit(x, t_x, age, 0.1), age.mean()
    squares = [m.r**2 + (m.alpha / unit) ** 2 + m.a**2 + m.b**2 for m in (pulled, free)]
    assert squares[0] < squares[1] / 2


def test_the_expected_spend_is_expected_purchases_times_the_expected_amount(rows):
    known = histories(purchase_days(rows), NOW * MICROS_PER_DAY)
    found = expected(known, 90, 0.01)
    x, t_x, age, amount = (known[c].to_numpy() for c in known)
    buying, spending = fit(x, t_x, age, 0.01), fit_gamma_gamma(x[x > 0], amount[x > 0])
    for i in (0, 100, 300):
        of = buying.purchases(x[i], t_x[i], age[i], 90) * spending.mean(x[i], amount[i])
        assert found[i] == pytest.approx(of)


def test_the_measure_is_the_mean_of_the_dates_and_never_ranks_one_date_against_another():
    rng = np.random.default_rng(2)
    as_of = np.repeat([1, 2, 3], [50, 40, 60])
    y, score = rng.normal(size=150), rng.normal(size=150)
    made = SimpleNamespace(
        split=SimpleNamespace(test=np.arange(50, 150)), as_of=as_of, problem=SimpleNamespace(y=y),
        customers=[str(i % 37) for i in range(150)],
    )  # fmt: skip
    by_hand = [spearmanr(y[as_of == t], score[as_of == t])[0] for t in (2, 3)]
    found = by_date(made)(score[50:])
    assert found[0] == pytest.approx(np.mean(by_hand))
    assert found.size > 100
    assert found[1:].std() > 0
    assert by_date(made)(score[50:] + 10.0 * as_of[50:]) == pytest.approx(found)
