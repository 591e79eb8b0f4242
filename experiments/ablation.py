"""What features are worth: themes left out, and simpler catalogues, on the same test rows.

    python -m experiments.ablation

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: docs/ablation.md. Every set of
features is tuned inside the training rows and learns from the same rows as `tierline run`; the test
is asked once a set and seed. Figures are means over seeds; of `online_retail_ii` over both test
months too. A model learns from every row that is not tested: nobody is set apart for a calibration.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.settings import DATA
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from features.catalogue import CATALOGUE
from training import metrics
from training.draws import resample
from training.fit import Material
from training.kept import Budget
from training.matrix import labelled, material, write_features
from training.splits import percents
from training.tune import Problem, Search, fit_booster, inner_folds, make_study, tune

Floats = NDArray[np.float64]
PAGE = Path(__file__).parents[1] / "docs/ablation.md"
RETAIL, TAIWAN = "online_retail_ii", "taiwan_credit_default"
TARGETS_OF: dict[str, tuple[Target, ...]] = {RETAIL: ("churn", "value"), TAIWAN: ("credit",)}
RFM = ("purchase_recency_days", "purchase_count_180d", "spend_sum_180d")
RAW = ("LIMIT_BAL", "EDUCATION", *(f"PAY_{i}" for i in (0, 2, 3, 4, 5, 6)),
       *(f"{kind}_AMT{i}" for kind in ("BILL", "PAY") for i in range(1, 7)))  # fmt: skip
"""The file's own columns, the protected ones (sex, age, marriage) left out as everywhere."""
HEAD = ("source", "target", "features", "how many", "metric", "figure", "minus the first")


@dataclass(frozen=True)
class Asked:
    """A set of features: what it is called, and its columns."""

    name: str
    problem: Problem


@dataclass(frozen=True)
class Case:
    """One target of a source, the sets to compare (all with the first), its test parts."""

    source: str
    material: Material
    sets: tuple[Asked, ...]
    parts: tuple[NDArray[np.int64], ...]


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
@click.option("--trials", default=1, show_default=True, help="trials of each study")
@click.option("--seeds", default=2, show_default=True, help="studies of each set")
def main(data: str, trials: int, seeds: int) -> None:
    """Compare sets of features and write docs/ablation.md."""
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for source, targets in TARGETS_OF.items():
            workspace = Workspace(Path(temporary), source)
            ingest(SOURCES[source], Path(data) / source, workspace.dataset)
            dataset = open_dataset(workspace.dataset)
            write_features(dataset, workspace, labelled(dataset)[0])
            for target in targets:
                made = case(dataset, workspace, target, Path(data) / source)
                rows += list(compared(made, trials, seeds))
    PAGE.write_text("\n".join(page(rows, trials, seeds)) + "\n", encoding="utf-8")


def case(dataset: Dataset, workspace: Workspace, target: Target, folder: Path) -> Case:
    """The sets of one target: everything, without each theme, RFM alone or the raw columns."""
    table = labelled(dataset)[0][target]
    made = material(dataset, workspace, target, table, seed=1)
    full = made.problem
    sets = [Asked("full catalogue", full)]
    if dataset.source == TAIWAN:
        raw = raw_columns(folder, made, full)
        sets += [
            Asked("raw columns", raw),
            Asked("raw columns and full catalogue", both(raw, full)),
        ]
    else:
        sets.append(Asked("RFM: " + ", ".join(RFM), only(full, lambda n: n in RFM)))
    themes = {n: CATALOGUE[n].theme for n in full.names}
    for theme in dict.fromkeys(themes.values()):
        others = {n for n in full.names if themes[n] != theme}
        sets.append(Asked(f"without {theme}", only(full, others.__contains__)))
    moments = made.as_of[made.split.test]
    parts = tuple(made.split.test[moments == m] for m in np.unique(moments))
    return Case(dataset.source, made, tuple(sets), parts)


def only(full: Problem, wanted: Callable[[str], bool]) -> Problem:
    """The problem with some of its features."""
    kept = [i for i, n in enumerate(full.names) if wanted(n)]
    return replace(
        full,
        X=np.ascontiguousarray(full.X[:, kept]),
        names=tuple(full.names[i] for i in kept),
        monotone=tuple(full.monotone[i] for i in kept),
    )


