"""MLflow as Tierline uses it: one client, experiments, and the tags that say where a run came from.

Enters: a workspace; what something was learnt from. Leaves: a quiet client of the store that the
workspace names, ids of experiments, tags and inputs. Hashes, counts and versions are told, no row
and no path (I12).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from domain.decision import content_hash
from domain.errors import InputError
from domain.policy import default_policy_text
from domain.settings import CLOSED, POLICY
from domain.workspace import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

DIGEST = 36
"""The longest digest that MLflow's database takes; the source beside it has the whole hash."""
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Origin:
    """What something was learnt with: catalogue, lock and each table, by hash.

    `is_given`: from a ready-made feature table, which the packaged policy `scores_only` is for.
    """

    catalogue: str
    data: Mapping[str, str]
    lock: str | None
    is_given: bool = False

    def tags(self) -> dict[str, str]:
        """Which catalogue, policy, code and data: the policy is the one the settings name now.

        Raises:
            InputError: the settings name a policy file that cannot be read.
        """
        known = {
            "catalogue": self.catalogue,
            "policy": _policy_hash(self.is_given),
            "data": content_hash(dict(self.data)),
            "version": version("tierline"),
            "lock": self.lock,
            "commit": commit(_ROOT),
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True)
class Used:
    """A table that something was learnt from: its hash, and counts of its rows by what they are."""

    sha256: str
    counts: Mapping[str, int]


def tracking_client(workspace: Workspace) -> MlflowClient:
    """MLflow over the store that the workspace names, quiet, reading no pickle.

    Raises:
        InputError: the workspace names no store.
    """
    os.environ.update(CLOSED)  # before the import, which looks at them
    from mlflow import MlflowClient  # 2 s: what is live, which serving asks, needs none

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    workspace.home.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The ``noload`` loader", DeprecationWarning)
        return MlflowClient(workspace.tracking_uri, workspace.tracking_uri)


def experiment_of(client: MlflowClient, workspace: Workspace, name: str) -> str:
    """The id of the experiment of a name, made where there is none.

    Its files stand in the workspace's home, or where the server keeps those of every experiment.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = None if workspace.has_server else f"{workspace.artifacts_uri}/{name.replace('/', '-')}"
    return str(client.create_experiment(name, artifact_location=place))


def log_data(client: MlflowClient, run_id: str, source: str, used: Mapping[str, Used]) -> None:
    """Name in a run what it learnt from; no row is logged."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(
                name=name,
                digest=one.sha256[:DIGEST],
                source_type="tierline",
                source=json.dumps({"source": source, "sha256": one.sha256}),
                profile=json.dumps(dict(one.counts)),
            ),
            [InputTag("mlflow.data.context", "training")],
        )
        for name, one in used.items()
    ]
    client.log_inputs(run_id, inputs)


def commit(root: Path) -> str | None:
    """The commit of a folder's code, `-dirty` where files were changed since; None: it has none."""
    if not (root / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # a machine without git
        return None
    return done.stdout.strip() or None


def _policy_hash(is_given: bool) -> str:
    file = POLICY.read(os.environ)
    if not file:
        text = default_policy_text("scores_only" if is_given else "default")
        return hashlib.sha256(text.encode()).hexdigest()
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as e:
        raise InputError(
            f"{POLICY.variable} names a file that cannot be read: {e.strerror}; mend or unset it"
        ) from None
