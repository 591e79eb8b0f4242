"""The views of the features, without Feast: names, files, layouts and ages, a view a theme.

Enters: a catalogue. Leaves: plain values that the Feast repository, the offline and the online side
share. Nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from features.catalogue import Catalogue, Feature
from features.packed import Layout

ENTITY = "customer"
ENTITY_KEY = "customer_id"
AS_OF = "as_of"
COMPUTED_AT = "computed_at"
LIVE = "live"
"""The folder inside the features' folder that stands for the panels in use."""


def themes(catalogue: Catalogue) -> dict[str, tuple[Feature, ...]]:
    """The features of each theme, in catalogue order."""
    grouped: dict[str, list[Feature]] = {}
    for feature in catalogue.features:
        grouped.setdefault(feature.theme, []).append(feature)
    return {theme: tuple(found) for theme, found in grouped.items()}


def layouts(catalogue: Catalogue) -> dict[str, Layout]:
    """How the row of each view is packed."""
    return {t: Layout(t, tuple(f.name for f in found)) for t, found in themes(catalogue).items()}


def panel_file(views: Path, theme: str) -> Path:
    """Where the rows of a theme stand."""
    return views / f"{theme}.parquet"


def longest_age(found: Iterable[Feature]) -> timedelta:
    """The time to live of a view: the longest age one of its features may reach."""
    return timedelta(days=max(f.max_age_days for f in found))
