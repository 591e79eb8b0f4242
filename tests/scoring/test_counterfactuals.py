"""Plans are the cheapest there are, by brute force; where none exists, it finds none."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.errors import InputError
from features.catalogue import CATALOGUE
from scoring.counterfactuals import Answer, Limits, plans
from scoring.levers import reach
from tests.scoring.lever_world import FEATURES, LEVERS, brute_force, row_of, rows, scorer_of

DEFAULT = Limits()


def ask(scorer, x, wanted, limits=DEFAULT, levers=LEVERS) -> Answer:
    return plans(scorer, CATALOGUE, row_of(x), wanted, levers, limits)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(0, 199), st.integers(5, 160), st.booleans(),
    st.sampled_from([1, 2, 3, 3]),
)  # fmt: skip
def test_the_cheapest_plans_are_those_of_brute_force(seed, which, gap, monotone, most):
    scorer, x = scorer_of(seed, monotone=monotone), rows(200, seed)[which]
    wanted = int(scorer.points(x[None])[0]) + gap
    limits = Limits(levers=most, plans=2)
    answer = ask(scorer, x, wanted, limits)
    truth = brute_force(scorer, x, wanted, limits)
    assert [p.cost for p in answer.plans] == pytest.approx([cost for cost, _ in truth])
    assert answer.proved or len(answer.plans) == limits.plans
    assert all(plan.gap == 0.0 for plan in answer.plans)


def test_random_customers_meet_every_kind_of_answer():
    """So that the comparison with brute force is of none, and of plans of one, two and three."""
    found = Counter()
    for seed in range(30):
        scorer, x = scorer_of(seed), rows(200, seed)[seed]
        for gap in (20, 60, 100, 140):
            answer = ask(scorer, x, int(scorer.points(x[None])[0]) + gap)
            found[len(answer.plans[0].moves) if answer.plans else "none"] += 1
            assert answer.plans or answer.proved
    assert {1, 2, 3, "none"} <= {*found}, found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 199), st.integers(5, 60))
def test_a_plan_is_scored_again_moves_levers_only_and_never_asks_to_worsen(seed, which, gap):
    scorer, x = scorer_of(seed), rows(200, seed)[which]
    wanted = int(scorer.points(x[None])[0]) + gap
    row = row_of(x)
    for plan in ask(scorer, x, wanted).plans:
        then = {**row, **plan.values}
        vector = np.array([math.nan if then[n] is None else then[n] for n in FEATURES])
        assert plan.points == scorer.points(vector[None])[0] >= wanted
        for move in plan.moves:
            lever = next(v for v in LEVERS if v.feature == move.feature)
            assert row[move.feature] == move.now != move.then == plan.values[move.feature]
            assert lever.low <= move.then <= lever.high
            for sign in CATALOGUE[move.feature].better.values():
                assert (move.then - move.now) * sign > 0
        assert plan.cost == pytest.approx(sum(m.cost for m in plan.moves))
        follows = frozenset().union(*(reach(CATALOGUE, m.feature) for m in plan.moves))
        assert set(plan.values) <= follows
        assert not {"income_last", "purchase_recency_days"} & set(plan.values)


def test_a_spent_budget_tells_the_gap_and_never_a_false_proof():
    gaps = 0
    for seed in range(25):
        scorer, x = scorer_of(seed, trees=12), rows(200, seed)[3]
        wanted = int(scorer.points(x[None])[0]) + 30
        whole = ask(scorer, x, wanted, Limits(plans=1))
        for nodes in (1, 4, 12, 40):
            part = ask(scorer, x, wanted, Limits(plans=1, nodes=nodes))
            assert part.nodes <= nodes
            if part.proved:
                assert [p.cost for p in part.plans] == [p.cost for p in whole.plans]
            for plan in part.plans:
                assert plan.points >= wanted
                assert plan.cost - plan.gap <= whole.plans[0].cost + 1e-9 <= plan.cost + 2e-9
                gaps += plan.gap > 0
            if not part.plans and not part.proved and whole.plans:
                assert part.bound is not None and part.bound <= whole.plans[0].cost + 1e-9
    assert gaps, "some budget ended before its proof"


def test_who_has_the_points_needs_no_plan():
    scorer, x = scorer_of(1), rows(200, 1)[0]
    points = int(scorer.points(x[None])[0])
    answer = ask(scorer, x, points)
    assert (answer.plans[0].moves, answer.plans[0].cost, answer.nodes) == ((), 0.0, 0)


def test_none_exists_without_levers_and_that_is_proved():
    scorer, x = scorer_of(1), rows(200, 1)[0]
    answer = ask(scorer, x, int(scorer.points(x[None])[0]) + 1, levers=())
    assert (answer.plans, answer.proved, answer.bound) == ((), True, None)


def test_a_lever_whose_value_is_missing_does_not_move():
    scorer, x = scorer_of(2), rows(200, 2)[0]
    x[7] = np.nan
    answer = ask(scorer, x, int(scorer.points(x[None])[0]) + 5, levers=(LEVERS[3],))
    assert answer.plans == () and answer.proved


def test_the_same_question_has_the_same_answer_in_json():
    scorer, x = scorer_of(3), rows(200, 3)[5]
    wanted = int(scorer.points(x[None])[0]) + 15
    texts = {TypeAdapter(Answer).dump_json(ask(scorer_of(3), x, wanted)).decode() for _ in range(3)}
    (text,) = texts
    assert json.loads(text)["wanted"] == wanted


def test_a_row_without_a_feature_of_the_scorer_is_refused_with_its_path():
    row = row_of(rows(200, 1)[0])
    del row["income_last"], row["spend_sum_180d"]
    with pytest.raises(InputError) as refused:
        plans(scorer_of(1), CATALOGUE, row, 9999, LEVERS)
    paths = [f.path for f in refused.value.faults]
    assert paths == ["features.spend_sum_180d", "features.income_last"]
