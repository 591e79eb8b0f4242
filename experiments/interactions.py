"""Which pairs of features move scores together: SHAP interaction values of a sample, in points.

    python -m experiments.interactions --home .tierline --source bank --target credit

Enters: the newest bundle of a workspace; golden rows are its sample (no customer's). Leaves: the
largest pairs on the terminal. `shap` computes them; the service never imports it.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from domain.errors import NotFoundError
from domain.workspace import Workspace
from scoring.bundle import load_bundle
from scoring.golden import golden_rows
from scoring.scorer import Scorer

SHOWN = 20


@click.command()
@click.option("--home", default=".tierline", show_default=True, help="Tierline's home")
@click.option("--source", default="bank", show_default=True, help="whose bundle")
@click.option("--target", type=click.Choice(["value", "churn", "credit"]), default="credit")
def main(home: str, source: str, target: str) -> None:
    """Print the pairs that move most."""
    bundles = sorted(
        Workspace(Path(home), source).bundles.glob("*"), key=lambda p: p.stat().st_mtime
    )
    if not bundles:
        raise NotFoundError(f"no bundle of {source} in {home}: run `tierline train` first")
    bundle = load_bundle(bundles[-1], bundles[-1].name)
    scorer = bundle.scorers[target]  # type: ignore[index]
    pairs = interactions(scorer, golden_rows(bundle.golden[target]))  # type: ignore[index]
    for points, one, other in pairs[:SHOWN]:
        print(f"{points:8.2f} points  {one} x {other}")


def interactions(scorer: Scorer, X: NDArray[np.float64]) -> list[tuple[float, str, str]]:
    """Mean size in points of what two features do only together, the largest first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        values = shap.TreeExplainer(scorer.booster).shap_interaction_values(X)
    sizes = np.abs(values).mean(axis=0) * scorer.calibration.slope * scorer.scale.factor
    pairs = [
        (2 * float(sizes[i, j]), scorer.features[i], scorer.features[j])
        for i in range(len(sizes))
        for j in range(i)
        if sizes[i, j]
    ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))


if __name__ == "__main__":
    main()
