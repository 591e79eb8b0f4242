"""The catalogue as a page: docs/features.md is what this file writes.

Enters: a catalogue. Leaves: Markdown. It reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.tiers import TARGETS
from features.catalogue import CATALOGUE, Catalogue, Feature

_HEAD = ("feature", "says", "unit", "better for", "lever", "personal", "at most", "reads")
_INTRO = """\
Windows are days before as_of, open at their begin and closed at as_of. Without any visible event of
the table a feature is missing, never zero; with events, but none in the window, sums and counts are
zero. *Better for* names the targets for which more (or less) of it can only earn points, proved on
the trees; the others are free. A *lever* is what the customer, or we with them, can change.
*Protected* features describe and never reach a scorer. *At most* is the age in days after which a
value no longer counts."""
_SIGN = {1: "more", -1: "less"}


def page(catalogue: Catalogue = CATALOGUE) -> str:
    """The page: what the columns mean, then one table a theme."""
    return "\n".join(_lines(catalogue)) + "\n"


def _lines(catalogue: Catalogue) -> Iterator[str]:
    themes = tuple(dict.fromkeys(f.theme for f in catalogue.features))
    yield "# Features"
    yield ""
    yield f"{len(catalogue.names)} features in {len(themes)} themes; `make docs` writes this page."
    yield ""
    yield _INTRO
    for theme in themes:
        yield ""
        yield f"## {theme}"
        yield ""
        yield _row(_HEAD)
        yield _row(tuple("---" for _ in _HEAD))
        for feature in catalogue.features:
            if feature.theme == theme:
                yield _row(_told(catalogue, feature))


def _told(catalogue: Catalogue, feature: Feature) -> tuple[str, ...]:
    better = [f"{t} ({_SIGN[feature.better[t]]})" for t in TARGETS if t in feature.better]
    columns = sorted(f"{table}.{column}" for table, column in catalogue.lineage(feature.name))
    return (
        f"`{feature.name}`",
        f"{feature.en}<br>{feature.zh}",
        feature.unit,
        ", ".join(better),
        "yes" if feature.lever else "",
        feature.personal.value,
        f"{feature.max_age_days} d",
        ", ".join(c for c in columns if not c.endswith(".happened_at")) or columns[0],
    )


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
