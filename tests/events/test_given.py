"""The declaration of a ready-made feature table, and what it refuses."""

from __future__ import annotations

import pytest

from domain.errors import InputError
from events.given import read_given
from events.schema import Personal
from tests.events.given_world import DECLARATION


def test_a_declaration_is_a_table_a_plan_and_columns():
    given = read_given(DECLARATION)
    assert [c.name for c in given.table.columns[3:]] == [c.name for c in given.columns]
    assert given.table.column("age").personal is Personal.PROTECTED
    assert given.plan.targets["churn"].label == "outcomes"
    assert given.columns[0].better == {"churn": 1}


WRONG = {
    "no TOML": ("text = [", "not TOML", ""),
    "an unknown key": ("colour = 1\n" + DECLARATION, "given.toml:colour", ""),
    "a text missing": (DECLARATION.replace('zh = "等级"\n', ""), "given.toml:columns.2.zh", ""),
    "a name twice": (DECLARATION.replace('name = "level"', 'name = "visits"'), "", "twice"),
    "the label as a feature": (DECLARATION.replace('"VISITS"', '"left"'), "", "is the label"),
    "a direction of two": (DECLARATION.replace("churn = 1", "churn = 2"), "columns.0.churn", ""),
    "an as_of without a zone": (DECLARATION.replace("00Z", "00"), "given.toml:as_of", ""),
    "a name with a blank": (DECLARATION.replace('"level"', '"my level"'), "columns.2.name", ""),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_declaration_is_told_by_its_place(what):
    text, path, said = WRONG[what]
    with pytest.raises(InputError) as caught:
        read_given(text)
    assert path in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "column", ["AGE", "Customer_Age", "gender", "Sex", "MaritalStatus", "性别", "birth_date",
               "NumberOfDependents", "religion", "Dependent_count"],
)  # fmt: skip
def test_what_the_law_protects_must_be_declared_protected(column):
    text = DECLARATION.replace('column = "VISITS"', f'column = "{column}"')
    with pytest.raises(InputError, match='say personal = "protected"'):
        read_given(text)
    read_given(text.replace("churn = 1\n", 'churn = 1\npersonal = "protected"\n'))


@pytest.mark.parametrize("column", ["mileage", "Average_Balance", "page_views", "trace", "engaged"])
def test_a_name_that_only_holds_the_letters_is_free(column):
    read_given(DECLARATION.replace('column = "VISITS"', f'column = "{column}"'))
