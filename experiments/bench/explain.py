"""Explanation bench: ours, LightGBM's `pred_contrib`, `shap` and others take turns on one model.

Enters: nothing; the model is trained here on random rows. Leaves: a table, and one JSON object as
the last line. It is imported by nobody.

CPU seconds, A B A B: each turn of ours stands between two of LightGBM's, and the
ratio is the median of the turns. Compiling is counted apart.
"""

from __future__ import annotations

import importlib
import json
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import lightgbm as lgb
import llvmlite.binding as llvm
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.tree_shap import TreeShap
from scoring.tree_tables import read_tables

Floats = NDArray[np.float64]
FEATURES = 60
BATCH, ALONE = 10_000, 300
WOODELF = "woodelf-explainer"
"""Made for many rows: it explains the whole batch."""
PARTS = 20_000
"""Rows of the million that are in memory at once."""


@click.command()
@click.option("--quick", is_flag=True, help="Fewer rows and turns, a tenth of the million.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write cost against shape as a plot.")
def main(quick: bool, plot: Path | None) -> None:
    """Explain the same rows by each engine in turns and print the ratios."""
    turns = 3 if quick else 5
    X = make_rows(BATCH, 1)
    booster = train(500, 31)
    began = time.process_time()
    shap = TreeShap(read_tables(booster.model_to_string()))
    tables = time.process_time() - began
    began = time.process_time()
    shap.explain(X[:20]), shap.explain(X[:1])
    print(
        f"tables {tables:.2f} s, first call (loads or compiles) {time.process_time() - began:.2f} s"
    )
    theirs = contrib(booster, X[:500])
    difference = float(np.abs(shap.explain(X[:500]) - theirs).max() / np.abs(theirs).max())
    some = X[:60] if quick else X[:200]
    batch = compare("batch", turns, (shap.explain, X), (lambda x: contrib(booster, x), some))
    row = compare(
        "one row", turns, (each(shap.explain), X[:ALONE]),
        (each(lambda x: contrib(booster, x)), X[: len(some) // 2]),
    )  # fmt: skip
    for name, engine in others(booster).items():
        rows = X if name == WOODELF else some
        compare(name, turns, (engine, rows), (lambda x: contrib(booster, x), some))
    wall, cpu = threads(shap, X, turns)
    minutes, peak = million(100_000 if quick else 1_000_000)
    if plot:
        draw(plot)
    told = {
        "batch_ratio_vs_pred_contrib": round(batch, 1),
        "row_ratio_vs_pred_contrib": round(row, 1),
        "max_rel_diff": difference,
        "million_rows_minutes": round(minutes, 2),
        "cpu": llvm.get_host_cpu_name(),
        "two_threads_wall": round(wall, 2),
        "two_threads_by_cpu": round(cpu, 2),
        "peak_gib": round(peak, 2),
    }
    print(json.dumps(told))


def make_rows(n: int, seed: int) -> Floats:
    """Random rows (n, 60), a tenth of the values missing and a tenth zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, FEATURES))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = 0.0
    return X


def train(trees: int, leaves: int, **params: Any) -> lgb.Booster:
    """A binary booster on 20,000 such rows."""
    X = make_rows(20_000, 0)
    rng = np.random.default_rng(0)
    Z = np.nan_to_num(X)
    latent = Z[:, :20] @ rng.normal(size=20) + Z[:, 0] * Z[:, 1] + np.sin(3 * Z[:, 2])
    y = latent + rng.normal(size=len(X)) > 0
    settings = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 1}
    settings |= {"learning_rate": 0.05, "seed": 1, **params}
    return lgb.train(settings, lgb.Dataset(X, y.astype(float)), trees)


def contrib(booster: lgb.Booster, X: Floats) -> Floats:
    """LightGBM's own contributions on one thread."""
    return np.asarray(booster.predict(X, pred_contrib=True, num_threads=1))


def each(engine: Callable[[Floats], Any]) -> Callable[[Floats], Any]:
    """The engine, asked row by row."""
    return lambda X: [engine(X[i : i + 1]) for i in range(len(X))]


Turn = tuple[Callable[[Floats], Any], Floats]


def compare(name: str, turns: int, ours: Turn, theirs: Turn) -> float:
    """How many times cheaper a row is for `ours` than for LightGBM: the median of the turns."""
    mine, before = [], [cost(*theirs)]
    for _ in range(turns):
        mine.append(cost(*ours))
        before.append(cost(*theirs))
    ratios = [(a + b) / 2 / m for a, b, m in zip(before, before[1:], mine, strict=False)]
    ratio = statistics.median(ratios)
    print(
        f"{name}: {min(mine) * 1e6:.1f} us a row, pred_contrib {min(before) * 1e6:.0f} us: "
        f"{ratio:.1f} times ({', '.join(f'{r:.1f}' for r in ratios)})"
    )
    return ratio


def cost(engine: Callable[[Floats], Any], X: Floats) -> float:
    """CPU seconds of all threads for each row."""
    began = time.process_time()
    engine(X)
    return (time.process_time() - began) / len(X)


def others(booster: lgb.Booster) -> dict[str, Callable[[Floats], Any]]:
    """The other engines that are installed, ready to explain."""
    found: dict[str, Callable[[Floats], Any]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, module, options in (
            ("shap.TreeExplainer", "shap", {}),
            ("fasttreeshap-fixed v1", "fasttreeshap_fixed", {"algorithm": "v1", "n_jobs": 1}),
        ):
            try:
                explainer = importlib.import_module(module).TreeExplainer(booster, **options)
                explainer.shap_values(make_rows(2, 3))
            except ImportError:
                print(f"{name}: not installed")
            else:
                found[name] = explainer.shap_values
        try:
            woodelf = importlib.import_module("woodelf").WoodelfExplainer(booster)
        except ImportError:
            print(f"{WOODELF}: not installed")
        else:
            names = booster.feature_name()
            found[WOODELF] = lambda X: woodelf.shap_values(
                pd.DataFrame(X, columns=names), verbose=False
            )
    return found


def threads(shap: TreeShap, X: Floats, turns: int) -> tuple[float, float]:
    """How many times one thread two are: in wall time, and on two free cores by CPU time a row.

    On a busy machine the first says how many cores were free; the second what threads cost.
    """
    walls, cpus = [], []
    for _ in range(turns):
        wall, cpu = time.perf_counter(), time.process_time()
        shap.explain(X)
        middle, burnt = time.perf_counter(), time.process_time()
        shap.explain(X, threads=2)
        walls.append((middle - wall) / (time.perf_counter() - middle))
        cpus.append(2 * (burnt - cpu) / (time.process_time() - burnt))
    found = statistics.median(walls), statistics.median(cpus)
    print(f"two threads: {found[0]:.2f} times one in wall time, {found[1]:.2f} by CPU time")
    return found


def million(rows: int) -> tuple[float, float]:
    """CPU minutes of a million rows through three models in parts, and the peak memory in GiB."""
    models = [TreeShap(read_tables(train(500, 31, seed=s).model_to_string())) for s in range(3)]
    X = make_rows(PARTS, 5)
    began = time.thread_time()
    for _ in range(0, rows, PARTS):
        for model in models:
            model.explain(X)
    minutes = (time.thread_time() - began) / 60 * 1_000_000 / rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"a million rows, three models: {minutes:.2f} CPU minutes, peak {peak:.2f} GiB")
    return minutes, peak


def draw(path: Path) -> None:
    """Cost of a row against trees, leaves and depth, ours and LightGBM's."""
    import matplotlib.pyplot as plt

    shapes: dict[str, dict[int, lgb.Booster]] = {
        "trees, 31 leaves": {n: train(n, 31) for n in (50, 150, 500)},
        "leaves, 100 trees": {n: train(100, n) for n in (4, 8, 16, 31, 64, 128)},
        "largest depth, 31 leaves, 100 trees": {
            n: train(100, 31, max_depth=n) for n in (5, 6, 8, 12, 16)
        },
    }
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True, layout="constrained")
    for axis, (title, models) in zip(axes, shapes.items(), strict=True):
        costs = [_costs(model) for model in models.values()]
        for name, each_cost in zip(
            ("pred_contrib", "one row", "in a batch"), zip(*costs, strict=True), strict=True
        ):
            axis.loglog(list(models), [c * 1e6 for c in each_cost], marker="o", label=name)
        axis.set_xlabel(title)
        axis.set_xticks(list(models), [str(n) for n in models], minor=False)
        axis.minorticks_off()
    axes[0].set_ylabel("microseconds a row")
    axes[0].legend()
    figure.savefig(path, dpi=110)


def _costs(booster: lgb.Booster) -> tuple[float, float, float]:
    shap = TreeShap(read_tables(booster.model_to_string()))
    X = make_rows(2048, 1)
    return (
        min(cost(lambda x: contrib(booster, x), X[:30]) for _ in range(3)),
        min(cost(each(shap.explain), X[:100]) for _ in range(3)),
        min(cost(shap.explain, X) for _ in range(3)),
    )


if __name__ == "__main__":
    main()
