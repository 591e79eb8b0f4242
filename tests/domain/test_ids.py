"""Identifiers: the same ones pass every door, and the same ones are refused."""

from __future__ import annotations

import sys
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.decision import CustomerId
from domain.ids import ID_PATTERN, MAX_ID_LENGTH
from events.check import check_table
from events.schema import CUSTOMERS, INSTANT

REQUEST = TypeAdapter(CustomerId)
GOOD = (
    "C0000042", "a b", "a  b", "客户", "Ж-1", "é", "e\u0301", "💶", "0", "'", '"',
    "x" * MAX_ID_LENGTH,
)  # fmt: skip
BAD = (
    "", " ", " a", "a ", "a\tb", "a\nb", "a\n", "a\x00", "a\x7fb", "a\u200bb", "\ufeffa",
    "a\u00adb", "a\u202eb", "a\u2028b", "a\u00a0b", "a\u3000b", "a\ue000b",
    "x" * (MAX_ID_LENGTH + 1),
)  # fmt: skip


def at_request(customer: str) -> bool:
    try:
        REQUEST.validate_python(customer)
    except ValidationError:
        return False
    return True


def in_table(customers: list[str]) -> list[bool]:
    """Which of them come out of the check of a raw table as clean."""
    moment = pa.array([1_600_000_000_000_000] * len(customers), INSTANT)
    told = {"customer_id": pa.array(customers), "happened_at": moment, "known_at": moment}
    clean = check_table(CUSTOMERS, pa.table(told), "customers.csv", 1_700_000_000_000_000).clean
    return [c in set(clean["customer_id"].to_pylist()) for c in customers]


@pytest.mark.parametrize(
    ("customer", "may"), [*((c, True) for c in GOOD), *((c, False) for c in BAD)]
)
def test_requests_and_raw_tables_take_and_refuse_the_same_ids(customer, may):
    assert at_request(customer) is may
    assert in_table([customer]) == [may]


@given(customer=st.text(max_size=6))
def test_whatever_the_text_both_doors_agree(customer):
    assert in_table([customer]) == [at_request(customer)]


def test_every_character_of_unicode_is_told_alike_and_only_what_can_be_seen_passes():
    characters = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i <= 0xDFFF]
    asked = TypeAdapter(dict[CustomerId, None])
    try:
        asked.validate_python({f"a{c}b": None for c in characters})
    except ValidationError as e:
        refused = {str(err["input"]) for err in e.errors(include_url=False)}
    table = pc.match_substring_regex(pa.array([f"a{c}b" for c in characters]), ID_PATTERN)
    assert [f"a{c}b" not in refused for c in characters] == table.to_pylist()
    unseen = ("Cc", "Cf", "Co", "Zl", "Zp", "Zs")
    known = [c for c in characters if unicodedata.ucd_3_2_0.category(c) != "Cn" and c != " "]
    passed = {c for c, may in zip(characters, table.to_pylist(), strict=True) if may}
    expected = [unicodedata.category(c) not in unseen for c in known]
    assert [c in passed for c in known] == expected
