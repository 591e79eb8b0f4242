"""The schemas: clocks everywhere, units and personal classes told, keys that exist."""

from __future__ import annotations

import pytest

from events.schema import INSTANT, OUTCOMES, TABLES, Personal


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_table_has_a_customer_two_clocks_and_a_key(table):
    assert [c.name for c in table.columns[:3]] == ["customer_id", "happened_at", "known_at"]
    assert all(c.required for c in table.columns[:3])
    assert table.schema.field("happened_at").type == table.schema.field("known_at").type == INSTANT
    assert set(table.key) <= set(table.schema.names)
    assert len(set(table.schema.names)) == len(table.columns)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_column_is_told(table):
    for column in table.columns:
        assert column.text
        assert column.unit
        assert isinstance(column.personal, Personal)
        assert column.minimum is None or column.maximum is None or column.minimum < column.maximum


def test_what_the_law_protects_is_marked():
    protected = {
        c.name for t in TABLES.values() for c in t.columns if c.personal is Personal.PROTECTED
    }
    assert protected == {"birth_on", "gender", "marital", "dependants"}


def test_an_unknown_column_has_no_meaning():
    with pytest.raises(KeyError):
        OUTCOMES.column("amount")
