"""Cohorts and labels, held against a loop over every event and against SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from domain.asof import MICROS_PER_DAY, from_micros
from domain.errors import NotEnoughDataError
from domain.plan import TargetPlan
from domain.tiers import TARGETS
from tests.training.label_world import (
    Row,
    at,
    buys,
    dataset_of,
    event,
    owes,
    plan_of,
    random_rows,
    table_of,
)
from training.targets import STATEMENT_DAYS, labels, why_skipped

PLAN = TargetPlan(horizon_days=60, active_days=90, bad_days_past_due=30)
GRID = (200, 260)
EDGES = [e for g in GRID for e in (g, g + 60, g - 90, g - STATEMENT_DAYS)]
TABLE = {"value": "transactions", "churn": "transactions", "credit": "statements"}
Labels = dict[tuple[str, int], float]


def labelled(
    folder: Path,
    target: str,
    rows: Sequence[Row],
    grid: Sequence[float] = GRID,
    until: float = 999,
    meant: TargetPlan = PLAN,
) -> Labels:
    """(customer, as_of) to y, as the product says."""
    plan = plan_of(grid, (), **{target: meant})
    found = labels(
        dataset_of(folder, {TABLE[target]: rows}, plan, until), target, [at(d) for d in grid]
    )
    pairs = zip(
        found["customer_id"].to_pylist(), found["as_of"].cast(pa.int64()).to_pylist(), strict=True
    )
    return dict(zip(pairs, found["y"].to_pylist(), strict=True))


def by_loop(target: str, rows: Sequence[Row]) -> Labels:
    """The same, event by event, straight from the words of the design."""
    out: Labels = {}
    for as_of in map(at, GRID):
        for customer in {r["customer_id"] for r in rows}:
            mine = [r for r in rows if r["customer_id"] == customer]
            before = [
                r for r in mine
                if r["happened_at"] <= as_of and r["known_at"] <= as_of
                and (r["superseded_at"] is None or r["superseded_at"] > as_of)
            ]  # fmt: skip
            after = [
                r for r in mine
                if r["superseded_at"] is None
                and as_of < r["happened_at"] <= as_of + 60 * MICROS_PER_DAY
            ]  # fmt: skip
            said = one_label(target, before, after, as_of)
            if said is not None:
                out[customer, as_of] = said
    return out


def one_label(target: str, before: list[Row], after: list[Row], as_of: int) -> float | None:
    if target == "credit":
        recent = [
            r["days_past_due"] for r in before if as_of - r["happened_at"] < 62 * MICROS_PER_DAY
        ]
        if not recent or max(recent) >= 30 or not after:
            return None
        return 0.0 if any(r["days_past_due"] >= 30 for r in after) else 1.0
    recent = [r for r in before if as_of - r["happened_at"] < 90 * MICROS_PER_DAY]
    if not any(r["kind"] == "purchase" for r in recent):
        return None
    if target == "churn":
        return float(any(r["kind"] == "purchase" for r in after))
    signs = {"purchase": 1, "refund": -1}
    return max(0.0, sum(signs.get(r["kind"], 0) * r["amount"] for r in after))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(4))
def test_labels_are_those_of_a_loop_over_every_event(tmp_path, target, seed):
    rows = random_rows(np.random.default_rng(seed), 150, EDGES)
    expected = by_loop(target, rows)
    assert len(set(expected.values())) > 1
    assert labelled(tmp_path, target, rows) == expected


@pytest.mark.parametrize("seed", range(4))
def test_gross_spend_is_that_of_a_loop_which_knows_no_refund(tmp_path, seed):
    rows = random_rows(np.random.default_rng(seed), 150, EDGES)
    gross = PLAN.model_copy(update={"spend": "gross"})
    expected = by_loop("value", [r for r in rows if r["kind"] != "refund"])
    net = labelled(tmp_path / "net", "value", rows)
    found = labelled(tmp_path / "gross", "value", rows, meant=gross)
    assert found == expected
    assert found.keys() == net.keys()
    assert all(found[k] >= net[k] for k in net)
    assert found != net


SQL = """
WITH asked AS (SELECT unnest([{grid}]::TIMESTAMPTZ[]) AS as_of),
pairs AS (
    SELECT as_of, customer_id,
      bool_or({member} AND happened_at > as_of - INTERVAL {window} DAY AND happened_at <= as_of
              AND known_at <= as_of AND coalesce(superseded_at > as_of, true)) AS is_member,
      {label} FILTER (superseded_at IS NULL AND happened_at > as_of
              AND happened_at <= as_of + INTERVAL 60 DAY) AS y
    FROM asked, events GROUP BY ALL)
