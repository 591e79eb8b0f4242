"""What a validation found is told place by place, and never the values that arrived."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import MOST_FAULTS, broken, faults_of


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    figures: dict[str, int]


def refused(content: object) -> ValidationError:
    with pytest.raises(ValidationError) as said:
        Row.model_validate(content)
    return said.value


def test_every_place_is_told_and_no_value():
    error = refused({"figures": {"a": "secret", "b": 1, "c": "hidden"}, "more": 1})
    assert [f.path for f in faults_of(error, "row")] == ["figures.a", "figures.c", "more"]
    said = str(broken("row.json", error))
    assert said.startswith("row.json breaks rules: figures.a: Input should be a valid integer")
    assert "secret" not in said
    assert "hidden" not in said
    assert said.endswith("more: Extra inputs are not permitted: train again, or use another bundle")


def test_a_content_that_is_none_is_told_by_its_name():
    assert [f.path for f in faults_of(refused("nothing"), "row")] == ["row"]


def test_of_many_faults_the_first_are_told_and_the_others_counted():
    error = refused({"figures": {f"n{i:02}": "x" for i in range(MOST_FAULTS + 3)}})
    said = str(broken("row.json", error))
    assert f"n{MOST_FAULTS - 1}" in said
    assert f"n{MOST_FAULTS}" not in said
    assert "; and 3 more: train again" in said
