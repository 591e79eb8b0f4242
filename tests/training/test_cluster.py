"""Learning on two Dask workers: native text, directions proved, as good as on one machine."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from cli import _options, main
from domain.decision import DecisionRequest, Purpose
from domain.errors import BundleError, InputError
from domain.workspace import Workspace
from scoring.booster import booster_text
from scoring.monotone import violations
from scoring.parity import go_live
from scoring.registry import find_bundle
from serving.desk import Desk
from serving.replay import replay
from tests.events.given_world import folder
from tests.training.fit_world import MONOTONE, PLAN, material, problem
from training import cluster
from training.cluster import fit_at_scheduler, fit_on_dask, on_dask
from training.fit import fit_scorer
from training.tune import Best, fit_booster

BEST = Best(
    {
        "learning_rate": 0.1, "num_leaves": 6, "min_data_in_leaf": 20, "lambda_l2": 5.0,
        "feature_fraction": 0.8, "bagging_fraction": 0.7, "bagging_freq": 1,
    },
    40,
    0.0,
)  # fmt: skip
LEARN, HELD = np.arange(2_000), np.arange(2_000, 3_000)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@contextmanager
def two_workers():
    """A client of two worker processes of one thread on this machine."""
    from distributed import Client, LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **options) as made, Client(made) as found:
        yield found


@pytest.fixture(scope="module")
def client():
    """Two workers that all tests share, so that none may be lost."""
    with two_workers() as found:
        yield found


@contextmanager
def losing_a_worker(moment):
    """The address of two workers, one of them killed as soon as a task of a name goes to either."""
    from distributed.diagnostics.plugin import SchedulerPlugin

    with two_workers() as own:
        processes = [*own.run(os.getpid).values()][:1]

        class Loss(SchedulerPlugin):
            def transition(self, key, start, finish, *_, **__):
                if finish == "processing" and moment in str(key) and processes:
                    os.kill(processes.pop(), signal.SIGKILL)

        own.cluster.scheduler.add_plugin(Loss())
        yield own.scheduler.address
        assert not processes


def test_odds_learnt_by_two_workers_rank_as_those_of_one_machine(client):
    made = problem(3_000, 1)
    there, here = fit_on_dask(client, made, LEARN, BEST, 7), fit_booster(made, LEARN, BEST, 7)
    assert there.num_trees() == here.num_trees() == BEST.trees
    assert there.feature_name() == list(made.names)
    auc = [roc_auc_score(made.y[HELD], b.predict(made.X[HELD])) for b in (there, here)]
    assert auc[0] == pytest.approx(auc[1], abs=0.01)
    assert auc[0] > 0.75
    assert violations(booster_text(there), MONOTONE) == ()
    assert violations(booster_text(there), [-w for w in MONOTONE]) != ()


def test_amounts_learnt_by_two_workers_become_a_scorer_like_any_other(client):
    made = material("value", 3_000, 2)

    def fit(*what):
        return fit_on_dask(client, *what)

    there = fit_scorer(made, PLAN, BEST, 7, None, fit)
    here = fit_scorer(made, PLAN, BEST, 7, None)
    X = made.problem.X[made.split.test]
    explained = there.explain(X)
    assert (explained.base_points + explained.reasons.sum(axis=1) == explained.points).all()
    assert np.corrcoef(there.margin(X), here.margin(X))[0, 1] > 0.98
    assert there.booster_text != here.booster_text
    assert violations(there.booster_text, there.monotone) == ()


def test_every_worker_held_rows_of_its_own(client, monkeypatch):
    placed = []
    scatter = type(client).scatter

    def watched(self, part, workers, **how):
        placed.append((part.shape[0], tuple(workers)))
        return scatter(self, part, workers=workers, **how)

    monkeypatch.setattr(type(client), "scatter", watched)
    fit_on_dask(client, problem(301, 3), np.arange(301), BEST, 7)
    addresses = sorted(client.scheduler_info()["workers"])
    assert placed == [(n, (a,)) for _ in "Xy" for n, a in zip((151, 150), addresses, strict=True)]


def test_a_broken_direction_is_no_booster(client, monkeypatch):
    wrong = [-w for w in MONOTONE]
    monkeypatch.setattr(cluster, "violations", lambda text, _: violations(text, wrong))
    with pytest.raises(BundleError, match="learnt on the cluster, tree"):
        fit_on_dask(client, problem(3_000, 1), LEARN, BEST, 7)


def test_fewer_rows_than_workers_are_refused(client):
    with pytest.raises(InputError, match="2 workers for 1 rows"):
        fit_on_dask(client, problem(10, 1), np.arange(1), BEST, 7)


def test_an_address_opens_its_cluster_and_another_is_refused(client, monkeypatch, tmp_path):
    fit = on_dask(client.scheduler.address)
    assert fit(problem(300, 1), np.arange(300), BEST, 7).num_trees() == BEST.trees
    learner = _options(tmp_path, 1, 7, dask=client.scheduler.address).fit
    assert learner.func is cluster.fit_at_scheduler
    monkeypatch.setattr(cluster, "SECONDS", 0.2)
    for address in ("tcp://127.0.0.1:9", "nowhere://"):
        with pytest.raises(InputError, match="no Dask scheduler answers at"):
            on_dask(address)


def test_a_busy_worker_is_not_waited_for(client, monkeypatch):
    from distributed import Event

    monkeypatch.setattr(cluster, "SECONDS", 0.2)
    [worker, _] = client.scheduler_info()["workers"]
    held = client.submit(lambda: Event("free").wait(), workers=[worker])
    with pytest.raises(InputError, match="start it anew"):
        fit_on_dask(client, problem(300, 1), np.arange(300), BEST, 7)
    Event("free", client=client).set()
    assert held.result()


def test_a_worker_killed_while_its_scheduler_waits_for_it_alone_ends_the_fit():
    """LightGBM asks each worker for a port: without its worker that task is never done."""
    lost = pytest.raises(InputError, match="start all workers")
    with losing_a_worker("_acquire_port") as address, lost:
        fit_at_scheduler(address, problem(300, 1), np.arange(300), BEST, 7)


def test_the_command_that_lost_a_worker_makes_nothing_and_then_a_bundle_that_serves_and_explains(
    client, tmp_path
):
    workspace = Workspace(tmp_path / "home", "given")
    raw, told = str(folder(tmp_path / "raw")), tmp_path / "told.json"
    why = ["--accept", "a table made up for a test", "--by", "test"]

    def ask(*command):
        given = ["--home", str(workspace.home), *command, "--source", "given"]
        return CliRunner().invoke(main, given)

    def train(address):
        return ask("train", "--dask", address, "--trials", "1", *why, "--json", str(told))

    assert ask("features", "--data", raw).exit_code == 0
    with losing_a_worker("_train_part") as address:
        lost = train(address)
    assert lost.exit_code == 2, lost.output
    assert "train again" in lost.output
    assert not told.exists()
    assert not workspace.bundles.exists()
    done = train(client.scheduler.address)
    assert done.exit_code == 0, done.output
    result = json.loads(told.read_text(encoding="utf-8"))
    bundle = find_bundle(workspace, result["bundle"])
    assert bundle.card["learner"] == "training.cluster.fit_at_scheduler"
    gates = [gate["gate"] for gate in result["targets"]["churn"]["gates"]]
    assert {"calibrated", "monotone"} <= set(gates)
    assert violations(bundle.scorers["churn"].booster_text, bundle.scorers["churn"].monotone) == ()
    go_live(workspace, {}, bundle.hash, 20, "test", None)
    asked = DecisionRequest(customer_ids=["3", "4"], purpose=Purpose.CRM)
    answer = Desk(workspace).decisions(asked)
    for decision in answer.decisions:
        [score] = decision.scores
        assert score.base_points + sum(r.points for r in score.reasons) == score.points
    assert all(replay(workspace, d.decision_id).equal for d in answer.decisions)
