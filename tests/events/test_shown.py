"""Names that others wrote are told on one short line with nothing invisible."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.shown import MOST_CHARACTERS, listed, shown


@settings(max_examples=200)
@given(st.text())
def test_any_name_is_told_on_one_printable_line(name):
    told = shown(name)
    assert told.strip()
    assert len(told) <= MOST_CHARACTERS * 10
    assert not [c for c in told if unicodedata.category(c).startswith(("C", "Zl", "Zp"))]


@pytest.mark.parametrize(
    ("name", "told"), [("金额", "金额"), ("\x1b[31m", "\\x1b[31m"), (" a", '" a"')]
)
def test_what_can_be_seen_stays_and_the_rest_is_escaped(name, told):
    assert shown(name) == told


def test_many_names_are_counted():
    assert listed([f"z{i}" for i in range(5000)]).endswith("z11 and 4,988 more")
