"""Checks: every row that arrived is clean or in quarantine, with the first rule it broke."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from events.check import RULE, check_table
from events.schema import INTERACTIONS
from tests.events.raw_world import NOW

CELLS = {
    "customer_id": st.sampled_from(["a", "b", "张三", " x", "", None, "y" * 200]),
    "happened_at": st.sampled_from(["2024-01-01T00:00:00Z", "2024-01-01", "never", None]),
    "known_at": st.sampled_from(["2024-01-02T00:00:00+02:00", "2030-01-01T00:00:00Z", "", None]),
    "event_id": st.sampled_from(["1", "2", None]),
    "kind": st.sampled_from(["contact", "gift", None]),
    "score": st.sampled_from(["1", "5", "6", "0", "nan", "1,000", "x", None]),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), max_size=30)
SOUND = {
    "customer_id": "a", "happened_at": "2024-01-01T00:00:00Z", "known_at": "2024-01-01T00:00:00Z",
    "event_id": "1", "kind": "contact", "score": "5",
}  # fmt: skip


def raw(rows) -> pa.Table:
    return pa.table({n: pa.array([r[n] for r in rows], pa.string()) for n in CELLS})


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_clean_and_bad_rows_together_are_the_rows_that_arrived(rows):
    found = check_table(INTERACTIONS, raw(rows), "i.csv", NOW)
    assert found.clean.num_rows + found.bad.num_rows == len(rows)
    assert found.clean.schema == INTERACTIONS.schema
    assert bool(found.bad.num_rows) == bool(found.faults)
    told = {f.rule for f in found.faults}
    assert set(found.bad[RULE].to_pylist()) <= told
    kept = [rows[i - 1] for i in found.bad["row"].to_pylist()]
    assert found.bad["kind"].to_pylist() == [r["kind"] for r in kept]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_a_row_is_judged_the_same_in_any_company(rows):
    alone = [check_table(INTERACTIONS, raw([r]), "i.csv", NOW).clean.num_rows for r in rows]
    together = check_table(INTERACTIONS, raw(rows), "i.csv", NOW)
    bad = set(together.bad["row"].to_pylist())
    assert [int(i + 1 not in bad) for i in range(len(rows))] == alone


def test_a_sound_row_is_clean_in_the_types_of_the_schema():
    found = check_table(INTERACTIONS, raw([SOUND]), "i.csv", NOW)
    assert found.faults == ()
    assert found.clean["score"].to_pylist() == [5.0]
    assert found.clean["channel"].to_pylist() == [None]


def test_many_bad_rows_of_a_rule_are_one_fault_with_the_first_rows_and_their_number():
    found = check_table(INTERACTIONS, raw([{**SOUND, "score": "9"}] * 12), "i.csv", NOW)
    [fault] = found.faults
    assert (fault.path, fault.rule) == ("i.csv:score", "above_maximum")
    assert fault.message == "at most 5; row 1, 2, 3, 4, 5 and 7 more"


def test_a_row_that_breaks_two_rules_is_kept_once_with_the_first():
    found = check_table(INTERACTIONS, raw([{**SOUND, "kind": "gift", "score": "0"}]), "i.csv", NOW)
    assert {f.rule for f in found.faults} == {"not_allowed", "below_minimum"}
    assert found.bad[RULE].to_pylist() == ["not_allowed"]


def test_a_column_of_lists_is_a_wrong_type_and_is_kept_as_text():
    table = raw([SOUND]).drop_columns(["score"]).append_column("score", pa.array([[1, 2]]))
    found = check_table(INTERACTIONS, table, "i.csv", NOW)
    assert [f.rule for f in found.faults] == ["wrong_type"]
    assert found.bad["score"].to_pylist() == ["[1, 2]"]
