"""The Feast repository, generated from the catalogue: the one file that Feast scans.

Enters: the catalogue and the folder of the panels. Leaves: one entity, a view a theme, a feature
service a target. No on-demand view and no function: the registry holds no code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, String

from domain.settings import HOME, SOURCE
from domain.tiers import TARGETS, Target
from domain.workspace import Workspace
from features.catalogue import CATALOGUE, Catalogue, Feature

ENTITY_KEY = "customer_id"
AS_OF = "as_of"
COMPUTED_AT = "computed_at"


def themes(catalogue: Catalogue) -> dict[str, tuple[Feature, ...]]:
    """The features of each theme, in catalogue order."""
    grouped: dict[str, list[Feature]] = {}
    for feature in catalogue.features:
        grouped.setdefault(feature.theme, []).append(feature)
    return {theme: tuple(found) for theme, found in grouped.items()}


def panel_file(views: Path, theme: str) -> Path:
    """Where the rows of a theme stand."""
    return views / f"{theme}.parquet"


def build(catalogue: Catalogue, views: Path) -> list[Any]:
    """Every Feast object of the catalogue, over the panels in `views`."""
    customer = Entity(
        name="customer",
        join_keys=[ENTITY_KEY],
        value_type=ValueType.STRING,
        description="a customer of the institution",
    )
    by_theme = {
        theme: _view(theme, found, customer, views) for theme, found in themes(catalogue).items()
    }
    services = [_service(target, catalogue, by_theme) for target in TARGETS]
    return [customer, *by_theme.values(), *services]


def _view(theme: str, found: Iterable[Feature], customer: Entity, views: Path) -> FeatureView:
    features = tuple(found)
    source = FileSource(
        name=f"{theme}_panel",
        path=str(panel_file(views, theme)),
        timestamp_field=AS_OF,
        created_timestamp_column=COMPUTED_AT,
    )
    schema = [
        Field(
            name=f.name,
            dtype=Float64,
            description=f.en,
            tags={"unit": f.unit, "zh": f.zh, "personal": f.personal.value},
        )
        for f in features
    ]
    return FeatureView(
        name=theme,
        entities=[customer],
        ttl=timedelta(days=max(f.max_age_days for f in features)),
        schema=[Field(name=ENTITY_KEY, dtype=String), *schema],
        source=source,
        online=True,
        description=f"features of the theme {theme}",
    )


def _service(target: Target, catalogue: Catalogue, views: dict[str, FeatureView]) -> FeatureService:
    allowed = set(catalogue.for_target(target))
    chosen = [
        views[theme][[f.name for f in found if f.name in allowed]]
        for theme, found in themes(catalogue).items()
        if any(f.name in allowed for f in found)
    ]
    return FeatureService(
        name=target, features=chosen, description=f"inputs of the {target} scorer"
    )


def repository() -> list[Any]:
    """The objects of the workspace that the environment names, for the command `feast`."""
    workspace = Workspace(Path(HOME.read(os.environ)), SOURCE.read(os.environ))
    return build(CATALOGUE, workspace.features.resolve() / "views")


if __name__ == "repo":  # the name under which the command `feast` imports this file
    customer, *rest = repository()
