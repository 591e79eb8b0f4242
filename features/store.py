"""Features offline and online through Feast: one wrapper for every read and write.

Enters: panels of the window engine, (customer, as_of) pairs, customer ids. Leaves: rows of
features. Offline reads go through Feast's DuckDB store, point in time, with
`filter_by_created_timestamp` and a TTL on every view; online reads through Feast's online store.
Freshness is not judged here: Feast calls expired values present, so the as_of of every row is
handed out and the caller decides.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FeatureStore
from feast.repo_config import RepoConfig
from numpy.typing import NDArray

from domain.asof import from_micros
from domain.errors import InputError, NotFoundError, TierlineError
from events.schema import INSTANT
from features.catalogue import CATALOGUE, Catalogue
from features.repo import AS_OF, COMPUTED_AT, ENTITY_KEY, build, panel_file, themes

PROJECT = "tierline"
_ROW = "request_row"


@dataclass(frozen=True)
class OnlineRows:
    """`values` (n, k) float64, NaN missing; `as_of` (n,) int64 micros, 0 = customer not known."""

    values: NDArray[np.float64]
    as_of: NDArray[np.int64]


@dataclass(frozen=True)
class Mismatch:
    """A feature whose offline and online values differ for the customer at `position`."""

    position: int
    feature: str
    offline: float
    online: float


class FeatureRoom:
    """The features of one source: `root` holds panels, registry and, by default, the online store.

    `online` is Feast's own configuration of an online store; None means SQLite under `root`.
    Reads may come from several threads once `warm` was called.
    """

    def __init__(
        self, root: Path, catalogue: Catalogue = CATALOGUE, online: Mapping[str, Any] | None = None
    ) -> None:
        self.root = root
        self.catalogue = catalogue
        self._online = dict(online or {"type": "sqlite", "path": str(root.resolve() / "online.db")})
        self._theme = {f.name: f.theme for f in catalogue.features}

    @property
    def views(self) -> Path:
        """The folder of the panels, one Parquet file a theme."""
        return self.root.resolve() / "views"

    @cached_property
    def feast(self) -> FeatureStore:
        """Feast's store over this folder."""
        config = RepoConfig(
            project=PROJECT,
            provider="local",
            registry={
                "registry_type": "file",
                "path": str(self.root.resolve() / "registry.db"),
                "cache_ttl_seconds": 0,
            },
            offline_store={"type": "duckdb"},
            online_store=self._online,
            entity_key_serialization_version=3,
        )
        return FeatureStore(config=config)

    def write(self, panel: pa.Table) -> None:
        """Keep a panel of the window engine, one file a theme, and register the catalogue.

        The features of an as_of count as computed at that as_of: they hold nothing known later,
        and a panel made again years afterwards must join like the first.

        Raises:
            InputError: the panel lacks a feature of the catalogue.
        """
        absent = [n for n in self.catalogue.names if n not in panel.column_names]
        if absent:
            raise InputError(f"the panel lacks {absent[:5]}: compute it with this catalogue")
        self.views.mkdir(parents=True, exist_ok=True)
        keys = {
            ENTITY_KEY: panel[ENTITY_KEY],
            AS_OF: panel[AS_OF].cast(INSTANT),
            COMPUTED_AT: panel[AS_OF].cast(INSTANT),
        }
        for theme, found in themes(self.catalogue).items():
            rows = pa.table({**keys, **{f.name: panel[f.name] for f in found}})
            file = panel_file(self.views, theme)
            part = file.with_suffix(".part")
            pq.write_table(rows, part)
            part.rename(file)
        self.feast.apply(build(self.catalogue, self.views))

    def historical(self, requests: pa.Table, names: Sequence[str]) -> pa.Table:
        """The features as of each request: `customer_id`, `as_of`, then `names`; null is missing.

        Rows and their order are those of `requests`.

        Raises:
            NotFoundError: a name that the catalogue lacks, or no panel yet.
            TierlineError: Feast lost or doubled rows.
        """
        refs = self._refs(names)
        frame = pa.table(
            {
                ENTITY_KEY: requests[ENTITY_KEY],
                "event_timestamp": requests[AS_OF].cast(INSTANT),
                _ROW: pa.array(np.arange(requests.num_rows)),
            }
        ).to_pandas()
        job = self.feast.get_historical_features(
            entity_df=frame, features=refs, filter_by_created_timestamp=True
        )
        found = job.to_arrow()
        if found.num_rows != requests.num_rows:
            raise TierlineError(
                f"{requests.num_rows} rows went into the point-in-time join and {found.num_rows} "
                "came out: report this, and do not train on it"
            )
        found = found.sort_by(_ROW)
        columns = {n: pc.cast(found[n], pa.float64()) for n in names}
        return pa.table(
            {ENTITY_KEY: requests[ENTITY_KEY], AS_OF: requests[AS_OF].cast(INSTANT), **columns}
        )

    def latest(self) -> tuple[int, tuple[str, ...]]:
        """The last as_of (micros) of the panel, and who stands in it.

        Raises:
            NotFoundError: no panel was written.
        """
        file = panel_file(self.views, next(iter(themes(self.catalogue))))
        if not file.is_file():
            raise NotFoundError("no features are kept: run `tierline features` first")
        rows = pq.read_table(file, columns=[ENTITY_KEY, AS_OF])
        last = pc.max(rows[AS_OF])
        today = rows.filter(pc.equal(rows[AS_OF], last))
        return int(last.cast(pa.int64()).as_py()), tuple(today[ENTITY_KEY].to_pylist())

    def go_online(self, sample: int, seed: int) -> tuple[tuple[Mismatch, ...], int]:
        """Materialise the last as_of, then compare `sample` customers of it, every feature.

        The mismatches, and how many customers were compared.
        """
        as_of, customers = self.latest()
        self.materialise(as_of)
        order = np.random.default_rng(seed).permutation(len(customers))[:sample]
        chosen = [customers[i] for i in order]
        return self.parity(chosen, as_of, self.catalogue.names), len(chosen)

    def materialise(self, as_of: int) -> None:
        """Bring the latest row of every customer as of `as_of` (micros) into the online store."""
        longest = max(f.max_age_days for f in self.catalogue.features)
        end = from_micros(as_of)
        with redirect_stdout(io.StringIO()):  # Feast prints its progress
            self.feast.materialize(end - timedelta(days=longest), end)

    def warm(self) -> None:
        """Read the registry once, so that the first request does not."""
        self.online(["-"], self.catalogue.names[:1])

    def online(self, customer_ids: Sequence[str], names: Sequence[str]) -> OnlineRows:
        """The latest materialised features of customers, in the order asked."""
        refs = self._refs(names)
        answer = self.feast.get_online_features(
            features=refs, entity_rows=[{ENTITY_KEY: c} for c in customer_ids]
        ).proto
        place = {n: i for i, n in enumerate(answer.metadata.feature_names.val)}
        values = np.full((len(customer_ids), len(names)), np.nan)
        as_of = np.zeros(len(customer_ids), dtype=np.int64)
        for column, name in enumerate(names):
            vector = answer.results[place[name]]
            for row, value in enumerate(vector.values):
                if value.WhichOneof("val") == "double_val":
                    values[row, column] = value.double_val
            seen = [t.seconds * 1_000_000 + t.nanos // 1000 for t in vector.event_timestamps]
            as_of = np.maximum(as_of, np.array(seen, dtype=np.int64))
        return OnlineRows(values, as_of)

    def parity(
        self, customer_ids: Sequence[str], as_of: int, names: Sequence[str]
    ) -> tuple[Mismatch, ...]:
        """Every feature whose online value is not, bit for bit, the offline value as of `as_of`."""
        moments = pa.array([as_of] * len(customer_ids), pa.int64()).cast(INSTANT)
        requests = pa.table({ENTITY_KEY: pa.array(customer_ids, pa.string()), AS_OF: moments})
        offline = matrix(self.historical(requests, names), names)
        online = self.online(customer_ids, names).values
        differ = ~((offline == online) | (np.isnan(offline) & np.isnan(online)))
        return tuple(
            Mismatch(
                int(row), names[column], float(offline[row, column]), float(online[row, column])
            )
            for row, column in np.argwhere(differ)
        )

    def _refs(self, names: Sequence[str]) -> list[str]:
        unknown = [n for n in names if n not in self._theme]
        if unknown:
            raise NotFoundError(f"no features {unknown[:5]}: see docs/features.md")
        return [f"{self._theme[n]}:{n}" for n in names]


def matrix(rows: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """The named columns as (n, k) float64, NaN where a value is missing."""
    out = np.full((rows.num_rows, len(names)), np.nan)
    for i, name in enumerate(names):
        out[:, i] = rows[name].to_numpy(zero_copy_only=False)
    return out


def online_config(url: str) -> dict[str, Any] | None:
    """Feast's configuration of an online store from a setting: `sqlite`, `redis://host:port`,
    `postgresql://user:password@host:port/database`.

    Raises:
        InputError: another kind of address.
    """
    if url == "sqlite":
        return None
    kind, _, rest = url.partition("://")
    if kind == "redis" and rest:
        return {"type": "redis", "connection_string": rest}
    if kind == "postgresql" and rest:
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        return {
            "type": "postgres",
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 5432,
            "database": parts.path.lstrip("/"),
            "user": parts.username or "",
            "password": parts.password or "",
        }
    raise InputError("TIERLINE_ONLINE is sqlite, redis://host:port or postgresql://user:pw@host/db")
