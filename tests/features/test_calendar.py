"""The full catalogue at awkward instants: leap day, year end, clock changes, on the boundary."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.asof import MICROS_PER_DAY as DAY
from domain.asof import to_micros
from features.catalogue import CATALOGUE
from tests.features.panel_world import START, computed, random_transactions, row, slow

ZONE = ZoneInfo("Europe/London")
MOMENTS = {
    "leap day": datetime(2020, 2, 29, tzinfo=ZONE),
    "a year after the leap day": datetime(2021, 2, 28, tzinfo=ZONE),
    "year end": datetime(2021, 1, 1, tzinfo=ZONE),
    "the hour that is skipped": datetime(2020, 3, 29, 1, 30, tzinfo=ZONE),
    "the hour that comes twice": datetime(2020, 10, 25, 1, 30, fold=1, tzinfo=ZONE),
}
WINDOWS = sorted({d.take.days for d in CATALOGUE.declarations if d.take} - {0})
TAKES = {
    d.name: d.take for d in CATALOGUE.declarations if d.take and d.take.table == "transactions"
}


def days_before(moment: datetime, days: float) -> float:
    """The day, on the tests' clock, so long before a moment: 24 hours a day, whatever the zone."""
    return (to_micros(moment) - START) / DAY - days


def purchase(customer: str, day: float, **fields):
    return row(
        customer, day, kind="purchase", amount=fields.pop("amount", 10.0), items=1.0,
        channel="online", category="travel", balance=100.0, **fields,
    )  # fmt: skip


@pytest.mark.parametrize("name", MOMENTS)
def test_every_feature_of_transactions_agrees_with_the_slow_engine(name):
    moment = MOMENTS[name]
    edges = [
        purchase("c0", days_before(moment, w + off / DAY), amount=float(5 + w))
        for w in (0, *WINDOWS) for off in (-1, 0, 1) if w or off >= 0
    ]  # fmt: skip
    rows = random_transactions(np.random.default_rng(3), 120, customers=2) + edges
    as_of = to_micros(moment)
    found = computed({"transactions": rows}, [("c0", as_of), ("c1", as_of)], CATALOGUE)
    for feature, take in TAKES.items():
        for place, customer in enumerate(("c0", "c1")):
            value = found[feature][place].as_py()
            expected = slow(take, rows, customer, as_of)
            assert (math.nan if value is None else value) == pytest.approx(
                expected, rel=1e-6, abs=1e-6, nan_ok=True
            ), f"{feature} {customer}"


OTHERS = {
    table: {d.name: d.take for d in CATALOGUE.declarations if d.take and d.take.table == table}
    for table in ("statements", "loans", "interactions")
}
FIELDS = {
    "statements": {
        "status": ["unused", "paid_in_full", "revolving", "past_due"],
        "days_past_due": [0.0, 29.0, 30.0, 60.0], "bill": [-50.0, 0.0, 100.0, 900.0],
        "paid": [0.0, 0.005, 50.0, 900.0], "limit": [None, 0.0, 1000.0],
    },
    "loans": {
        "amount": [1.0, 5000.0], "term_months": [None, 12.0, 60.0], "payment": [None, 90.0],
    },
    "interactions": {
        "kind": ["contact", "complaint", "satisfaction", "app_session", "campaign", "response"],
        "score": [None, 1.0, 5.0],
    },
}  # fmt: skip


@st.composite
def versions(draw, table: str, moment: datetime):
    """An event near the edge of a window, perhaps known late, perhaps corrected: its versions."""
    edges = sorted({e for t in OTHERS[table].values() for e in (t.ago, t.ago + t.days)})
    age = draw(st.sampled_from(edges)) + draw(st.sampled_from([-1, 0, 1, 3 * DAY])) / DAY
    day, end = days_before(moment, age), days_before(moment, 0)
    told = max(day, draw(st.sampled_from([day, day, day + 9, end, end + 1 / DAY])))
    corrected = draw(st.sampled_from([None, None, end - 1 / DAY, end, end + 1 / DAY]))
    if corrected is not None and corrected <= told:
        corrected = None
    spans = [(told, corrected), *([] if corrected is None else [(corrected, None)])]
    return [
        row(
            "c", day, known=known, superseded=until,
            **{name: draw(st.sampled_from(of)) for name, of in FIELDS[table].items()},
        )
        for known, until in spans
    ]  # fmt: skip


