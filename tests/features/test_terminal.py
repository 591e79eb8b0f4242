"""The catalogue in a terminal: lists, one feature, lineage down to raw columns, spreads."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from features.catalogue import CATALOGUE
from features.terminal import feature_lines, feature_table, lineage_lines, spread_table


def shown(table) -> str:
    console = Console(width=200, record=True, file=None, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(table)
    return captured.get()


def test_a_list_is_of_one_theme_and_of_what_was_searched():
    told = shown(feature_table(CATALOGUE, "recency", "refund"))
    assert "refund_recency_days" in told
    assert "purchase_recency_days" not in told
    assert "app_recency_days" in shown(feature_table(CATALOGUE, None, "app was last"))


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_every_feature_is_shown_with_both_sides_and_followed_to_its_raw_columns(name):
    told = "\n".join(feature_lines(CATALOGUE, name))
    feature = CATALOGUE[name]
    for text in (*feature.low, *feature.high, feature.owner, feature.zh, feature.en):
        assert text in told
    lineage = "\n".join(lineage_lines(CATALOGUE, name))
    assert lineage in told
    assert all(f"{table}.{column}" in lineage for table, column in CATALOGUE.lineage(name))
    assert all(f"{i} = " in lineage for i in feature.inputs)


def test_what_is_taken_is_told_with_window_shift_half_life_and_conditions():
    def first(name: str) -> str:
        return next(lineage_lines(CATALOGUE, name))

    assert first("purchase_count_before_30d") == (
        "purchase_count_before_30d = count of transactions if purchase over 30 days, "
        "ending 30 days ago"
    )
    assert first("purchase_decay_90d").endswith("over everything visible, halved every 90 days")
    assert "share of weekend over 180 days" in first("weekend_share_180d")


def test_spreads_have_a_row_for_each_feature():
    told = shown(spread_table(4, [("purchase_count_30d", np.array([0.0, 2.0, np.nan, 4.0]))]))
    assert "4 customers" in told
    [row] = [line for line in told.splitlines() if "purchase_count_30d" in line]
    assert "25%" in row
