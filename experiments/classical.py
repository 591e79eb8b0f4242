"""The published BG/NBD x Gamma-Gamma on the value rows of `online_retail_ii`.

    python -m experiments.classical

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: its Spearman at each test as_of, by
penalty. It is fitted on the cohort of that as_of alone, on (frequency, recency, T, monetary):
repeat purchase days, days from the first to the last and to as_of, mean gross spend of a repeat
day. Where no best parameters exist (nobody seems to leave a cohort of active buyers), those at the
bound are taken; a penalty on their squares is what its users add then. It writes no page.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import spearmanr

from domain.asof import MICROS_PER_DAY
from domain.settings import DATA
from domain.workspace import Workspace
from events.dataset import open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from scoring.buy_till_die import LARGEST, BgNbd
from training.buy_till_die import BOUND, bg_nbd_likelihood, fit_gamma_gamma
from training.targets import grids, labels

Floats = NDArray[np.float64]
SOURCE = "online_retail_ii"
PENALTIES = (0.0, 0.001, 0.01)


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
def main(data: str) -> None:
    """Print how the published model ranks the spend to come."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home), SOURCE)
        ingest(SOURCES[SOURCE], Path(data) / SOURCE, workspace.dataset)
        dataset = open_dataset(workspace.dataset)
        bought = dataset.table("transactions", ["customer_id", "happened_at", "kind", "amount"])
        days = purchase_days(bought.to_pandas())
        horizon = dataset.plan.targets["value"].horizon_days
        for penalty in PENALTIES:
            found = []
            for as_of in grids(dataset)[1]:
                rows = labels(dataset, "value", [as_of])
                known = histories(days, as_of).loc[rows["customer_id"].to_pylist()]
                said = expected(known, horizon, penalty)
                found.append(float(spearmanr(said, rows["y"].to_numpy())[0]))
            told = ", ".join(f"{f:.4f}" for f in found)
            print(f"penalty {penalty:g}: {told}; mean {np.mean(found):.4f}")


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
    x, t_x, age, amount = (known[c].to_numpy() for c in ("x", "t_x", "age", "amount"))
    buying = fit(x, t_x, age, penalty)
    spending = fit_gamma_gamma(x[x > 0], amount[x > 0])
    rows = zip(x.tolist(), t_x.tolist(), age.tolist(), amount.tolist(), strict=True)
    return np.array([buying.purchases(n, t, T, days) * spending.mean(n, a) for n, t, T, a in rows])


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
