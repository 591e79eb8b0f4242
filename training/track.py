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
from mlflow.entities import Metric, Param

from domain.tiers import Target
from domain.workspace import Workspace
from scoring.registry import tracking_client


class Tracker:
    """The parent run of one target; a context manager that ends it as finished or failed."""

    def __init__(self, workspace: Workspace, target: Target) -> None:
        self._client = tracking_client(workspace)
        name = f"{workspace.source}/{target}"
        found = self._client.get_experiment_by_name(name)
        self._experiment = (
            found.experiment_id
            if found
            else self._client.create_experiment(
                name, artifact_location=f"{workspace.artifacts_uri}/{workspace.source}-{target}"
            )
        )
        run = self._client.create_run(self._experiment, run_name=f"train {target}")
        self.run_id: str = run.info.run_id

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._client.set_terminated(self.run_id, "FINISHED" if kind is None else "FAILED")

    def trial(self, trial: optuna.trial.FrozenTrial) -> None:
        """A child run for a finished or pruned trial."""
        tags = {"mlflow.parentRunId": self.run_id, "state": trial.state.name}
        run = self._client.create_run(
            self._experiment, tags=tags, run_name=f"trial {trial.number}"
        ).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric("figure", trial.value, now, 0)] if trial.value is not None else []
        params = [Param(k, str(v)) for k, v in trial.params.items()]
        self._client.log_batch(run, metrics=metrics, params=params)
        self._client.set_terminated(run)

    def figures(self, params: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> None:
        """The winner's parameters, and every plain number of each judged part."""
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

    def files(self, paths: list[Path]) -> None:
        """Plots of the training report."""
        for path in paths:
            self._client.log_artifact(self.run_id, str(path), "report")
