"""What follows from a change is what the engine finds in a past with those other events."""

from __future__ import annotations

import math
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from events.given import read_given
from features.catalogue import CATALOGUE
from features.consequences import MOVED, changeable, derived, families, follow
from features.given import GivenCatalogue
from tests.features.panel_world import at, row, slow

TODAY = 500.0
MOMENT = at(TODAY)
JUST = 1e-4
TAKES = {d.name: d.take for d in CATALOGUE.declarations if d.take is not None}
PURCHASES = families(CATALOGUE)["purchase_count_30d"]


def history(seed: int, n: int = 40) -> list[dict]:
    """Purchases, of which some fall on one day; none lies on the far end of a window."""
    rng = np.random.default_rng(seed)
    days = TODAY - np.concatenate([rng.integers(0, 480, n), rng.integers(0, 60, 6)]) - 0.37
    return [
        row("a", float(d), kind="purchase", amount=float(rng.integers(1, 90))) for d in sorted(days)
    ]


def known(events: list[dict], names) -> dict[str, float]:
    return {n: slow(TAKES[n], events, "a", MOMENT) for n in names}


def names_of(family, *ops: str) -> list[str]:
    return [m.name for m in family.members if m.take.op in ops]


@pytest.mark.parametrize("window", [7, 14, 30, 60, 90, 180, 365])
@pytest.mark.parametrize("seed", range(3))
def test_more_purchases_move_what_the_engine_counts_with_them_in_the_window(window, seed):
    """Oracle: the slow engine over a history with two more purchases at the far end."""
    events = history(seed)
    names = names_of(PURCHASES, "count", "decay", "recency")
    before = known(events, names)
    ages = [m for m in PURCHASES.members if m.past and m.holds(window)]
    day = min((m.take.ago for m in ages), default=window)
    two = [row("a", TODAY - day + JUST, kind="purchase", amount=1.0)] * 2
    truth = known(sorted([*events, *two], key=lambda r: r["happened_at"]), names)
    name = f"purchase_count_{window}d"
    found, possible = follow(CATALOGUE, before, name, np.array([before[name] + 2]))
    assert possible.all()
    for other in names:
        now = float(found[other][0]) if other in found else before[other]
        assert now == pytest.approx(truth[other], abs=0.01), other


@pytest.mark.parametrize("window", [30, 90, 180, 365])
def test_more_days_with_a_purchase_move_what_the_engine_counts_with_one_more(window):
    day = {180: 90, 365: 275}.get(window, window)
    events = [e for e in history(5) if abs(e["happened_at"] - at(TODAY - day)) > 2 * 86_400e6]
    names = names_of(PURCHASES, "distinct", "count")
    names = [n for n in names if TAKES[n].value != "transactions.category"]
    before = known(events, names)
    one = row("a", TODAY - day + JUST, kind="purchase", amount=1.0)
    truth = known([*events, one], names)
    name = f"active_days_{window}d"
    found, possible = follow(CATALOGUE, before, name, np.array([before[name] + 1]))
    assert possible.all()
    for other in names_of(PURCHASES, "distinct"):
        if other in names and TAKES[other].value == "day":
            now = float(found[other][0]) if other in found else before[other]
            assert now == truth[other], other


@pytest.mark.parametrize("window", [30, 60, 90, 180, 365])
def test_more_spend_moves_what_the_engine_sums_with_it(window):
    family = families(CATALOGUE)["spend_sum_30d"]
    names = names_of(family, "sum", "decay")
    events = history(2)
    before = known(events, names)
    day = min((m.take.ago for m in family.members if m.past and m.holds(window)), default=window)
    truth = known([row("a", TODAY - day + JUST, kind="purchase", amount=250.0), *events], names)
    name = f"spend_sum_{window}d"
    found, _ = follow(CATALOGUE, before, name, np.array([before[name] + 250.0]))
    for other in names:
        now = float(found[other][0]) if other in found else before[other]
        assert now == pytest.approx(truth[other], abs=0.01), other


@pytest.mark.parametrize("day", [0.5, 3.0, 29.9, 45.0])
def test_a_shorter_silence_is_one_more_event_on_that_day(day):
    sessions = [row("a", TODAY - d, kind="app_session") for d in (200.0, 80.0, 60.5)]
    family = families(CATALOGUE)["app_recency_days"]
    names = [m.name for m in family.members]
    before = known(sessions, names)
    truth = known([*sessions, row("a", TODAY - day, kind="app_session")], names)
    found, possible = follow(CATALOGUE, before, "app_recency_days", np.array([day, 90.0]))
    assert possible.tolist() == [True, False], "a longer silence comes with time only"
    assert {n: pytest.approx(float(v[0])) for n, v in found.items()} == truth


def test_the_mean_of_a_longer_window_moves_by_its_part():
    """Six even statements: the later three at 0.1 more move the mean of six by 0.05."""
    before = {"utilisation_mean_90d": 0.5, "utilisation_mean_180d": 0.4, "utilisation_last": 0.3,
              "utilisation_max_180d": 0.55, "utilisation_max_365d": 0.9}  # fmt: skip
    found, possible = follow(CATALOGUE, before, "utilisation_mean_90d", np.array([0.6, 0.2]))
    assert possible.all()
    assert found["utilisation_mean_180d"] == pytest.approx([0.45, 0.25])
    assert found["utilisation_max_180d"].tolist() == [0.6, 0.55], "a mean is no more than the most"
    assert (
        "utilisation_max_365d" not in found or found["utilisation_max_365d"].tolist() == [0.9] * 2
    )


