"""How good a checked data set is, by table and month: data, for the page and for machines.

Enters: a checked data set with its quarantine. Leaves: rows, completeness, lateness, corrections
and drift of every month, quarantine by rule. Months are those of `happened_at` in UTC, and the last
version of each event counts. It tells shares and counts, never a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from events.check import RULE
from events.dataset import SUPERSEDED, Dataset, declared
from events.schema import Table

BINS = 10
DUPLICATE = "duplicate"
_MONTH = r"^\s*((?:19|20|21)\d{2}-(?:0[1-9]|1[0-2]))-"
MOST_KINDS = 20
LEAST_ROWS = 400
"""Fewer rows drift by chance: without any change the index is about (bins - 1) (1/n + 1/m). Source:
Yurdakul, Statistical Properties of Population Stability Index, 2018."""
MINOR, MAJOR = 0.10, 0.25
"""Bounds of the stability index: from 0.10 on look, from 0.25 on act. Source: Siddiqi, Credit Risk
Scorecards, 2006."""


@dataclass(frozen=True)
class Month:
    """One month of one table; times in days. `late`: known more than a day after it happened.

    `complete`: share of rows that hold a value, by column. `drift`: stability index of each column
    against all months before (absent: too few rows to say).
    """

    month: str
    rows: int
    customers: int
    corrected: int
    lateness_median: float
    lateness_most: float
    late: float
    complete: Mapping[str, float]
    drift: Mapping[str, float]


@dataclass(frozen=True)
class TableQuality:
    """One table: its months in order, and rows in quarantine by rule, also of each month.

    `quarantine_months`: by the month that a row says it happened in, where it says one.
    """

    table: str
    rows: int
    months: tuple[Month, ...]
    quarantine: Mapping[str, int]
    quarantine_months: Mapping[str, Mapping[str, int]]

    @property
    def duplicates(self) -> int:
        """Rows that arrived more than once, all but the first of each."""
        return self.quarantine.get(DUPLICATE, 0)

    @property
    def drifted(self) -> tuple[tuple[str, str, float], ...]:
        """Month, column and index where drift is major, the worst first."""
        found = [(m.month, c, v) for m in self.months for c, v in m.drift.items() if v >= MAJOR]
        return tuple(sorted(found, key=lambda f: -f[2]))


@dataclass(frozen=True)
class Quality:
    """The whole data set."""

    source: str
    tables: tuple[TableQuality, ...]

    def to_json(self) -> str:
        """The same as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def quality(dataset: Dataset) -> Quality:
    """The quality of every table that holds rows."""
    found = []
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        for name in dataset.tables:
            if dataset.has(name):
                found.append(_table(db, dataset, declared(name, dataset.given)))
    return Quality(dataset.source, tuple(found))


def _table(db: duckdb.DuckDBPyConnection, dataset: Dataset, table: Table) -> TableQuality:
    files = [str(f) for f in dataset.files(table.name)]
    db.execute(
        "CREATE OR REPLACE TEMP VIEW every AS SELECT *, strftime(happened_at, '%Y-%m') AS month_ "
        f"FROM read_parquet({files!r})"
    )
    db.execute(f"CREATE OR REPLACE TEMP VIEW last AS FROM every WHERE {SUPERSEDED} IS NULL")
    names = [c.name for c in table.columns]
    shares = ", ".join(f'avg(("{n}" IS NOT NULL)::INT) AS "{n}"' for n in names)
    lateness = "(epoch_us(known_at) - epoch_us(happened_at)) / 86400e6"
    rows = db.execute(
        f"SELECT month_, count(*), count(DISTINCT customer_id), median({lateness}), "
        f"quantile_cont({lateness}, 0.95), avg(({lateness} > 1)::INT), {shares} "
        "FROM last GROUP BY month_ ORDER BY month_"
    ).fetchall()
    corrected = dict(
        db.execute(
            f"SELECT month_, count(*) FROM every WHERE {SUPERSEDED} IS NOT NULL GROUP BY month_"
        ).fetchall()
    )
    drift = {c: _drift(db, table, c, [r[0] for r in rows]) for c in _watched(table)}
    months = tuple(
        Month(
            month=r[0],
            rows=r[1],
            customers=r[2],
            corrected=corrected.get(r[0], 0),
            lateness_median=round(r[3], 4),
            lateness_most=round(r[4], 4),
            late=round(r[5], 4),
            complete={n: round(share, 4) for n, share in zip(names, r[6:], strict=True)},
            drift={c: found[r[0]] for c, found in drift.items() if r[0] in found},
        )
        for r in rows
    )
    quarantine = _quarantine(dataset.root, table.name)
    return TableQuality(table.name, sum(m.rows for m in months), months, *quarantine)


