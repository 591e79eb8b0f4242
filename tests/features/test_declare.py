"""Declarations: what a line becomes, and what changes a feature's content."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import TierlineError
from features.catalogue import Catalogue
from features.declare import FREE, Declaration, Rule, Take, Theme, Words, ratio

WORDS = Words("count", "近{w}天次数", "Count in {w} days")
T = "transactions"


def declared(*, doc: str = "比 | Ratio", factor: float = 2.0) -> Theme:
    theme = Theme("trial", max_age_days=9)
    theme.windowed("n_{w}d", Take("count", T), (7, 30), WORDS, Rule(value=1, credit=-1))
    namespace: dict = {}

    if factor == 2.0:

        def twice(n_7d, n_30d):
            return 2.0 * ratio(n_7d, n_30d)

    else:

        def twice(n_7d, n_30d):
            return 3.0 * ratio(n_7d, n_30d)

    twice.__doc__ = doc
    namespace["twice"] = theme.derived("ratio")(twice)
    return theme


def test_a_windowed_line_becomes_one_feature_a_window_with_its_texts():
    [week, month, _] = declared().declarations
    assert (week.name, month.name) == ("n_7d", "n_30d")
    assert (week.take, month.take) == (Take("count", T, days=7), Take("count", T, days=30))
    assert (week.words.zh, month.words.en) == ("近7天次数", "Count in 30 days")
    assert week.max_age_days == 9
    assert week.rule.better == {"value": 1, "credit": -1}


def test_a_function_becomes_a_feature_by_its_name_parameters_and_docstring():
    made = declared().declarations[-1]
    assert (made.name, made.inputs) == ("twice", ("n_7d", "n_30d"))
    assert made.words == Words("ratio", "比", "Ratio")
    assert made.formula is not None
    assert made.formula(np.array([1.0]), np.array([4.0])).tolist() == [0.5]


def test_the_same_declaration_has_the_same_content_and_any_change_another():
    def hashes(theme: Theme) -> str:
        return Catalogue((theme,)).hash

    assert hashes(declared()) == hashes(declared())
    changed = {
        hashes(declared()),
        hashes(declared(doc="比值 | Ratio")),
        hashes(declared(doc="比 | A ratio")),
        hashes(declared(factor=3.0)),
    }
    assert len(changed) == 4


@pytest.mark.parametrize(
    "other",
    [
        Declaration("m", "t", WORDS, FREE, 5, take=Take("count", T)),
        Declaration("n", "u", WORDS, FREE, 5, take=Take("count", T)),
        Declaration("n", "t", Words("days", "a", "b"), FREE, 5, take=Take("count", T)),
        Declaration("n", "t", WORDS, Rule(lever=True), 5, take=Take("count", T)),
        Declaration("n", "t", WORDS, FREE, 6, take=Take("count", T)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, days=1)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, ago=1)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, ("purchase",))),
    ],
)
def test_every_part_of_a_declaration_counts(other):
    first = Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T))
    assert first.content() != other.content()


def test_a_take_names_its_table_and_value():
    assert (Take("sum", "loans.amount").table, Take("sum", "loans.amount").value) == (
        "loans",
        "amount",
    )
    assert Take("count", "loans").value is None


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "decay"},
        {"op": "sum", "half_life": 3.0},
        {"op": "decay", "half_life": 3.0, "days": 7},
    ],
)
def test_a_half_life_belongs_to_a_decay_and_a_decay_takes_no_window(fields):
    with pytest.raises(TierlineError, match="half-life"):
        Take(of="transactions", **fields)
