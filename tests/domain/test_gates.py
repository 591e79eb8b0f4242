"""Gates and costs of a policy: written in the file, checked strictly, never assumed."""

from __future__ import annotations

import re

import pytest

from domain.errors import PolicyError
from domain.gates import CostRule, GateRules
from domain.policy import default_policy, default_policy_text, parse_policy


@pytest.mark.parametrize("name", ["default", "scores_only"])
def test_the_packaged_policies_bring_gates_and_costs(name):
    found = parse_policy(default_policy_text(name))
    assert found.limits.calibration_tolerance == 0.03
    assert found.limits.sum_ratio == (0.8, 1.25)
    assert not found.limits.approval
    assert not found.limits.block_not_judged
    assert found.costs["churn"] == CostRule(cost=10, bad=60)
    assert {*found.costs} == {"value", "churn", "credit"}


def test_a_policy_without_gates_decides_but_does_not_judge():
    text = re.sub(r"(?s)# The gates:.*?(?=\n# What acting)", "", default_policy_text())
    found = parse_policy(text)
    assert found.steps == default_policy().steps
    with pytest.raises(PolicyError, match=r"has no \[gates\]"):
        _ = found.limits


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("sum_ratio = [0.8, 1.25]", "sum_ratio = [1.25, 0.8]", "gates"),
        ("sum_ratio = [0.8, 1.25]", "sum_ratio = [0.8, inf]", "gates"),
        ("block_not_judged = false", 'block_not_judged = "no"', "gates.block_not_judged"),
        ("group_ratio = 0.8", "group_ratio = 1.8", "gates.group_ratio"),
        ("score_psi = 0.25", "score_psi = 0", "gates.score_psi"),
        ("approval = false", "", "gates.approval"),
        ("approval = false", 'approval = "no"', "gates.approval"),
        ("approval = false", "approval = false\nsurprise = 1", "gates.surprise"),
        ("cost = 10", "cost = -1", "costs.churn.cost"),
        ("bad = -600", "bad = -inf", "costs.credit.bad"),
        ("[costs.churn]", "[costs.loyalty]", "costs.loyalty"),
    ],
)
def test_a_broken_gate_or_cost_names_its_place(old, new, place):
    text = default_policy_text().replace(old, new, 1)
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert place in {
        ".".join(f.path.split(".")[: place.count(".") + 1]) for f in caught.value.faults
    }


def test_limits_cannot_be_left_out():
    with pytest.raises(ValueError, match="score_psi"):
        GateRules.model_validate({"calibration_tolerance": 0.03})
