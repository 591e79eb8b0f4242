"""The Feast repository, generated from the catalogue: the one file that Feast scans.

Enters: the catalogue and the folder of the panels. Leaves: one entity, a view a theme, a feature
service a target. No on-demand view and no function: the registry holds no code. It reads no panel.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import features.plain_feast  # noqa: F401  # isort: skip
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, String

from domain.errors import InputError
from domain.settings import HOME, SOURCE
from domain.tiers import TARGETS, Target
from domain.workspace import Workspace
from features.catalogue import Catalogue, Feature
from features.given import own_catalogue
from features.views import (
    AS_OF,
    COMPUTED_AT,
    ENTITY,
    ENTITY_KEY,
    LIVE,
    longest_age,
    panel_file,
    themes,
)

_TAKEN = frozenset(
    {ENTITY_KEY, AS_OF, COMPUTED_AT, "event_timestamp", "event_expire_timestamp", "entity_row_id"}
)


def build(catalogue: Catalogue, views: Path) -> list[Any]:
    """Every Feast object of the catalogue, over the panels in `views`.

    Raises:
        InputError: the name of a feature is one that Feast's join drops or uses itself.
    """
    by_theme = themes(catalogue)
    wrong = [n for n in catalogue.names if n in _TAKEN or n.endswith("_y")]
    if wrong:
        raise InputError(
            f"features {wrong} cannot be kept: Feast's join drops names that end in _y and uses "
            f"{sorted(_TAKEN)} itself; give them other names"
        )
    customer = Entity(
        name=ENTITY,
        join_keys=[ENTITY_KEY],
        value_type=ValueType.STRING,
        description="a customer of the institution",
    )
    made = {theme: _view(theme, found, customer, views) for theme, found in by_theme.items()}
    services = [_service(target, catalogue, made) for target in TARGETS]
    return [customer, *made.values(), *(s for s in services if s is not None)]


def _view(theme: str, features: tuple[Feature, ...], customer: Entity, views: Path) -> FeatureView:
    source = FileSource(
        name=f"{theme}_panel",
        path=str(panel_file(views, theme)),
        timestamp_field=AS_OF,
        created_timestamp_column=COMPUTED_AT,
    )
    return FeatureView(
        name=theme,
        entities=[customer],
        ttl=longest_age(features),
        schema=[Field(name=ENTITY_KEY, dtype=String), *(_field(f) for f in features)],
        source=source,
        online=True,
        description=f"features of the theme {theme}",
    )


def _field(feature: Feature) -> Field:
    tags = {
        "unit": feature.unit,
        "zh": feature.zh,
        "personal": feature.personal.value,
        "lever": str(feature.lever).lower(),
        **{f"better_{target}": f"{sign:+d}" for target, sign in feature.better.items()},
    }
    return Field(name=feature.name, dtype=Float64, description=feature.en, tags=tags)


def _service(
    target: Target, catalogue: Catalogue, views: dict[str, FeatureView]
) -> FeatureService | None:
    """The inputs of a target's scorer; None where the catalogue allows it nothing."""
    allowed = set(catalogue.for_target(target))
    chosen = [
        views[theme][[f.name for f in found if f.name in allowed]]
        for theme, found in themes(catalogue).items()
        if any(f.name in allowed for f in found)
    ]
    if not chosen:
        return None
    return FeatureService(
        name=target, features=chosen, description=f"inputs of the {target} scorer"
    )


def repository() -> dict[str, Any]:
    """The objects of the workspace that the environment names, for the command `feast`."""
    home = Path(__file__).resolve().parents[1] / HOME.read(os.environ)
    workspace = Workspace(home, SOURCE.read(os.environ))
    found = build(own_catalogue(workspace), workspace.features / LIVE)
    return {f"{type(o).__name__}_{o.name}": o for o in found}


if __name__ == "repo":  # the name under which the command `feast` imports this file
    globals().update(repository())
