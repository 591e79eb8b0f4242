"""A planted leak of every kind is found, clean data is quiet, and training stops or goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from domain.errors import InputError
from domain.plan import TargetPlan
from domain.workspace import Workspace
from events.dataset import Dataset
from events.given import GivenColumn, GivenTable
from events.ingest import ingest
from events.readers import SOURCES
from features.catalogue import CATALOGUE
from scoring.card import Accepted
from tests.events.given_world import DECLARATION, folder, people
from tests.training.fit_world import PLAN, material, problem
from tests.training.label_world import dataset_of
from tests.training.leak_world import book, bought, source
from training.findings import Leaks
from training.fit import Material
from training.leak_names import names_outcome
from training.leak_values import SURE_SIGMA, learning_rows, means_of_outcomes
from training.leakage import find_leaks, of_source, of_target, overlap
from training.matrix import labelled
from training.options import RunOptions
from training.run import compute_features, train
from training.splits import Split
from training.tune import Problem

CHURN = TargetPlan(horizon_days=90, active_days=200)
EXTRA = """
[[columns]]
name = "{name}"
column = "{column}"
unit = "count"
zh = "某列"
en = "A column"
{more}
"""


def checks(found: Leaks, *, sure: bool) -> set[tuple[str, str]]:
    return {(f.check, f.where) for f in found.findings if f.is_sure is sure}


def with_column(name: str, values: np.ndarray, n: int = 3000) -> Material:
    """Clean material with one more feature."""
    made = material("churn", n, 5)
    X = np.column_stack([made.problem.X, values])
    old = made.problem
    return replace(made, problem=Problem(X, old.y, (*old.names, name), (*old.monotone, 0), False))


@pytest.fixture
def events(tmp_path) -> Dataset:
    """Events of a clean source, for what asks only whether there is a declaration."""
    return dataset_of(tmp_path / "events", {}, PLAN)


@pytest.mark.parametrize("target", ["churn", "value"])
def test_clean_material_is_quiet_and_the_best_single_feature_is_told(events, target):
    made = material(target, 3000, 5)
    found = of_target(events, made)
    assert found.findings == ()
    best = found.figures[target]["highest_single_auc"]
    assert best["feature"] in ("up", "down")
    assert 0.6 < best["auc"] < 0.9
    assert found.figures[target]["overlap"] == 0


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_near_copy_of_the_label_stops_whatever_its_name(events, noise):
    rng = np.random.default_rng(1)
    y = problem(3000, 5).y
    copy = np.where(rng.random(3000) < noise, 1 - y, y) * 7.0 + 0.01 * rng.normal(size=3000)
    found = of_target(events, with_column("balance", copy))
    assert checks(found, sure=True) == {("copy_of_label", "churn, balance")}


def test_a_value_that_is_there_only_where_the_outcome_came_true_stops(events):
    y = problem(3000, 5).y
    fee = np.where(y == 1, np.nan, np.random.default_rng(1).normal(size=3000))
    found = of_target(events, with_column("fee", fee))
    assert checks(found, sure=True) == {("copy_of_label", "churn, fee")}


def test_a_code_that_tells_the_outcome_in_no_order_is_seen(events):
    rng = np.random.default_rng(1)
    y = problem(3000, 5).y
    code = np.where(y == 1, rng.choice([1, 3, 5], 3000), rng.choice([0, 2, 4], 3000)).astype(float)
    found = of_target(events, with_column("code", code))
    assert checks(found, sure=True) == {("copy_of_label", "churn, code")}


@pytest.mark.parametrize("is_leak", [True, False])
def test_a_code_of_more_values_than_bins_is_seen_and_one_by_chance_is_not(events, is_leak):
    rng = np.random.default_rng(1)
    y = problem(3000, 5).y
    told = y if is_leak else rng.permutation(y)
    code = 2 * rng.integers(0, 100, 3000) + told
    code = rng.permutation(200)[code.astype(int)].astype(float)
    found = of_target(events, with_column("code", code))
    said = {("copy_of_label", "churn, code")} if is_leak else set()
    assert checks(found, sure=True) == said
    assert is_leak or learning_rows(with_column("code", code)).alone[-1] < 0.56


@pytest.mark.parametrize("is_own", [True, False])
def test_a_mean_made_over_all_rows_is_known_by_all_of_them(events, is_own):
    rng = np.random.default_rng(1)
    y = problem(6000, 5).y
    level = rng.integers(0, 200, 6000)
    told = y if is_own else rng.permutation(y)
    rate = (np.bincount(level, weights=told) / np.bincount(level))[level]
    made = with_column("rate", rate, 6000)
    fit = made.split.fit
    learnt = [s for _, s in means_of_outcomes(["rate"], rate[fit, None], y[fit])]
    assert not learnt or learnt[0] < SURE_SIGMA
    said = {("mean_of_outcomes", "churn, rate")} if is_own else set()
    assert checks(of_target(events, made), sure=True) == said


@pytest.mark.parametrize(
    ("name", "spread", "check", "sure"),
    [
        ("prior_default", 1.0, "outcome_name", True),
        ("prior_default", 1.6, "outcome_name", False),
        ("default_flag", 1.6, "outcome_name", True),
        ("历史违约次数", 1.0, "outcome_name", True),
        ("attrition_score", 1.0, "outcome_name", True),
        ("collection_recovery", 1.0, "outcome_name", True),
        ("attrition_score", 1e9, "outcome_name", False),
        ("balance", 0.62, "single_feature", False),
        ("balance", 1.5, None, False),
    ],
)
def test_the_name_and_the_ranking_of_a_feature_decide_together(events, name, spread, check, sure):
    y = problem(3000, 5).y
    values = y + spread * 0.7 * np.random.default_rng(2).normal(size=3000)
    found = of_target(events, with_column(name, values))
    assert [(f.check, f.is_sure) for f in found.findings] == ([(check, sure)] if check else [])


def test_outcomes_are_known_by_name_and_no_feature_of_ours_has_one():
    said = "Churn_Flag isBad defaulted12m y TARGET charge_off_amount 流失标志 是否违约 recoveries"
    for name in (*said.split(), "payments_after", "account-closed", "p_attrition"):
        assert names_outcome(name), name
    said = "income limit_left days_past_due closing_balance 逾期天数 city years postcode"
    for name in (*said.split(), "Total_Trans_Ct", "Months_on_book"):
        assert not names_outcome(name), name
    assert not [n for n in CATALOGUE.names if names_outcome(n)]


@pytest.mark.parametrize("folds", [False, True])
def test_customers_on_two_sides_are_counted_and_stop(folds):
    made = material("churn", 1000, 5, folds=folds)
    assert overlap("churn", made.customers, made.split) == ([], 0)
    twice = [*made.customers]
    if folds:
        learn, tested = made.split.folds[0]
        parts = made.split
    else:
        learn, tested = made.split.fit, made.split.test_unseen
        parts = replace(made.split, earlier_unseen=tested[:1], test_unseen=tested[1:])
    for k in (0, 1, 5):
        twice[learn[k]] = twice[tested[k]]
    found, total = overlap("churn", twice, parts)
    assert all(f.is_sure and f.check == "overlap" for f in found)
    assert found[0].figure == 3
    assert total >= 3


def test_known_customers_later_in_time_are_no_overlap():
    fit, test = np.arange(0, 5), np.arange(5, 10)
    split = Split(fit, np.arange(0), test, test[:0])
    assert overlap("churn", ["a", "b", "c", "d", "e"] * 2, split) == ([], 0)


def test_a_clean_source_is_quiet(tmp_path):
    rows = book(600)
    dataset = source(tmp_path, rows, bought([r["customer_id"] for r in rows]))
    found = of_source(dataset, labelled(dataset)[0])
    assert found.findings == ()
    assert found.figures["canary"] == {"customers": 100, "moved": 0}
    assert found.figures["same_person"]["also_learnt_from"] == 0
    assert found.figures["dated_columns"] == ["customers.birth_on"]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory) -> tuple[Dataset, Workspace]:
    """A feature table with a leak of every kind, as somebody might bring it."""
    rows = people(1200)
    left = np.array(rows["left"].to_pylist()) == "yes"
    rng = np.random.default_rng(1)
    extra = {
        "Attrition_Prob": 0.1 * left + 0.2 * rng.random(1200),
        "CLOSED_ON": np.where(left, 20240215, 20231101 + rng.integers(0, 28, 1200)),
        "RESULT_CODE": np.where(left, 17, 4) + 0.0,
        "BALANCE": np.round(rng.normal(size=1200), 6),
        "SALARY": np.round(rng.normal(size=1200), 6),
        "PAID_IN": np.where(np.arange(1200) % 50 == 0, 202402, 202301 + rng.integers(0, 12, 1200)),
    }
    for name, values in extra.items():
        rows = rows.append_column(name, pa.array(values))
    twins = rows.slice(0, 100).set_column(0, "nr", pa.array(np.arange(9000, 9100)))
    twins = twins.set_column(1, "VISITS", pa.array(np.arange(100) % 7))
    lines = [EXTRA.format(name=n.lower(), column=n, more="") for n in extra]
    root = tmp_path_factory.mktemp("leaky")
    raw = folder(root / "raw", pa.concat_tables([rows, twins]), DECLARATION + "".join(lines))
    workspace = Workspace(root / "home", "given")
    workspace.root.mkdir(parents=True)
    dataset, _ = ingest(SOURCES["given"], raw, workspace.dataset)
    compute_features(dataset, workspace, lambda *_: None)
    return dataset, workspace


def test_a_table_with_a_leak_of_every_kind_is_refused_and_each_is_named(leaky):
    dataset, workspace = leaky
    found = find_leaks(dataset, workspace, 1)
    assert {f.check for f in found.alarms} == {
        "future_dated", "same_person", "copy_of_label", "outcome_name",
    }  # fmt: skip
    assert {f.where for f in found.alarms} == {
        "given.closed_on", "given.paid_in", "customer_id", "churn, attrition_prob",
        "churn, closed_on", "churn, result_code",
    }  # fmt: skip
    with pytest.raises(InputError, match=r"given\.closed_on") as refused:
        train(dataset, workspace, RunOptions(trials=1), lambda *_: None)
    assert {f.rule for f in refused.value.faults} == {"future_dated", "same_person"}
    assert "--accept" in str(refused.value)


def test_what_is_accepted_in_writing_is_trained_and_stands_in_the_card(leaky):
    dataset, workspace = leaky
    accepted = Accepted(by="A. Tester", reason="Only to see what the card says of it.")
    result = train(dataset, workspace, RunOptions(trials=1, accepted=accepted), lambda *_: None)
    assert result.bundle is not None
    card = result.bundle.card
    assert card["accepted"] == accepted.model_dump()
    assert card["leakage"] == json.loads(json.dumps(result.leaks.to_dict()))
    assert len(card["leakage"]["alarms"]) == len(result.leaks.alarms) == 6
    assert result.version is not None


def test_the_same_table_without_the_leaks_is_quiet(tmp_path):
    paid = pa.array(202302 + np.arange(1200) % 11)
    line = EXTRA.format(name="paid_in", column="PAID_IN", more="")
    raw = folder(tmp_path / "raw", people().append_column("PAID_IN", paid), DECLARATION + line)
    workspace = Workspace(tmp_path / "home", "given")
    workspace.root.mkdir(parents=True)
    dataset, _ = ingest(SOURCES["given"], raw, workspace.dataset)
    compute_features(dataset, workspace, lambda *_: None)
    found = find_leaks(dataset, workspace, 1)
    assert found.findings == ()
    assert "given.paid_in" in found.figures["dated_columns"]


AS_OF = datetime(2024, 1, 1, tzinfo=UTC)


def test_columns_that_tell_a_person_must_be_declared():
    column = GivenColumn(name="visits", column="V", unit="count", zh="次数", en="Visits")
    said: dict[str, Any] = {
        "text": "t", "file": "f", "id": "i", "as_of": AS_OF, "label": "l", "bad": "1",
        "target": "churn", "horizon_days": 9, "currency": "EUR", "split_key": "k",
        "columns": (column,),
    }  # fmt: skip
    assert GivenTable(**said, person_columns=("visits",)).plan.person_columns == ("visits",)
    with pytest.raises(ValueError, match="person_columns names passport"):
        GivenTable(**said, person_columns=("visits", "passport"))
