"""Ready-made feature tables in the place of computed features: their catalogue and their panel.

Enters: a data set, or what a bundle's card says of one. Leaves: the catalogue that its features
belong to (the common one, unless the source brought a table of its own), and the panel of the
declared columns as of each request. It computes no feature; what is protected stays away from every
scorer as everywhere (I10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from domain.asof import NEVER, visible
from domain.decision import content_hash
from domain.workspace import Workspace
from events.dataset import SUPERSEDED, Dataset, has_dataset, open_dataset
from events.given import GIVEN, GivenColumn, GivenTable
from events.schema import INSTANT, Personal
from features import partitions
from features.catalogue import CATALOGUE, Catalogue, Feature
from features.declare import SIDES
from features.panel import compute, compute_parts, known_customers
from features.spans import count

MAX_AGE_DAYS = 45


class GivenCatalogue(Catalogue):
    """The columns of a declared table as features, with their texts, directions and classes."""

    def __init__(self, given: GivenTable) -> None:
        super().__init__(())
        self.given = given
        self.features = tuple(_feature(c) for c in given.columns)
        self._by_name = {f.name: f for f in self.features}
        self._lineage = {c.name: frozenset({(GIVEN, c.column)}) for c in given.columns}

    @property
    def nominal(self) -> bool:
        """Whether the source says so of its instant."""
        return self.given.nominal

    @property
    def hash(self) -> str:
        """SHA-256 over everything that decides values, texts and directions."""
        columns = [c.model_dump(mode="json") for c in self.given.columns]
        return content_hash({"given": columns, "as_of": self.given.as_of.isoformat()})


def _feature(column: GivenColumn) -> Feature:
    low, high = SIDES.get(column.unit, SIDES["ratio"])
    return Feature(
        name=column.name, theme=GIVEN, table=GIVEN, unit=column.unit, zh=column.zh, en=column.en,
        better=column.better, lever_cost=column.lever,
        protected=column.personal is Personal.PROTECTED, personal=column.personal,
        max_age_days=MAX_AGE_DAYS, inputs=(), owner="source", low=low, high=high, middle=None,
    )  # fmt: skip


def catalogue_of(dataset: Dataset) -> Catalogue:
    """The catalogue that the features of a data set belong to."""
    return CATALOGUE if dataset.given is None else GivenCatalogue(dataset.given)


def own_catalogue(workspace: Workspace) -> Catalogue:
    """The catalogue of a workspace: that of its data set, the common one before it has one."""
    data = workspace.dataset
    return catalogue_of(open_dataset(data)) if has_dataset(data) else CATALOGUE


def catalogue_told(card: Mapping[str, Any]) -> Catalogue:
    """The catalogue that a bundle was made with, by its card."""
    told = card.get(GIVEN)
    return CATALOGUE if told is None else GivenCatalogue(GivenTable.model_validate(told))


def panel(dataset: Dataset, requests: pa.Table) -> pa.Table:
    """The features of every request (customer_id, as_of), in the order of the requests."""
    if dataset.given is None:
        return compute(dataset, requests)
    names = [c.name for c in dataset.given.columns]
    rows = dataset.table(GIVEN)
    clocks = [
        pc.fill_null(rows[c].cast(pa.int64()), NEVER).to_numpy()
        for c in ("happened_at", "known_at", SUPERSEDED)
    ]
    versions: dict[str, list[int]] = {}
    for place, customer in enumerate(rows["customer_id"].to_pylist()):
        versions.setdefault(customer, []).append(place)  # rows stand in the order of time
    moments = requests["as_of"].cast(pa.int64()).to_numpy()
    chosen = np.full(requests.num_rows, -1)
    for request, customer in enumerate(requests["customer_id"].to_pylist()):
        for place in versions.get(customer, ()):
            happened, known, superseded = (c[place] for c in clocks)
            if visible(happened, known, superseded, moments[request]):
                chosen[request] = place
    places = pa.array(np.where(chosen < 0, 0, chosen), mask=chosen < 0)
    found = rows.select(names).take(places)
    asked = {"customer_id": requests["customer_id"], "as_of": requests["as_of"]}
    return pa.table({**asked, **{n: found[n] for n in names}})


def panel_parts(dataset: Dataset, requests: pa.Table, folder: Path) -> Iterator[pa.Table]:
    """The same in parts, requests by customer and as_of.

    Of a data set that is read in several spans every finished one is kept in `folder`, from which
    a run that was killed goes on; who took all parts removes it.
    """
    if dataset.given is not None:
        yield panel(dataset, requests)
    elif count(dataset, CATALOGUE) == 1:
        yield from compute_parts(dataset, requests)
    else:
        yield from partitions.panel_parts(partitions.compute_on_disk(dataset, requests, folder))


def everybody(dataset: Dataset, as_of: int) -> pa.Table:
    """Requests (customer_id, as_of) of everybody known at an instant (micros), by customer."""
    if dataset.given is None:
        return known_customers(dataset, [as_of])
    ids = pc.unique(dataset.table(GIVEN, ["customer_id"])["customer_id"]).sort()
    moments = pa.array(np.full(len(ids), as_of), pa.int64()).cast(INSTANT)
    return pa.table({"customer_id": ids, "as_of": moments})
