"""What moves scores over many customers: importance, dependence, and which reasons each band has.

Enters: a scorer, rows, the ideas of its features. Leaves: a `GlobalView`, plain JSON in points, the
same for the same rows; it names no customer, and no group of fewer than fifty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from domain.decision import FiniteFloat
from domain.errors import NotEnoughDataError, broken
from domain.tiers import Target
from features.catalogue import Catalogue
from scoring.grouped import by_idea
from scoring.levers import ranges
from scoring.reference import BAND, FEWEST
from scoring.scorer import Scorer

Floats = NDArray[np.float64]
FILE = "global_view"
PARTS = 10
"""Parts of equal size that the values of a feature are cut into."""
TOLD = 3
"""Reasons of a customer that count."""


def _largest_first(sizes: dict[str, float]) -> dict[str, float]:
    return dict(sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])))


Sizes = Annotated[dict[str, FiniteFloat], AfterValidator(_largest_first)]
"""Numbers by name, the largest first; JSON files do not keep the order."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Point(_Model):
    """A part of a feature's values: how many, their mean (null: missing), their mean points."""

    rows: Annotated[int, Field(ge=FEWEST)]
    value: FiniteFloat | None
    points: FiniteFloat


class Band(_Model):
    """A band of points: how many, and the share that has each idea among its three reasons."""

    from_points: int
    rows: Annotated[int, Field(ge=FEWEST)]
    ideas: Sizes


class GlobalView(_Model):
    """Mean size of the points of each feature and idea, the largest first; dependence of points on
    values; reasons by band, from the lowest; the range of each feature that levers may use."""

    rows: Annotated[int, Field(ge=FEWEST)]
    features: Sizes
    ideas: Sizes
    dependence: dict[str, list[Point]]
    bands: list[Band]
    ranges: dict[str, tuple[FiniteFloat, FiniteFloat]] = {}


_FILE = TypeAdapter(dict[Target, GlobalView])


def global_view(scorer: Scorer, X: Floats, catalogue: Catalogue, shown: int = 15) -> GlobalView:
    """The view of the rows X (n, k); dependence of the `shown` features that move most
    and are no codes.

    Raises:
        NotEnoughDataError: fewer than fifty rows.
        InputError: as `Scorer.explain`.
    """
    if len(X) < FEWEST:
        raise NotEnoughDataError(f"{len(X)} rows for a global view: give at least {FEWEST}")
    explained = scorer.explain(X)
    found = by_idea(explained.reasons, scorer, catalogue)
    names = [idea.name for idea in found.ideas]
    codes = {levels.feature for levels in scorer.categories}
    by_feature = _largest_first(_sizes(scorer.features, explained.reasons))
    places = {name: i for i, name in enumerate(scorer.features)}
    return GlobalView(
        rows=len(X),
        features=by_feature,
        ideas=_sizes(names, found.reasons),
        dependence={
            n: _dependence(X[:, places[n]], explained.reasons[:, places[n]])
            for n in list(by_feature)[:shown]
            if n not in codes
        },
        bands=_bands(explained.points, found.reasons, names),
        ranges=ranges(scorer.features, X, FEWEST),
    )


def read_global_view(content: Mapping[str, Any]) -> dict[Target, GlobalView]:
    """The checked views of a bundle.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind.
    """
    try:
        return _FILE.validate_json(json.dumps(content))
    except ValidationError as e:
        raise broken(f"{FILE}.json", e) from None


def _sizes(names: list[str] | tuple[str, ...], reasons: NDArray[np.int64]) -> dict[str, float]:
    """Mean absolute points by name; those that moved nobody left out."""
    sizes = (np.abs(reasons).sum(axis=0) / len(reasons)).tolist()
    return {name: round(size, 3) for name, size in zip(names, sizes, strict=True) if size}


def _dependence(values: Floats, points: NDArray[np.int64]) -> list[Point]:
    """Parts of at least fifty rows, missing values first."""
    missing = np.isnan(values)
    order = np.argsort(values[~missing], kind="stable")
    parts = [np.flatnonzero(missing), *_cut(values, np.flatnonzero(~missing)[order])]
    return [
        Point(
            rows=len(part),
            value=None if missing[part[0]] else float(f"{values[part].mean():.3g}"),
            points=round(float(points[part].mean()), 2),
        )
        for part in parts
        if len(part) >= FEWEST
    ]


def _cut(values: Floats, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows in the order of their values, cut into parts; equal values stay together."""
    if not len(order):
        return []
    aims = np.arange(1, PARTS) * len(order) // PARTS
    places = sorted({int(np.searchsorted(values[order], values[order[a]])) for a in aims} - {0})
    return np.split(order, places)


def _bands(
    points: NDArray[np.int64], reasons: NDArray[np.int64], names: list[str]
) -> list[Band]:  # fmt: skip
    order = np.argsort(-np.abs(reasons), axis=1, kind="stable")[:, :TOLD]
    among = np.zeros(reasons.shape, dtype=bool)
    np.put_along_axis(among, order, True, axis=1)
    among &= reasons != 0
    begins = points // BAND * BAND
    made = []
    for begin in np.unique(begins).tolist():
        rows = begins == begin
        if rows.sum() >= FEWEST:
            shares = zip(names, among[rows].mean(axis=0).tolist(), strict=True)
            ideas = {name: round(share, 3) for name, share in shares if share}
            made.append(Band(from_points=begin, rows=int(rows.sum()), ideas=ideas))
    return made
