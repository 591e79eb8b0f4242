"""A real MLflow server over a real PostgreSQL keeps what a training says, and promotes bundles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from domain.asof import parse_instant
from domain.workspace import Workspace
from features.parity import Certificate
from scoring.bundle import load_bundle, write_bundle
from scoring.golden import draw_rows
from scoring.registry import alias_differs, live, newest, promote, register
from scoring.tracking import Origin, Used, log_data, tracking_client
from tests.scoring.conftest import SmallCatalogue, make_card
from tests.servers import mlflow_server
from tests.training.fit_world import MONOTONE, NAMES, PLAN, material
from training.fit import fit_scorer
from training.kept import Budget
from training.track import Tracker
from training.tune import Search, inner_folds, make_study, tune

JUNE = parse_instant("2011-06-01")
PANEL = "d" * 64


@pytest.fixture(scope="module")
def server(postgres_address, tmp_path_factory):
    """The address of a server, its runs in a database of their own, its files in a folder."""
    import psycopg

    database = postgres_address.removesuffix("/postgres")
    with psycopg.connect(postgres_address, autocommit=True) as db:
        db.execute("CREATE DATABASE mlflow_test")
    folder = tmp_path_factory.mktemp("server")
    with mlflow_server(f"{database}/mlflow_test", folder) as address:
        yield address, folder, f"{database}/mlflow_test"


@pytest.fixture(scope="module")
def shop(server, tmp_path_factory):
    own = Workspace(tmp_path_factory.mktemp("home"), "shop", server[0])
    (own.features / "live").mkdir(parents=True)
    (own.features / "live/panel.sha256").write_text(PANEL + "\n", encoding="ascii")
    return own


class Shop(SmallCatalogue):
    """The features of the small problem."""

    def categories(self, names):
        return ()

    def monotone(self, target, names):
        return tuple(dict(zip(NAMES, MONOTONE, strict=True))[n] for n in names)


@pytest.fixture(scope="module")
def trained(shop, tmp_path_factory):
    """A tuned, fitted and bundled churn scorer whose run the server keeps."""
    made = material("churn", 600, 1)
    plot = tmp_path_factory.mktemp("plots") / "reasons.png"
    plot.write_bytes(b"\x89PNG")
    with Tracker(shop, "churn", Origin("c" * 64, {"transactions": "d" * 64}, None)) as tracker:
        data = {"transactions": Used("d" * 64, {"num_rows": 600})}
        log_data(tracking_client(shop), tracker.run_id, "shop", data)
        places = np.arange(600) % 100
        search = Search(Budget(2), 1)
        kept = make_study("s", None, search, is_amount=False)
        folds = inner_folds(places, made.split.fit)
        best = tune(made.problem, folds, kept, search, tracker.trial)
        scorer = fit_scorer(made, PLAN, best, 1, None)
        tracker.figures(best.params, {"test": {"auc": 0.5}})
        tracker.files([plot])
    golden = {"churn": draw_rows(made.problem.X, 5, 1)}
    card = make_card("churn", source="shop")
    return tracker.run_id, write_bundle(shop.bundles, {"churn": scorer}, Shop(NAMES), card, golden)


def test_the_run_its_trials_inputs_and_files_are_read_back_from_the_server(shop, trained, server):
    run_id, _ = trained
    client = tracking_client(shop)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"test_auc": 0.5}
    assert run.data.tags["catalogue"] == "c" * 64
    assert [i.dataset.name for i in run.inputs.dataset_inputs] == ["transactions"]
    asked = f"tags.mlflow.parentRunId = '{run_id}'"
    children = client.search_runs([run.info.experiment_id], asked)
    assert sorted(c.info.run_name for c in children) == ["trial 0", "trial 1"]
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    figures = client.download_artifacts(run_id, "figures.json")
    assert json.loads(Path(figures).read_text("utf-8")) == {"test": {"auc": 0.5}}
    _, folder, _ = server
    assert [f.read_bytes() for f in folder.rglob("reasons.png")] == [b"\x89PNG"]
    assert not (shop.home / "mlflow.db").exists()
    assert not (shop.home / "mlartifacts").exists()


@pytest.fixture(scope="module")
def promoted(shop, trained):
    """The version of the registered bundle, and its promotion by Li."""
    _, bundle = trained
    version = register(shop, bundle)
    passed = Certificate(
        project="tierline_shop", catalogue=bundle.catalogue_hash, panel=PANEL, store="sqlite",
        as_of="2011-06-01T00:00:00Z", customers=20, pushed=0, features=4, mismatches={},
        at="2011-06-01T00:00:00Z",
    ).sealed()  # fmt: skip
    return version, promote(shop, bundle.hash, by="Li", reason=None, at=JUNE, certificate=passed)


def test_a_bundle_is_registered_promoted_and_read_back_through_the_server(shop, trained, promoted):
    _, bundle = trained
    version, done = promoted
    assert register(shop, bundle) == version
    assert newest(shop) == bundle.hash
    assert live(shop) == done
    assert alias_differs(shop) is None
    client = tracking_client(shop)
    held = client.get_model_version_by_alias("tierline-shop", "live")
    assert (held.version, held.tags["bundle"]) == (version, bundle.hash)
    folder = Path(client.download_artifacts(held.run_id, "model"))
    assert load_bundle(folder / "bundle", bundle.hash).scorers == bundle.scorers
    client.delete_registered_model_alias("tierline-shop", "live")
    assert "names no bundle" in (alias_differs(shop) or "")


def test_the_database_holds_the_runs_and_no_name_of_who_promoted(trained, promoted, server):
    import psycopg

    run_id, _ = trained
    with psycopg.connect(server[2]) as db:
        found = db.execute("SELECT status FROM runs WHERE run_uuid = %s", [run_id]).fetchall()
        tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        said = [str(db.execute(f'SELECT * FROM "{t}"').fetchall()) for (t,) in tables.fetchall()]
    assert found == [("FINISHED",)]
    assert any("tierline-shop" in text for text in said)
    assert not any("'Li'" in text for text in said)
