"""A small simulated bank, trained once here and once more in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from domain.tiers import Target
from domain.workspace import Workspace
from events.bank.simulate import simulate
from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from features.panel_files import panel_hash
from features.views import LIVE
from training.fit import Material
from training.matrix import labelled, material
from training.options import RunOptions
from training.results import RunResult
from training.run import run
from training.study_file import StudyFile

ROOT = Path(__file__).parents[2]
CREDIT = {
    "source": "bank",
    "target": "credit",
    "second": "explain_us",
    "space": {"num_leaves": [2, 8]},
    "budget": {"trials": 2},
}
"""The study of one target; the others have the default one."""
OPTIONS = RunOptions(trials=2, studies=(StudyFile.model_validate(CREDIT),))
ELSEWHERE = """
import json, sys
from pathlib import Path
from domain.workspace import Workspace
from events.dataset import open_dataset
from features.panel_files import panel_hash
from features.views import LIVE
from training.options import RunOptions
from training.run import run
from training.study_file import StudyFile

home, dataset, trials = Path(sys.argv[1]), open_dataset(Path(sys.argv[2])), int(sys.argv[3])
options = RunOptions(trials=trials, studies=(StudyFile.model_validate_json(sys.argv[4]),))
result = run(dataset, Workspace(home, "bank"), options, lambda *_: None)
print(json.dumps(result.to_dict()))
"""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: two wait for each other on a busy machine."""
    with threadpool_limits(1):
        yield


@dataclass(frozen=True)
class Trained:
    """A run with what it was told, over a bank whose truth stands in `raw / "truth"`.

    `panel` is the hash of the features it learnt from: a later test may write others there.
    """

    raw: Path
    dataset: Dataset
    workspace: Workspace
    result: RunResult
    told: tuple[tuple[str, int, int], ...]
    panel: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Two trials a target on 1,200 simulated customers, in a fresh home."""
    root = tmp_path_factory.mktemp("bank")
    workspace = Workspace(root / "home", "bank")
    simulate(root / "raw", customers=1200, months=24, seed=7)
    dataset, _ = ingest(SOURCES["bank"], root / "raw", workspace.dataset)
    told: list[tuple[str, int, int]] = []
    result = run(dataset, workspace, OPTIONS, lambda *said: told.append(said))
    panel = panel_hash(workspace.features / LIVE)
    yield Trained(root / "raw", dataset, workspace, result, tuple(told), panel)


@pytest.fixture(scope="session")
def materials(trained: Trained) -> Callable[[Target], Material]:
    """What a target of the bank learnt from, made when it is first asked for; nobody changes it."""
    rows = labelled(trained.dataset)[0]

    @cache
    def made(target: Target) -> Material:
        return material(trained.dataset, trained.workspace, target, rows[target], OPTIONS.seed)

    return made


@pytest.fixture(scope="session")
def elsewhere(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of the same run in another home and process, with another order of hashes.

    The process has no network; `calls` is what it asked of one.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "home"
    calls = home.parent / "calls"
    words = (str(home), str(trained.dataset.root), str(OPTIONS.trials), json.dumps(CREDIT))
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **no_network(calls), "PYTHONHASHSEED": "4", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "calls": calls.read_text() if calls.exists() else ""}


def no_network(calls: Path) -> dict[str, str]:
    """The environment of a process that reaches no other machine, and writes its tries down."""
    return {"PYTHONPATH": str(ROOT / "tests/offline"), "TIERLINE_CALLS": str(calls)}
