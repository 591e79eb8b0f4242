"""The catalogue for a terminal: a list, one feature, its lineage, how its values are spread.

Enters: a catalogue, columns of a panel. Leaves: rich renderables and lines. It computes no feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table

from domain.tiers import TARGETS
from features.catalogue import Catalogue, Feature
from features.formulas import Column
from features.stats import spread

SIGNS = {1: "more", -1: "less"}


def feature_table(catalogue: Catalogue, theme: str | None, search: str) -> Table:
    """The features of a theme, or of all, whose name or text holds `search`."""
    table = Table(title=f"{len(catalogue.names)} features")
    for head in ("feature", "theme", "unit", "says", "better for"):
        table.add_column(head, overflow="fold")
    for f in catalogue.features:
        if theme in (None, f.theme) and search.lower() in f"{f.name} {f.en} {f.zh}".lower():
            table.add_row(f.name, f.theme, f.unit, f"{f.en}\n{f.zh}", better_for(f))
    return table


def better_for(feature: Feature) -> str:
    """The targets for which more or less of a feature is better."""
    told = (f"{t} ({SIGNS[feature.better[t]]})" for t in TARGETS if t in feature.better)
    return ", ".join(told)


def feature_lines(catalogue: Catalogue, name: str) -> Iterator[str]:
    """Everything that the catalogue says of one feature, a line each."""
    f = catalogue[name]
    cost = f"cost {f.lever_cost} of 3" if f.lever else "no"
    yield f"{f.name}: {f.en} | {f.zh}"
    yield f"theme {f.theme}, owner {f.owner}, unit {f.unit}, at most {f.max_age_days} days old"
    yield f"low: {f.low[1]} | {f.low[0]}; high: {f.high[1]} | {f.high[0]}"
    yield f"better for: {better_for(f) or 'free'}"
    yield f"lever: {cost}"
    yield f"personal data: {f.personal.value}; {'never' if f.protected else 'may'} reach a scorer"
    for points, way in ((12, "adds"), (-12, "takes")):
        value = None if f.middle is None else f.middle + points
        shown = 1.0 if value is None else value
        yield f"when it {way}: {catalogue.reason_text(name, shown, points, 'en')}"
        yield f"when it {way}: {catalogue.reason_text(name, shown, points, 'zh')}"
    yield from lineage_lines(catalogue, name)


def lineage_lines(catalogue: Catalogue, name: str, depth: int = 0) -> Iterator[str]:
    """From a feature down to raw columns, inputs indented below what they make."""
    f = catalogue[name]
    take, pad = catalogue.declared[name].take, "  " * depth
    if take is None:
        yield f"{pad}{name} = formula of {', '.join(f.inputs)}"
        for part in f.inputs:
            yield from lineage_lines(catalogue, part, depth + 1)
        return
    window = f"over {take.days} days" if take.days else "over everything visible"
    ago = f", ending {take.ago} days ago" if take.ago else ""
    half = f", halved every {take.half_life:g} days" if take.half_life else ""
    asked = "".join(f" if {c}" for c in take.where) + "".join(f", share of {c}" for c in take.share)
    yield f"{pad}{name} = {take.op} of {take.of}{asked} {window}{ago}{half}"
    for table, column in sorted(catalogue.lineage(name)):
        yield f"{pad}  {table}.{column}"


def spread_table(customers: int, columns: Iterable[tuple[str, Column]]) -> Table:
    """How the values of each feature are spread over the customers."""
    table = Table(title=f"{customers:,} customers")
    for head in ("feature", "missing", "least", "5 %", "median", "95 %", "most", "spread"):
        table.add_column(head, justify="left" if head in ("feature", "spread") else "right")
    for name, column in columns:
        found = spread(column)
        shown = (f"{q:,.4g}" for q in found.quantiles)
        table.add_row(name, f"{found.missing:.0%}", *shown, found.plot)
    return table
