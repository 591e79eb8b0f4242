"""The Pareto/NBD fitted to CDNOW, beside the BG/NBD that the product has.

    python -m experiments.pareto_nbd

Enters: the histories of 2,357 customers, in weeks, from the package `lifetimes` (extra `bench`).
Leaves: its four parameters on the terminal. Published: 0.553, 10.578, 0.606, 11.669.
Source: Schmittlein, Morrison and Colombo (1987); Fader and Hardie (2005), A note on deriving the
Pareto/NBD model.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from domain.errors import NotFoundError
from training.buy_till_die import Floats


def log_likelihood(
    parameters: Sequence[float] | Floats, x: Floats, t_x: Floats, age: Floats
) -> Floats:  # fmt: skip
    """Of each history (n,) of x repeats, the last at t_x, seen until age, at r, alpha, s, beta."""
    r, alpha, s, beta = parameters
    longer, gap = max(alpha, beta), abs(alpha - beta)
    power, other = r + s + x, s + 1 if alpha >= beta else r + x

    def part(t: Floats) -> Floats:
        hyper = hyp2f1(power, other, power + 1, gap / (longer + t))
        return np.asarray(np.log(hyper) - power * np.log(longer + t))

    early, late = part(t_x), part(age)
    gone = np.full(len(x), -np.inf)  # who bought on the last day cannot have left since
    since = early > late
    gap_of = np.log(-np.expm1((late - early)[since]))
    gone[since] = np.log(s) - np.log(power[since]) + early[since] + gap_of
    stayed = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    begun = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return np.asarray(begun + np.logaddexp(stayed, gone))


def fit(x: Floats, t_x: Floats, age: Floats) -> Floats:
    """The most likely r, alpha, s, beta."""

    def loss(logs: Floats) -> float:
        return -float(log_likelihood(np.exp(logs), x, t_x, age).mean())

    start = np.log([1.0, age.mean() / 2, 1.0, age.mean() / 2])
    found = minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-12, "maxiter": 4000}
    )
    return np.asarray(np.exp(found.x))


def cdnow() -> tuple[Floats, ...]:
    """Repeats, weeks from first to last purchase and since the first, mean amount of each customer.

    Raises:
        NotFoundError: `lifetimes` is not installed.
    """
    spec = find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise NotFoundError("CDNOW stands in `lifetimes`: uv pip install '.[bench]'")
    file = Path(spec.origin).parent / "datasets/cdnow_customers_summary_with_transactions.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    return tuple(np.array([float(r[k]) for r in rows]) for k in ("x", "t_x", "T", "zbar"))


if __name__ == "__main__":
    print(*(f"{v:.3f}" for v in fit(*cdnow()[:3])))