def _watched(table: Table) -> list[str]:
    """The columns whose mix may drift: numbers, flags and categories, no ids, dates and clocks."""
    return [
        c.name
        for c in table.columns
        if c.unit != "id" and not (pa.types.is_timestamp(c.type) or pa.types.is_date(c.type))
    ]


def _drift(
    db: duckdb.DuckDBPyConnection, table: Table, column: str, months: list[str]
) -> dict[str, float]:
    """The stability index of each month against the months before it.

    Numbers fall into tenths of the whole table, categories are themselves (the rarest together),
    and a missing value is a kind of its own.
    """
    kind = table.column(column).type
    if pa.types.is_floating(kind):
        tenths = [i / BINS for i in range(1, BINS)]
        [cuts] = db.execute(f'SELECT approx_quantile("{column}", {tenths!r}) FROM last').fetchall()
        edges = sorted(set(cuts[0] or []))
        place = " + ".join(f'("{column}" > {e!r})::INT' for e in edges) or "0"
        bin_ = f"coalesce(({place})::VARCHAR, '')"
    else:
        bin_ = f"coalesce(\"{column}\"::VARCHAR, '')"
    counts = db.execute(
        f"SELECT month_, {bin_} AS bin, count(*) FROM last GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    kinds: dict[str, int] = {}
    for _, name, count in counts:
        kinds[name] = kinds.get(name, 0) + count
    common = sorted(kinds, key=lambda k: (-kinds[k], k))[:MOST_KINDS]
    place_of = {k: i for i, k in enumerate(common)}
    table_ = np.zeros((len(months), len(common) + 1))
    row_of = {m: i for i, m in enumerate(months)}
    for month, name, count in counts:
        table_[row_of[month], place_of.get(name, len(common))] += count
    before = np.cumsum(table_, axis=0) - table_
    return {
        m: round(stability_index(before[i], table_[i]), 4)
        for i, m in enumerate(months)
        if min(before[i].sum(), table_[i].sum()) >= LEAST_ROWS
    }


def stability_index(expected: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """The population stability index of two counts over the same kinds; half a row is everywhere.

    Source: Siddiqi, Credit Risk Scorecards, 2006; sum of (q - p) ln(q / p).

    >>> round(stability_index(np.array([500.0, 500.0]), np.array([600.0, 400.0])), 3)
    0.04
    """
    used = (expected + found) > 0
    p, q = expected[used] + 0.5, found[used] + 0.5
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def _quarantine(root: Path, table: str) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Rows in quarantine by rule, and by rule in each month of the calendar that they name."""
    file = root / "quarantine" / f"{table}.parquet"
    if not file.is_file():
        return {}, {}
    rows = pq.read_table(file).to_pandas()
    rules = rows[RULE].value_counts()
    by_month: dict[str, dict[str, int]] = {}
    if "happened_at" in rows:
        month = rows["happened_at"].astype("string").str.extract(_MONTH)[0]
        for (name, rule), count in rows.groupby([month, RULE]).size().items():
            by_month.setdefault(str(name), {})[str(rule)] = int(count)
    return {str(k): int(v) for k, v in sorted(rules.items())}, by_month
