from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from domain.errors import InputError
from events.bank.config import BankConfig
from events.bank.months import months_of
from events.bank.tables import campaign_names
from events.check import check_table
from events.schema import TABLES
from tests.events.bank_world import BIG, SMALL, world

RAW = ("customers", "transactions", "statements", "loans", "interactions")


@pytest.mark.parametrize("name", RAW)
def test_a_table_has_the_columns_of_its_schema_and_passes_its_check(name):
    table = world(SMALL)[name]
    assert table.schema.equals(TABLES[name].schema)
    checked = check_table(TABLES[name], table, name, time.time_ns() // 1000)
    assert checked.faults == ()
    assert checked.fatal == ()
    assert checked.clean.num_rows == table.num_rows > 0


@pytest.mark.parametrize("name", RAW)
def test_rows_are_sorted_by_customer_and_time(name):
    keys = ["customer_id", "happened_at"]
    rows = world(SMALL)[name].select(keys).to_pandas()
    assert rows.sort_values(keys, kind="stable").index.is_monotonic_increasing


@pytest.mark.parametrize("name", RAW)
def test_nothing_happens_before_joining_or_after_the_end(name):
    rows = world(SMALL)[name].to_pandas()
    joined = world(SMALL)["truth/customers"].to_pandas().set_index("customer_id").joined_at
    assert (rows.happened_at >= rows.customer_id.map(joined)).all()
    assert rows.happened_at.max() <= pd.Timestamp("2026-07-01", tz="UTC")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("transactions", ["event_id"]),
        ("statements", ["account_id", "happened_at"]),
        ("interactions", ["event_id"]),
    ],
)
def test_late_doubled_and_corrected_rows_are_as_frequent_as_asked(name, key):
    rows = world(BIG)[name].to_pandas()
    groups = rows.groupby(key, sort=False).known_at
    size, versions = groups.size(), groups.nunique()
    first = rows.drop_duplicates(key)
    n = len(size)
    assert (first.known_at > first.happened_at).sum() / n == pytest.approx(0.01, rel=0.1)
    assert ((size == 2) & (versions == 1)).sum() / n == pytest.approx(0.003, rel=0.2)
    expected = 0 if name == "interactions" else 0.003
    assert (versions == 2).sum() / n == pytest.approx(expected, rel=0.2)
    assert (rows.known_at - rows.happened_at).max() <= pd.Timedelta(days=20)


def test_doubled_rows_are_equal_in_every_column_and_corrected_ones_differ_in_the_amount_only():
    rows = world(BIG)["transactions"].to_pandas()
    rows = rows[rows.duplicated("event_id", keep=False)]
    twice = rows.duplicated(keep=False)
    assert twice.any()
    corrected = rows[~twice]
    assert corrected.drop(columns=["amount", "known_at"]).duplicated(keep=False).all()
    assert (corrected.groupby("event_id").amount.nunique() == 2).all()


def test_drift_is_seen_from_its_month_only():
    drifted = replace(SMALL, drift_month=9, drift_purchase=-1.0, drift_ability=-2.0)
    begins = pa.scalar(int(months_of(SMALL).starts[9])).cast(pa.timestamp("us", tz="UTC"))
    calm, moved = world(SMALL), world(drifted)
    for name in RAW:
        before = [t.filter(pc.less(t["happened_at"], begins)) for t in (calm[name], moved[name])]
        assert before[0].num_rows > 100 or name == "loans"
        assert before[0].equals(before[1]), name
    after = [
        t["transactions"].filter(pc.greater(t["transactions"]["happened_at"], begins)).to_pandas()
        for t in (calm, moved)
    ]
    bought = [(rows.kind == "purchase").sum() for rows in after]
    assert bought[1] / bought[0] == pytest.approx(np.exp(-1.0), rel=0.15)
    rows = [t["statements"].to_pandas() for t in (calm, moved)]
    due = [(r.days_past_due > 0)[r.happened_at >= begins.as_py()].mean() for r in rows]
    assert due[1] > 1.5 * due[0]


def test_the_mean_number_of_transactions_is_as_documented():
    rows = world(BIG)["transactions"].num_rows / BIG.customers
    assert 90 < rows < 150


def test_spend_is_heavy_tailed():
    rows = world(BIG)["transactions"].to_pandas().query("kind == 'purchase'")
    total = rows.groupby("customer_id").amount.sum().sort_values(ascending=False)
    assert total.head(len(total) // 5).sum() / total.sum() > 0.5


def test_campaign_ids_name_the_month():
    assert campaign_names(months_of(BankConfig(months=30)))[14] == "campaign-2025-03"


def test_more_events_of_one_customer_than_ids_are_refused(monkeypatch):
    monkeypatch.setattr("events.bank.tables._EVENTS_OF_ONE", 30)
    with pytest.raises(InputError, match="visits_per_month"):
        world(replace(SMALL, seed=99, customers=50))
