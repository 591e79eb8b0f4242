"""Levers: never protected, derived or of the past; round values, the better way, and their cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PolicyError
from domain.policy import LeverRule
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Rule, Take, Theme, count
from features.formulas import Quotient
from scoring.levers import MOST_VALUES, Lever, apart, levers_of, options, ranges, reach

NAMES = CATALOGUE.names
SEEN = np.tile(np.arange(101.0)[:, None], (1, len(NAMES)))
PAST = ("_ago", "_before_", "season_", "year_ago_")


def test_no_lever_is_protected_derived_decayed_or_of_the_past():
    levers = levers_of(CATALOGUE, ranges(NAMES, SEEN))
    named = [lever.feature for lever in levers]
    assert named == [n for n in NAMES if n in named], "in the order of the catalogue"
    assert {"purchase_count_30d", "complaint_count_90d", "utilisation_last"} <= {*named}
    for lever in levers:
        feature = CATALOGUE[lever.feature]
        assert not feature.protected and not feature.inputs and feature.lever_cost
        assert not any(part in lever.feature for part in (*PAST, "_decay_"))
        assert (lever.low, lever.high, lever.cost) == (5.0, 95.0, feature.lever_cost)


def test_a_protected_feature_is_no_lever_even_where_it_is_declared_one():
    theme = Theme("trial")
    take = Take("last", "customers.dependants")
    theme.single("dependants_last", take, count("人数", "Dependants"), Rule(lever=1))
    take = Take("last", "customers.birth_on")
    theme.single("born_last", take, count("生日", "Birth"), Rule(lever=1))
    catalogue = Catalogue((theme,))
    assert catalogue["born_last"].protected
    free = [f.name for f in catalogue.features if not f.protected]
    levers = levers_of(catalogue, ranges(("dependants_last", "born_last"), SEEN[:, :2]))
    assert [v.feature for v in levers] == free


def test_the_policy_states_ranges_and_costs_and_takes_levers_away():
    rules = [
        LeverRule(feature="purchase_count_30d", low=0, high=4, cost=0.5),
        LeverRule(feature="complaint_count_90d", cost=0),
        LeverRule(feature="income_last", low=0, high=9, cost=3),
    ]
    found = {v.feature: v for v in levers_of(CATALOGUE, ranges(NAMES, SEEN), rules)}
    assert found["purchase_count_30d"] == Lever("purchase_count_30d", 0.0, 4.0, 0.5)
    assert "complaint_count_90d" not in found
    assert found["income_last"].cost == 3, "the catalogue has none, the bank may"


def test_a_rule_for_what_is_no_lever_is_refused_with_its_place():
    rules = [
        LeverRule(feature="purchase_count_30d"),
        LeverRule(feature="no_such_thing"),
        LeverRule(feature="age_years"),
        LeverRule(feature="spend_ratio_30d_to_180d"),
    ]
    with pytest.raises(PolicyError) as refused:
        levers_of(CATALOGUE, ranges(NAMES, SEEN), rules)
    paths = {f.path: f.rule for f in refused.value.faults}
    assert paths == {
        "levers.1.feature": "unknown", "levers.2.feature": "no_lever",
        "levers.3.feature": "no_lever",
    }  # fmt: skip


def test_what_was_never_seen_or_never_differs_is_no_lever():
    seen = SEEN.copy()
    seen[:, NAMES.index("purchase_count_30d")] = np.nan
    seen[:, NAMES.index("purchase_count_60d")] = 3.0
    found = {v.feature for v in levers_of(CATALOGUE, ranges(NAMES, seen))}
    assert not found & {"purchase_count_30d", "purchase_count_60d"}
    assert (
        levers_of(CATALOGUE, ranges(("spend_sum_30d",), SEEN[:, :1]))[0].feature == "spend_sum_30d"
    )


@given(st.floats(0, 50), st.integers(1, 6))
def test_values_are_whole_inside_the_range_on_the_better_side_from_the_nearest(now, width):
    lever = Lever("purchase_count_30d", 3.0, 3.0 + width, 2.0)
    found = options(CATALOGUE, {"purchase_count_30d": now}, lever)
    truth = [float(k) for k in range(3, 4 + width) if k > now]
    assert ([] if found is None else found.values.tolist()) == truth
    if found is not None:
        assert found.turn == 0
        assert found.costs == pytest.approx([2.0 * (v - now) / width for v in truth])


def test_a_lever_that_nobody_cares_the_way_of_moves_both_ways_from_the_nearest():
    found = options(
        CATALOGUE, {"utilisation_last": 0.5}, Lever("utilisation_last", 0.47, 0.52, 1.0)
    )
    assert found is not None
    assert (found.values.tolist(), found.turn) == ([0.49, 0.48, 0.47, 0.51, 0.52], 3)


def test_great_ranges_take_coarser_round_values():
    found = options(CATALOGUE, {"spend_sum_30d": 0.0}, Lever("spend_sum_30d", 0.0, 25_000.0, 1.0))
    assert found is not None and len(found.values) <= MOST_VALUES
    assert found.values[:3].tolist() == [100.0, 200.0, 300.0]


def test_impossible_values_are_left_out():
    row = {"purchase_count_60d": 4.0, "complaint_count_90d": 2.0, "complaint_count_365d": 2.0}
    found = options(CATALOGUE, row, Lever("complaint_count_365d", -3.0, 9.0, 1.0))
    assert found is not None and found.values.tolist() == [1.0, 0.0]
    assert found.moved["complaint_count_90d"].tolist() == [1.0, 0.0]
    assert options(CATALOGUE, {}, Lever("complaint_count_365d", 0.0, 9.0, 1.0)) is None
    assert options(CATALOGUE, {"x": math.nan}, Lever("products_last", 0.0, 9.0, 1.0)) is None


def test_groups_move_nothing_in_common_and_hold_every_lever_once():
    levers = levers_of(CATALOGUE, ranges(NAMES, SEEN))
    groups = apart(CATALOGUE, levers)
    assert sorted(v.feature for g in groups for v in g) == sorted(v.feature for v in levers)
    moves = [frozenset().union(*(reach(CATALOGUE, v.feature) for v in g)) for g in groups]
    for i, mine in enumerate(moves):
        assert not any(mine & other for other in moves[i + 1 :])
    assert len(groups) > 8
    together = next(g for g in groups if g[0].feature == "purchase_count_7d")
    assert {"active_days_30d", "active_months_365d"} <= {v.feature for v in together}


def test_two_families_that_meet_in_a_formula_are_one_group():
    theme = Theme("trial")
    free = Rule(lever=1)
    theme.single("a", Take("last", "customers.products"), count("甲", "A"), free)
    theme.single("b", Take("last", "customers.income"), count("乙", "B"), free)
    theme.single("c", Take("last", "customers.education"), count("丙", "C"), free)
    theme.quotient("a_to_b", Quotient("a", "b"), count("比", "Ratio"))
    catalogue = Catalogue((theme,))
    levers = [Lever(n, 0.0, 9.0, 1.0) for n in ("a", "b", "c")]
    assert [[v.feature for v in g] for g in apart(catalogue, levers)] == [["a", "b"], ["c"]]
