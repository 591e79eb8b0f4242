"""Features offline through Feast: its store over the registry in use, and the point-in-time join.

Enters: the folder of a panel, (customer, as_of) pairs. Leaves: rows of features. Reads go through
Feast's DuckDB store with `filter_by_created_timestamp` and a TTL on every view. Importing this
module imports Feast, which takes seconds; reading online needs neither.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import features.plain_feast  # noqa: F401  # isort: skip
from feast import FeatureStore
from feast.repo_config import RepoConfig

from domain.errors import TierlineError
from features.views import ENTITY_KEY

_ROW = "request_row"
_TURN = threading.RLock()
"""Feast's DuckDB store works on ibis' connection for the whole process: one read at a time."""


def open_feast(
    project: str, registry: Mapping[str, Any], online: Mapping[str, Any]
) -> FeatureStore:
    """Feast over a registry, configured from here; nothing is sent anywhere."""
    config = RepoConfig(
        project=project,
        provider="local",
        registry=dict(registry),
        offline_store={"type": "duckdb"},
        online_store=dict(online),
        materialization={"pull_latest_features": True},
        entity_key_serialization_version=3,
    )
    return FeatureStore(config=config)


def register(store: FeatureStore, objects: Sequence[Any]) -> None:
    """Put these objects into the registry, and drop the views and services that are not named."""
    named = {o.name for o in objects}
    listed = (*store.list_feature_views(), *store.list_feature_services())
    gone = [o for o in listed if o.name not in named]
    if gone:
        store.apply(list(objects), objects_to_delete=gone, partial=False)
    else:
        store.apply(list(objects))


def join(
    store: FeatureStore, keys: pa.Table, refs: Sequence[str], names: Sequence[str]
) -> pa.Table:  # fmt: skip
    """`keys`, and the features as of each of them; rows and their order are those of `keys`.

    Raises:
        TierlineError: Feast lost or doubled rows.
    """
    numbered = keys.rename_columns([ENTITY_KEY, "event_timestamp"]).append_column(
        _ROW, pa.array(np.arange(keys.num_rows))
    )
    with one_turn():
        found = store.get_historical_features(
            entity_df=numbered.to_pandas(), features=list(refs), filter_by_created_timestamp=True
        ).to_arrow()
    if not np.array_equal(np.sort(found[_ROW].to_numpy()), np.arange(keys.num_rows)):
        raise TierlineError(
            f"{keys.num_rows} rows went into the point-in-time join and {found.num_rows} "
            "came out: report this, and do not train on it"
        )
    found = found.sort_by(_ROW)
    for name in names:
        keys = keys.append_column(name, pc.cast(found[name], pa.float64()))
    return keys


@contextmanager
def one_turn() -> Iterator[None]:
    """One turn on a DuckDB connection of its own: Feast leaves a view there for every file read.

    ibis' notice of a DuckDB method that got another name is not for our readers.
    """
    with _TURN, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        before, connection = ibis.options.default_backend, ibis.duckdb.connect()
        ibis.set_backend(connection)
        try:
            yield
        finally:
            ibis.options.default_backend = before
            connection.disconnect()
