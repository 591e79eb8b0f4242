"""MLflow keeps a parent run a target and a child a trial, and says nothing on the terminal."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from domain.tiers import TARGETS
from domain.workspace import Workspace
from scoring.tracking import Origin, tracking_client
from tests.training.fit_world import problem
from training.kept import Budget
from training.track import Tracker, origin_of
from training.tune import Search, make_study, tune

ORIGIN = Origin("c" * 64, {}, None)


def runs_of(workspace: Workspace, name: str):
    client = tracking_client(workspace)
    found = client.get_experiment_by_name(name)
    runs = client.search_runs([found.experiment_id])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    return parents, [r for r in runs if r not in parents], client


@pytest.mark.parametrize("target", TARGETS)
def test_a_training_is_one_parent_run_with_a_child_a_trial(trained, target):
    parents, children, client = runs_of(trained.workspace, f"bank/{target}")
    first = min(parents, key=lambda r: r.info.start_time)
    mine = [c for c in children if c.data.tags["mlflow.parentRunId"] == first.info.run_id]
    assert sorted(c.info.run_name for c in mine) == ["trial 0", "trial 1"]
    assert {c.info.status for c in mine} == {first.info.status} == {"FINISHED"}
    for child in mine:
        assert child.data.tags["state"] == "COMPLETE"
        assert "learning_rate" in child.data.params
    result = trained.result.targets[target]
    assert result.best.figure in [c.data.metrics["figure"] for c in mine]
    figures = result.parts["test"].figures
    for name in ("rows", "calibration_error", result.parts["test"].metric):
        assert first.data.metrics[f"test_{name}"] == pytest.approx(figures[name])
    assert first.data.params["trees"] == str(result.best.trees)
    kept = {f.path for f in client.list_artifacts(first.info.run_id, "report")}
    plots = {f"report/{n}.png" for n in ("reasons", "importance", "calibration")}
    assert kept == plots | {f"report/validation.{n}" for n in ("zh.html", "en.html", "json")}
    assert "figures.json" in {f.path for f in client.list_artifacts(first.info.run_id)}
    origin, tags = origin_of(trained.dataset, None).tags(), first.data.tags
    assert origin.keys() <= tags.keys()
    differ = {name for name, said in origin.items() if tags[name] != said}
    assert differ <= {"commit"}, "only the code may have been edited since"
    told = trained.result.leaks.tags(target)
    assert told["leakage.alarms"] == told["leakage.told"] == "none"
    assert told.items() <= first.data.tags.items()


def test_a_training_names_its_tables_by_hash_with_their_rows(trained):
    parents, _, _ = runs_of(trained.workspace, "bank/churn")
    first = min(parents, key=lambda r: r.info.start_time)
    found = {i.dataset.name: i.dataset for i in first.inputs.dataset_inputs}
    assert set(found) == {*trained.dataset.tables, "features"}
    for name, table in trained.dataset.tables.items():
        assert json.loads(found[name].source)["sha256"] == table.sha256
        assert json.loads(found[name].profile) == {"num_rows": table.rows}
    counts = json.loads(found["features"].profile)
    result = trained.result.targets["churn"]
    assert counts["fit"] == result.fit_rows
    assert counts["test"] == result.parts["test"].figures["rows"]
    assert json.loads(found["features"].source)["sha256"] == trained.panel


def test_the_figures_file_has_intervals_and_baselines(trained):
    parents, _, client = runs_of(trained.workspace, "bank/churn")
    first = min(parents, key=lambda r: r.info.start_time)
    file = client.download_artifacts(first.info.run_id, "figures.json")
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    figures = trained.result.targets["churn"].parts["test"].figures
    assert found["test"] == json.loads(json.dumps(figures))


def test_a_run_that_fails_is_marked_failed_and_nothing_is_printed(tmp_path, capfd):
    workspace = Workspace(tmp_path, "shop")
    made, parts = problem(300, 1), (np.arange(200), np.arange(200, 300))
    with pytest.raises(ZeroDivisionError), Tracker(workspace, "churn", ORIGIN) as tracker:
        search = Search(Budget(1), 1)
        study = make_study("s", workspace.studies_url, search, is_amount=False)
        tune(made, (parts,), study, search, tracker.trial)
        tracker.best(0.75, 0)
        tracker.figures({"trees": 3}, {"test": {"auc": 0.5, "interval": [0.4, 0.6]}})
        raise ZeroDivisionError
    [parent], [child], _ = runs_of(workspace, "shop/churn")
    assert (parent.info.status, child.info.status) == ("FAILED", "FINISHED")
    assert parent.data.metrics == {"test_auc": 0.5, "best_figure": 0.75}
    assert not math.isnan(child.data.metrics["figure"])
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
