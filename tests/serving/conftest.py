"""A small simulated bank, trained and promoted; a record of one's own for tests that write."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from domain.workspace import Workspace
from events.bank.config import BankConfig
from events.bank.simulate import write_bank
from events.ingest import ingest
from events.readers import SOURCES
from features.store import FeatureRoom
from scoring import registry
from scoring.card import Accepted
from scoring.parity import certify
from serving.desk import Desk
from training.options import RunOptions
from training.run import run

ACCEPTED = Accepted(by="tests", reason="a small bank for tests, nobody depends on it")
AT = 1_780_000_000_000_000


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace of a bank with a live bundle; nobody writes into it."""
    root = tmp_path_factory.mktemp("serving")
    write_bank(root / "raw", BankConfig(customers=500, months=24, seed=5))
    workspace = Workspace(root / "home", "bank")
    dataset, _ = ingest(SOURCES["bank"], root / "raw", workspace.dataset)
    with threadpool_limits(1):
        made = run(dataset, workspace, RunOptions(trials=1, accepted=ACCEPTED), lambda *_: None)
        assert made.bundle is not None
        passed = certify(workspace, {}, 20, bring=True)
        registry.promote(
            workspace, made.bundle.hash, by="tests", reason=None, at=AT, certificate=passed
        )
        yield workspace


@pytest.fixture
def workspace(bank: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of one's own: the bank's bundle, policy and features, an empty record."""
    own = Workspace(tmp_path / "home", "bank")
    own.root.mkdir(parents=True)
    for name in ("bundles", "features", "dataset"):
        (own.root / name).symlink_to(bank.root / name)
    for file in bank.root.glob("deployments*"):
        shutil.copy(file, own.root / file.name)
    return own


@pytest.fixture
def desk(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk over it; nothing is stale."""
    monkeypatch.setenv("TIERLINE_STALE_DAYS", "100000")
    return Desk(workspace)


@pytest.fixture(scope="session")
def customers(bank: Workspace) -> tuple[str, ...]:
    """Everybody whose features are online."""
    return FeatureRoom(bank.features).latest()[1]


@pytest.fixture
def edited(workspace: Workspace) -> Callable[..., None]:
    """Runs SQL on the record as somebody who may drop its triggers."""
    import sqlite3

    def edit(*statements: str) -> None:
        with sqlite3.connect(workspace.decisions) as db:
            for trigger in ("record_no_update", "record_no_delete"):
                db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            for statement in statements:
                db.execute(statement)
        db.close()

    return edit
