"""What the chain of the product makes of three truths of value: plain logs, in units, within dates.

    python -m experiments.truths

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: printed lines. Of `online_retail_ii`
each truth is tuned in folds of customers (the two first trials of a study), fitted, calibrated and
shifted as `tierline run` does, and asked once for the test. Tiers are those of
`experiments.tiers`, cut where the customers who calibrate say is best.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from domain.plan import StudyPlan
from domain.settings import DATA, SEED
from experiments.classical import by_date, told
from experiments.tiers import prepared
from experiments.tiers_page import best_cuts, figures, tiers
from training import metrics
from training.draws import resample
from training.fit import Material, fit_scorer
from training.kept import Budget
from training.splits import percents
from training.tune import Search, inner_folds, make_study, tune

Floats = NDArray[np.float64]
TRIALS = 2
NAMES = ("Spearman", "mean of the dates", "quadratic kappa", "macro-F1", "far errors")


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--home", type=click.Path(path_type=Path), help="use the features kept in this home")
def main(data: str, home: Path | None) -> None:
    """Print how each truth ranks and cuts, and its difference to plain logs."""
    first: tuple[Floats, ...] = ()
    with prepared(data, home) as (dataset, made):
        within = made.problem
        in_units = replace(within, level=0.0)
        truths = {"plain": replace(in_units, unit=1.0), "units": in_units, "within": within}
        for name, problem in truths.items():
            amount, trees = said(replace(made, problem=problem), dataset.plan)
            found = judged(made, amount)
            first = first or found
            ratio = amount[made.split.test].sum() / made.problem.y[made.split.test].sum()
            print(f"{name}: {trees} trees, sum ratio {ratio:.3f}")
            for title, now, then in zip(NAMES, found, first, strict=True):
                print(f"  {title} {told(now, '.4f')}; minus plain {told(now - then, '+.4f')}")


def said(made: Material, plan: StudyPlan) -> tuple[Floats, int]:
    """The amount of every row by a scorer of its own study, and its trees."""
    seed = int(SEED.default)
    search = Search(Budget(TRIALS), seed)
    places = percents(f"{plan.split_key}:validation", made.customers)
    study = make_study("truths", None, search, is_amount=True)
    best = tune(made.problem, inner_folds(places, made.split.fit), study, search)
    scorer = fit_scorer(made, plan, best, seed, None)
    amount = np.empty(len(made.as_of))
    for as_of in np.unique(made.as_of).tolist():
        rows = made.as_of == as_of
        amount[rows] = scorer.at(as_of).amount(made.problem.X[rows])
    return amount, best.trees


def judged(made: Material, amount: Floats) -> tuple[Floats, ...]:
    """The figures of `NAMES` on the test rows: once, and of resampled customers."""
    rows, own = made.split.test, made.split.calibration
    y, truth = made.problem.y, tiers(made.problem.y)
    weights = (np.ones(len(rows)), *resample([made.customers[r] for r in rows], 1))
    rank = metrics.spearman(y[rows], amount[rows])
    tier = np.searchsorted(best_cuts(amount[own], truth[own]), amount[rows], side="right")
    cut = np.array([figures(truth[rows], tier, w) for w in weights]).T
    return np.array([rank(w) for w in weights]), by_date(made)(amount[rows]), *cut


if __name__ == "__main__":
    main()
