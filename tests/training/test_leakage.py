"""A planted leak of every kind is found, clean data is quiet, and training stops or goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

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
from tests.training.label_world import at, buys, dataset_of, event, plan_of
from training import leakage
from training.fit import Material
from training.leak_names import names_outcome
from training.leakage import (
    Finding,
    Leaks,
    aucs,
    find_leaks,
    of_source,
    of_target,
    overlap,
)
from training.matrix import labelled
from training.options import RunOptions
from training.run import compute_features, train
from training.splits import Split, percents
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


def test_a_single_feature_ranks_as_another_library_says():
    made = material("churn", 3000, 5)
    rows = made.split.fit
    y, X = made.problem.y[rows], np.nan_to_num(made.problem.X[rows], nan=-1e9)
    for found, x in zip(aucs(made), X.T, strict=True):
        plain = roc_auc_score(y, x)
        assert found >= max(plain, 1 - plain) - 1e-12
        assert found <= max(plain, 1 - plain) + 0.06


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
    assert is_leak or aucs(with_column("code", code))[-1] < 0.56


def test_a_few_rare_codes_among_common_ones_are_seen():
    rng = np.random.default_rng(1)
    y = (np.arange(4000) % 40 == 0).astype(float)
    code = np.where(y == 1, 2 * rng.integers(0, 8, 4000) + 1, 2 * rng.integers(0, 9, 4000))
    assert leakage._auc(code.astype(float), y, rng.integers(0, 2, 4000)) > 0.98


def test_a_value_of_two_rows_names_a_person_and_no_outcome():
    rng = np.random.default_rng(1)
    twice = rng.permutation(np.repeat(np.arange(1500), 2))
    y = rng.integers(0, 2, 1500).astype(float)[twice]
    assert leakage._auc(twice.astype(float), y, rng.integers(0, 2, 3000)) < 0.56


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


ASKED = plan_of((100,), (250,), churn=CHURN)


def book(n: int, **columns: Any) -> list[dict[str, Any]]:
    """Profiles of as many different people."""
    rng = np.random.default_rng(9)
    rows = []
    for i in range(n):
        born = date.fromordinal(int(rng.integers(712_000, 730_000)))
        income = float(np.round(np.exp(rng.normal(10, 1)), 0))
        rows.append(event(f"c{i:04d}", 1.0, birth_on=born, income=income, gender="male",
                          dependants=float(rng.integers(4)), **columns))  # fmt: skip
    return rows


def bought(ids: list[str]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        buys(c, d, float(rng.integers(1, 900))) for c in sorted(ids) for d in (80, 90, 95, 240, 245)
    ]


def source(root, customers, transactions) -> Dataset:
    rows = sorted(customers, key=lambda r: r["customer_id"])
    return dataset_of(root, {"customers": rows, "transactions": transactions}, ASKED)


def test_a_clean_source_is_quiet(tmp_path):
    rows = book(600)
    dataset = source(tmp_path, rows, bought([r["customer_id"] for r in rows]))
    found = of_source(dataset, labelled(dataset)[0])
    assert found.findings == ()
    assert found.figures["canary"] == {"customers": 100, "moved": 0}
    assert found.figures["same_person"]["also_learnt_from"] == 0
    assert found.figures["dated_columns"] == ["customers.birth_on"]


def test_a_date_after_the_row_was_known_stops_and_one_mistake_in_many_does_not(tmp_path):
    rows = book(1200)
    dataset = source(tmp_path / "one", [{**rows[0], "birth_on": date(2031, 1, 1)}, *rows[1:]], [])
    assert [(f.check, f.is_sure) for f in leakage._future_dated(dataset)[0]] == [
        ("future_dated", False)
    ]
    later = [{**r, "joined_at": at(400 if i % 9 == 0 else 1)} for i, r in enumerate(rows)]
    found, checked = leakage._future_dated(source(tmp_path / "two", later, []))
    assert [(f.where, f.is_sure) for f in found] == [("customers.joined_at", True)]
    assert found[0].figure == pytest.approx(134 / 1200, abs=1e-4)
    assert "up to 399 days" in found[0].said
    assert checked == ["customers.joined_at", "customers.birth_on"]


def test_persons_under_new_ids_stop_and_do_not_once_splits_go_by_person(tmp_path):
    rows = book(500)
    again = [{**r, "customer_id": f"x{r['customer_id']}", "dependants": 3.0} for r in rows[:150]]
    both = [*rows, *again]
    dataset = source(tmp_path, both, bought([r["customer_id"] for r in both]))
    targets = labelled(dataset)[0]
    found, figures = leakage._same_person(dataset, targets)
    assert [(f.check, f.is_sure) for f in found] == [("same_person", True)]
    assert figures["also_learnt_from"] > 20
    plan = dataset.plan.model_copy(update={"person_columns": ("birth_on", "income")})
    found, figures = leakage._same_person(replace(dataset, plan=plan), targets)
    assert found == []
    assert figures["also_learnt_from"] == 0


def test_the_very_same_transactions_under_another_id_are_one_person(tmp_path):
    rows = bought([f"c{i:03d}" for i in range(300)])
    copies = [{**r, "customer_id": f"x{r['customer_id']}"} for r in rows[:400]]
    plain = source(tmp_path / "plain", [], rows)
    assert leakage._same_person(plain, labelled(plain)[0])[0] == []
    copied = source(tmp_path / "copied", [], [*rows, *copies])
    found, figures = leakage._same_person(copied, labelled(copied)[0])
    assert [f.check for f in found] == ["same_person"]
    assert 10 < figures["also_learnt_from"] <= 80


@pytest.mark.parametrize(("copies", "sure"), [(0, None), (1, False), (60, True)])
def test_one_id_written_in_two_ways_is_one_person(tmp_path, copies, sure):
    plain = [f"c{i:04d}" for i in range(1, 1201)]
    asked = percents(ASKED.split_key, plain) < ASKED.test_percent
    learnt = [c for c, is_asked in zip(plain, asked, strict=True) if not is_asked]
    again = [w for c in learnt for w in (f"C-{c[1:]} ", f"C{int(c[1:])}", f" c {int(c[1:])}")]
    is_across = percents(ASKED.split_key, again) < ASKED.test_percent
    again = [w for w, is_asked in zip(again, is_across, strict=True) if is_asked][:copies]
    dataset = source(tmp_path, [], bought([*plain, *again]))
    found, figures = leakage._same_person(dataset, labelled(dataset)[0])
    assert [f.is_sure for f in found] == ([] if sure is None else [sure])
    assert figures["by_id"] == figures["also_learnt_from"] == copies
    assert all("write each one way" in f.said for f in found)


AS_OF = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "days"),
    [
        ([20240105.0, 20231231.0], [19727.0, 19722.0]),
        ([202402.0, 202312.0], [19754.0, 19692.0]),
        ([202413.0, 202312.0], None),
        ([1704067200.0, 1704153600.0], [19723.0, 19724.0]),
        ([1704067200000.0, 1704153600000.0], [19723.0, 19724.0]),
        ([20241305.0, 20231231.0], None),
        ([2024.0, 2023.0], None),
        ([1.5, 2.0], None),
        ([], None),
    ],
)
def test_numbers_that_are_dates_are_read_as_such(values, days):
    found = leakage._as_days(np.array(values))
    assert (found is None) if days is None else found.tolist() == days


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


def test_findings_are_plain_json_and_only_sure_ones_stop():
    sure = Finding("overlap", "churn, fold 1", "3 customers", 3.0, is_sure=True)
    told = Finding("single_feature", "churn, x", "alone", 0.95, is_sure=False)
    best = {"churn": {"highest_single_auc": {"feature": "x", "auc": 0.95}}}
    found = Leaks((sure,), {"a": 1}) + Leaks((told,), best)
    said = json.loads(json.dumps(found.to_dict()))
    assert [f["check"] for f in said["alarms"]] == ["overlap"]
    assert [f["check"] for f in said["told"]] == ["single_feature"]
    assert said["figures"] == {"a": 1, **best}
    assert found.tags("churn") == {
        "leakage.alarms": "overlap", "leakage.told": "single_feature",
        "leakage.highest_single_auc": "0.9500 x",
    }  # fmt: skip
    assert found.check(accepted=True) is found
    assert Leaks((told,)).check(accepted=False).alarms == ()
    with pytest.raises(InputError, match="3 customers"):
        found.check(accepted=False)


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