SELECT customer_id, epoch_us(as_of), {last} FROM pairs WHERE is_member
"""
WORDS = {
    "value": "sum(CASE kind WHEN 'purchase' THEN amount WHEN 'refund' THEN -amount END)",
    "churn": "max(CASE kind WHEN 'purchase' THEN 1 ELSE 0 END)",
}


@pytest.mark.parametrize("target", ["value", "churn"])
def test_labels_are_those_of_plain_sql(tmp_path, target):
    rows = random_rows(np.random.default_rng(99), 200, EDGES)
    grid = ", ".join(f"'{from_micros(at(d)).isoformat()}'" for d in GRID)
    query = SQL.format(
        grid=grid,
        member="kind = 'purchase'",
        window=90,
        label=WORDS[target],
        last="greatest(coalesce(y, 0), 0)",
    )
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("events", table_of("transactions", rows))
        expected = {(c, t): float(y) for c, t, y in db.sql(query).fetchall()}
    assert len(expected) > 10
    assert labelled(tmp_path, target, rows) == expected


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_no_label_changes_by_events_outside_its_horizon(tmp_path, target, seed):
    """I3, its half about labels: what happens after the horizon, or before as_of, is not in y."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, 120, EDGES)
    [first, _] = map(at, GRID)
    end = first + 60 * MICROS_PER_DAY
    now = {k: v for k, v in labelled(tmp_path / "a", target, rows).items() if k[1] == first}
    later = random_rows(rng, 60, EDGES)
    for r in later:
        r["happened_at"] = r["known_at"] = end + 1 + int(rng.integers(0, 30)) * MICROS_PER_DAY
        r["superseded_at"] = None
    kept = [r for r in rows if r["happened_at"] <= end]
    for some in (rows + later, kept, list(rng.permutation(np.array(rows, dtype=object)))):
        found = labelled(tmp_path / "b", target, some)
        assert {k: v for k, v in found.items() if k[1] == first} == now
    past = [dict(r) for r in rows]
    for r in past:
        if r["happened_at"] <= first:
            r["amount"], r["kind"] = r["amount"] * 7, "purchase"
            r["days_past_due"] = min(r["days_past_due"], 29)
    found = labelled(tmp_path / "c", target, past)
    assert now and all(found[k] == v for k, v in now.items())


def test_what_is_known_after_as_of_moves_nobody_into_the_cohort(tmp_path):
    rows = [buys("in", 190), buys("late", 190, known=201), buys("in", 195, fixed=199)]
    found = labelled(tmp_path, "churn", rows, grid=[200])
    assert found == {("in", at(200)): 0.0}


@pytest.mark.parametrize(
    ("day", "beside", "stays"),
    [(200, 0, 0.0), (200, 1, 1.0), (260, 0, 1.0), (260, 1, 0.0)],
)
def test_the_horizon_is_open_at_as_of_and_closed_at_its_end(tmp_path, day, beside, stays):
    edge = buys("c", day)
    edge["happened_at"] += beside
    edge["known_at"] += beside
    [said] = labelled(tmp_path, "churn", [buys("c", 150), edge], grid=[200]).values()
    assert said == stays


@pytest.mark.parametrize(("beside", "members"), [(0, 0), (1, 1)])
def test_the_cohorts_window_is_open_at_its_far_end(tmp_path, beside, members):
    edge = buys("c", 110)
    edge["happened_at"] += beside
    edge["known_at"] += beside
    assert len(labelled(tmp_path, "value", [edge], grid=[200])) == members


def test_a_label_takes_the_last_version_however_late_it_was_known(tmp_path):
    rows = [
        buys("c", 150),
        buys("c", 210, 500.0, fixed=300),
        buys("c", 210, 40.0, known=300),
        buys("c", 220, 2.0, known=400),
        buys("moved", 150),
        buys("moved", 250, 9.0, fixed=300),
        buys("moved", 261, 9.0, known=300),
    ]
    found = labelled(tmp_path, "value", rows, grid=[200])
    assert found == {("c", at(200)): 42.0, ("moved", at(200)): 0.0}