def test_the_past_stands():
    """Nobody was less late than the lateness that stands 60 days ago says."""
    before = {"days_past_due_last": 0.0, "days_past_due_60d_ago": 30.0,
              "days_past_due_max_90d": 60.0, "days_past_due_max_180d": 60.0}  # fmt: skip
    found, possible = follow(CATALOGUE, before, "days_past_due_max_90d", np.array([30.0, 29.0]))
    assert possible.tolist() == [True, False]
    assert "days_past_due_60d_ago" not in found


def test_a_count_below_nothing_and_events_without_a_day_are_impossible():
    before = {"purchase_count_30d": 1.0, "purchase_count_60d": 4.0, "active_days_30d": 1.0,
              "purchase_count_before_30d": 3.0}  # fmt: skip
    _, possible = follow(CATALOGUE, before, "purchase_count_60d", np.array([3.0, 2.0]))
    assert possible.tolist() == [True, False], "three of the four lie in the window before"
    found, possible = follow(CATALOGUE, before, "active_days_30d", np.array([0.0]))
    assert not possible.any() and found["active_days_30d"].tolist() == [0.0]


def test_who_never_bought_has_no_days_since_the_last_purchase():
    before = {"purchase_count_ever": 3.0, "purchase_recency_days": 40.0}
    found, possible = follow(CATALOGUE, before, "purchase_count_ever", np.array([0.0, 4.0]))
    assert possible.all()
    assert found["purchase_recency_days"].tolist() == pytest.approx([math.nan, 40.0], nan_ok=True)
    before = {"purchase_count_ever": 0.0, "purchase_recency_days": math.nan}
    found, _ = follow(CATALOGUE, before, "purchase_count_ever", np.array([2.0]))
    assert np.isnan(found["purchase_recency_days"]).all(), "nothing says when"


VALUES = {n: st.one_of(st.just(math.nan), st.integers(0, 40).map(float)) for n in TAKES}
CHANGED = sorted(n for n in TAKES if changeable(CATALOGUE, n))


@given(st.sampled_from(CHANGED), st.integers(0, 40), st.data())
def test_orders_that_held_still_hold_and_nothing_of_the_past_moves(name, value, data):
    family = families(CATALOGUE)[name]
    before = {m.name: data.draw(VALUES[m.name]) for m in family.members}
    before[name] = float(data.draw(st.integers(0, 40)))
    found, possible = follow(CATALOGUE, before, name, np.array([float(value)]))
    assert found[name].tolist() == [value], "the change itself is never overruled"
    after = {n: float(found.get(n, [before[n]])[0]) for n in before}
    past = {m.name for m in family.members if m.past}
    assert not past & set(found)
    for n in before:
        assert math.isnan(after[n]) == math.isnan(before[n]) or TAKES[n].op == "recency"
    if possible[0]:
        for a, b in family.orders:
            assert not before[a] <= before[b] or after[a] <= after[b] + 1e-9
        if value == before[name]:
            assert all(after[n] == before[n] or math.isnan(before[n]) or n != name for n in before)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=25), st.data())
def test_every_order_holds_in_every_real_past(days, data):
    """Oracle: the slow engine over random histories; no declared order is ever broken."""
    events = [
        row("a", TODAY - d, kind="purchase", amount=float(data.draw(st.integers(1, 9))),
            balance=float(data.draw(st.integers(-9, 9))))
        for d in sorted(days, reverse=True)
    ]  # fmt: skip
    for family in (
        PURCHASES,
        *(families(CATALOGUE)[n] for n in ("spend_mean_90d", "balance_last")),
    ):
        values = known(events, {n for pair in family.orders for n in pair})
        for a, b in family.orders:
            assert not values[a] > values[b] + 1e-9, (a, b)


def test_derived_features_follow_by_their_own_formula():
    before = {"spend_sum_30d": 10.0, "spend_sum_180d": 100.0, "spend_ratio_30d_to_180d": 0.6}
    moved, _ = follow(CATALOGUE, before, "spend_sum_30d", np.array([60.0, 0.0]))
    assert moved["spend_sum_180d"].tolist() == [150.0, 90.0]
    found = derived(CATALOGUE, before, moved)
    assert found["spend_ratio_30d_to_180d"] == pytest.approx([6 * 60 / 150, 0.0])
    assert set(found) == {"spend_ratio_30d_to_180d"}, "what the row does not name stays unknown"


def test_a_row_without_what_a_formula_reads_is_refused_with_its_path():
    before = {"spend_sum_30d": 10.0, "spend_ratio_30d_to_180d": 0.6}
    moved, _ = follow(CATALOGUE, before, "spend_sum_30d", np.array([60.0]))
    with pytest.raises(InputError) as refused:
        derived(CATALOGUE, before, moved)
    assert [f.path for f in refused.value.faults] == ["features.spend_sum_180d"]


def test_what_is_derived_decayed_or_of_the_past_is_not_changed_by_itself():
    for name in ("spend_ratio_30d_to_180d", "spend_decay_30d", "spend_sum_before_30d",
                 "purchase_gap_mean_ever", "spend_std_180d", "category_count_90d"):  # fmt: skip
        assert not changeable(CATALOGUE, name), name
    assert changeable(CATALOGUE, "spend_sum_30d")
    assert {TAKES[n].op for n in CHANGED} == set(MOVED)


def test_columns_of_a_given_table_move_alone():
    text = files("events.readers.tables").joinpath("give_me_some_credit.toml").read_text("utf-8")
    catalogue = GivenCatalogue(read_given(text))
    name = next(f.name for f in catalogue.features if f.lever)
    found, possible = follow(catalogue, {name: 5.0}, name, np.array([9.0]))
    assert {n: v.tolist() for n, v in found.items()} == {name: [9.0]} and possible.all()
    assert changeable(catalogue, name)
