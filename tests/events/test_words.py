"""What others call our tables, columns and codes."""

from __future__ import annotations

import pytest

from events.schema import TABLES, TRANSACTIONS
from events.words import COLUMN_WORDS, TABLE_WORDS, code_of, known_columns, likeness, names_table


def test_every_table_and_every_word_belongs_to_the_schema():
    assert set(TABLE_WORDS) == set(TABLES)
    assert known_columns() == set(COLUMN_WORDS)


@pytest.mark.parametrize(
    ("name", "column", "sure"),
    [
        ("customer_id", "customer_id", 3),
        ("Customer ID", "customer_id", 3),
        ("CLIENTNUM", "customer_id", 2),
        ("客户号", "customer_id", 2),
        ("交易金额", "amount", 2),
        ("InvoiceDate", "happened_at", 2),
        ("BUCHUNG", "happened_at", 2),
        ("gross amount", "amount", 1),
        ("StockCode", "amount", 0),
        ("Description", "kind", 0),
    ],
)
def test_a_name_is_as_sure_as_it_is_known(name, column, sure):
    assert likeness(name, column) == sure


def test_a_table_is_known_by_its_names():
    assert names_table("交易流水", "transactions")
    assert not names_table("交易流水", "customers")


@pytest.mark.parametrize(
    ("text", "code"),
    [("消费", "purchase"), ("Debit", "outflow"), ("退款", "refund"), ("kind of", None), ("", None)],
)
def test_a_code_means_one_of_ours_or_nothing(text, code):
    assert code_of(text, TRANSACTIONS.column("kind").allowed) == code


@pytest.mark.parametrize("table", TABLES)
def test_no_code_of_theirs_means_two_of_ours(table):
    from events.words import CODE_WORDS, split

    for column in TABLES[table].columns:
        words = [w for c in column.allowed for w in split(CODE_WORDS.get(c, ""))]
        assert len(words) == len(set(words)), column.name
