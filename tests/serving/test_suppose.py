"""Plans keep what they promise, what-if records nothing, and what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.decision import DecisionRequest
from domain.errors import InputError, NotFoundError
from domain.inquiry import WhatIfRequest
from serving.past import Past, find_past
from serving.suppose import counterfactuals, what_if


def decided(desk, customer) -> Past:
    asked = DecisionRequest(customer_ids=[customer], purpose="crm")
    return find_past(desk, desk.decisions(asked).decisions[0].decision_id)


def test_plans_lead_to_the_next_cut_and_what_if_gives_the_points_they_promise(desk, customers):
    kept = 0
    for customer in customers[:12]:
        past = decided(desk, customer)
        for found in counterfactuals(past).scores:
            cuts = past.judge.policy.steps[found.target]
            above = [cut for cut in cuts.bounds if cut > found.points]
            assert found.wanted == (above[0] if above else None)
            assert found.plans or found.proved
            for plan in found.plans:
                assert plan.points >= found.wanted
                assert plan.cost == pytest.approx(sum(m.cost for m in plan.moves))
                changes = {m.feature: m.then for m in plan.moves}
                asked = WhatIfRequest(decision_id=past.decision.decision_id, changes=changes)
                then = {s.target: s for s in what_if(desk, asked).scores}[found.target]
                assert (then.points_now, then.points) == (found.points, plan.points)
                assert then.tier == found.reaches or plan.points > found.wanted
                kept += 1
    assert kept > 10
    assert desk.log.verify() == 12


def test_so_many_points_may_be_asked_of_one_target(desk, customers):
    past = decided(desk, customers[1])
    [score] = past.scores("churn")
    [same] = counterfactuals(past, "churn", score.points).scores
    assert (same.wanted, [p.moves for p in same.plans], same.proved) == (score.points, [[]], True)
    [far] = counterfactuals(past, "churn", 100_000).scores
    assert (far.plans, far.proved) == ([], True)
    with pytest.raises(InputError) as refused:
        counterfactuals(past, None, 600)
    assert refused.value.faults[0].path == "points"


def test_the_policy_of_the_decision_states_the_levers(desk, customers):
    past = decided(desk, customers[1])
    used = {
        m.feature: rule
        for s in counterfactuals(past).scores for p in s.plans for m in p.moves
        for rule in [{"feature": m.feature, "cost": 0.0}]
    }  # fmt: skip
    content = past.judge.policy.model_dump() | {"levers": tuple(used.values())}
    policy = type(past.judge.policy).model_validate(content)
    without = replace(past, judge=replace(past.judge, policy=policy))
    left = {m.feature for s in counterfactuals(without).scores for p in s.plans for m in p.moves}
    assert used and not left & used.keys()


def test_a_lever_moves_within_the_range_of_the_customers_learnt_from(desk, customers):
    past = decided(desk, customers[1])
    views = past.judge.bundle.beside["global_view"]
    moves = [m for s in counterfactuals(past).scores for p in s.plans for m in p.moves]
    for score in counterfactuals(past).scores:
        for move in (m for p in score.plans for m in p.moves):
            low, high = views[score.target]["ranges"][move.feature]
            assert low - 1 <= move.then <= high + 1  # a value is round
    still = {t: {**v, "ranges": {n: [0.0, 0.0] for n in v["ranges"]}} for t, v in views.items()}
    beside = {**past.judge.bundle.beside, "global_view": still}
    stuck = replace(past.judge, bundle=replace(past.judge.bundle, beside=beside))
    assert moves
    assert not any(s.plans for s in counterfactuals(replace(past, judge=stuck)).scores if s.wanted)


def test_a_customer_may_be_asked_about_as_known_now_and_nothing_is_recorded(desk, customers):
    [made] = desk.decisions(DecisionRequest(customer_ids=[customers[2]], purpose="crm")).decisions
    changes = {"complaint_count_90d": 3.0}
    now = what_if(desk, WhatIfRequest(customer_id=customers[2], changes=changes))
    then = what_if(desk, WhatIfRequest(decision_id=made.decision_id, changes=changes))
    assert now.model_copy(update={"decision_id": made.decision_id}) == then
    assert now.values["complaint_count_90d"] == 3.0
    record = desk.log.get(made.decision_id)
    for score, told in zip(made.scores, now.scores, strict=True):
        assert told.points_now == score.points
        scorer = desk.judge.bundle.scorers[told.target]
        row = [{**record.features, **now.values}[n] for n in scorer.features]
        assert told.points == scorer.points(np.array([row], dtype=np.float64))[0]
        assert told.explanation.points == told.points
    assert desk.log.verify() == 1


@pytest.mark.parametrize(
    ("who", "path"),
    [({}, "decision_id"), ({"customer_id": "c", "decision_id": "0" * 32}, "decision_id")],
)
def test_one_of_decision_and_customer_has_to_be_named(desk, who, path):
    with pytest.raises(InputError) as refused:
        what_if(desk, WhatIfRequest(changes={"spend_sum_90d": 1.0}, **who))
    assert refused.value.faults[0].path == path


def test_of_whom_nothing_is_known_nothing_is_supposed(desk):
    with pytest.raises(NotFoundError):
        what_if(desk, WhatIfRequest(customer_id="nobody", changes={"spend_sum_90d": 1.0}))
    past = decided(desk, "nobody")
    assert counterfactuals(past).scores == []
    asked = WhatIfRequest(decision_id=past.decision.decision_id, changes={"spend_sum_90d": 1.0})
    with pytest.raises(InputError) as refused:
        what_if(desk, asked)
    assert refused.value.faults[0].rule == "no_score"


def test_changes_that_cannot_be_are_refused_with_their_paths(desk, customers):
    asked = WhatIfRequest(customer_id=customers[0], changes={"age_years": 30.0, "nothing": 1.0})
    with pytest.raises(InputError) as refused:
        what_if(desk, asked)
    assert [f.path for f in refused.value.faults] == ["changes.age_years", "changes.nothing"]


def test_a_bundle_that_does_not_say_how_sure_it_is_plans_without_and_says_so(desk, customers):
    past = decided(desk, customers[1])
    bundle = past.judge.bundle
    told = {name: found for name, found in bundle.beside.items() if name != "conformal"}
    bare = replace(bundle, beside=told)
    answer = counterfactuals(replace(past, judge=replace(past.judge, bundle=bare)), "churn")
    assert [s.sure for s in answer.scores] == [None]
    assert answer.notes == ["the bundle does not say how sure a churn score is"]
    assert answer.scores[0].plans == counterfactuals(past, "churn").scores[0].plans
