"""The types of questions and answers: a committed schema, strict, and sums that hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain import inquiry
from domain.inquiry import (
    MAX_CHANGES,
    CounterfactualsQuery,
    ExplanationQuery,
    FeatureChange,
    ScoreChange,
    WhatIfRequest,
    inquiry_schema_text,
)
from domain.policy import Labelled

LABEL = Labelled(name="a", zh="一", en="one")
PART = FeatureChange(feature="f", zh="一", en="one", unit="days", points=-3, before=1.0, after=None)


def moved(**other) -> ScoreChange:
    told = {"target": "churn", "before": 500, "after": 490, "data": [PART, PART], "model": -4,
            "tier_before": LABEL, "tier_after": LABEL, "tier_by_points": 0.5,
            "tier_by_policy": -0.5}  # fmt: skip
    return ScoreChange(**{**told, **other})


def test_the_committed_schema_is_the_one_of_the_types():
    file = Path(inquiry.__file__).with_name("inquiry.schema.json")
    assert file.read_text(encoding="utf-8") == inquiry_schema_text(), "run `make docs`"


def test_no_object_of_the_schema_takes_fields_that_it_does_not_name():
    defined = json.loads(inquiry_schema_text())["$defs"]
    objects = {name: d for name, d in defined.items() if d.get("type") == "object"}
    assert {"ExplanationAnswer", "ChangeAnswer", "CounterfactualsAnswer", "WhatIfAnswer",
            "AdverseAnswer"} <= set(objects)  # fmt: skip
    assert all(d["additionalProperties"] is False for d in objects.values())


def test_a_change_adds_up_or_is_refused():
    assert moved().after == 490
    with pytest.raises(ValidationError, match="add up to 490, not to 491"):
        moved(after=491)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ExplanationQuery(level="everything"), "level"),
        (lambda: ExplanationQuery(target="fraud"), "target"),
        (lambda: CounterfactualsQuery(target="churn", points=10**9), "points"),
        (lambda: WhatIfRequest(customer_id="c", changes={}), "changes"),
        (lambda: WhatIfRequest(customer_id="c", changes={"f": float("nan")}), "changes.f"),
        (lambda: WhatIfRequest(customer_id="c", changes={"f": "1"}), "changes.f"),
        (
            lambda: WhatIfRequest(
                customer_id="c", changes={f"f{i}": 1.0 for i in range(MAX_CHANGES + 1)}
            ),
            "changes",
        ),
        (lambda: WhatIfRequest(decision_id="x", changes={"f": 1.0}), "decision_id"),
    ],
)
def test_what_a_question_may_not_hold_is_refused_by_its_place(make, said):
    with pytest.raises(ValidationError) as refused:
        make()
    [fault] = refused.value.errors()
    assert ".".join(map(str, fault["loc"])) == said
