"""A whole explanation tells as much as is asked for, and what it tells adds up."""

from __future__ import annotations

import pytest

from domain.explanation import Explanation
from scoring.explanation import explanation
from scoring.reference import fit_references
from tests.scoring.explain_world import case, credit_scorer, rows

SCORER = credit_scorer()
REFERENCES = fit_references(SCORER, rows(1500, 51))


@pytest.mark.parametrize("top", [0, 3, 30])
def test_levels_tell_more_and_more(top):
    for x in rows(10, 52):
        none, some, full = (
            explanation(case(x), a, top, REFERENCES) for a in ("none", "reasons", "full")
        )
        assert none.points == some.points == full.points == int(SCORER.points(x[None, :])[0])
        assert (none.base_points, none.ideas, none.reasons, none.compared) == (None, [], [], [])
        assert some.base_points + sum(i.points for i in some.ideas) == some.points
        assert (some.reasons, some.compared) == ([], [])
        assert full.ideas == some.ideas
        assert full.base_points + sum(r.points for r in full.reasons) == full.points
        assert [c.reference.name for c in full.compared] == [r.name for r in REFERENCES]


def test_it_is_plain_json_and_comes_back_the_same():
    made = explanation(case(rows(1, 53)[0]), "full", 4, REFERENCES)
    assert Explanation.model_validate_json(made.model_dump_json()) == made


def test_amounts_have_the_currency_of_the_case():
    x = rows(1, 54, missing=0.0)[0]
    made = explanation(case(x), "full", 30)
    assert any("CNY" in r.zh for r in made.reasons)
    assert any("CNY" in i.en for i in made.ideas)
