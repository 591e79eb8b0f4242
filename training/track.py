"""MLflow for a training: one parent run a target, one child a trial, figures, plots.

Enters: what the stages say. Leaves: runs in the workspace's store. No row, id or feature value of
a customer is logged (I12).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna

from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of
from features.panel_files import panel_hash
from features.views import LIVE
from scoring.tracking import Origin, Used, experiment_of, log_data, tracking_client
from training.splits import Split


class Tracker:
    """The parent run of one target; a context manager that ends it as finished, failed or killed.

    `origin`: what it learns with, which becomes the tags of the run.
    """

    def __init__(self, workspace: Workspace, target: Target, origin: Origin) -> None:
        self._client = tracking_client(workspace)
        self._workspace = workspace
        name = f"{workspace.source}/{target}"
        self._experiment = experiment_of(self._client, workspace, name)
        run = self._client.create_run(
            self._experiment, run_name=f"train {target}", tags=origin.tags()
        )
        self.run_id: str = run.info.run_id

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        stopped = kind is not None and not issubclass(kind, Exception)
        ended = "FINISHED" if kind is None else "KILLED" if stopped else "FAILED"
        self._client.set_terminated(self.run_id, ended)

    def data(self, dataset: Dataset, split: Split) -> None:
        """Every table of the data set and the features, by hash, with how many rows did what."""
        parts = {"fit": split.fit, "calibration": split.calibration, "test": split.test}
        tables = {n: Used(t.sha256, {"num_rows": t.rows}) for n, t in dataset.tables.items()}
        panel = panel_hash(self._workspace.features / LIVE)
        used = {"features": Used(panel, {name: len(rows) for name, rows in parts.items()})}
        log_data(self._client, self.run_id, dataset.source, tables | used)

    def trial(self, trial: optuna.trial.FrozenTrial) -> None:
        """A child run for a finished or pruned trial."""
        from mlflow.entities import Metric, Param

        tags = {"mlflow.parentRunId": self.run_id, "state": trial.state.name}
        run = self._client.create_run(
            self._experiment, tags=tags, run_name=f"trial {trial.number}"
        ).info.run_id
        now = int(time.time() * 1000)
        values = zip(("figure", "explain_us"), trial.values or (), strict=False)
        metrics = [Metric(name, value, now, 0) for name, value in values]
        params = [Param(k, str(v)) for k, v in trial.params.items()]
        self._client.log_batch(run, metrics=metrics, params=params)
        self._client.set_terminated(run)

    def best(self, figure: float, trial: int) -> None:
        """The best figure so far, which MLflow draws trial by trial while the study runs."""
        self._client.log_metric(self.run_id, "best_figure", figure, step=trial)

    def figures(self, params: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> None:
        """The winner's parameters, and every plain number of each judged part."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        metrics = [
            Metric(f"{part}_{name}", float(value), now, 0)
            for part, found in parts.items()
            for name, value in found.items()
            if isinstance(value, int | float)
        ]
        chosen = [Param(k, str(v)) for k, v in params.items()]
        self._client.log_batch(self.run_id, metrics=metrics, params=chosen)
        self._client.log_dict(self.run_id, dict(parts), "figures.json")

    def tags(self, said: Mapping[str, str]) -> None:
        """What the run is found by."""
        for name, text in said.items():
            self._client.set_tag(self.run_id, name, text)

    def files(self, paths: list[Path], folder: str = "report") -> None:
        """Plots of the training report, or of the study."""
        for path in paths:
            self._client.log_artifact(self.run_id, str(path), folder)


def origin_of(dataset: Dataset, lock_hash: str | None) -> Origin:
    """What a training on a data set learns with."""
    tables = {name: table.sha256 for name, table in dataset.tables.items()}
    return Origin(catalogue_of(dataset).hash, tables, lock_hash, dataset.given is not None)
