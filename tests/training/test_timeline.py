"""The timeline of one label: what was visible, what came later, and the label training takes."""

from __future__ import annotations

import numpy as np
import pytest

from domain.asof import NEVER
from domain.errors import NotFoundError
from domain.plan import TargetPlan
from events.dataset import Dataset
from tests.training.label_world import at, buys, dataset_of, event, owes, plan_of, random_rows
from training.targets import labels
from training.timeline import State, state_of, timeline

HORIZON = 90
TARGETS = {
    "value": TargetPlan(horizon_days=HORIZON, active_days=100),
    "churn": TargetPlan(horizon_days=HORIZON, active_days=100),
    "credit": TargetPlan(horizon_days=HORIZON, bad_days_past_due=30),
}


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    rows = random_rows(np.random.default_rng(5), 500, (100, 200))
    rows.sort(key=lambda r: (r["customer_id"], r["happened_at"]))
    tables = {"transactions": rows, "statements": rows}
    return dataset_of(tmp_path, tables, plan_of((100,), (200,), **TARGETS), until=300)


def test_a_late_and_a_corrected_event_are_told_from_what_was_visible(tmp_path):
    rows = [
        buys("a", 150),
        buys("a", 160, fixed=180),
        buys("a", 160, known=180),
        buys("a", 170, known=230),
        buys("a", 190, fixed=240),
        buys("a", 190, known=240),
        buys("a", 210),
        buys("a", 220, fixed=250),
        event("a", 215, kind="fee", amount=1.0),
        buys("a", 291),
    ]
    plan = plan_of((100,), (200,), **TARGETS)
    found = timeline(dataset_of(tmp_path, {"transactions": rows}, plan), "a", "churn", at(200))
    assert [(e.happened, e.state) for e in found.events] == [
        (at(150), State.VISIBLE),
        (at(160), State.CORRECTED),
        (at(160), State.VISIBLE),
        (at(170), State.LATE),
        (at(190), State.REPLACED),
        (at(190), State.LATE),
        (at(210), State.LABEL),
        (at(215), State.BEYOND),
        (at(220), State.OUTDATED),
        (at(291), State.BEYOND),
    ]
    assert found.y == 1.0
    assert found.gap == (at(100), at(200))


def test_every_moment_has_one_state_by_a_slow_reading_of_the_rules():
    days = range(14)
    for happened in days:
        for known in range(happened, 14):
            for superseded in (*range(known + 1, 15), NEVER):
                found = state_of(at(happened), at(known), superseded if superseded == NEVER
                                 else at(superseded), (at(5), 4))  # fmt: skip
                is_final = superseded == NEVER
                if happened > 9:
                    expected = {State.BEYOND}
                elif happened > 5:
                    expected = {State.LABEL if is_final else State.OUTDATED}
                elif known > 5:
                    expected = {State.LATE}
                elif superseded <= 5:
                    expected = {State.CORRECTED}
                else:
                    expected = {State.VISIBLE if is_final else State.REPLACED}
                assert {found} == expected


@pytest.mark.parametrize("target", ["value", "churn", "credit"])
@pytest.mark.parametrize("day", [100, 200])
def test_the_label_is_the_one_training_takes_and_the_events_drawn_as_label_make_it(
    dataset, target, day
):
    table = labels(dataset, target, [at(day)])
    expected = dict(zip(table["customer_id"].to_pylist(), table["y"].to_pylist(), strict=True))
    for customer in sorted({f"c{i}" for i in range(12)}):
        found = timeline(dataset, customer, target, at(day))
        assert found.y == expected.get(customer)
        makes = [e for e in found.events if e.state is State.LABEL]
        if target == "churn" and found.y is not None:
            assert found.y == float(bool(makes))
        if target == "value" and found.y is not None:
            signs = {"purchase": 1, "refund": -1}
            parts = [e.what.replace(",", "").split() for e in makes]
            total = sum(signs[kind] * float(amount) for kind, amount in parts)
            assert found.y == pytest.approx(max(total, 0.0))
        if target == "credit" and found.y is not None:
            worst = max(float(e.what.split(" days")[0].split()[-1]) for e in makes)
            assert found.y == float(worst < 30)


def test_a_refund_is_no_part_of_a_gross_label(tmp_path):
    bought, returned = buys("a", 220, amount=50.0), buys("a", 230, amount=20.0)
    returned["kind"] = "refund"
    tables = {"transactions": [buys("a", 190), bought, returned]}
    gross = TARGETS["value"].model_copy(update={"spend": "gross"})
    for plan, y, state in ((gross, 50.0, State.BEYOND), (TARGETS["value"], 30.0, State.LABEL)):
        where = tmp_path / plan.spend
        dataset = dataset_of(where, tables, plan_of((100,), (200,), value=plan), until=300)
        found = timeline(dataset, "a", "value", at(200))
        assert (found.y, found.events[-1].state) == (y, state)


def test_the_latest_as_of_with_a_label_is_taken_and_an_immature_one_has_none(dataset):
    found = timeline(dataset, "c1")
    assert (found.target, found.as_of) == ("value", at(200))
    late = timeline(dataset, "c1", "churn", at(250))
    assert (late.is_mature, late.y) == (False, None)
    assert timeline(dataset, "c1", "churn", at(210)).is_mature


def test_the_source_s_own_outcome_is_the_label(tmp_path):
    own = {"credit": TargetPlan(horizon_days=HORIZON, label="outcomes")}
    tables = {
        "outcomes": [event("a", 180, decided_at=at(120), is_bad=True)],
        "transactions": [buys("a", 100), buys("a", 130)],
    }
    found = timeline(dataset_of(tmp_path, tables, plan_of((), (), **own)), "a")
    assert (found.as_of, found.y, found.window_days, found.gap) == (at(120), 0.0, None, None)
    said = [(e.what, e.state) for e in found.events]
    assert said == [
        ("purchase 10.00", State.VISIBLE),
        ("purchase 10.00", State.BEYOND),
        ("outcome: bad", State.LABEL),
    ]


def test_nobody_and_a_target_that_is_not_there_are_refused(tmp_path):
    plan = plan_of((100,), (200,), **TARGETS)
    dataset = dataset_of(tmp_path, {"statements": [owes("a", 90, 0.0)]}, plan)
    with pytest.raises(NotFoundError, match="no customer 'b'"):
        timeline(dataset, "b")
    with pytest.raises(NotFoundError, match="no transactions: name another with --target"):
        timeline(dataset, "a", "churn")
    assert timeline(dataset, "a").target == "credit"
    known = {"statements": [owes("a", 90, 0.0)], "customers": [event("b", 1)]}
    with pytest.raises(NotFoundError, match="'b' has no statements, which make credit"):
        timeline(dataset_of(tmp_path / "known", known, plan), "b")
