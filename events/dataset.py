"""A checked data set on disk: clean tables, the plan, and how far the data reaches.

Enters: a folder that `events.ingest` wrote. Leaves: Arrow tables. A clean table has the columns of
its schema and `superseded_at` (null: never corrected), sorted by customer and `happened_at`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from domain.errors import InputError, NotFoundError
from domain.plan import StudyPlan
from events.given import GIVEN, GivenTable
from events.schema import INSTANT, TABLES, Table

SUPERSEDED = "superseded_at"
INDEX = "dataset.json"


@dataclass(frozen=True)
class TableInfo:
    """Rows of a clean table, and the SHA-256 over its Parquet parts."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A checked data set; `data_until` is the instant (micros) up to which it is complete.

    `given`: what the columns of its ready-made feature table mean, where it is one.
    """

    root: Path
    source: str
    plan: StudyPlan
    data_until: int
    tables: Mapping[str, TableInfo]
    given: GivenTable | None = None

    def has(self, table: str) -> bool:
        """Whether the source brought rows of this table."""
        return table in self.tables and self.tables[table].rows > 0

    def files(self, table: str) -> tuple[Path, ...]:
        """The Parquet parts of a table, in order; none where the source lacks it."""
        return tuple(sorted((self.root / table).glob("part-*.parquet")))

    def table(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        customers: Sequence[str] | None = None,
        between: tuple[str | None, str | None] = (None, None),
        dictionary: bool = False,
    ) -> pa.Table:
        """The clean rows; empty, with the schema, where the source lacks the table.

        `customers`: only theirs. `between`: only of customers from the first on and before the
        second. `dictionary`: read text as dictionary arrays, which is faster where it is only
        compared.

        Raises:
            InputError: a column of the schema was not there yet when the data set was kept.
        """
        schema = clean_schema(declared(table, self.given))
        names = list(columns) if columns is not None else schema.names
        files = [str(f) for f in self.files(table)]
        if not files:
            return pa.schema([schema.field(n) for n in names]).empty_table()
        text = [n for n in names if pa.types.is_string(schema.field(n).type)] if dictionary else []
        found = pads.dataset(files, format=pads.ParquetFileFormat(dictionary_columns=text))
        if lacking := [n for n in names if n not in found.schema.names]:
            raise InputError(
                f"{table} was kept before it had {', '.join(lacking)}: run `tierline check` on the "
                "raw tables again"
            )
        customer, (first, end) = pads.field("customer_id"), between
        asked = [
            *([] if customers is None else [customer.isin(list(customers))]),
            *([] if first is None else [customer >= first]),
            *([] if end is None else [customer < end]),
        ]
        if not asked:
            return found.to_table(columns=names)
        wanted = reduce(and_, asked)
        return _pruned(found, wanted).to_table(columns=names, filter=wanted)

    def period(self, table: str) -> tuple[int, int] | None:
        """When the first and the last event of a table happened (micros); None without rows."""
        if not self.has(table):
            return None
        ends = pc.min_max(self.table(table, ["happened_at"])["happened_at"].cast(pa.int64()))
        return ends["min"].as_py(), ends["max"].as_py()


def _pruned(found: pads.Dataset, wanted: pads.Expression) -> pads.Dataset:
    """Only the groups of rows that can hold what is wanted, by the least and greatest of each.

    Arrow leaves out none where text is read as dictionaries, so they are sought without.
    """
    kept = []
    for part in pads.dataset(found.files).get_fragments(wanted):
        groups = [g.id for g in part.subset(wanted).row_groups]
        if groups:
            part = found.format.make_fragment(part.path, part.filesystem, row_groups=groups)
            kept.append(part)
    return pads.FileSystemDataset(kept, found.schema, found.format, found.filesystem)


def declared(table: str, given: GivenTable | None) -> Table:
    """The declaration of a table; of a ready-made one its source brings it (KeyError: none)."""
    return given.table if given is not None and table == GIVEN else TABLES[table]


def clean_schema(table: str | Table) -> pa.Schema:
    """The schema of a clean table: the declared columns and `superseded_at`."""
    found = TABLES[table] if isinstance(table, str) else table
    return found.schema.append(pa.field(SUPERSEDED, INSTANT))


def before_swap(root: Path) -> Path:
    """Where the data set that `root` held stands while a new one takes its place."""
    return root.with_name(f".{root.name}.old")


def has_dataset(root: Path) -> bool:
    """Whether `open_dataset` finds one."""
    return (root / INDEX).is_file() or (not root.exists() and before_swap(root).exists())


def open_dataset(root: Path) -> Dataset:
    """The data set in a folder; the one before it, where a new one was killed taking its place.

    Raises:
        NotFoundError: no data set was made there.
    """
    if not root.exists() and before_swap(root).exists():
        before_swap(root).rename(root)
    index = root / INDEX
    if not index.is_file():
        raise NotFoundError(f"no data set of {root.parent.name}: run `tierline check` first")
    said: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
    given = said.get("given")
    return Dataset(
        root=root,
        source=said["source"],
        plan=StudyPlan.model_validate(said["plan"]),
        data_until=said["data_until"],
        tables={name: TableInfo(**info) for name, info in said["tables"].items()},
        given=None if given is None else GivenTable.model_validate(given),
    )
