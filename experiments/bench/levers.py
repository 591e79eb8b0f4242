"""Levers bench: how many customers of a trained source have a plan to the next cut, and its price.

    python -m experiments.bench.levers --source bank

Enters: a workspace with a data set and a bundle (`tierline run`). Leaves: one line a target: shares
of customers with a plan, none (proved) and neither, nodes and milliseconds, and the gap where the
budget ended first. Levers have the ranges of the bundle's golden rows. It is imported by nobody.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from domain.policy import default_policy
from domain.settings import HOME
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import open_dataset
from features.catalogue import Catalogue
from features.given import catalogue_of, everybody, panel
from scoring.bundle import Bundle, load_bundle
from scoring.counterfactuals import Answer, Limits, plans
from scoring.golden import golden_rows
from scoring.levers import levers_of, ranges
from training.matrix import serving_as_of

Row = Mapping[str, float | None]


@click.command()
@click.option("--source", required=True, help="A source that was run.")
@click.option("--home", default=HOME.default, type=click.Path(path_type=Path))
@click.option("--customers", default=100, show_default=True, help="Drawn from everybody known.")
def main(source: str, home: Path, customers: int) -> None:
    """Ask for the cheapest way to the next cut and print what it took."""
    workspace = Workspace(home, source)
    dataset = open_dataset(workspace.dataset)
    catalogue = catalogue_of(dataset)
    newest = max(workspace.bundles.iterdir(), key=lambda p: p.stat().st_mtime)
    bundle = load_bundle(newest, newest.name)
    asked = everybody(dataset, serving_as_of(dataset))
    drawn = np.random.default_rng(1).permutation(asked.num_rows)[:customers]
    rows = panel(dataset, asked.take(np.sort(drawn))).select(list(catalogue.names)).to_pylist()
    for target in bundle.scorers:
        print(told(source, target, list(answers(bundle, catalogue, target, rows))))


def answers(
    bundle: Bundle, catalogue: Catalogue, target: Target, rows: Sequence[Row]
) -> Iterator[tuple[Answer | None, float]]:
    """The answer for each customer, None in the highest tier, and its milliseconds."""
    scorer, cuts = bundle.scorers[target], default_policy().steps[target]
    levers = levers_of(catalogue, ranges(scorer.features, golden_rows(bundle.golden[target])))
    _ = scorer.leaves
    for row in rows:
        x = [[np.nan if row[n] is None else row[n] for n in scorer.features]]
        points = int(scorer.points(np.array(x, dtype=np.float64))[0])
        higher = [b for b in cuts.bounds if b > points]
        began = time.perf_counter()
        found = plans(scorer, catalogue, row, higher[0], levers, Limits()) if higher else None
        yield found, 1000 * (time.perf_counter() - began)


def told(source: str, target: Target, asked: Sequence[tuple[Answer | None, float]]) -> str:
    """One row of the table in docs/benchmarks.md."""
    found = [(a, ms) for a, ms in asked if a is not None]
    first = [a.plans[0] for a, _ in found if a.plans]
    none = sum(a.proved for a, _ in found if not a.plans)
    nodes = np.quantile([a.nodes for a, _ in found], [0.5, 0.95, 1.0])
    ms = np.quantile([ms for _, ms in found], [0.5, 0.95])
    sizes = [sum(len(p.moves) == k for p in first) for k in (1, 2, 3)]
    gaps = [p.gap for p in first if p.gap]
    cells: list[Any] = [
        source, target, len(found), f"{len(first) / len(found):.0%}",
        "/".join(map(str, sizes)), f"{none / len(found):.0%}",
        len(found) - len(first) - none, f"{len(gaps)} ({max(gaps):.2f})" if gaps else 0,
        "/".join(f"{n:,.0f}" for n in nodes), "/".join(f"{m:,.0f}" for m in ms),
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
