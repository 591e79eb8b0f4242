"""What statistics of levels are worth: codes read in five ways by the same trees.

    python -m experiments.categories

Enters: the folder of public data sets (TIERLINE_DATA). Leaves: docs/categories.md, of
`av_bank_churn` (cities and branches) and of a made-up book whose levels are known to matter, or
not. Every way has the same rows, parameters and seed; each is asked once for the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from domain.settings import DATA
from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from scoring import categories
from training import metrics
from training.categories import FOLDS, encoded, learn_levels
from training.draws import interval, resample
from training.matrix import labelled, material, write_features
from training.space import default_trial
from training.splits import percents
from training.tune import Best, Index, Problem, fit_booster

Floats = NDArray[np.float64]
SOURCE, SEED, TREES = "av_bank_churn", 1, 300
PAGE = Path(__file__).parents[1] / "docs/categories.md"
OURS = "statistics, out of fold"
SAID = (
    f"On `{SOURCE}` cities and branches are worth nothing that can be measured: most levels have "
    "two to five customers. Codes read as numbers are ahead by .0012, and cannot be explained: no "
    "reason says why branch 755 is less than branch 3214. Where levels matter, statistics find "
    "what there is; where they are noise, they cost nothing, while statistics that hold a row's "
    "own outcome lose .04 to .15 of AUC on rows that nobody learnt from."
)
"""What a reader is told of the figures; write it anew when they move."""
HEAD = ("rows", "codes read as", "AUC", "95 % interval", "statistics minus it")
Case = tuple[Problem, list[str], Index, Index]


@click.command()
@click.option("--data", default=DATA.default, help="folder of the public data sets")
def main(data: str) -> None:
    """Compare the ways and write docs/categories.md."""
    cases = {
        f"`{SOURCE}`": real(Path(data) / SOURCE),
        "made up, 300 levels that matter": made_up(300, 1.0),
        "made up, 3,000 levels of noise": made_up(3000, 0.0),
    }
    rows = [row for name, case in cases.items() for row in compare(name, case)]
    table = ["| " + " | ".join(row) + " |" for row in (HEAD, tuple("---" for _ in HEAD), *rows)]
    print("\n".join(table))
    PAGE.write_text("\n".join([*_text(cases), "", *table, "", SAID]) + "\n", encoding="utf-8")


def real(folder: Path) -> Case:
    """The customers of a bank with the codes of their city and branch."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home), SOURCE)
        dataset, _ = ingest(SOURCES[SOURCE], folder, workspace.dataset)
        rows = labelled(dataset)[0]
        write_features(dataset, workspace, rows)
        made = material(dataset, workspace, "churn", rows["churn"], SEED)
    return made.problem, list(made.customers), made.split.fit, made.split.test


def made_up(levels: int, effect: float, n: int = 12_000) -> Case:
    """One number and one code; a level moves the log-odds by a normal number times `effect`."""
    rng = np.random.default_rng(SEED)
    number, code = rng.normal(size=n), rng.integers(0, levels, n)
    margin = number + effect * rng.normal(size=levels)[code]
    y = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    customers = [f"c{i}" for i in range(n)]
    problem = Problem(
        np.column_stack([number, code.astype(np.float64)]), y, ("number", "branch"), (1, 0),
        is_amount=False, categories=("branch",), parts=percents("categories", customers) % FOLDS,
    )  # fmt: skip
    return problem, customers, np.arange(n // 2), np.arange(n // 2, n)


def ways(problem: Problem, fit: Index) -> Iterator[tuple[str, Callable[[], Callable[..., Floats]]]]:
    """How codes may be read, and what then scores rows."""
    plain = replace(problem, categories=(), parts=None)
    places = [problem.names.index(n) for n in problem.categories]
    others = [i for i in range(len(problem.names)) if i not in places]
    without = replace(
        plain, X=np.ascontiguousarray(problem.X[:, others]),
        names=tuple(problem.names[i] for i in others),
        monotone=tuple(problem.monotone[i] for i in others),
    )  # fmt: skip
    in_sample = categories.encoded(problem.X, problem.names, learn_levels(problem, fit))
    yield OURS, lambda: _trees(encoded(problem, fit), fit)
    yield "left out", lambda: _trees(without, fit)
    yield "numbers", lambda: _trees(plain, fit)
    yield "LightGBM's own categories", lambda: _trees(plain, fit, places)
    yield (
        "statistics, own outcome included",
        lambda: _trees(replace(plain, X=in_sample), fit),
    )


def _trees(problem: Problem, fit: Index, places: list[int] | None = None) -> Callable[..., Floats]:
    best = Best({**default_trial(fit.size), "bagging_freq": 1}, TREES, 0.0)
    if places is None:
        booster = fit_booster(problem, fit, best, SEED)
    else:
        data = lgb.Dataset(
            problem.X[fit], problem.learnt[fit], feature_name=list(problem.names),
            categorical_feature=places, params={"feature_pre_filter": False},
        )  # fmt: skip
        booster = lgb.train({**problem.fixed(SEED), **best.params}, data, TREES)
    return lambda rows: np.asarray(booster.predict(problem.X[rows], raw_score=True, num_threads=1))


def compare(name: str, case: Case) -> Iterator[tuple[str, ...]]:
    """A row for each way; intervals over resampled customers, differences paired."""
    problem, customers, fit, test = case
    weights = (np.ones(test.size), *resample([customers[r] for r in test], SEED))
    ours: Floats | None = None
    for way, learn in ways(problem, fit):
        measure = metrics.auc(problem.y[test], learn()(test))
        found = np.array([measure(w) for w in weights])
        low, high = interval(found[1:])
        gap = ""
        if ours is not None:
            off = ours - found
            a, b = interval(off[1:])
            gap = f"{off[0]:+.4f} [{a:+.4f}, {b:+.4f}]"
        ours = found if ours is None else ours
        yield name, way, f"{found[0]:.4f}", f"{low:.3f} to {high:.3f}", gap


def _text(cases: dict[str, Case]) -> Iterator[str]:
    problem, _, fit, _ = cases[f"`{SOURCE}`"]
    told = "; ".join(
        f"`{levels.feature}` {len(levels.codes):,} levels" for levels in learn_levels(problem, fit)
    )
    yield "# Codes of many levels"
    yield ""
    yield "```"
    yield "python -m experiments.categories"
    yield "```"
    yield ""
    yield (
        f"writes this page. The same {TREES} trees, with the parameters of a study's first trial, "
        f"read codes in five ways; `{SOURCE}` has {told} among {fit.size:,} learning rows. How "
        "they are declared and learnt: [data scientist](data-scientist.md#codes-of-many-levels), "
        "[decision 0015](decisions/0015-statistics-of-levels.md). Intervals are 95 % over "
        "resampled customers, differences paired on the same rows."
    )


if __name__ == "__main__":
    main()
