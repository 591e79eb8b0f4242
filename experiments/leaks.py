"""The red team: leaks of many kinds and strengths are planted, and the checks asked what they find.

    python -m experiments.leaks --bank RAW --home RED

Enters: the folder of public data sets (TIERLINE_DATA), and a bank that `tierline simulate` wrote.
Leaves: docs/leakage-red-team.md, written anew after each set; results and features stand in --home.
Columns are planted into one target's material, of at most `COLUMNS` features and `ROWS` learning
rows; persons and dates into the data set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import norm

from domain.settings import DATA
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset, has_dataset, open_dataset
from events.ingest import ingest
from events.readers import SOURCES
from experiments.leaks_events import events_found
from experiments.leaks_page import TITLES, keep, kept, write_page
from experiments.leaks_persons import persons_found
from training.findings import Finding
from training.fit import Material
from training.leakage import of_target
from training.matrix import labelled, material, write_features

Floats = NDArray[np.float64]
Columns = list[Floats]
Plant = Callable[[Floats, np.random.Generator, Material], Columns]
SETS = ("av_bank_churn", "taiwan_credit_default", "credit_card_approval", "give_me_some_credit",
        "bank")  # fmt: skip
SEED, COLUMNS, ROWS, PLANTED = 1, 20, 6_000, "planted_"
MEANS = "mean outcome of a level"
"""Tried in all learning rows: of a thinned level little is left."""


@dataclass(frozen=True)
class Case:
    """One set: its data, labelled rows and the material of one target."""

    name: str
    dataset: Dataset
    rows: dict[Target, pa.Table]
    made: dict[Target, Material]


@click.command()
@click.option(
    "--data", default=lambda: DATA.read(os.environ), help="folder of the public data sets"
)
@click.option("--bank", type=click.Path(path_type=Path), required=True, help="a simulated bank")
@click.option(
    "--home", type=click.Path(path_type=Path), required=True, help="where results are kept"
)
@click.option("--only", type=click.Choice(SETS), multiple=True, help="these sets [all]")
@click.option("--part", type=click.Choice(list(TITLES)), multiple=True, help="these kinds [all]")
def main(
    data: str, bank: Path, home: Path, only: tuple[str, ...], part: tuple[str, ...]
) -> None:  # fmt: skip
    """Plant every kind into every set, and write the page of all sets that were ever tried."""
    for name in only or SETS:
        case = opened(name, bank if name == "bank" else Path(data) / name, home)
        kinds = {
            "columns": lambda case=case: columns_found(case),
            "customers": lambda case=case: persons_found(case.dataset, SEED),
            "events": lambda case=case: events_found(case.dataset, SEED),
        }
        for chosen in part or TITLES:
            keep(home, name, chosen, [*kinds[chosen]()])
        write_page(kept(home, SETS))
        click.echo(f"{name}: done")


def opened(name: str, raw: Path, home: Path) -> Case:
    """A set with its features, made where they are not kept yet."""
    workspace = Workspace(home, name)
    workspace.root.mkdir(parents=True, exist_ok=True)
    if has_dataset(workspace.dataset):
        dataset = open_dataset(workspace.dataset)
        rows = labelled(dataset)[0]
    else:
        dataset = ingest(SOURCES[name], raw, workspace.dataset)[0]
        rows = labelled(dataset)[0]
        write_features(dataset, workspace, rows)
    made = {t: material(dataset, workspace, t, table, SEED) for t, table in rows.items()}
    return Case(name, dataset, rows, made)


def columns_found(case: Case) -> Iterator[tuple[str, str, Finding | None]]:
    """For each kind and strength the finding that names a planted column, a sure one first."""
    few, every = thinned(next(m for t, m in case.made.items() if t != "value"))
    bad = 1.0 - few.problem.y
    for kind, strengths in KINDS.items():
        for strength, plant in strengths.items():
            made = every if kind == MEANS else few
            columns = plant(bad, np.random.default_rng(SEED), made)
            found = of_target(case.dataset, planted(made, columns)).findings
            ours = [f for f in found if PLANTED in f.where]
            yield kind, strength, max(ours, key=lambda f: f.is_sure, default=None)


def thinned(made: Material) -> tuple[Material, Material]:
    """The material with some of its features, evenly, in some of its learning rows and in all."""
    problem = made.problem
    kept = [*range(0, len(problem.names), -(-len(problem.names) // COLUMNS))]
    names = tuple(problem.names[i] for i in kept)
    fit = made.split.fit
    every = replace(made, problem=replace(
        problem, X=problem.X[:, kept], names=names,
        monotone=tuple(problem.monotone[i] for i in kept),
        categories=tuple(n for n in problem.categories if n in names),
    ))  # fmt: skip
    return replace(every, split=replace(made.split, fit=fit[:: -(-fit.size // ROWS)])), every


def planted(made: Material, columns: Columns) -> Material:
    """The material with more columns; whole numbers of many levels are codes."""
    problem = made.problem
    names = tuple(f"{PLANTED}{i}" for i in range(len(columns)))
    codes = tuple(n for n, c in zip(names, columns, strict=True) if is_code(c))
    return replace(made, problem=replace(
        problem, X=np.column_stack([problem.X, *columns]), names=(*problem.names, *names),
        monotone=(*problem.monotone, *(0 for _ in names)), categories=(*problem.categories, *codes),
    ))  # fmt: skip


def is_code(column: Floats) -> bool:
    """Whether a planted column is one of levels."""
    return bool((column == np.round(column)).all()) and np.unique(column).size > 2


def _noisy(auc: float) -> Plant:
    apart = np.sqrt(2) * norm.ppf(auc)
    return lambda bad, rng, _: [apart * bad + rng.normal(size=bad.size)]


def _flipped(share: float) -> Plant:
    return lambda bad, rng, _: [np.where(rng.random(bad.size) < share, 1 - bad, bad)]


def _filled(share: float) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        is_there = (bad == 1) & (rng.random(bad.size) < share)
        return [np.where(is_there, rng.normal(size=bad.size), np.nan)]

    return plant


def _missing(share: float) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        is_gone = (bad == 1) & (rng.random(bad.size) < share)
        return [np.where(is_gone, np.nan, rng.normal(size=bad.size))]

    return plant


def _in_branch(count: int, *, is_told: bool) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        branch = rng.integers(0, count, bad.size).astype(np.float64)
        leak = np.where(branch == 1, bad, rng.random(bad.size)) + 0.01 * rng.normal(size=bad.size)
        return [leak, branch] if is_told else [leak]

    return plant


def _pair(how: str) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        a, told = np.exp(rng.normal(8, 1, bad.size)), bad + 0.05 * rng.normal(size=bad.size)
        flag = rng.integers(0, 2, bad.size).astype(np.float64)
        return {
            "difference": [a, a - 500 * told],
            "ratio": [a, a * np.exp(-0.5 * told)],
            "sum": [a, 500 * told - a],
            "equal or not": [a, np.where(bad == 1, a, a + 50 * (2 * flag - 1))],
            "XOR": [flag, np.abs(flag - bad)],
        }[how]

    return plant


def _mean_of_level(levels: int, how: str) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        level = rng.integers(0, levels, bad.size)
        n = np.bincount(level, minlength=levels)
        total = np.bincount(level, weights=bad, minlength=levels)
        if how == "without its own row":
            return [((total[level] - bad) / np.maximum(n[level] - 1, 1)), level.astype(np.float64)]
        if how == "smoothed":
            return [((total + 10 * bad.mean()) / (n + 10))[level]]
        return [(total / np.maximum(n, 1))[level]]

    return plant


def _code(levels: int) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, _: Material) -> Columns:
        code = 2 * rng.integers(0, levels // 2, bad.size) + bad.astype(np.int64)
        return [rng.permutation(levels + 1)[code].astype(np.float64)]

    return plant


def _best(made: Material) -> Floats:
    """The feature of at least fifty values that goes best with the outcome, missing filled."""
    X = made.problem.X
    many = [i for i in range(X.shape[1]) if np.unique(X[:, i]).size > 50]
    filled = np.where(np.isnan(X[:, many]), np.nanmedian(X[:, many], axis=0), X[:, many])
    ranks = np.argsort(np.argsort(filled, axis=0), axis=0)
    alike = [abs(np.corrcoef(r, made.problem.y)[0, 1]) for r in ranks.T]
    return np.asarray(filled[:, int(np.argmax(alike))], dtype=np.float64)


def _frozen(share: float) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, made: Material) -> Columns:
        after = (bad == 1) & (rng.random(bad.size) < share)
        return [np.where(after, 0.0, np.abs(_best(made)) + 1)]

    return plant


def _ahead(weight: float) -> Plant:
    def plant(bad: Floats, rng: np.random.Generator, made: Material) -> Columns:
        past = np.argsort(np.argsort(_best(made))) / bad.size
        future = rng.normal(size=bad.size) - 3 * bad
        return [(1 - weight) * norm.ppf((past + 0.5 / bad.size).clip(1e-6, 1 - 1e-6)) +
                weight * future]  # fmt: skip

    return plant


def _by(values: Iterable[Any], plant: Callable[[Any], Plant], text: str) -> dict[str, Plant]:
    return {text.format(v): plant(v) for v in values}


KINDS: dict[str, dict[str, Plant]] = {
    "the outcome with noise": _by((0.99, 0.95, 0.9, 0.85, 0.8, 0.7), _noisy, "AUC {}"),
    "the outcome with flips": _by((0.01, 0.05, 0.1, 0.2), _flipped, "{:.0%} wrong"),
    "filled in for the bad only": _by((1.0, 0.5, 0.2, 0.05), _filled, "{:.0%} of them"),
    "missing for the bad only": _by((1.0, 0.5, 0.2), _missing, "{:.0%} of them"),
    "in one branch": {
        **_by((4, 10, 40), lambda n: _in_branch(n, is_told=True), "one of {}"),
        "one of 4, branch not told": _in_branch(4, is_told=False),
    },
    "two columns": _by(("difference", "ratio", "sum", "equal or not", "XOR"), _pair, "{}"),
    MEANS: {
        **_by((30, 300, 3000), lambda n: _mean_of_level(n, ""), "{} levels"),
        "300 levels, smoothed": _mean_of_level(300, "smoothed"),
        "300 levels, without its own row": _mean_of_level(300, "without its own row"),
    },
    "unordered code": _by((20, 200), _code, "{} levels"),
    "set to 0 after the fact": _by((1.0, 0.5, 0.2), _frozen, "for {:.0%} of the bad"),
    "partly of the horizon": _by((0.8, 0.5, 0.3), _ahead, "weight {}"),
}


if __name__ == "__main__":
    main()
