"""Sentences to the customer about ready-made columns, whose labels nobody here wrote."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from events.given import read_given
from events.readers import tables
from features.given import GivenCatalogue
from features.wording import Said, Style, reason

TABLES = sorted(p.name for p in files(tables).iterdir() if p.name.endswith(".toml"))


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_the_tables_that_ship_reads_as_a_sentence(table):
    made = GivenCatalogue(read_given(files(tables).joinpath(table).read_text(encoding="utf-8")))
    for name in made.names:
        for value in (None, 0.0, 1.0, 2.5):
            for points in (-4, 4):
                said = Said(name, points, {name: value})
                zh = reason(made, said, Style("zh", "customer", "CNY"))
                en = reason(made, said, Style("en", "customer", "CNY"))
                assert re.fullmatch(r"(?:您|我们)[^。]+。", zh), zh
                assert re.fullmatch(r"(?:Your|We|It|Our) .+[^.,]\.", en), en
                assert not re.search(r"  |[{}()]", zh + en), en


def test_the_verb_agrees_with_the_noun():
    made = GivenCatalogue(
        read_given(files(tables).joinpath("give_me_some_credit.toml").read_text(encoding="utf-8"))
    )
    told = [
        reason(made, Said(n, -4, {n: 3.0}), Style("en", "customer", "USD"))
        for n in ("open_credit_lines", "monthly_income", "past_due_30_count")
    ]
    assert [re.search(r" (is|are|was|were) 3", t)[1] for t in told] == ["are", "is", "were"]  # type: ignore[index]