def raw_columns(folder: Path, made: Material, full: Problem) -> Problem:
    """The same rows with the columns of the file as they stand, free of directions."""
    table = pq.read_table(folder / f"{TAIWAN}.parquet", columns=["ID", *RAW])
    place = {str(i): row for row, i in enumerate(table["ID"].to_pylist())}
    rows = [place[c] for c in made.customers]
    X = np.column_stack([table[c].to_numpy().astype(np.float64)[rows] for c in RAW])
    return replace(full, X=X, names=RAW, monotone=(0,) * len(RAW))


def both(first: Problem, second: Problem) -> Problem:
    """The columns of two problems over the same rows."""
    return replace(
        first,
        X=np.hstack([first.X, second.X]),
        names=(*first.names, *second.names),
        monotone=(*first.monotone, *second.monotone),
    )


def compared(made: Case, trials: int, seeds: int) -> Iterator[tuple[str, ...]]:
    """One row of the table a set: its figure, and the paired difference to the first set."""
    tested = made.material.split.test
    drawn_rows = resample([made.material.customers[r] for r in tested], 1)
    weights = [drawn_rows[:, np.isin(tested, part)] for part in made.parts]
    first: Floats | None = None
    for asked in made.sets:
        scores = [scored(made, asked.problem, trials, seed) for seed in range(1, seeds + 1)]
        drawn = figures(made, scores, weights)
        first = drawn if first is None else first
        low, high = np.quantile(drawn[1:] - first[1:], [0.025, 0.975])
        gap = f"{drawn[0] - first[0]:+.4f} [{low:+.4f}, {high:+.4f}]" if drawn is not first else ""
        metric = "Spearman" if asked.problem.is_amount else "AUC"
        print(made.source, made.material.target, asked.name, f"{drawn[0]:.4f}", gap, flush=True)
        yield (
            made.source, made.material.target, asked.name, str(len(asked.problem.names)), metric,
            f"{drawn[0]:.4f}", gap,
        )  # fmt: skip


def scored(made: Case, problem: Problem, trials: int, seed: int) -> Floats:
    """The margin of every row, by a model tuned and fitted on all rows that are not tested."""
    learn = np.setdiff1d(np.arange(len(problem.y)), made.material.split.test)
    places = percents(f"ablation:{seed}", made.material.customers)
    folds = inner_folds(places, learn)
    search = Search(Budget(trials), seed)
    study = make_study("ablation", None, search, is_amount=problem.is_amount)
    best = tune(problem, folds, study, search)
    booster = fit_booster(problem, learn, best, seed)
    return np.asarray(booster.predict(problem.X, raw_score=True, num_threads=1))


def figures(made: Case, scores: Sequence[Floats], weights: Sequence[Floats]) -> Floats:
    """The mean figure over parts and seeds; then the same on each resample of customers."""
    measure = metrics.spearman if made.sets[0].problem.is_amount else metrics.auc
    y, total = made.material.problem.y, np.zeros(1 + len(weights[0]))
    for part, drawn in zip(made.parts, weights, strict=True):
        for score in scores:
            of = measure(y[part], score[part])
            total += [of(np.ones(part.size)), *(of(w) for w in drawn)]
    return total / (len(made.parts) * len(scores))


def page(rows: Sequence[tuple[str, ...]], trials: int, seeds: int) -> Iterator[str]:
    """The page in Markdown."""
    yield "# What the features are worth"
    yield ""
    yield "```"
    yield f"python -m experiments.ablation --trials {trials} --seeds {seeds}"
    yield "```"
    yield ""
    yield (
        "writes this page. Every set of features is tuned inside the training rows, fitted on all "
        "of them, and asked once a seed for the same test rows. No customers are set apart for "
        "calibration or as unseen, as in [results](results.md): only the ranking is measured. "
        f"Figures are means over {seeds} seeds and, of `{RETAIL}`, over the test as_of 2011-06-01 "
        "and 2011-09-01; the differences are paired, with the 95 % interval over resampled "
        "customers. *Without* a theme only its own columns are left out: what others derive from "
        "it stays. The raw columns are those of the file but for sex, age and marriage, which no "
        "scorer may read."
    )
    yield ""
    for row in (HEAD, tuple("---" for _ in HEAD), *rows):
        yield "| " + " | ".join(row) + " |"


if __name__ == "__main__":
    main()
