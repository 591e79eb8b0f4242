"""The card says what may go live, and is refused where it says too little or too much."""

from __future__ import annotations

import math

import pytest

from domain.errors import BundleError, InputError
from domain.policy import default_policy
from scoring.card import accepted, read_card

ACCEPTED = {"by": "Wang Fang", "reason": "a logistic regression wins here, and we say so"}


def test_every_verdict_passed_or_somebody_accepts_in_writing(kit) -> None:
    assert read_card(kit.card("churn", "value")).may_go_live
    failed = kit.card("churn", "value", verdict="failed")
    assert not read_card(failed).may_go_live
    assert read_card(failed).failed == ("churn", "value")
    assert read_card({**failed, "accepted": ACCEPTED}).may_go_live


AGE = "groups of birth_on: ratio"


@pytest.mark.parametrize("blocks", [False, True])
def test_what_was_not_judged_is_said_and_blocks_only_where_the_policy_says_so(kit, blocks) -> None:
    partly = {"churn": {"verdict": "partly judged", "not_judged": [AGE]}}
    gates = {**default_policy().limits.model_dump(), "block_not_judged": blocks}
    policy = {"version": "1", "hash": "a" * 64, "gates": gates}
    card = kit.card("churn", targets=partly, policy=policy)
    said = read_card(card)
    assert (said.failed, said.not_judged) == ((), (f"churn: {AGE}",))
    assert said.objections == (said.not_judged if blocks else ())
    assert said.may_go_live == (not blocks)
    assert said.verdict == ("failed, accepted with a reason" if blocks else "partly judged")
    assert read_card({**card, "accepted": ACCEPTED}).may_go_live


def test_a_verdict_does_not_contradict_the_gates_that_were_not_judged(kit) -> None:
    for verdict, gates in (("partly judged", []), ("passed", [AGE])):
        told = {"churn": {"verdict": verdict, "not_judged": gates}}
        with pytest.raises(BundleError, match=r"targets\.churn"):
            read_card(kit.card("churn", targets=told))
    read_card(kit.card("churn", targets={"churn": {"verdict": "failed", "not_judged": [AGE]}}))


def test_an_alarm_of_a_leak_goes_live_only_where_somebody_accepts_it(kit) -> None:
    alarm = {"check": "overlap", "where": "fold 1", "figure": 3.0}
    leaky = {**kit.card("churn"), "leakage": {"alarms": [alarm], "told": [], "figures": {}}}
    assert not read_card(leaky).may_go_live
    assert read_card(leaky).objections == ("leakage",)
    assert read_card({**leaky, "accepted": ACCEPTED}).may_go_live
    told = {**kit.card("churn"), "leakage": {"alarms": [], "told": [alarm], "figures": {}}}
    assert read_card(told).may_go_live


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"targets": {}}, "targets"),
        ({"targets": {"churn": {"verdict": "maybe"}}}, "targets.churn.verdict"),
        ({"targets": {"love": {"verdict": "passed"}}}, "targets.love"),
        ({"accepted": {"by": "", "reason": "x" * 20}}, "accepted.by"),
        ({"accepted": {"by": "me", "reason": "ok"}}, "accepted.reason"),
        ({"accepted": {"by": " \t", "reason": "x" * 20}}, "accepted.by"),
        ({"accepted": {"by": "Unnamed", "reason": "x" * 20}}, "accepted.by"),
        ({"unapproved": {"by": "me", "reason": " " * 20}}, "unapproved.reason"),
        ({"data": {"transactions": "short"}}, "data.transactions"),
        ({"source": "../up"}, "source"),
        ({"note": 1}, "note"),
        ({"leakage": {"alarm": []}}, "leakage.alarm"),
        ({"plan": {"x": math.nan}}, "plan"),
    ],
)
def test_a_card_with_a_fault_is_refused_by_its_place(kit, change, place: str) -> None:
    with pytest.raises(BundleError, match=place):
        read_card(kit.card("churn", **change))


def test_a_person_accepts_in_words_and_nobody_else_does() -> None:
    said = accepted(" Wang Fang ", "  a pilot of ninety days\n")
    assert (said.by, said.reason) == ("Wang Fang", "a pilot of ninety days")
    for by, reason in (("", "x" * 20), ("unnamed", "x" * 20), ("Li", ""), ("Li", " " * 20)):
        with pytest.raises(InputError, match="give a person"):
            accepted(by, reason)
