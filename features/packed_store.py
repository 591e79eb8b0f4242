"""The packed rows behind Feast's own interface of an online store.

Enters: what Feast writes and asks, row by row and value by value. Leaves: the same from packed
rows, as `get_online_features` wants it. Our own reads and writes go past it, many rows at a time
(`features/online.py`); both see the same bytes. A view has one text key and float64 fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

import features.plain_feast  # noqa: F401  # isort: skip
from feast import Entity, FeatureView, RepoConfig
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel
from feast.types import Float64
from pydantic import Field

from domain.asof import from_micros, to_micros
from domain.errors import InputError
from features.online_config import OnlineConfig
from features.packed import Layout, Rows
from features.row_stores import RowStore

Written = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
Read = tuple[datetime | None, dict[str, Value] | None]


class PackedOnlineStoreConfig(FeastConfigBaseModel):
    """What Feast keeps of the store: an address of `TIERLINE_ONLINE`, and the room's folder."""

    type: Literal["features.packed_store.PackedOnlineStore"] = (
        "features.packed_store.PackedOnlineStore"
    )
    address: str = Field(default="sqlite", repr=False)
    root: str


class PackedOnlineStore(OnlineStore):
    """Feast's online store over packed rows; one packed row a customer and view."""

    _rows: RowStore | None = None

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Written],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Keep the rows; of rows of one customer the last one stays."""
        layout = layout_of(table)
        values = np.full((len(data), len(layout.names)), np.nan)
        present = np.zeros(values.shape, dtype=bool)
        for i, (_, given, _, _) in enumerate(data):
            for name, value in given.items():
                if name in layout.place and value.WhichOneof("val") is not None:
                    present[i, layout.place[name]] = True
                    values[i, layout.place[name]] = value.double_val
        as_of = np.array([_micros(moment) for _, _, moment, _ in data], dtype=np.int64)
        packed = layout.pack(Rows(values, present, as_of))
        keyed = {_key(row[0]): {table.name: p} for row, p in zip(data, packed, strict=True)}
        self._opened(config).write(keyed)
        if progress is not None:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[Read]:
        """The rows of the customers, in the order asked, (None, None) where there is none.

        Raises:
            StoreError: a row of another schema.
        """
        layout = layout_of(table)
        customers = [_key(k) for k in entity_keys]
        found = self._opened(config).read(list(dict.fromkeys(customers)), [table.name])
        there = list(found)
        rows = layout.unpack([found[c][table.name] for c in there])
        names = layout.names if requested_features is None else requested_features
        asked = [(n, layout.place[n]) for n in names if n in layout.place]
        answers: dict[str, Read] = {
            c: (from_micros(int(at)), {n: _value(v[p], is_there[p]) for n, p in asked})
            for c, v, is_there, at in zip(there, rows.values, rows.present, rows.as_of, strict=True)
        }
        return [answers.get(c, (None, None)) for c in customers]

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Nothing but a look at the views: a store makes its table, and drops rows of views that
        are gone, when features are brought online.

        Raises:
            InputError: a view that packed rows cannot hold.
        """
        for view in tables_to_keep:
            layout_of(view)

    def teardown(
        self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]
    ) -> None:
        """Drop every row of the project."""
        rows = self._opened(config)
        rows.keep_only({})
        rows.close()

    def _opened(self, config: RepoConfig) -> RowStore:
        if self._rows is None:
            said = config.online_store
            self._rows = OnlineConfig(said.address).open(Path(said.root), config.project)
        return self._rows


def layout_of(view: FeatureView) -> Layout:
    """How a view's rows are packed.

    Raises:
        InputError: a field that is no float64, or another key than one.
    """
    other = [f.name for f in view.features if f.dtype != Float64]
    if other or len(view.join_keys) != 1:
        raise InputError(
            f"the view {view.name} has {len(view.join_keys)} keys and the fields {other[:5]} that "
            "are no float64: a packed row has one key and float64 fields"
        )
    return Layout(view.name, tuple(f.name for f in view.features))


def _key(key: EntityKey) -> str:
    return str(key.entity_values[0].string_val)


def _micros(moment: datetime) -> int:
    return to_micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _value(value: float, is_there: bool) -> Value:
    return Value(double_val=value) if is_there else Value()