@pytest.mark.parametrize("table", OTHERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_feature_of_the_other_tables_agrees_with_the_slow_engine_at_every_edge(table, data):
    moment = MOMENTS[data.draw(st.sampled_from(sorted(MOMENTS)))]
    events = data.draw(
        st.lists(versions(table, moment), max_size=8, unique_by=lambda v: v[0]["happened_at"])
    )
    rows = [version for event in events for version in event]
    as_of = to_micros(moment)
    found = computed({table: rows}, [("c", as_of)], CATALOGUE)
    assert len(OTHERS[table]) > 3
    for feature, take in OTHERS[table].items():
        value = found[feature][0].as_py()
        assert (math.nan if value is None else value) == pytest.approx(
            slow(take, rows, "c", as_of), rel=1e-6, abs=1e-6, nan_ok=True
        ), feature


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("days", [7, 30, 365])
def test_an_event_at_as_of_counts_and_one_a_whole_window_before_does_not(name, days):
    moment, feature = MOMENTS[name], f"purchase_count_{days}d"
    as_of = [("c", to_micros(moment))]

    def counted(*ages: float) -> float:
        rows = [purchase("c", days_before(moment, 400)), *(
            purchase("c", days_before(moment, age)) for age in ages
        )]  # fmt: skip
        return computed({"transactions": rows}, as_of, CATALOGUE)[feature][0].as_py()

    micro = 1 / DAY
    assert counted(0) == 1.0
    assert counted(-micro) == 0.0
    assert counted(days) == 0.0
    assert counted(days - micro) == 1.0


def test_a_window_is_of_whole_days_of_24_hours_over_a_change_of_clocks():
    moment = MOMENTS["the hour that is skipped"] + timedelta(days=3)
    rows = [purchase("c", days_before(moment, 7 - 1 / 48)), purchase("c", days_before(moment, 7))]
    found = computed({"transactions": rows}, [("c", to_micros(moment))], CATALOGUE)
    assert found["purchase_count_7d"][0].as_py() == 1.0


def random_book(rng: np.random.Generator) -> dict:
    """Events of every table of a few customers."""

    def some(n: int, **fields):
        return [
            row(
                f"c{rng.integers(4)}", float(rng.integers(0, 400)),
                **{k: f() for k, f in fields.items()},
            )
            for _ in range(n)
        ]  # fmt: skip

    return {
        "transactions": random_transactions(rng, 150, customers=4),
        "statements": some(
            60, days_past_due=lambda: float(rng.choice([0, 0, 30, 60])),
            bill=lambda: float(rng.normal(100, 80)), paid=lambda: float(rng.integers(0, 90)),
            limit=lambda: 500.0,
            status=lambda: str(rng.choice(["unused", "paid_in_full", "revolving", "past_due"])),
        ),
        "loans": some(10, amount=lambda: float(rng.integers(1, 9)), payment=lambda: 1.0),
        "interactions": some(
            60, kind=lambda: str(rng.choice(["complaint", "app_session", "satisfaction"])),
            score=lambda: float(rng.integers(1, 6)),
        ),
        "customers": [row(f"c{i}", i * 5.0, joined_at=START, income=1e4 * i) for i in range(4)],
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_feature_of_the_catalogue_moves_by_what_lies_or_is_known_after_as_of(seed):
    """I3, the canary."""
    rng = np.random.default_rng(seed)
    book = random_book(rng)
    as_of = START + 250 * DAY
    pairs = [(f"c{i}", as_of) for i in range(4)]
    before = computed(book, pairs, CATALOGUE)
    planted = {}
    for table, rows in book.items():
        kept = [r for r in rows if r["happened_at"] <= as_of and r["known_at"] <= as_of]
        late = [{**r, "known_at": as_of + 1} for r in kept]
        ahead = [{**r, "happened_at": as_of + 1, "known_at": as_of + 1} for r in kept]
        planted[table] = [*late, *kept, *ahead]
        rng.shuffle(planted[table])
    after = computed(planted, pairs, CATALOGUE)
    filled = [n for n in CATALOGUE.names if before[n].null_count < 4]
    assert len(filled) > 0.9 * len(CATALOGUE.names)
    for name in CATALOGUE.names:
        assert before[name].equals(after[name]), name
