"""A small feature table of one's own with its declaration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DECLARATION = """
text = "borrowers of a test"
file = "people.parquet"
id = "nr"
as_of = 2024-01-01T00:00:00Z
label = "left"
bad = "yes"
target = "churn"
horizon_days = 90
currency = "EUR"
split_key = "people:1"

[[columns]]
name = "visits"
column = "VISITS"
unit = "count"
zh = "到访次数"
en = "Visits"
churn = 1
lever = 2
missing = [99]
[[columns]]
name = "since_last_visit"
column = "LAST"
unit = "days"
zh = "距上次到访"
en = "Time since the last visit"
days_since = true
[[columns]]
name = "level"
column = "LEVEL"
unit = "level"
zh = "等级"
en = "Level"
values = { low = 0, high = 2 }
[[columns]]
name = "is_online"
column = "CHANNEL"
unit = "flag"
zh = "线上"
en = "Online"
is_one_of = ["web", "app"]
[[columns]]
name = "age"
column = "AGE"
unit = "years"
zh = "年龄"
en = "Age"
personal = "protected"
[[columns]]
name = "branch"
column = "BRANCH"
unit = "code"
zh = "网点"
en = "Branch"
"""


def people(count: int = 1200, seed: int = 7) -> pa.Table:
    """Customers who leave the likelier the fewer their visits, and by age, which none may use."""
    rng = np.random.default_rng(seed)
    visits = rng.poisson(5, count)
    age = rng.integers(18, 90, count).astype(float)
    branch = np.random.default_rng(seed + 1).integers(100, 140, count)
    odds = 1.5 - 0.7 * visits + 0.03 * (age - 50) + 0.8 * (branch % 2)
    left = rng.random(count) < 1 / (1 + np.exp(-odds))
    days = rng.integers(1, 200, count)
    last = np.datetime_as_string(np.datetime64("2024-01-01") - days.astype("timedelta64[D]"))
    return pa.table(
        {
            "nr": pa.array(np.arange(count)),
            "VISITS": pa.array(np.where(rng.random(count) < 0.05, 99, visits)),
            "LAST": pa.array([None if d > 190 else t for d, t in zip(days, last, strict=True)]),
            "LEVEL": pa.array(rng.choice(["low", "high", "odd"], count)),
            "CHANNEL": pa.array(rng.choice(np.array(["web", "app", "shop", None]), count)),
            "AGE": pa.array(np.where(age < 20, np.nan, age)),
            "BRANCH": pa.array(branch),
            "left": pa.array(np.where(left, "yes", "no")),
        }
    )


def folder(root: Path, rows: pa.Table | None = None, declaration: str = DECLARATION) -> Path:
    """A folder with the table and its declaration."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "given.toml").write_text(declaration, encoding="utf-8")
    pq.write_table(people() if rows is None else rows, root / "people.parquet")
    return root
