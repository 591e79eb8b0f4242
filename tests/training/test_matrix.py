"""The matrix of a target: computed once, kept by Feast, read as of each row."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from domain.tiers import TARGETS
from domain.workspace import Workspace
from features import spans
from features.catalogue import CATALOGUE
from features.panel import compute, known_customers
from features.panel_files import HASH_FILE
from features.store import open_room
from tests.features.scale_world import grid_of, small_bank
from tests.training.label_world import at, buys, dataset_of, event, plan_of
from training.matrix import labelled, material, serving_as_of, write_features
from training.options import RunOptions
from training.segments import cohort
from training.targets import grids

SEED = RunOptions().seed


@pytest.fixture(scope="module")
def rows(trained):
    return labelled(trained.dataset)[0]


@pytest.fixture(scope="module")
def churn(materials):
    return materials("churn")


def test_every_target_has_rows_at_every_moment_of_the_plan_and_no_other(trained, rows):
    train, test = grids(trained.dataset)
    assert set(rows) == set(TARGETS)
    for table in rows.values():
        assert set(table["as_of"].cast(pa.int64()).to_pylist()) == {*train, *test}


def test_the_matrix_holds_for_each_row_what_the_engine_says_as_of_it(trained, rows, churn):
    some = np.random.default_rng(1).permutation(rows["churn"].num_rows)[:400]
    asked = rows["churn"].take(pa.array(some)).select(["customer_id", "as_of"])
    panel = compute(trained.dataset, asked)
    for place, name in enumerate(churn.problem.names):
        expected = panel[name].to_numpy(zero_copy_only=False)
        np.testing.assert_array_equal(churn.problem.X[some, place], expected, err_msg=name)


def test_rows_customers_and_truth_stand_side_by_side(rows, churn):
    table = rows["churn"]
    assert churn.customers == table["customer_id"].to_pylist()
    assert churn.as_of.tolist() == table["as_of"].cast(pa.int64()).to_pylist()
    assert churn.problem.y.tolist() == table["y"].to_pylist()


def test_it_is_read_from_feast_and_no_row_sees_a_later_one(trained, rows, churn, tmp_path):
    """A canary: at the last moment every value is a million higher, in the store alone."""
    last = max(grids(trained.dataset)[1])
    keys = rows["churn"].select(["customer_id", "as_of"])
    panel = compute(trained.dataset, keys)
    is_last = np.asarray(keys["as_of"].cast(pa.int64())) == last
    for name in CATALOGUE.names:
        values = panel[name].to_numpy(zero_copy_only=False)
        place = panel.schema.get_field_index(name)
        planted = pa.array(values + 1e6 * is_last, mask=np.isnan(values))
        panel = panel.set_column(place, name, planted)
    workspace = Workspace(tmp_path, "bank")
    open_room(workspace, {}).write(panel)
    found = material(trained.dataset, workspace, "churn", rows["churn"], SEED)
    assert found.problem.names == churn.problem.names
    np.testing.assert_array_equal(found.problem.X[~is_last], churn.problem.X[~is_last])
    np.testing.assert_array_equal(found.problem.X[is_last], churn.problem.X[is_last] + 1e6)


@pytest.mark.parametrize("target", TARGETS)
def test_used_and_dropped_features_are_all_that_the_target_may_read(materials, target):
    made = materials(target)
    allowed = CATALOGUE.for_target(target)
    assert sorted((*made.problem.names, *made.dropped)) == sorted(allowed)
    assert made.problem.monotone == CATALOGUE.monotone(target, made.problem.names)
    fit = made.problem.X[made.split.fit]
    for column in fit.T:
        assert np.unique(column).size > 1
    assert made.problem.is_amount == (target == "value")


@pytest.mark.parametrize("season", ["none", "smooth"])
def test_amounts_are_learnt_in_units_and_beyond_their_date_exactly_where_the_plan_has_a_season(
    trained, rows, season
):
    dataset = trained.dataset
    dataset = replace(dataset, plan=dataset.plan.model_copy(update={"season": season}))
    made = material(dataset, trained.workspace, "value", rows["value"], SEED)
    teach = np.concatenate([made.split.fit, made.split.calibration])
    paid = made.problem.y[teach][made.problem.y[teach] > 0]
    logs = np.log1p(made.problem.y / (np.median(paid) / 4 if season == "smooth" else 1.0))
    for as_of in np.unique(made.as_of[teach]):
        own = teach[made.as_of[teach] == as_of]
        beyond = logs[own].mean() if season == "smooth" else 0.0
        assert made.problem.learnt[own] == pytest.approx(logs[own] - beyond)


def test_features_are_served_as_of_the_last_event_and_outcomes_do_not_count(tmp_path):
    plan = plan_of((), ())
    tables = {
        "transactions": [buys("a", 10), buys("a", 12)],
        "interactions": [event("a", 14, kind="contact")],
        "outcomes": [event("a", 90, decided_at=at(20), is_bad=False)],
    }
    assert serving_as_of(dataset_of(tmp_path, tables, plan)) == at(14)


def test_the_panel_has_every_labelled_row_everybody_known_today_and_the_cohort_of_segments_once(
    trained, rows, tmp_path
):
    workspace = Workspace(tmp_path, "bank")
    asked = {t: r.slice(0, 300) for t, r in rows.items()}
    kept = write_features(trained.dataset, workspace, asked)
    today = known_customers(trained.dataset, [serving_as_of(trained.dataset)])
    pairs = {
        (c, t)
        for table in (*asked.values(), today, cohort(trained.dataset))
        for c, t in zip(table["customer_id"].to_pylist(), table["as_of"].to_pylist(), strict=True)
    }
    assert kept == len(pairs)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return small_bank(tmp_path_factory.mktemp("small"))


def bytes_of(workspace: Workspace) -> dict[str, bytes]:
    views = open_room(workspace, {}).views
    return {f.name: f.read_bytes() for f in (*views.glob("*.parquet"), views / HASH_FILE)}


def test_a_panel_has_the_same_bytes_from_memory_and_from_spans_on_disk(bank, tmp_path, monkeypatch):
    rows, told = {"churn": grid_of(bank)}, []
    kept = write_features(bank, Workspace(tmp_path, "memory"), rows)
    monkeypatch.setattr(spans, "EVENTS", 3_000)
    disk = Workspace(tmp_path, "disk")
    assert write_features(bank, disk, rows, lambda *step: told.append(step)) == kept
    assert bytes_of(disk) == bytes_of(Workspace(tmp_path, "memory"))
    assert not disk.parts.exists()
    done = [d for _, d, _ in told]
    assert (done[0], done[-1], len(done)) == (0, kept, 1 + spans.count(bank, CATALOGUE))
    assert done == sorted(done)
    assert {(what, of) for what, _, of in told} == {("features", kept)}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_killed_run_leaves_the_panel_before_and_the_next_goes_on(bank, tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "EVENTS", 3_000)
    workspace = Workspace(tmp_path, "bank")
    write_features(bank, workspace, {})
    before = bytes_of(workspace)
    child = os.fork()
    if child == 0:

        def die(_: str, done: int, of: int) -> None:
            if done > of // 2:
                os.kill(os.getpid(), signal.SIGKILL)

        write_features(bank, workspace, {"churn": grid_of(bank)}, die)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert bytes_of(workspace) == before
    finished = {p: p.stat().st_mtime_ns for p in workspace.parts.glob("*.parquet")}
    assert 0 < len(finished) < spans.count(bank, CATALOGUE)
    taken = {}

    def look(*_: object) -> None:
        taken.update({p: p.stat().st_mtime_ns for p in finished})

    write_features(bank, workspace, {"churn": grid_of(bank)}, look)
    assert taken == finished
    whole = Workspace(tmp_path, "whole")
    write_features(bank, whole, {"churn": grid_of(bank)})
    assert bytes_of(workspace) == bytes_of(whole) != before


def test_a_target_that_the_plan_does_not_name_is_skipped_and_the_others_are_not(trained):
    plan = trained.dataset.plan
    few = plan.model_copy(update={"targets": {"churn": plan.targets["churn"]}})
    found, skipped = labelled(replace(trained.dataset, plan=few))
    assert set(found) == {"churn"}
    assert skipped == {t: f"bank declares no {t} target" for t in ("value", "credit")}
    assert pc.min(found["churn"]["y"]).as_py() == 0
