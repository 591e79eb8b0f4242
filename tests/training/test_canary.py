"""The canary sings on a source whose features see the future, and is silent on the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import training.canary as canary
from domain.asof import NEVER, visible
from domain.plan import TargetPlan
from events.schema import INSTANT
from features.given import panel
from features.programs import CLOCKS
from tests.training.label_world import at, buys, dataset_of, event, plan_of, random_rows, table_of
from training.canary import moved, past, planted, sample

AS_OF = at(200)


def pairs_of(*customers: str) -> pa.Table:
    moments = pa.array([AS_OF] * len(customers), pa.int64()).cast(INSTANT)
    return pa.table({"customer_id": [*customers], "as_of": moments})


@pytest.fixture
def dataset(tmp_path):
    rows = sorted(random_rows(np.random.default_rng(3), 300, (100, 200)),
                  key=lambda r: (r["customer_id"], r["happened_at"]))  # fmt: skip
    people = [event(f"c{i}", 1, income=100.0 * i) for i in range(12)]
    tables = {"transactions": rows, "customers": sorted(people, key=lambda r: r["customer_id"])}
    return dataset_of(tmp_path, tables, plan_of((100,), (200,), churn=TargetPlan(horizon_days=90)))


def test_no_feature_of_ours_moves(dataset):
    assert moved(dataset, pairs_of("c1", "c2", "c7")) == ()


def test_a_feature_that_reads_an_event_of_later_is_named(dataset, monkeypatch):
    def peeping(data, requests):
        found = panel(data, requests)
        sums = data.table("transactions").group_by("customer_id").aggregate([("amount", "sum")])
        told = dict(zip(*(sums[c].to_pylist() for c in ("customer_id", "amount_sum")), strict=True))
        seen = [told[c] for c in requests["customer_id"].to_pylist()]
        return found.append_column("spend_sum_peeping", pa.array(seen))

    monkeypatch.setattr(canary, "panel", peeping)
    assert moved(dataset, pairs_of("c1", "c2")) == ("spend_sum_peeping",)


def test_past_and_planted_rows_are_the_same_to_who_looks_as_of(dataset):
    rows = dataset.table("transactions", customers=["c1", "c2"])
    when = {"c1": AS_OF, "c2": AS_OF + 5}

    def seen(table: pa.Table) -> list[tuple[str, float, int]]:
        return sorted(
            (r["customer_id"], r["amount"], r["known_at"].toordinal())
            for r in table.to_pylist()
            for c in [when[r["customer_id"]]]
            if visible(*(_micros(r[k]) for k in CLOCKS), c)
        )

    assert seen(past(rows, when)) == seen(rows) == seen(planted(rows, when))
    assert 0 < past(rows, when).num_rows < rows.num_rows
    assert planted(rows, when).num_rows == 3 * rows.num_rows
    assert pc.max(planted(rows, when)["amount"]).as_py() > 1000


def _micros(moment) -> int:
    return NEVER if moment is None else int(pa.scalar(moment, INSTANT).cast(pa.int64()).as_py())


def test_the_rows_planted_are_a_microsecond_away():
    rows = table_of("transactions", [buys("a", 10), buys("a", 300)])
    late = planted(rows, {"a": AS_OF})
    happened = late["happened_at"].cast(pa.int64()).to_pylist()
    known = late["known_at"].cast(pa.int64()).to_pylist()
    assert happened == [at(10), at(300), AS_OF + 1, at(300), at(10), AS_OF]
    assert known == [at(10), at(300), AS_OF + 1, at(300), AS_OF + 1, AS_OF + 1]


def test_every_as_of_of_every_target_is_asked_and_a_customer_once():
    def rows(customers: str, days: tuple[int, ...]) -> pa.Table:
        pairs = [(c, at(d)) for c in customers for d in days]
        moments = pa.array([m for _, m in pairs], pa.int64()).cast(INSTANT)
        return pa.table({"customer_id": [c for c, _ in pairs], "as_of": moments})

    both = (rows("abcdefgh", (100, 130, 160)), rows("ghijkl", (130, 190)))
    found = sample(both, 100)
    assert found["customer_id"].to_pylist() == [*"abcdefghijkl"]
    days = [(m.toordinal() - at_day(0)) for m in found["as_of"].to_pylist()]
    assert days == [100, 130, 160, 100, 130, 160, 160, 190, 130, 190, 130, 190]
    some = sample(both, 5)["customer_id"].to_pylist()
    assert some == ["a", "d", "g", "j"]


def at_day(day: float) -> int:
    return pa.scalar(at(day), pa.int64()).cast(INSTANT).as_py().toordinal()


def test_a_feature_that_reads_an_outcome_of_later_is_named(tmp_path, monkeypatch):
    """Outcomes are planted too: decided earlier, known after as_of."""
    rows = [event(f"c{i}", 260, decided_at=at(200), is_bad=i % 2 == 0) for i in range(1, 5)]
    buying = [buys(f"c{i}", 100) for i in range(1, 5)]
    plan = plan_of((100,), (200,), churn=TargetPlan(horizon_days=90))
    dataset = dataset_of(tmp_path, {"transactions": buying, "outcomes": rows}, plan)
    assert moved(dataset, pairs_of("c1", "c2")) == ()

    def peeping(data, requests):
        found = panel(data, requests)
        bad = data.table("outcomes").group_by("customer_id").aggregate([("is_bad", "max")])
        told = dict(zip(*(bad[c].to_pylist() for c in ("customer_id", "is_bad_max")), strict=True))
        seen = [float(told.get(c, 0)) for c in requests["customer_id"].to_pylist()]
        return found.append_column("was_bad", pa.array(seen))

    monkeypatch.setattr(canary, "panel", peeping)
    assert moved(dataset, pairs_of("c1", "c2")) == ("was_bad",)
