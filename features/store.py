"""Features offline and online through Feast: one wrapper for every read and write.

Enters: panels of the window engine, (customer, as_of) pairs, customer ids. Leaves: rows of
features. Offline reads go through Feast's DuckDB store, point in time, with
`filter_by_created_timestamp` and a TTL on every view; online reads through Feast's online store.
Freshness is not judged here: Feast calls expired values present, so the as_of of every row is
handed out and the caller decides.

On disk, in the folder `root`: `live` is a link to `panel-<id>/`, which holds the panel, one Parquet
file a theme, and Feast's registry over exactly those files; replacing the link is the one moment at
which a new panel counts. `online.db` is the default online store.
"""

from __future__ import annotations

import shutil
import threading
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import ibis
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
from features.online_config import SQLITE, OnlineConfig
from features.repo import (
    AS_OF,
    COMPUTED_AT,
    ENTITY,
    ENTITY_KEY,
    LIVE,
    as_of_field,
    build,
    longest_age,
    panel_file,
    themes,
)

PROJECT = "tierline"
MICRO = timedelta(microseconds=1)
ONLINE_BATCH = 2_000
"""Customers a transaction of the online store: a reader never waits for more."""
_ROW = "request_row"
_OFFLINE = threading.RLock()
"""Feast's DuckDB store works on ibis' connection for the whole process: one read at a time."""


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
    """The features of one source in the folder `root`.

    One process writes at a time; any number read. A room may be shared by threads: Feast resolves
    names behind its own lock, SQLite's connection is serialised, offline reads take turns.
    """

    def __init__(
        self, root: Path, catalogue: Catalogue = CATALOGUE, online: OnlineConfig = SQLITE
    ) -> None:
        self.root = root
        self.catalogue = catalogue
        self._online = online
        self._theme = {f.name: f.theme for f in catalogue.features}
        self._age = {t: longest_age(found) for t, found in themes(catalogue).items()}
        self._open: tuple[Path, FeatureStore] | None = None

    @property
    def views(self) -> Path:
        """The folder of the panel in use, one Parquet file a theme.

        Raises:
            NotFoundError: no panel was written.
        """
        live = self.root.resolve() / LIVE
        if not live.exists():
            raise NotFoundError("no features are kept: run `tierline features` first")
        return live.resolve()

    @property
    def feast(self) -> FeatureStore:
        """Feast's store over the panel in use.

        Raises:
            NotFoundError: no panel was written.
        """
        views = self.views
        if self._open is None or self._open[0] != views:
            self._open = (views, self._store(views))
        return self._open[1]

    def write(self, panel: pa.Table) -> None:
        """Keep a panel of the window engine in place of the one before, and register the catalogue.

        All or nothing: a killed run leaves the panel before it in use. The same rows in any order
        give the same Parquet bytes. The features of an as_of count as computed at that as_of: they
        hold nothing known later, and a panel made again years afterwards must join like the first.

        Raises:
            InputError: columns that are not the catalogue's, a missing key or instant, a customer
                twice at one as_of, or a value that is not finite.
        """
        rows = self._checked(panel)
        self.root.mkdir(parents=True, exist_ok=True)
        fresh = self.root.resolve() / f"panel-{uuid.uuid4().hex[:12]}"
        fresh.mkdir()
        try:
            for theme, found in themes(self.catalogue).items():
                stamp = pc.cast(rows[AS_OF], pa.int64())
                columns = [ENTITY_KEY, AS_OF, COMPUTED_AT, *(f.name for f in found)]
                table = rows.select(columns).append_column(as_of_field(theme), stamp)
                pq.write_table(table, panel_file(fresh, theme))
            self._store(fresh).apply(build(self.catalogue, fresh))
            link = fresh / LIVE
            link.symlink_to(fresh.name)
            link.rename(self.root.resolve() / LIVE)
        except BaseException:
            shutil.rmtree(fresh)
            raise
        for old in self.root.resolve().glob("panel-*"):
            if old != fresh:
                shutil.rmtree(old)

    def historical(self, requests: pa.Table, names: Sequence[str]) -> pa.Table:
        """The features as of each request: `customer_id`, `as_of`, then `names`; null is missing.

        Rows and their order are those of `requests`.

        Raises:
            InputError: a request without a customer or an instant.
            NotFoundError: a name that the catalogue lacks, or no panel yet.
            TierlineError: Feast lost or doubled rows.
        """
        refs = self._refs(names)
        keys = _keys(requests)
        if not keys.num_rows or not refs:
            empty = {n: pa.nulls(keys.num_rows, pa.float64()) for n in names}
            return pa.table({**dict(zip(keys.column_names, keys.columns, strict=True)), **empty})
        numbered = keys.rename_columns([ENTITY_KEY, "event_timestamp"]).append_column(
            _ROW, pa.array(np.arange(keys.num_rows))
        )
        with _offline():
            found = self.feast.get_historical_features(
                entity_df=numbered.to_pandas(), features=refs, filter_by_created_timestamp=True
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

    def latest(self) -> tuple[int, tuple[str, ...]]:
        """The last as_of (micros) of the panel, and who stands in it.

        Raises:
            NotFoundError: no panel was written.
        """
        file = panel_file(self.views, next(iter(self._age)))
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
        """Bring the latest row of every customer as of `as_of` (micros) into the online store.

        A row older than its view's TTL stays out. Rerunning, also after a kill, gives the same
        values. Feast's provider is asked view by view: `FeatureStore.materialize` has one start for
        all TTLs, rewrites the registry in place and closes each view to readers meanwhile.
        """
        store = self.feast
        end = from_micros(as_of)
        views = [store.get_feature_view(theme) for theme in self._age]
        customer = store.get_entity(ENTITY)
        with _offline():
            store.provider.update_infra(  # the tables of a store that is new or was emptied
                project=PROJECT,
                tables_to_delete=[],
                tables_to_keep=views,
                entities_to_delete=[],
                entities_to_keep=[customer],
                partial=True,
            )
            for view in views:
                store.provider.materialize_single_feature_view(
                    config=store.config,
                    feature_view=view,
                    start_date=end - self._age[view.name],
                    end_date=end,
                    registry=store.registry,
                    project=PROJECT,
                    tqdm_builder=_no_progress,
                )

    def warm(self) -> None:
        """Read the registry once, so that the first request does not."""
        self.online(["-"], self.catalogue.names[:1])

    def online(
        self, customer_ids: Sequence[str], names: Sequence[str], now: int | None = None
    ) -> OnlineRows:
        """The latest materialised features of customers, in the order asked.

        The as_of of a customer is that of the oldest row that gave a value. Values are told as
        they stand, however old; with `now` (micros) those older than their view's TTL at that
        instant are missing, as `historical` has it.
        """
        refs = self._refs(names)
        used = tuple(dict.fromkeys(self._theme[n] for n in names))
        size = len(customer_ids)
        values = np.full((size, len(names)), np.nan)
        as_of = np.full(size, np.iinfo(np.int64).max)
        if not size or not names:
            return OnlineRows(values, np.zeros(size, dtype=np.int64))
        answer = self.feast.get_online_features(
            features=[*refs, *(f"{t}:{as_of_field(t)}" for t in used)],
            entity_rows={ENTITY_KEY: list(customer_ids)},
        ).proto
        found = dict(zip(answer.metadata.feature_names.val, answer.results, strict=True))
        alive = {}
        for theme in used:
            at = np.array([v.int64_val for v in found[as_of_field(theme)].values], dtype=np.int64)
            alive[theme] = (
                at > 0 if now is None else (at > 0) & (at + self._age[theme] // MICRO >= now)
            )
            as_of = np.where(alive[theme], np.minimum(as_of, at), as_of)
        for column, name in enumerate(names):
            read = [
                v.double_val if v.WhichOneof("val") == "double_val" else np.nan
                for v in found[name].values
            ]
            values[:, column] = np.where(alive[self._theme[name]], read, np.nan)
        return OnlineRows(values, np.where(as_of == np.iinfo(np.int64).max, 0, as_of))

    def parity(
        self, customer_ids: Sequence[str], as_of: int, names: Sequence[str]
    ) -> tuple[Mismatch, ...]:
        """Every feature whose online value is not, bit for bit, the offline value as of `as_of`."""
        moments = pa.array([as_of] * len(customer_ids), pa.int64()).cast(INSTANT)
        requests = pa.table({ENTITY_KEY: pa.array(customer_ids, pa.string()), AS_OF: moments})
        offline = matrix(self.historical(requests, names), names)
        online = self.online(customer_ids, names, now=as_of).values
        same = offline.view(np.int64) == online.view(np.int64)
        differ = ~(same | (np.isnan(offline) & np.isnan(online)))
        return tuple(
            Mismatch(int(r), names[c], float(offline[r, c]), float(online[r, c]))
            for r, c in np.argwhere(differ)
        )

    def _store(self, views: Path) -> FeatureStore:
        """Feast over the registry in `views`, configured from here; nothing is sent anywhere."""
        config = RepoConfig(
            project=PROJECT,
            provider="local",
            registry={
                "registry_type": "file",
                "path": str(views / "registry.db"),
                "cache_ttl_seconds": 0,  # never expires: the registry of a panel never changes
            },
            offline_store={"type": "duckdb"},
            online_store=self._online.feast(self.root),
            materialization={
                "pull_latest_features": True,
                "online_write_batch_size": ONLINE_BATCH,
            },
            entity_key_serialization_version=3,
        )
        return FeatureStore(config=config)

    def _checked(self, panel: pa.Table) -> pa.Table:
        """The panel's rows by customer and as_of, with `computed_at`; NaN becomes null."""
        wanted = {ENTITY_KEY, AS_OF, *self.catalogue.names}
        given = panel.column_names
        absent = [n for n in self.catalogue.names if n not in given]
        unknown = [n for n in given if n not in wanted]
        if absent or unknown or len(given) != len(set(given)):
            raise InputError(
                f"the panel lacks {absent[:5]} and has {unknown[:5]} that the catalogue does not "
                "know: compute it with this catalogue"
            )
        rows = _keys(panel)
        pairs = rows.group_by([ENTITY_KEY, AS_OF]).aggregate([]).num_rows
        if pairs != rows.num_rows:
            raise InputError(
                f"{rows.num_rows - pairs} rows of the panel repeat a customer and as_of: Feast "
                "would take any of them; ask for each pair once"
            )
        rows = rows.append_column(COMPUTED_AT, rows[AS_OF])
        endless = []
        for name in self.catalogue.names:
            column = pc.cast(panel[name], pa.float64())
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
            endless += [name] if pc.any(pc.is_inf(column)).as_py() else []
            rows = rows.append_column(name, column)
        if endless:
            raise InputError(f"features {endless[:5]} are infinite: mend how they are computed")
        return rows.sort_by([(ENTITY_KEY, "ascending"), (AS_OF, "ascending")])

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


def _keys(rows: pa.Table) -> pa.Table:
    """The columns `customer_id` and `as_of` in the types of the tables, none missing.

    Raises:
        InputError: a column or a value of them is missing.
    """
    for name in (ENTITY_KEY, AS_OF):
        if name not in rows.column_names or rows[name].null_count:
            raise InputError(f"every row needs {name}: give customer_id and as_of")
    return pa.table(
        {
            ENTITY_KEY: pc.cast(rows[ENTITY_KEY], pa.string()),
            AS_OF: pc.cast(rows[AS_OF], INSTANT),
        }
    )


@contextmanager
def _offline() -> Iterator[None]:
    """One turn on a DuckDB connection of its own: Feast leaves a view there for every file read.

    ibis' notice of a DuckDB method that got another name is not for our readers.
    """
    with _OFFLINE, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        before, connection = ibis.options.default_backend, ibis.duckdb.connect()
        ibis.set_backend(connection)
        try:
            yield
        finally:
            ibis.options.default_backend = before
            connection.disconnect()


def _no_progress(length: int) -> Any:
    """Nothing: this room prints nothing."""
    del length
