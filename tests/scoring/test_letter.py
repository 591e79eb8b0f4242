"""The letter to the customer: only what may be stated, each idea once, and no points."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from domain.errors import InputError
from domain.policy import Labelled
from features.catalogue import CATALOGUE
from features.ideas import ideas, may_be_ground
from features.wording import reason
from scoring.letter import MOST, letter
from tests.scoring.explain_world import case, credit_scorer, rows

BAND = Labelled(name="b", zh="信用B级", en="credit band B")


def expected(one, way: int) -> list[str]:
    """The sentences of one side, found by a slow obvious loop."""
    points = one.scorer.explain(one.x[None, :])[0].reasons
    known, sums = ideas(CATALOGUE), {}
    for name, part in zip(one.scorer.features, points.tolist(), strict=True):
        sums[known[name].name] = sums.get(known[name].name, 0) + part
    told = []
    for idea, total in sorted(sums.items(), key=lambda s: -way * s[1]):
        parts = [
            (way * int(points[i]), -i)
            for i, name in enumerate(one.scorer.features)
            if known[name].name == idea and may_be_ground(CATALOGUE, name)
        ]
        best = max(parts, default=(0, 0))
        if way * total > 0 and best[0] > 0:
            said = one.said(-best[1], points)
            told.append(reason(CATALOGUE, said, one.style("en", "customer")))
    return told[:MOST]


@pytest.mark.parametrize("row", range(25))
def test_the_letter_states_the_strongest_grounds_of_each_side(row):
    one = case(rows(25, 3)[row])
    text = letter(one, BAND, "en")
    good, _, bad = text.partition("What spoke against you:")
    told = [[line[2:] for line in part.splitlines() if line[:2] == "- "] for part in (good, bad)]
    assert sorted(told[0]) == sorted(expected(one, 1))
    assert sorted(told[1]) == sorted(expected(one, -1))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_points_and_no_complaint_are_named(lang):
    for x in rows(40, 5):
        text = letter(case(x), BAND, lang)
        assert not re.search(r"\d分|point|投诉|[Cc]omplaint", text)
        assert (BAND.zh if lang == "zh" else BAND.en) in text


def test_only_a_credit_score_has_a_letter():
    other = replace(credit_scorer(), target="churn")
    with pytest.raises(InputError, match="credit"):
        letter(case(rows(1, 1)[0], other), BAND, "en")
