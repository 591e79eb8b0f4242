"""The features of one source, offline and online: one door for every read and write.

Enters: panels of the window engine, (customer, as_of) pairs, customer ids. Leaves: rows of
features. Offline reads go through Feast's DuckDB store, point in time; online reads through the
store of packed rows, which Feast reads too.

On disk, in the folder `root`: `live` is a link to `panel-<id>/`, which holds the panel, one Parquet
file a theme, and Feast's registry over exactly those files; replacing the link is the one moment at
which a new panel counts. A registry in SQL is shared by all panels and follows the link.
`online.db` is the default online store.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from domain.asof import iso
from domain.errors import NotFoundError
from domain.settings import ONLINE, REGISTRY
from domain.workspace import Workspace
from events.schema import INSTANT
from features import panel_files
from features.catalogue import CATALOGUE, Catalogue
from features.online import OnlineFeatures, OnlineRows, Turn, at_once, check_names
from features.online_config import FILE, SQLITE, OnlineConfig, RegistryConfig
from features.panel_files import keys_of, matrix
from features.parity import Certificate, Mismatch, by_feature, differences
from features.views import AS_OF, ENTITY_KEY, LIVE, themes

if TYPE_CHECKING:
    from feast import FeatureStore

__all__ = ["FeatureRoom", "Mismatch", "matrix", "open_room"]


class FeatureRoom:
    """The features of one source in the folder `root`.

    One process writes at a time; any number read. A room may be shared by threads: Feast resolves
    names behind its own lock, each thread has a connection of its own, offline reads take turns.
    """

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue = CATALOGUE,
        online: OnlineConfig = SQLITE,
        registry: RegistryConfig = FILE,
        project: str = "tierline",
    ) -> None:
        self.root = root
        self.catalogue = catalogue
        self.project = project
        self.store = online.kind
        self._online = online
        self._registry = registry
        self._theme = {f.name: f.theme for f in catalogue.features}
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
            self._open = (views, self._feast(views))
        return self._open[1]

    @cached_property
    def served(self) -> OnlineFeatures:
        """The online side: bulk reads and writes of packed rows."""
        return OnlineFeatures(self._online.open(self.root, self.project), self.catalogue)

    def write(self, panel: pa.Table | Iterable[pa.Table]) -> int:
        """Keep a panel in place of the one before, and register the catalogue; its rows.

        A panel that never stands whole in memory comes in parts by customer and as_of; as one table
        its rows may stand in any order. All or nothing: a killed run leaves the panel before it in
        use. The same rows give the same Parquet bytes. The features of an as_of count as computed
        at that as_of: they hold nothing known later, and a panel made again years afterwards must
        join like the first.

        Raises:
            InputError: columns that are not the catalogue's, a missing key or instant, a customer
                twice at one as_of, a value that is not finite, or parts in another order.
        """
        from features.offline import register
        from features.repo import build

        parts = [panel] if isinstance(panel, pa.Table) else panel
        self.root.mkdir(parents=True, exist_ok=True)
        root = self.root.resolve()
        fresh = root / f"panel-{uuid.uuid4().hex[:12]}"
        fresh.mkdir()
        try:
            rows = panel_files.checked(parts, self.catalogue)
            written = panel_files.write_files(rows, fresh, self.catalogue)
            if not self._registry.is_sql:
                register(self._feast(fresh), build(self.catalogue, fresh))
            link = fresh / LIVE
            link.symlink_to(fresh.name)
            link.rename(root / LIVE)
        except BaseException:
            shutil.rmtree(fresh)
            raise
        if self._registry.is_sql:  # after the link: a killed run is mended by running again
            register(self._feast(fresh), build(self.catalogue, root / LIVE))
        for old in root.glob("panel-*"):
            if old != fresh:
                shutil.rmtree(old)
        return written

    def historical(self, requests: pa.Table, names: Sequence[str]) -> pa.Table:
        """The features as of each request: `customer_id`, `as_of`, then `names`; null is missing.

        Rows and their order are those of `requests`.

        Raises:
            InputError: a request without a customer or an instant.
            NotFoundError: a name that the catalogue lacks, or no panel yet.
            TierlineError: Feast lost or doubled rows.
        """
        from features.offline import join

        check_names(names, self._theme)
        keys = keys_of(requests)
        if not keys.num_rows or not names:
            empty = {n: pa.nulls(keys.num_rows, pa.float64()) for n in names}
            return pa.table({**dict(zip(keys.column_names, keys.columns, strict=True)), **empty})
        return join(self.feast, keys, [f"{self._theme[n]}:{n}" for n in names], names)

    def latest(self) -> tuple[int, tuple[str, ...]]:
        """The last as_of (micros) of the panel, and who stands in it.

        Raises:
            NotFoundError: no panel was written.
        """
        return panel_files.last_as_of(self.views, next(iter(themes(self.catalogue))))

    def materialise(self, as_of: int, turn: Turn = at_once) -> None:
        """Bring the latest row of every customer as of `as_of` (micros) into the online store.

        A row older than its view's TTL stays out. Each part of the book waits for its `turn`, which
        names customers to leave as they are. Rerunning, also after a kill, gives the same bytes.
        Reading goes on meanwhile: Feast's own materialize would close each view to readers, and
        needs one start for all TTLs.
        """
        rows = panel_files.latest_rows(self.views, self.catalogue, as_of)
        self.served.bring(rows, as_of, turn)

    def warm(self) -> None:
        """Open the online store once, so that the first request does not.

        Raises:
            NotFoundError: no panel was written.
        """
        if self.views:
            self.served.read(["-"], self.catalogue.names[:1])

    def online(
        self, customer_ids: Sequence[str], names: Sequence[str], now: int | None = None
    ) -> OnlineRows:
        """The latest features of customers, in the order asked; see `OnlineFeatures.read`."""
        return self.served.read(customer_ids, names, now)

    def parity(
        self, customer_ids: Sequence[str], as_of: int, names: Sequence[str]
    ) -> tuple[Mismatch, ...]:
        """Every feature whose online value is not, bit for bit, the offline value as of `as_of`."""
        moments = pa.array([as_of] * len(customer_ids), pa.int64()).cast(INSTANT)
        requests = pa.table({ENTITY_KEY: pa.array(customer_ids, pa.string()), AS_OF: moments})
        offline = matrix(self.historical(requests, names), names)
        return differences(offline, self.online(customer_ids, names, now=as_of).values, names)

    def certify(self, sample: int, seed: int, at: int) -> Certificate:
        """What comparing every feature of `sample` customers of the last as_of finds, at `at`.

        Customers whose online row is newer, because events of the day were pushed, are passed over.
        """
        as_of, customers = self.latest()
        order = np.random.default_rng(seed).permutation(len(customers))[:sample]
        chosen = [customers[i] for i in order]
        names = self.catalogue.names
        newest = self.online(chosen, names).by_view.max(axis=1, initial=0)
        compared = [c for c, t in zip(chosen, newest.tolist(), strict=True) if t <= as_of]
        found = self.parity(compared, as_of, names)
        return Certificate(
            project=self.project,
            catalogue=self.catalogue.hash,
            panel=panel_files.panel_hash(self.views),
            store=self.store,
            as_of=iso(as_of),
            customers=len(compared),
            pushed=len(chosen) - len(compared),
            features=len(names),
            mismatches=by_feature(found),
            at=iso(at),
        ).sealed()

    def _feast(self, views: Path) -> FeatureStore:
        from features.offline import open_feast

        return open_feast(self.project, self._registry.feast(views), self._online.feast(self.root))


def open_room(
    workspace: Workspace, environ: Mapping[str, str], catalogue: Catalogue | None = None
) -> FeatureRoom:
    """The room of a workspace, with the online store and the registry that the settings name.

    `catalogue`: by default that of the workspace's data set.
    """
    from features.given import own_catalogue

    return FeatureRoom(
        workspace.features,
        catalogue or own_catalogue(workspace),
        OnlineConfig(ONLINE.read(environ)),
        RegistryConfig(REGISTRY.read(environ)),
        project_of(workspace.source),
    )


def project_of(source: str) -> str:
    """Feast's name of a source: what keeps sources apart in a store or registry that they share."""
    return f"tierline_{source}"
