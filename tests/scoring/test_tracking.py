"""Where a run came from, and a client that is quiet and reads no pickle."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.decision import content_hash
from domain.errors import InputError
from domain.policy import default_policy_text
from domain.settings import CLOSED, POLICY
from domain.workspace import Workspace
from scoring.tracking import DIGEST, Origin, Used, commit, experiment_of, log_data, tracking_client

# MLflow 3.17 maps its tables with a loader that SQLAlchemy 2.1 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
ROOT = Path(__file__).parents[2]
ORIGIN = Origin("c" * 64, {"transactions": "d" * 64}, "e" * 64)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_tags_say_which_catalogue_policy_data_and_lock(monkeypatch, tmp_path):
    monkeypatch.delenv(POLICY.variable, raising=False)
    tags = ORIGIN.tags()
    assert tags["catalogue"] == "c" * 64
    assert tags["lock"] == "e" * 64
    assert tags["data"] == content_hash({"transactions": "d" * 64})
    assert tags["policy"] == sha256(default_policy_text().encode())
    given = Origin("c" * 64, {}, None, is_given=True).tags()
    assert given["policy"] == sha256(default_policy_text("scores_only").encode())
    assert "lock" not in given
    own = tmp_path / "own.toml"
    own.write_bytes(b"another")
    monkeypatch.setenv(POLICY.variable, str(own))
    assert ORIGIN.tags()["policy"] == sha256(b"another")


def test_a_policy_that_cannot_be_read_is_named_by_its_setting(monkeypatch, tmp_path):
    monkeypatch.setenv(POLICY.variable, str(tmp_path / "gone.toml"))
    with pytest.raises(InputError, match="TIERLINE_POLICY names a file that cannot be read"):
        ORIGIN.tags()


def test_the_commit_of_code_is_told_and_whether_files_were_changed_since(tmp_path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", *who, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert commit(tmp_path) is None
    git("init", "-q")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("tag", "-a", "v1", "-m", "a tag, which is not told")
    assert commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "code.py").write_text("2")
    assert commit(tmp_path) == git("rev-parse", "HEAD") + "-dirty"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("home"), "shop", "sqlite")


def test_inputs_are_hashes_and_counts(workspace):
    client = tracking_client(workspace)
    run = client.create_run(experiment_of(client, workspace, "shop/churn")).info.run_id
    log_data(client, run, "shop", {"transactions": Used("d" * 64, {"num_rows": 7})})
    [found] = client.get_run(run).inputs.dataset_inputs
    assert found.dataset.name == "transactions"
    assert found.dataset.digest == "d" * DIGEST
    assert json.loads(found.dataset.source) == {"source": "shop", "sha256": "d" * 64}
    assert json.loads(found.dataset.profile) == {"num_rows": 7}
    assert [t.value for t in found.tags] == ["training"]


def test_an_experiment_is_made_once_and_its_files_stand_in_the_home(workspace):
    client = tracking_client(workspace)
    made = experiment_of(client, workspace, "shop/churn")
    assert experiment_of(client, workspace, "shop/churn") == made
    place = client.get_experiment(made).artifact_location
    assert place == f"{workspace.artifacts_uri}/shop-churn"


OPEN = dict.fromkeys(CLOSED, "") | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"}


def closed_after(code: str, *words: str) -> bool:
    """Whether a new process, whose environment forbids nothing, forbids it once `code` ran."""
    code += (
        "; import mlflow.environment_variables as m; import mlflow.telemetry.utils as t; import os"
        "; from domain.settings import CLOSED"
        "; print(not m.MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get(), t.is_telemetry_disabled()"
        ", all(os.environ[n] == v for n, v in CLOSED.items()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, env={**os.environ, **OPEN}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()[-3:] == ["True"] * 3


@pytest.mark.parametrize(
    "code",
    [
        "import cli; cli.main(['live', '--help'], standalone_mode=False)",
        "from pathlib import Path; from domain.workspace import Workspace; import sys"
        "; from scoring.tracking import tracking_client"
        "; tracking_client(Workspace(Path(sys.argv[1]), 'shop', 'http://127.0.0.1:9'))",
    ],
    ids=["command", "python"],
)
def test_no_pickle_is_read_and_nobody_is_told_whatever_the_environment_said(code, tmp_path):
    assert closed_after(code, str(tmp_path))


def test_without_an_entry_of_ours_it_would_not_be_so():
    assert not closed_after("pass")


def test_what_make_mlproject_and_the_service_start_is_closed_too():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for name, value in CLOSED.items():
        assert f"export {name} := {value}\n" in makefile
        assert os.environ[name] == value, "the tests themselves"
    project = (ROOT / "MLproject").read_text("utf-8")
    commands = [line for line in project.splitlines() if "command:" in line]
    assert commands
    assert all('command: "python cli.py ' in line for line in commands)
    assert "**CLOSED" in (ROOT / "serving/service.py").read_text("utf-8")
