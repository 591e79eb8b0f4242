"""Explanations of recorded decisions add up, repeat the record, and say what is lacking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.decision import DecisionRequest
from domain.errors import InputError, RecordError
from domain.policy import default_policy_text
from serving.desk import Desk
from serving.explain import adverse, change, explanation
from serving.past import Past, find_past


def decided(desk: Desk, customer: str, **when) -> Past:
    asked = DecisionRequest(customer_ids=[customer], purpose="crm", **when)
    return find_past(desk, desk.decisions(asked).decisions[0].decision_id)


@pytest.mark.parametrize("level", ["none", "reasons", "full"])
def test_every_score_is_explained_as_it_was_recorded(desk, customers, level):
    for customer in customers[:15]:
        past = decided(desk, customer)
        answer = explanation(past, level)
        assert [e.target for e in answer.explanations] == [s.target for s in past.decision.scores]
        for told, score in zip(answer.explanations, past.decision.scores, strict=True):
            assert told.points == score.points
            if level == "none":
                assert (told.base_points, told.ideas, told.reasons) == (None, [], [])
                continue
            assert told.base_points == score.base_points
            assert score.base_points + sum(i.points for i in told.ideas) == score.points
            assert len(told.ideas) <= (6 if level == "reasons" else 60)
        assert bool(answer.sure) == (level != "none")


def test_the_whole_answer_begins_with_the_recorded_reasons_and_holds_against_populations(
    desk, customers
):
    past = decided(desk, customers[3])
    for told, score in zip(explanation(past, "full").explanations, past.decision.scores,
                           strict=True):  # fmt: skip
        recorded = [r for r in score.reasons if r.feature != "other"]
        assert told.reasons[: len(recorded)] == recorded
        assert score.base_points + sum(r.points for r in told.reasons) == score.points
        assert told.compared[0].reference.name == "everybody"
        for against in told.compared:
            parts = sum(i.points for i in against.ideas)
            assert against.reference.points + parts == against.points == score.points


def test_a_customer_is_held_against_the_approved_and_their_own_stage_alone(desk, customers):
    seen = set()
    for customer in customers[:40]:
        past = decided(desk, customer)
        own = f"stage_{past.decision.stage.name}"
        for told in explanation(past, "full").explanations:
            names = {c.reference.name for c in told.compared}
            assert ("approved" in names) == (told.target == "credit")
            stages = {n for n in names if n.startswith("stage_")}
            assert stages <= {own}
            seen |= stages
    assert len(seen) > 1


def test_one_target_may_be_asked_for_and_one_that_is_not_there_is_refused_by_its_path(
    desk, customers
):
    answer = explanation(decided(desk, customers[0]), "reasons", "churn")
    assert [e.target for e in answer.explanations] == ["churn"]
    with pytest.raises(InputError) as refused:
        explanation(decided(desk, "nobody"), "reasons", "churn")
    assert refused.value.faults[0].path == "target"


def test_a_customer_of_whom_nothing_is_known_has_no_score_to_explain(desk):
    answer = explanation(decided(desk, "nobody"), "full")
    assert answer.explanations == []
    assert answer.notes == ["nothing was known of this customer: no score"]


def test_a_bundle_without_references_and_conformal_is_explained_without_and_says_so(
    desk, customers
):
    past = decided(desk, customers[0])
    bare = replace(past.judge.bundle, beside={})
    answer = explanation(replace(past, judge=replace(past.judge, bundle=bare)), "full")
    assert answer.sure == []
    assert all(e.compared == [] for e in answer.explanations)
    assert len(answer.notes) == 6
    assert "the bundle does not say how sure a credit score is" in answer.notes


def test_a_record_that_says_otherwise_than_its_bundle_is_not_explained(desk, customers):
    past = decided(desk, customers[0])
    score = past.decision.scores[0]
    first, *rest = score.reasons
    for wrong in (
        score.model_copy(update={"points": score.points + 1}),
        score.model_copy(update={"reasons": [first.model_copy(update={"points": 1}), *rest]}),
    ):
        told = past.decision.model_copy(update={"scores": [wrong]})
        forged = replace(past, record=past.record.model_copy(update={"decision": told}))
        with pytest.raises(RecordError, match="not the one that its bundle gives"):
            explanation(forged, "reasons")


def test_a_change_between_two_instants_is_all_data_and_adds_up(desk, customers):
    moved = 0
    for customer in customers[:10]:
        then = decided(desk, customer, as_of=datetime(2025, 6, 1, tzinfo=UTC))
        now = decided(desk, customer)
        for told in change(then, now).scores:
            assert told.before + sum(p.points for p in told.data) == told.after
            assert (told.model, told.tier_by_policy) == (0, 0)
            for part in told.data:
                before, after = (p.record.features[part.feature] for p in (then, now))
                assert (part.before, part.after) == (before, after)
                assert before != after
            moved += len(told.data)
    assert moved


def test_another_policy_moves_tiers_and_no_points(desk, customers, workspace, tmp_path):
    text = default_policy_text()
    raised = tmp_path / "raised.toml"
    raised.write_text(text.replace("from_points = 450", "from_points = 549"), encoding="utf-8")
    strict, steps = Desk(workspace, raised), 0.0
    for customer in customers[:40]:
        [told, *_] = change(decided(desk, customer), decided(strict, customer)).scores
        assert (told.data, told.model, told.before) == ([], 0, told.after)
        names = ["low", "mid", "high"]
        went = names.index(told.tier_after.name) - names.index(told.tier_before.name)
        assert (told.tier_by_points, told.tier_by_policy) == (0, went)
        steps += went
    assert steps < 0


def test_decisions_of_two_customers_and_scores_of_one_only_are_told_apart(desk, customers):
    mine = decided(desk, customers[0])
    with pytest.raises(InputError) as refused:
        change(decided(desk, customers[1]), mine)
    assert refused.value.faults[0].path == "since"
    before = decided(desk, customers[0], as_of=datetime(2000, 1, 1, tzinfo=UTC))
    answer = change(before, mine)
    assert answer.scores == []
    assert len(answer.notes) == 3


def test_a_letter_is_owed_in_the_bands_that_the_policy_names_and_in_no_other(desk, customers):
    bands = {}
    for customer in customers[:150]:
        past = decided(desk, customer)
        band = past.scores("credit")[0].tier.name if past.decision.scores else None
        bands.setdefault(band, past)
        if {"a", "e"} <= {*bands}:
            break
    answer = adverse(bands["e"])
    assert answer.action.points == bands["e"].scores("credit")[0].points
    assert answer.action.decision.name == "e"
    assert answer.action.reference.name == "everybody"
    assert all(r.points < 0 for r in answer.action.reasons)
    assert answer.letter_zh is not None and "【监管机构名称与地址】" in answer.letter_zh
    assert answer.letter_en is not None and "[name and address" in answer.letter_en
    assert all(r.en in answer.letter_en for r in answer.action.reasons)
    with pytest.raises(InputError, match=r"is not adverse: .* band e"):
        adverse(bands["a"])


def test_a_policy_without_the_rule_says_of_no_decision_that_it_is_adverse(
    customers, workspace, tmp_path
):
    before, _, rest = default_policy_text().partition("[adverse]")
    file = tmp_path / "silent.toml"
    file.write_text(before + rest[rest.index("[[cuts.value]]") :], encoding="utf-8")
    with pytest.raises(InputError, match=r"state \[adverse\] in the policy"):
        adverse(decided(Desk(workspace, file), customers[0]))


def test_a_score_without_a_permitted_reason_gets_no_letter_and_says_so(desk, customers):
    past = next(
        p for p in (decided(desk, c) for c in customers[:150])
        if p.decision.scores and p.scores("credit")[0].tier.name == "a"
    )  # fmt: skip
    rule = past.judge.policy.adverse.model_copy(update={"credit": ("a",)})
    policy = past.judge.policy.model_copy(update={"adverse": rule})
    bundle = replace(past.judge.bundle, beside={})
    answer = adverse(replace(past, judge=replace(past.judge, policy=policy, bundle=bundle)))
    assert answer.notes[0] == "the bundle holds no reference: held against the average"
    assert (answer.letter_zh is None) == (not answer.action.reasons)
