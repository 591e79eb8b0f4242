"""What tables offer: only columns that exist, nothing of outcomes, nothing that nobody uses."""

from __future__ import annotations

import pytest

from events.schema import OUTCOMES, TABLES
from features.catalogue import CATALOGUE
from features.offers import OFFERS

OFFERED = [
    (table, name)
    for table, offer in OFFERS.items()
    for name in (*offer.values, *offer.conditions, *offer.keys)
]


@pytest.mark.parametrize(("table", "name"), OFFERED)
def test_every_offer_reads_columns_that_the_table_has(table, name):
    columns = OFFERS[table].columns_of(name)
    assert columns
    assert set(columns) <= set(TABLES[table].schema.names)


@pytest.mark.parametrize(("table", "name"), OFFERED)
def test_every_offer_is_used_by_a_feature(table, name):
    takes = [d.take for d in CATALOGUE.declarations if d.take and d.take.table == table]
    assert any(name in (t.value, *t.where, *t.share) for t in takes)


@pytest.mark.parametrize(
    ("table", "condition"), [(t, c) for t, o in OFFERS.items() for c in o.conditions.values()]
)
def test_a_condition_asks_for_values_that_the_schema_allows(table, condition):
    allowed = TABLES[table].column(condition.column).allowed
    assert not allowed or set(condition.allowed) <= set(allowed)


def test_no_label_is_offered():
    assert OUTCOMES.name not in OFFERS


def test_names_of_one_table_mean_one_thing():
    for offer in OFFERS.values():
        names = [*offer.values, *offer.conditions, *offer.keys]
        assert len(names) == len(set(names))
