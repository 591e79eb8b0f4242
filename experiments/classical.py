"""The published BG/NBD x Gamma-Gamma on the value rows of `online_retail_ii`.

    python -m experiments.classical

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: its Spearman, the mean of the test
as_of, by penalty, and by how much the first trial of a study ranks the same rows better (95 % over
resampled customers, paired); the buying model of every run likewise. It writes no page.

The model is fitted on the cohort of an as_of alone, on (frequency, recency, T, monetary): repeat
purchase days, days from the first to the last and to as_of, mean gross spend of a repeat day. Where
no best parameters exist (nobody seems to leave a cohort of active buyers), those at the bound are
taken; a penalty on their squares is what its users add then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize

from domain.asof import MICROS_PER_DAY
from domain.settings import DATA
from events.dataset import Dataset
from experiments.segments import learnt
from experiments.tiers import FIRST, ask, prepared
from experiments.tiers_page import TREES
from scoring.buy_till_die import LARGEST, BgNbd
from training import metrics
from training.baselines import BUYING, fit_baselines
from training.buy_till_die import BOUND, bg_nbd_likelihood, fit_gamma_gamma
from training.draws import interval, resample
from training.fit import Material, task

Floats = NDArray[np.float64]
PENALTIES = (0.0, 0.001, 0.01)


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--home", type=click.Path(path_type=Path), help="use the features kept in this home")
def main(data: str, home: Path | None) -> None:
    """Print how the published model ranks the spend to come, beside ours on the same rows."""
    with prepared(data, home) as (dataset, made):
        rows, measure = made.split.test, by_date(made)
        ours = measure(ask(made, FIRST, TREES).score[rows])
        print(f"{FIRST.name}, first trial: {told(ours, '.4f')}")
        beside = task(made, made.split.fit, learnt(dataset).fitted)
        others = {BUYING: fit_baselines(beside, 1).peers[BUYING](made.problem.X[rows])}
        others |= {f"published, penalty {p:g}": published(dataset, made, p) for p in PENALTIES}
    for name, score in others.items():
        theirs = measure(score)
        print(f"{name}: {told(theirs, '.4f')}; ours minus it {told(ours - theirs, '+.4f')}")


def by_date(made: Material) -> Callable[[Floats], Floats]:
    """The mean Spearman of the test as_of, of a score of the test rows: once, and resampled."""
    rows = made.split.test
    weights = (np.ones(len(rows)), *resample([made.customers[r] for r in rows], 1))
    parts = [np.flatnonzero(made.as_of[rows] == t) for t in np.unique(made.as_of[rows])]

    def measure(score: Floats) -> Floats:
        found = [metrics.spearman(made.problem.y[rows[p]], score[p]) for p in parts]
        return np.array(
            [np.mean([f(w[p]) for f, p in zip(found, parts, strict=True)]) for w in weights]
        )

    return measure


def told(drawn: Floats, form: str) -> str:
    """The first figure with the interval of the others."""
    low, high = interval(drawn[1:])
    return f"{drawn[0]:{form}} [{low:{form}}, {high:{form}}]"


def published(dataset: Dataset, made: Material, penalty: float) -> Floats:
    """What the published model expects of every test row, fitted on each cohort by itself: spend,
    or of another target than value purchases."""
    bought = dataset.table("transactions", ["customer_id", "happened_at", "kind", "amount"])
    days, rows = purchase_days(bought.to_pandas()), made.split.test
    horizon = dataset.plan.targets[made.target].horizon_days
    said = np.empty(len(rows))
    for as_of in np.unique(made.as_of[rows]).tolist():
        cohort = made.as_of[rows] == as_of
        known = histories(days, as_of).loc[[made.ids[r] for r in rows[cohort]]]
        if made.target == "value":
            said[cohort] = expected(known, horizon, penalty)
        else:
            said[cohort] = purchases(known, horizon, penalty)
    return said


def purchase_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Gross spend by customer and day (days since 1970)."""
    bought = rows[rows["kind"] == "purchase"]
    micros = bought["happened_at"].astype("datetime64[us, UTC]").astype("int64")
    days = bought.assign(day=micros // MICROS_PER_DAY)
    return days.groupby(["customer_id", "day"])[["amount"]].sum().reset_index()


def histories(days: pd.DataFrame, as_of: int) -> pd.DataFrame:
    """Frequency, recency, T and monetary of every customer, of the days before as_of (midnight)."""
    now = as_of // MICROS_PER_DAY
    by = days[days["day"] < now].sort_values(["customer_id", "day"]).groupby("customer_id")
    first, again = by["day"].first(), (by.size() - 1).astype(float)
    repeated = by["amount"].sum() - by["amount"].first()
    return pd.DataFrame(
        {
            "x": again,
            "t_x": (by["day"].last() - first).astype(float),
            "age": (now - first).astype(float),
            "amount": (repeated / again.where(again > 0)).fillna(0.0),
        }
    )


def expected(known: pd.DataFrame, days: int, penalty: float) -> Floats:
    """Expected spend of each customer over the coming days."""
    x, amount = (known[c].to_numpy() for c in ("x", "amount"))
    spending = fit_gamma_gamma(x[x > 0], amount[x > 0])
    each = [spending.mean(n, a) for n, a in zip(x.tolist(), amount.tolist(), strict=True)]
    found: Floats = purchases(known, days, penalty) * np.array(each)
    return found


def purchases(known: pd.DataFrame, days: int, penalty: float) -> Floats:
    """Expected purchase days of each customer over the coming days."""
    x, t_x, age = (known[c].to_numpy() for c in ("x", "t_x", "age"))
    buying = fit(x, t_x, age, penalty)
    rows = zip(x.tolist(), t_x.tolist(), age.tolist(), strict=True)
    return np.array([buying.purchases(n, t, T, days) for n, t, T in rows])


def fit(x: Floats, t_x: Floats, age: Floats, penalty: float) -> BgNbd:
    """The parameters of the highest mean log likelihood less the penalty, within the bounds."""
    unit = float(age.mean())

    def loss(logs: Floats) -> tuple[float, Floats]:
        theta = np.exp(logs)
        value, slope = bg_nbd_likelihood(theta, x, t_x / unit, age / unit)
        pull = penalty * theta**2
        return float(pull.sum() - value.mean()), 2 * pull - slope.mean(axis=1) * theta

    bounds = [(-BOUND, BOUND)] * 4
    found = minimize(loss, np.zeros(4), jac=True, method="L-BFGS-B", bounds=bounds)
    r, alpha, a, b = np.exp(found.x).tolist()
    return BgNbd(min(r, LARGEST), alpha * unit, min(a, LARGEST), b)


if __name__ == "__main__":
    main()
