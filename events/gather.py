"""Where the events of a customer are brought together: in memory, or by partitions on disk.

Enters: checked rows, in the order of reading. Leaves: each table settled and in order, some
customers at a time. Above `HELD` rows the clean ones go into DuckDB partitions by the hash of their
key, so that all that settling compares stands in one; each is settled alone, and what came of all
is read back by ranges of customers. Either way hands on the same rows in the same order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import and_
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from events.check import RULE, Checked
from events.schema import Table
from events.settle import key, order, settle

HELD = 4_000_000
"""So many checked rows are held in memory; when there are more, all go to disk."""
PARTITIONS = 64
STEP = 2_000_000
"""About so many rows are settled, and put in order, at a time."""
RUN_GROUP = 16_384
"""Rows a group of a settled partition: a range of customers is a few of them."""
SAMPLED = 1_000
KEPT, TWICE = "kept", "twice"

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Settled:
    """A settled table: rows that count, rows that cannot stand, how many of these by rule."""

    kept: Iterator[pa.Table]
    twice: Iterator[pa.Table]
    rules: Counter[str]


class Gathered:
    """Checked rows of every table; `folder` is made when there are more of them than `HELD`."""

    def __init__(self, folder: Path) -> None:
        self.tables: dict[str, Table] = {}
        self.clean: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.latest = 0
        self._folder = folder
        self._held: dict[tuple[str, str], list[pa.Table]] = defaultdict(list)
        self._spills = 0
        self._on_disk = 0

    def add(self, table: Table, found: Checked) -> None:
        """Take in the rows of one raw table."""
        self.tables[table.name] = table
        self._held[table.name, "clean"].append(found.clean)
        self._held[table.name, "bad"].append(found.bad)
        self.clean[table.name] += found.clean.num_rows
        self.bad[table.name] += found.bad.num_rows
        latest = pc.max(found.clean["happened_at"])
        if latest.is_valid:
            self.latest = max(self.latest, latest.cast(pa.int64()).as_py())
        if self.clean.total() + self.bad.total() - self._on_disk > HELD:
            self._spill()

    def wrong(self, name: str) -> Iterator[pa.Table]:
        """The bad rows of a table, as they came."""
        for file in sorted((self._folder / name).glob("bad-*.parquet")):
            yield pq.read_table(file)
        yield from self._held.get((name, "bad"), ())

    def wrong_schema(self, name: str) -> pa.Schema:
        """The columns of all rows that are wrong: of files with other columns, all of them."""
        twice = [RULE, *(c.name for c in self.tables[name].columns)]
        schemas = [rows.schema for rows in self.wrong(name)]
        return pa.unify_schemas([*schemas, pa.schema([(n, pa.string()) for n in twice])])

    def settle(self, name: str, told: Told) -> Settled:
        """The table settled; `told` hears of every step done, and of how many there are."""
        table = self.tables[name]
        if not self._spills:
            kept, twice = settle(table, pa.concat_tables(self._held.pop((name, "clean"))))
            told(1, 1)
            return Settled(iter([kept]), iter([twice]), _rules(twice))
        self._spill()
        rules: Counter[str] = Counter()
        runs: dict[str, list[Path]] = {KEPT: [], TWICE: []}
        steps = min(PARTITIONS, max(1, -(-self.clean[name] // STEP)))
        for step in range(steps):
            first, end = (PARTITIONS * s // steps for s in (step, step + 1))
            found = settle(table, self._partitions(table, range(first, end)))
            rules += _rules(found[1])
            for what, rows in zip(runs, found, strict=True):
                runs[what].append(self._folder / name / f"{what}-{step:05d}.parquet")
                pq.write_table(rows, runs[what][-1], row_group_size=RUN_GROUP)
            told(step + 1, 2 * steps)
        kept_, twice_ = (in_order(files, order(table)) for files in runs.values())
        return Settled(_telling(kept_, told, steps), twice_, rules)

    def _spill(self) -> None:
        """Put what is held on disk."""
        for (name, what), parts in self._held.items():
            folder = self._folder / name
            folder.mkdir(parents=True, exist_ok=True)
            rows = pa.concat_tables(parts, promote_options="default")
            if what == "bad":
                pq.write_table(rows, folder / f"bad-{self._spills:05d}.parquet")
            elif rows.num_rows:
                _partition(rows, key(self.tables[name]), folder / f"clean-{self._spills:05d}")
        self._held.clear()
        self._spills += 1
        self._on_disk = self.clean.total() + self.bad.total()

    def _partitions(self, table: Table, wanted: Sequence[int]) -> pa.Table:
        """The clean rows of some partitions, which are removed."""
        folder = self._folder / table.name
        files = [f for p in wanted for f in folder.glob(f"clean-*/_partition={p}/*.parquet")]
        rows = [pq.ParquetFile(f).read().cast(table.schema) for f in files]
        for file in files:
            file.unlink()
        return pa.concat_tables([table.schema.empty_table(), *rows])


def in_order(files: Sequence[Path], columns: str) -> Iterator[pa.Table]:
    """The rows of files, each of which stands by customer, in order, some customers at a time."""
    found, customer = pads.dataset([str(f) for f in files]), pads.field("customer_id")
    for first, end in pairwise([None, *_bounds(files), None]):
        asked = [
            *([] if first is None else [customer >= first]),
            *([] if end is None else [customer < end]),
        ]
        rows = found.to_table(filter=reduce(and_, asked) if asked else None)
        with duckdb.connect(config={"threads": 2}) as db:
            db.execute("SET TimeZone = 'UTC'")
            db.register("rows", rows)
            ordered = db.sql(f"SELECT * FROM rows ORDER BY {columns}").to_arrow_table()
        yield ordered.cast(rows.schema)


def _bounds(files: Sequence[Path]) -> list[str]:
    """The customers at which ranges of about `STEP` rows begin, but for the first."""
    rows, sample = 0, []
    for file in files:
        ids = pq.read_table(file, columns=["customer_id"])["customer_id"]
        rows += len(ids)
        sample += ids[::SAMPLED].to_pylist()
    sample.sort()
    ranges = -(-rows // STEP)
    return sorted({sample[len(sample) * r // ranges] for r in range(1, ranges)})


def _partition(rows: pa.Table, key: str, folder: Path) -> None:
    place = str(folder).replace("'", "''")
    with duckdb.connect(config={"threads": 2}) as db:
        db.register("rows", rows)
        db.execute(
            f"COPY (SELECT *, hash({key}) % {PARTITIONS} AS _partition FROM rows) TO '{place}' "
            "(FORMAT parquet, PARTITION_BY (_partition))"
        )


def _rules(twice: pa.Table) -> Counter[str]:
    counts = pc.value_counts(twice[RULE])
    return Counter({c["values"]: c["counts"] for c in counts.to_pylist()})


def _telling(spans: Iterator[pa.Table], told: Told, steps: int) -> Iterator[pa.Table]:
    """The spans; `told` hears of the second half of the steps."""
    for place, rows in enumerate(spans, 1):
        yield rows
        told(min(steps + place, 2 * steps - 1), 2 * steps)
    told(2 * steps, 2 * steps)