def test_spend_is_net_of_refunds_and_never_below_zero(tmp_path):
    rows = [
        buys("a", 150), buys("a", 210, 30), event("a", 211, kind="refund", amount=12.0),
        buys("b", 150, 50), event("b", 205, kind="refund", amount=50.0),
        buys("f", 150), event("f", 205, kind="fee", amount=5.0),
    ]  # fmt: skip
    found = labelled(tmp_path, "value", rows, grid=[200])
    assert {c: y for (c, _), y in found.items()} == {"a": 18.0, "b": 0.0, "f": 0.0}


def test_credit_is_about_those_who_still_pay_and_whose_account_goes_on(tmp_path):
    rows = [
        owes("pays", 190, 29), owes("pays", 230, 29),
        owes("falls", 190, 0), owes("falls", 230, 30), owes("falls", 250, 0),
        owes("fallen", 190, 30), owes("fallen", 230, 0),
        owes("closed", 190, 0),
        owes("asleep", 130, 0), owes("asleep", 230, 0),
        owes("after", 190, 0), owes("after", 230, 0), owes("after", 261, 60),
    ]  # fmt: skip
    found = labelled(tmp_path, "credit", rows, grid=[200])
    assert {c: y for (c, _), y in found.items()} == {"pays": 1.0, "falls": 0.0, "after": 1.0}


@pytest.mark.parametrize("target", TARGETS)
def test_a_label_is_mature_when_the_data_reaches_the_end_of_its_horizon(tmp_path, target):
    rows = [{**buys("c", 190), "days_past_due": 0.0}, {**buys("c", 240), "days_past_due": 0.0}]
    assert len(labelled(tmp_path, target, rows, grid=[200], until=260)) == 1
    with pytest.raises(NotEnoughDataError, match="needs 60 days of data after it") as said:
        labelled(tmp_path, target, rows, grid=[199, 200], until=259.99)
    assert from_micros(at(200)).isoformat()[:10] in str(said.value)


def test_who_has_no_profile_row_is_in_no_cohort_where_the_source_has_profiles(tmp_path):
    rows = [buys("known", 190), buys("stranger", 190)]
    plan = plan_of([200], (), churn=PLAN)
    tables = {"transactions": rows, "customers": [event("known", 1)]}
    found = labels(dataset_of(tmp_path, tables, plan), "churn", [at(200)])
    assert found["customer_id"].to_pylist() == ["known"]


def test_a_sources_own_outcomes_are_labels_in_their_last_version(tmp_path):
    told = [
        event("good", 90, decided_at=at(50), is_bad=False),
        event("bad", 90, decided_at=at(51), is_bad=True),
        event("changed", 90, fixed=95, decided_at=at(52), is_bad=False),
        event("changed", 90, known=95, decided_at=at(52), is_bad=True),
    ]
    credit = TargetPlan(horizon_days=30, label="outcomes")
    data = dataset_of(tmp_path, {"outcomes": told}, plan_of((), (), credit=credit))
    found = labels(data, "credit", ())
    assert found.to_pylist() == [
        {"customer_id": c, "as_of": from_micros(at(d)).replace(microsecond=0), "y": y}
        for c, d, y in [("good", 50, 1.0), ("bad", 51, 0.0), ("changed", 52, 0.0)]
    ]
    assert found["as_of"][0].as_py().utcoffset() == timedelta(0)


def test_a_target_that_the_source_cannot_have_is_skipped_and_says_why(tmp_path):
    outcomes = TargetPlan(horizon_days=30, label="outcomes")
    rows = {"transactions": [buys("c", 1)], "statements": []}
    data = dataset_of(tmp_path, rows, plan_of((), (), churn=PLAN, credit=PLAN))
    assert why_skipped(data, "churn") is None
    assert why_skipped(data, "credit") == "by_hand has no statements"
    assert why_skipped(data, "value") == "by_hand declares no value target"
    told = dataset_of(tmp_path, rows, plan_of((), (), credit=outcomes))
    assert why_skipped(told, "credit") == "by_hand has no outcomes"
