"""The catalogue as a page: docs/features.md is what this file writes.

Enters: a catalogue, and a panel of the simulated bank to draw from. Leaves: Markdown. It reads and
writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from features.catalogue import CATALOGUE, Catalogue, Feature
from features.stats import spread
from features.terminal import better_for

_HEAD = (
    "feature", "says", "unit", "low, high", "better for", "lever", "personal", "at most", "reads",
    "none", "spread",
)  # fmt: skip
_INTRO = """\
Windows are days before as_of, open at their begin and closed at as_of. Without any visible event of
the table a feature is missing, never zero; with events, but none in the window, sums and counts are
zero. *Better for* names the targets for which more (or less) of it can only earn points, proved on
the trees; the others are free. *Low, high* is what a reason calls a value on either side, where its
points tell the side. A *lever* is what the customer, or we with them, can change, and its cost: 1 a
message or visit, 2 a habit of a month or an offer that costs us money, 3 half a year's behaviour.
*Protected* features describe and never reach a scorer. *At most* is the age in days after which a
value no longer counts. *None* is the share of customers without a value and *spread* where the
others lie, from the 1st to the 99th percentile, both on a simulated bank of {rows} customers that
uses every table: `tierline features stats` shows the same of your own."""


def page(panel: pa.Table, catalogue: Catalogue = CATALOGUE) -> str:
    """The page: what the columns mean, then one table a theme, its owner beside its name."""
    return "\n".join(_lines(panel, catalogue)) + "\n"


def _lines(panel: pa.Table, catalogue: Catalogue) -> Iterator[str]:
    themes = tuple(dict.fromkeys(f.theme for f in catalogue.features))
    yield "# Features"
    yield ""
    yield f"{len(catalogue.names)} features in {len(themes)} themes; `make docs` writes this page."
    yield ""
    yield _INTRO.format(rows=panel.num_rows)
    for theme in themes:
        owner = next(f.owner for f in catalogue.features if f.theme == theme)
        yield ""
        yield f"## {theme}"
        yield ""
        yield f"Owner: {owner}."
        yield ""
        yield _row(_HEAD)
        yield _row(tuple("---" for _ in _HEAD))
        for feature in catalogue.features:
            if feature.theme == theme:
                yield _row(_told(panel, catalogue, feature))


def _told(panel: pa.Table, catalogue: Catalogue, feature: Feature) -> tuple[str, ...]:
    found = spread(panel[feature.name].to_numpy().astype(np.float64))
    columns = sorted(f"{table}.{column}" for table, column in catalogue.lineage(feature.name))
    return (
        f"`{feature.name}`",
        f"{feature.en}<br>{feature.zh}",
        feature.unit,
        f"{feature.low[1]}, {feature.high[1]}<br>{feature.low[0]}、{feature.high[0]}",
        better_for(feature),
        str(feature.lever_cost or ""),
        feature.personal.value,
        f"{feature.max_age_days} d",
        ", ".join(c for c in columns if not c.endswith(".happened_at")) or columns[0],
        f"{found.missing:.0%}",
        found.plot,
    )


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
