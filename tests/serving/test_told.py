"""All that is told of a recorded decision, on a real bundle: it adds up, and says what it lacks."""

from __future__ import annotations

import shutil

import pytest

from domain.decision import DecisionRequest
from domain.errors import InputError
from serving.desk import Desk, find_record, policies
from serving.explain import adverse
from serving.explain_page import page
from serving.past import past_of
from serving.told import Told, is_adverse, letter_of, tell


@pytest.fixture
def decided(desk, customers):
    """Everybody decided once."""
    return desk.decisions(DecisionRequest(customer_ids=list(customers[:60]), purpose="crm"))


def past(desk, customer_or_decision):
    return past_of(desk.workspace, find_record(desk.workspace, customer_or_decision))


def test_what_is_told_adds_up_to_the_record_and_survives_json(desk, decided):
    made = decided.decisions[0]
    told = tell(desk.workspace, past(desk, made.decision_id))
    assert told.decision == made
    assert told.change is None
    for score in made.scores:
        explained = told.explained(score.target)
        assert explained.base_points + sum(r.points for r in explained.ideas) == score.points
        assert told.plans(score.target).points == score.points
        assert told.sure(score.target).points_to_cut == score.points_to_cut
        assert {r.idea for r in explained.ideas if r.feature} <= set(told.ideas)
        assert told.changed(score.target) is None
    assert Told.model_validate_json(told.model_dump_json()) == told
    for lang in ("zh", "en"):
        assert str(made.scores[0].points) in page(told, lang)


def test_the_change_is_since_the_decision_before_of_the_same_customer(desk, decided):
    first, other = decided.decisions[:2]
    again = desk.decisions(
        DecisionRequest(
            customer_ids=[first.customer_id], purpose="crm", as_of="2024-06-01T00:00:00Z"
        )
    ).decisions[0]
    told = tell(desk.workspace, past(desk, first.customer_id))
    assert told.decision.decision_id == again.decision_id
    assert told.change.since == first.decision_id
    for score in again.scores:
        moved = told.changed(score.target)
        assert moved.before + sum(p.points for p in moved.data) + moved.model == score.points
    assert tell(desk.workspace, past(desk, other.customer_id)).change is None


def test_a_decision_before_that_cannot_be_explained_is_said(desk, decided):
    customer = decided.decisions[0].customer_id
    file = policies(desk.workspace) / f"{desk.policy.hash}.toml"
    other = desk.workspace.root / "other.toml"
    other.write_text(file.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    newer = Desk(desk.workspace, other)
    newer.decisions(DecisionRequest(customer_ids=[customer], purpose="crm"))
    shutil.move(file, file.with_suffix(".gone"))
    told = tell(desk.workspace, past(desk, customer))
    assert told.change is None
    assert any("the decision before cannot be told from" in note for note in told.notes)


def test_the_notice_is_there_exactly_where_the_policy_calls_the_band_adverse(desk, decided):
    bands = {}
    for made in decided.decisions:
        one = past(desk, made.decision_id)
        credit = next((s for s in made.scores if s.target == "credit"), None)
        band = credit and credit.tier.name
        bands[band] = is_adverse(one)
        assert is_adverse(one) == (band in desk.policy.adverse.credit)
        if is_adverse(one):
            assert adverse(one).action.points == credit.points
        else:
            with pytest.raises(InputError):
                adverse(one)
        assert (letter_of(one) is None) == (credit is None)
    assert len(bands) > 1


def test_of_somebody_unknown_there_is_only_the_record(desk):
    [made] = desk.decisions(DecisionRequest(customer_ids=["nobody"], purpose="crm")).decisions
    told = tell(desk.workspace, past(desk, made.decision_id))
    assert told.explanation.explanations == []
    assert told.letter is None
    assert "nothing was known of this customer: no score" in told.notes
    assert "对该客户一无所知" in page(told, "zh")
