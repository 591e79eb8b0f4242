"""Plots of one scorer, as PNG files for MLflow.

Enters: a scorer, rows and the judge's evidence. Leaves: files. `shap` draws the global view; the
service never imports it.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from scoring.scorer import Scorer
from training.judge import Evidence
from training.metrics import calibration_table

SHOWN_ROWS = 1000
SHOWN_FEATURES = 15


def plots(scorer: Scorer, X: NDArray[np.float64], evidence: Evidence, folder: Path) -> list[Path]:
    """Reasons over customers (SHAP, in points), importance, and calibration; the files written."""
    mpl.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap and matplotlib warn of each other's defaults
        import matplotlib.pyplot as plt
        import shap

        rows = scorer.encoded(X[:SHOWN_ROWS])
        values = shap.TreeExplainer(scorer.booster).shap_values(rows)
        points = values * scorer.calibration.slope * scorer.scale.factor
        files = []
        for kind, name in (("dot", "reasons"), ("bar", "importance")):
            plt.figure()
            shap.summary_plot(
                points, rows, feature_names=list(scorer.features), plot_type=kind,
                max_display=SHOWN_FEATURES, show=False, rng=np.random.default_rng(0),
            )  # fmt: skip
            plt.xlabel("points")
            files.append(folder / f"{name}.png")
            plt.savefig(files[-1], dpi=110, bbox_inches="tight")
            plt.close("all")
        predicted, seen, _ = zip(*calibration_table(evidence.y, evidence.predicted), strict=True)
        figure, axes = plt.subplots(figsize=(4.5, 4.5))
        axes.plot([0, max(predicted)], [0, max(predicted)], color="0.7")
        axes.plot(predicted, seen, marker="o")
        axes.set_xlabel("predicted")
        axes.set_ylabel("came true")
        files.append(folder / "calibration.png")
        figure.savefig(files[-1], dpi=110, bbox_inches="tight")
        plt.close("all")
    return files
