"""The views: one a theme, its fields in catalogue order, as old as its oldest feature may be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from features.catalogue import CATALOGUE
from features.views import layouts, longest_age, panel_file, themes
from tests.features.feast_world import catalogue


def test_every_feature_stands_in_the_view_of_its_theme_in_catalogue_order():
    found = layouts(CATALOGUE)
    assert [n for layout in found.values() for n in layout.names] == [
        f.name for view in themes(CATALOGUE).values() for f in view
    ]
    assert sorted(n for layout in found.values() for n in layout.names) == sorted(CATALOGUE.names)
    for view, layout in found.items():
        assert layout.view == view
        assert {f.theme for f in CATALOGUE.features if f.name in layout.names} == {view}


def test_a_view_lives_as_long_as_its_oldest_feature_may():
    ages = {view: longest_age(found) for view, found in themes(catalogue()).items()}
    assert ages == {"quick": timedelta(days=10), "steady": timedelta(days=400)}


def test_the_file_of_a_view_bears_its_name():
    assert panel_file(Path("live"), "quick") == Path("live/quick.parquet")
