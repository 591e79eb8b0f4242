"""Which loss should train the value margin: candidates compared by the tiers they give.

    python -m experiments.tiers [--quick]

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: docs/tiers.md. Of `online_retail_ii`
a candidate learns at every training as_of before the latest complete one; that one chooses how many
trees, and where the cuts between the tiers lie; then it learns from all of them, and is asked once
for the test months. Every candidate has the same rows, and the first trial of a study. Truths of
least squares are compared inside the training first, by customers that taught nothing; of the new
ones the best alone is asked for the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from domain.asof import MICROS_PER_DAY
from domain.settings import DATA
from domain.workspace import Workspace
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from experiments.tiers_page import (
    EVERY,
    LATEST,
    PRODUCT,
    SOURCE,
    TREES,
    Asked,
    best_cuts,
    learners,
    page,
    tiers,
)
from training import ordinal
from training.calibrate import smooth_season
from training.fit import Material, calibrate, monthly
from training.matrix import labelled, material, write_features
from training.space import default_trial
from training.splits import percents
from training.truth import date_levels
from training.tune import inner_folds

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
PAGE = Path(__file__).parents[1] / "docs/tiers.md"
HORIZON_DAYS = 90
QUICK_TREES, PATIENCE = 60, 30
PARTS = 5


@dataclass(frozen=True)
class Candidate:
    """A loss: LightGBM's objective and metric, and what its trees fit of the rows that may teach.

    `is_additive`: one monotone margin, which is calibrated to amounts and cut.
    """

    name: str
    params: dict[str, Any]
    truth: Callable[[Material], Floats]
    is_additive: bool = True

    @property
    def is_classes(self) -> bool:
        """Whether it gives a chance a tier."""
        return "num_class" in self.params


def logs(made: Material) -> Floats:
    """The logs of amounts in pounds."""
    return np.log1p(made.problem.y)


def logs_in_units(made: Material) -> Floats:
    """The same in units of the data (`training.truth`)."""
    return np.log1p(made.problem.y / made.problem.unit)


def logs_within_dates(made: Material) -> Floats:
    """What the product learns: in units, beyond the mean of the date."""
    return made.problem.learnt


def ranked(made: Material) -> Floats:
    """The rank of every amount among those of its as_of, above 0 and up to 1; ties share theirs."""
    amount, as_of = made.problem.y, made.as_of
    found = np.empty(len(amount))
    for instant in np.unique(as_of):
        rows = as_of == instant
        found[rows] = rankdata(amount[rows]) / rows.sum()
    return found


def tier_of(made: Material) -> Floats:
    """The number of the tier."""
    return tiers(made.problem.y).astype(np.float64)


def tier_within_dates(made: Material) -> Floats:
    """The number of the tier beyond its mean of the date: the sum of two chances in one margin."""
    return tier_of(made) - date_levels(tier_of(made), made.as_of, learners(made))


ORDINAL = {"objective": ordinal.objective, "metric": "none"}
SQUARES = {"objective": "regression", "metric": "l2"}
BINARY = {"objective": "binary", "metric": "binary_logloss"}
CLASSES = {"objective": "multiclass", "metric": "multi_logloss", "num_class": 3}
FIRST = Candidate("L2 on log1p", SQUARES, logs)
RANKS = Candidate("L2 on ranks", SQUARES, ranked)
WITHIN = Candidate(PRODUCT, SQUARES, logs_within_dates)
INSIDE = (
    FIRST,
    RANKS,
    Candidate("L2 on log1p of units", SQUARES, logs_in_units),
    WITHIN,
    Candidate("L2 on the tier, within dates", SQUARES, tier_within_dates),
)
CANDIDATES = (
    FIRST,
    WITHIN,
    RANKS,
    Candidate("Tweedie 1.5", {"objective": "tweedie", "metric": "tweedie"}, lambda m: m.problem.y),
    Candidate("proportional odds", ORDINAL, tier_of),
    Candidate("two ordinal binaries", BINARY, tier_of, is_additive=False),
    Candidate("multiclass, most likely", CLASSES, tier_of, is_additive=False),
)


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--home", type=click.Path(path_type=Path), help="use the features kept in this home")
@click.option("--quick", is_flag=True, help="few trees: to see that it runs")
def main(data: str, home: Path | None, quick: bool) -> None:
    """Compare losses for the value tiers and write docs/tiers.md."""
    most = QUICK_TREES if quick else TREES
    answers = {}
    with prepared(data, home) as (_, made):
        said = {c.name: inside(made, c, most // 2) for c in INSIDE}
        for candidate in CANDIDATES:
            answers[candidate.name] = ask(made, candidate, most)
            print(candidate.name, answers[candidate.name].trees, flush=True)
    lines = list(page(made, said, answers, quick=quick))
    print("\n".join(lines))
    if not quick:
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def prepared(data: str, home: Path | None) -> Iterator[tuple[Dataset, Material]]:
    """The data set and its value rows with their features, of a home that keeps them or made."""
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace(home or Path(temporary), SOURCE)
        if home is None:
            ingest(SOURCES[SOURCE], Path(data) / SOURCE, workspace.dataset)
        dataset = open_dataset(workspace.dataset)
        rows = labelled(dataset)[0]
        if home is None:
            write_features(dataset, workspace, rows)
        yield dataset, material(dataset, workspace, "value", rows["value"], seed=1)


def inside(made: Material, candidate: Candidate, trees: int) -> Floats:
    """What a margin says of the learning rows (all rows, 0 elsewhere), each by trees that learnt
    from other customers; calibrated and shifted as in the product."""
    margin = np.zeros(len(made.problem.y))
    places = percents("tiers", made.customers)
    for learn, asked in inner_folds(places, learners(made), PARTS):
        margin[asked] = _fit(made, candidate, candidate.truth(made), (learn, learn[:0], trees))[1][
            asked
        ]
    return calibrated(made, margin, made.problem.y, is_amount=True)


def ask(made: Material, candidate: Candidate, most: int) -> Asked:
    """One candidate, learnt twice: before the latest complete as_of, and with it."""
    learnt = learners(made)
    latest = made.as_of[learnt].max()
    complete = latest - HORIZON_DAYS * MICROS_PER_DAY
    early = made.split.fit[made.as_of[made.split.fit] <= complete]
    last = learnt[made.as_of[learnt] == latest]
    truth = tiers(made.problem.y)
    parts: list[tuple[Floats, Floats, int]] = []
    for learnt_truth in _truths(candidate, made, truth):
        trees, then = _fit(made, candidate, learnt_truth, (early, last, most))
        now = _fit(made, candidate, learnt_truth, (made.split.fit, made.split.fit[:0], trees))[1]
        if candidate.is_classes:
            return Asked(trees, {"none": now.argmax(axis=1)}, now @ [0, 1, 2], None)
        if not candidate.is_additive:
            then, now = (calibrated(made, m, learnt_truth, is_amount=False) for m in (then, now))
            then, now = expit(then), expit(now)
        parts.append((then, now, trees))
    before, after = np.sum([p[:2] for p in parts], axis=0)
    amount = None
    if candidate.is_additive:
        y = made.problem.y
        before, after = (calibrated(made, m, y, is_amount=True) for m in (before, after))
        amount = np.exp(after)
    own = made.split.calibration
    cuts = {LATEST: best_cuts(before[last], truth[last]), EVERY: best_cuts(after[own], truth[own])}
    tier = {how: np.searchsorted(c, after, side="right") for how, c in cuts.items()}
    return Asked(max(p[2] for p in parts), tier, after, amount)


def _truths(candidate: Candidate, made: Material, tier: Index) -> list[Floats]:
    if candidate.params is BINARY:
        return [(tier > k).astype(np.float64) for k in (0, 1)]
    return [candidate.truth(made)]


def _fit(
    made: Material, candidate: Candidate, truth: Floats, how: tuple[Index, Index, int]
) -> tuple[int, Floats]:
    """The number of trees, and what the booster says of every row: a margin, or chances."""
    rows, watched, most = how
    problem = made.problem
    params: dict[str, Any] = {
        **problem.fixed(1), **default_trial(rows.size), "bagging_freq": 1, **candidate.params
    }  # fmt: skip
    if candidate.is_classes:  # directions do not bind the chances of classes
        params = {k: v for k, v in params.items() if not k.startswith("monotone")}
    data = lgb.Dataset(problem.X[rows], truth[rows])
    booster = lgb.train(
        params, data, most,
        valid_sets=[data.create_valid(problem.X[watched], truth[watched])] if watched.size else [],
        feval=ordinal.metric if candidate.params is ORDINAL else None,
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)] if watched.size else [],
    )  # fmt: skip
    is_raw = not candidate.is_classes
    said = np.asarray(booster.predict(problem.X, raw_score=is_raw, num_threads=1))
    return booster.best_iteration or most, said


def calibrated(made: Material, margin: Floats, y: Floats, *, is_amount: bool) -> Floats:
    """The margin as the product calibrates it: affine, shifted by the month."""
    made = replace(made, problem=replace(made.problem, y=y, is_amount=is_amount))
    rows = made.split.calibration
    found = calibrate(made, margin[rows], rows)
    found = replace(found, monthly=smooth_season(monthly(made, found, margin)))
    months = made.as_of.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12
    moved: Floats = found.slope * margin + found.intercept + np.asarray(found.monthly)[months]
    return moved


if __name__ == "__main__":
    main()
