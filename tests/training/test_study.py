"""A study is the same by file, by `mlflow run` and from Python; it draws itself in MLflow."""

from __future__ import annotations

import _thread
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from rich.console import Console

import cli
import cli_options
from domain.asof import MICROS_PER_DAY, from_micros, to_micros
from domain.errors import InputError
from features.catalogue import CATALOGUE
from features.panel import compute
from features.store import matrix
from scoring.tracking import tracking_client
from tests.training.conftest import OPTIONS
from training.kept import Kept, keep, where
from training.matrix import labelled
from training.study import ask, material_of, run_study
from training.study_file import StudyFile, read_study

ROOT = Path(__file__).parents[2]
STUDY = """
source = "bank"
target = "churn"
[features]
themes = ["recency"]
[budget]
trials = 3
"""


def quiet(*_: object) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("studies") / "study.toml"
    found.write_text(STUDY, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def in_python(trained, file) -> tuple[str, object, list]:
    storage, told = where("journal", file.parent), []
    best = run_study(
        read_study(file), trained.workspace.home, lambda *said: told.append(said), storage
    )
    return storage, best, told


def kept_in(storage: str, trained, file: Path) -> Kept:
    name = ask(read_study(file), trained.dataset, trained.workspace).name
    return keep(name, storage, ["maximize"])


def trials_in(storage: str, trained, file: Path) -> list[tuple]:
    return [(t.number, t.params, t.values, t.user_attrs, t.state)
            for t in kept_in(storage, trained, file).trials()]  # fmt: skip


def test_the_command_runs_the_same_study(trained, file, in_python, tmp_path):
    storage = where("sqlite", tmp_path)
    done = CliRunner().invoke(
        cli.main,
        ["--home", str(trained.workspace.home), "tune", str(file), "--storage", storage],
        catch_exceptions=False,
    )
    assert f"churn auc {in_python[1].figure:.4f} with {in_python[1].trees} trees" in done.output
    assert trials_in(storage, trained, file) == trials_in(in_python[0], trained, file)


def test_mlflow_runs_the_same_study(trained, file, in_python, tmp_path):
    storage = where("sqlite", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "tune", "--env-manager", "local",
         "-P", f"study={file}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={
            **os.environ,
            "TIERLINE_HOME": str(trained.workspace.home),
            "TIERLINE_STUDIES": storage,
            "COLUMNS": "200",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/outer.db",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"churn auc {in_python[1].figure:.4f} with {in_python[1].trees} trees" in done.stdout
    assert trials_in(storage, trained, file) == trials_in(in_python[0], trained, file)


def test_the_winner_is_the_best_trial_and_progress_names_it(trained, file, in_python):
    storage, best, told = in_python
    trials = kept_in(storage, trained, file).trials()
    assert best.figure == max(t.values[0] for t in trials)
    assert told[0] == ("tune churn", 0, 3)
    assert told[-1] == (f"tune churn: best auc {best.figure:.4f}", 3, 3)


def test_the_parent_run_draws_the_best_figure_and_keeps_the_history(trained, in_python):
    client = tracking_client(trained.workspace)
    found = client.get_experiment_by_name("bank/churn")
    runs = [r for r in client.search_runs([found.experiment_id])
            if "mlflow.parentRunId" not in r.data.tags]  # fmt: skip
    history = {r.info.run_id: client.get_metric_history(r.info.run_id, "best_figure") for r in runs}
    mine = [r for r, steps in history.items() if len(steps) == 3]
    assert mine
    for run in mine:
        figures = [m.value for m in sorted(history[run], key=lambda m: m.step)]
        assert figures == sorted(figures)
        assert [f.path for f in client.list_artifacts(run, "study")] == ["study/history.png"]


def test_the_bar_shows_the_best_figure_so_far_in_one_line_a_study(monkeypatch):
    screen = Console(force_terminal=True, width=120, file=io.StringIO())
    monkeypatch.setattr(cli_options, "console", screen)
    with cli_options.progress() as told:
        told("tune churn", 0, 3)
        told("tune churn: best 0.7500", 1, 3)
    shown = screen.file.getvalue()
    assert "tune churn: best 0.7500" in shown
    assert "1/3" in shown
    assert shown.count("\n") == 1, "one bar, drawn over itself"


def test_without_a_terminal_each_better_figure_is_a_line(monkeypatch):
    log = Console(width=120, file=io.StringIO())
    monkeypatch.setattr(cli_options, "console", log)
    with cli_options.progress() as told:
        for done, said in enumerate(("", ": best auc 0.7500", ": best auc 0.7500", ": best 0.8")):
            told(f"tune churn{said}", done, 3)
    assert log.file.getvalue().splitlines() == [
        "tune churn: best auc 0.7500 (1 of 3)",
        "tune churn: best 0.8 (3 of 3)",
    ]


def test_a_stopped_study_says_so_refuses_an_edited_file_and_goes_on(trained, in_python, tmp_path):
    file, storage = tmp_path / "study.toml", where("journal", tmp_path)
    words = ["--home", str(trained.workspace.home), "tune", str(file), "--storage", storage]
    file.write_text(STUDY.replace("trials = 3", "trials = 60"), encoding="utf-8")
    kept = kept_in(storage, trained, file)

    def stop() -> None:
        while sum(t.state.is_finished() for t in kept.trials()) < 2:
            time.sleep(0.05)
        _thread.interrupt_main()  # as Ctrl-C does

    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # none in the background
    try:
        watch = threading.Thread(target=stop)
        watch.start()
        stopped = CliRunner().invoke(cli.main, words)
        watch.join()
    finally:
        signal.signal(signal.SIGINT, heard)
    assert stopped.exit_code == 130
    assert "the trials that are done are kept, and the same command goes on" in stopped.output
    assert "tune churn: best auc" in stopped.output
    client = tracking_client(trained.workspace)
    found = client.get_experiment_by_name("bank/churn")
    runs = client.search_runs([found.experiment_id], order_by=["start_time DESC"])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert parents[0].info.status == "KILLED"

    file.write_text(STUDY.replace("recency", "monetary"), encoding="utf-8")
    refused = CliRunner().invoke(cli.main, words)
    assert refused.exit_code == 2
    assert 'features.themes: was ["recency"], is ["monetary"]' in refused.output
    assert not kept_in(storage, trained, file).trials()

    file.write_text(STUDY, encoding="utf-8")
    assert CliRunner().invoke(cli.main, words, catch_exceptions=False).exit_code == 0
    assert trials_in(storage, trained, file)[:3] == trials_in(in_python[0], trained, file)


def test_a_file_says_what_options_would_say(trained, file):
    done = CliRunner().invoke(
        cli.main, ["--home", str(trained.workspace.home), "tune", str(file), "--trials", "9"]
    )
    assert done.exit_code == 2
    assert "the study file says its trials" in done.output
    without = CliRunner().invoke(cli.main, ["--home", str(file.parent), "tune", "--anew"])
    assert without.exit_code == 2
    assert "--anew is about a study file" in without.output


def test_a_study_of_another_source_is_refused(trained, file):
    study = read_study(file).model_copy(update={"source": "berka"})
    with pytest.raises(InputError, match="the study is about berka"):
        ask(study, trained.dataset, trained.workspace)


def test_the_matrix_has_the_features_of_the_study_alone(trained, file):
    asked = ask(read_study(file), trained.dataset, trained.workspace)
    made = material_of(asked, None, quiet)
    chosen = asked.study.features.of(CATALOGUE, "churn")
    assert sorted((*made.problem.names, *made.dropped)) == sorted(chosen)


def test_dates_of_its_own_get_features_and_those_of_the_plan_keep_theirs(trained, file):
    plan = trained.dataset.plan
    earlier = [from_micros(to_micros(t) - 7 * MICROS_PER_DAY) for t in plan.train_as_of[-2:]]
    grid = {"train": earlier, "test": plan.test_as_of}
    study = StudyFile.model_validate({**read_study(file).model_dump(), "as_of": grid})
    asked = ask(study, trained.dataset, trained.workspace)
    made = material_of(asked, None, quiet)
    assert set(made.as_of) == {to_micros(t) for t in (*earlier, *plan.test_as_of)}
    rows = pa.table({"customer_id": made.customers[:40], "as_of": pa.array(made.as_of[:40]).cast(
        labelled(trained.dataset)[0]["churn"]["as_of"].type)})  # fmt: skip
    expected = matrix(compute(trained.dataset, rows), made.problem.names)
    np.testing.assert_array_equal(made.problem.X[:40], expected)
    told = []
    for options in (OPTIONS.asked("churn", trained.dataset, trained.workspace), asked):
        material_of(options, None, lambda *said: told.append(said))
    assert not told, "both grids stand in the panel: nothing is computed again"
