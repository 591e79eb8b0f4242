"""What others would write by hand: the same windowed features in SQL, Polars and pandas.

Enters: a data set, as_of instants, the takes of one table. Leaves: for every as_of a frame of
customers and features. Each peer reads the Parquet files once a date, filters, groups by customer
and aggregates inside the windows, which is how these tools are used. Derived features are left out.
Imported by the benchmark only; Polars and lifetimes come with the extra `bench`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads

from domain.asof import MICROS_PER_DAY, from_micros
from events.dataset import Dataset
from features.catalogue import Catalogue
from features.declare import Take
from features.offers import OFFERS, Condition
from features.panel import quiet_duckdb
from features.programs import CLOCKS, compile_takes

TABLE = "transactions"
OFFER = OFFERS[TABLE]
OPERATIONS = {
    "count", "recency", "tenure", "sum", "mean", "std", "min", "max", "last", "distinct", "slope",
}  # fmt: skip
"""What every peer computes."""
Peer = Callable[[Dataset, int, dict[str, Take]], pa.Table]


def takes_of(catalogue: Catalogue) -> dict[str, Take]:
    """The windowed features of the table, by name."""
    found = {d.name: d.take for d in catalogue.declarations if d.take is not None}
    return {n: t for n, t in found.items() if t.table == TABLE}


def columns_of(catalogue: Catalogue) -> list[str]:
    """The columns that the features need."""
    [compiled] = [c for c in compile_takes(catalogue) if c.table == TABLE]
    return ["customer_id", *CLOCKS, *compiled.columns]


def run(peer: str, dataset: Dataset, as_of: tuple[int, ...], catalogue: Catalogue) -> Iterator[Any]:
    """The frame of every date."""
    for moment in as_of:
        yield PEERS[peer](dataset, moment, takes_of(catalogue))


def in_duckdb(dataset: Dataset, as_of: int, takes: dict[str, Take]) -> pa.Table:
    """One query a date: aggregates with FILTER."""
    files = [str(f) for f in dataset.files(TABLE)]
    named = ", ".join(f"{_sql(take, as_of)} AS {name}" for name, take in takes.items())
    query = f"""
        SELECT customer_id, {named}
        FROM (SELECT *, epoch_us(happened_at) AS t, epoch_us(happened_at) // {MICROS_PER_DAY} AS day
              FROM read_parquet({files}))
        WHERE t <= {as_of} AND epoch_us(known_at) <= {as_of}
          AND (superseded_at IS NULL OR epoch_us(superseded_at) > {as_of})
        GROUP BY customer_id"""
    with quiet_duckdb() as db:
        return db.sql(query).to_arrow_table()


def _sql(take: Take, as_of: int) -> str:
    end = as_of - take.ago * MICROS_PER_DAY
    met = [_sql_condition(OFFER.conditions[c]) for c in take.where]
    if take.ago:
        met.append(f"t <= {end}")
    if take.days:
        met.append(f"t > {end - take.days * MICROS_PER_DAY}")
    inside = f"FILTER (WHERE {' AND '.join(met)})" if met else ""
    found = _sql_answer(take, inside, as_of)
    return f"CASE WHEN min(t) <= {end} THEN {found} END" if take.ago else found


def _sql_answer(take: Take, inside: str, as_of: int) -> str:
    value, day = _sql_value(take.value), float(MICROS_PER_DAY)
    if take.op == "slope":
        x = f"((t - {as_of}) / {day})"
        span = f"max(CASE WHEN {value} IS NOT NULL THEN {x} END) {inside}"
        span += f" - min(CASE WHEN {value} IS NOT NULL THEN {x} END) {inside}"
        return f"CASE WHEN {span} >= 1 THEN regr_slope({value}, {x}) {inside} END"
    if take.op == "distinct":
        by = "day" if take.value == "day" else "date_trunc('month', make_timestamp(t))"
        return f"count(DISTINCT {by}) {inside}"
    return {
        "count": f"count(*) {inside}",
        "recency": f"({as_of} - max(t) {inside}) / {day}",
        "tenure": f"({as_of} - min(t) {inside}) / {day}",
        "sum": f"coalesce(sum({value}) {inside}, 0)",
        "mean": f"avg({value}) {inside}",
        "std": f"stddev_pop({value}) {inside}",
        "min": f"min({value}) {inside}",
        "max": f"max({value}) {inside}",
        "last": f"arg_max({value}, t) {inside}",
    }[take.op]


def _sql_value(value: str | None) -> str:
    net = "CASE kind WHEN 'refund' THEN -amount ELSE amount END"
    return f"({net})" if value == "net_spend" else f'"{value}"'


def _sql_condition(condition: Condition) -> str:
    allowed = ", ".join(f"'{a}'" for a in condition.allowed)
    return f'"{condition.column}" IN ({allowed})'


def in_polars(dataset: Dataset, as_of: int, takes: dict[str, Take]) -> pa.Table:
    """One lazy query a date on the streaming engine."""
    import polars as pl

    t, moment = pl.col("t"), pl.lit(as_of)
    late = pl.col("superseded_at").is_null() | (pl.col("superseded_at").dt.epoch("us") > moment)
    seen = (t <= moment) & (pl.col("known_at").dt.epoch("us") <= moment) & late
    rows = pl.scan_parquet([str(f) for f in dataset.files(TABLE)])
    net = pl.when(pl.col("kind") == "refund").then(-pl.col("amount")).otherwise(pl.col("amount"))
    rows = rows.with_columns(pl.col("happened_at").dt.epoch("us").alias("t")).filter(seen)
    rows = rows.with_columns(
        net.alias("net_spend"),
        (t // MICROS_PER_DAY).alias("day"),
        pl.col("happened_at").dt.strftime("%Y-%m").alias("month")
        if any(k.value == "month" for k in takes.values())
        else t.alias("month"),
    )
    asked = [_polars(pl, take, as_of).alias(name) for name, take in takes.items()]
    return rows.group_by("customer_id").agg(asked).collect(engine="streaming").to_arrow()


def _polars(pl: Any, take: Take, as_of: int) -> Any:
    t, end = pl.col("t"), as_of - take.ago * MICROS_PER_DAY
    inside = pl.lit(True)
    for name in take.where:
        condition = OFFER.conditions[name]
        inside = inside & pl.col(condition.column).is_in(list(condition.allowed))
    if take.ago:
        inside = inside & (t <= end)
    if take.days:
        inside = inside & (t > end - take.days * MICROS_PER_DAY)
    found = _polars_answer(pl, take, inside, as_of)
    return pl.when(t.min() <= end).then(found) if take.ago else found


def _polars_answer(pl: Any, take: Take, inside: Any, as_of: int) -> Any:
    day = float(MICROS_PER_DAY)
    if take.op == "count":
        return inside.sum()
    if take.op in ("recency", "tenure"):
        t = pl.col("t").filter(inside)
        return (as_of - (t.max() if take.op == "recency" else t.min())) / day
    if take.op == "distinct":
        return pl.col(take.value).filter(inside).n_unique()
    known = inside & pl.col(take.value).is_not_null()
    v, x = pl.col(take.value).filter(known), (pl.col("t").filter(known) - as_of) / day
    if take.op == "slope":
        n, middle = v.count(), x.mean()
        moment = (x * v).sum() - middle * v.sum()
        slope = moment / ((x * x).sum() - n * middle * middle)
        return pl.when(x.max() - x.min() >= 1).then(slope)
    if take.op == "last":
        return v.sort_by(pl.col("t").filter(known)).last()
    if take.op == "std":
        return v.std(ddof=0)
    return getattr(v, take.op)()


def in_pandas(dataset: Dataset, as_of: int, takes: dict[str, Take]) -> pa.Table:
    """One frame a date, a group-by for each set of conditions and window."""
    files = [str(f) for f in dataset.files(TABLE)]
    raw = {c for t in takes.values() for n in (*t.where, t.value) if n for c in OFFER.columns_of(n)}
    names = sorted({"customer_id", *CLOCKS} | raw)
    frame = pads.dataset(files).to_table(columns=names).to_pandas()
    moment = pd.Timestamp(from_micros(as_of))
    seen = (frame["happened_at"] <= moment) & (frame["known_at"] <= moment)
    frame = frame[seen & ~(frame["superseded_at"] <= moment)]
    frame["t"] = frame["happened_at"].astype("datetime64[us, UTC]").astype("int64")
    frame["day"] = frame["t"] // MICROS_PER_DAY
    frame["month"] = frame["happened_at"].dt.year * 12 + frame["happened_at"].dt.month
    frame["net_spend"] = np.where(frame["kind"] == "refund", -frame["amount"], frame["amount"])
    out = pd.DataFrame(index=pd.Index(frame["customer_id"].unique(), name="customer_id"))
    first = frame.groupby("customer_id")["t"].min().reindex(out.index)
    for name, take in takes.items():
        end = as_of - take.ago * MICROS_PER_DAY
        met = frame["t"] <= end
        for c in take.where:
            met &= frame[OFFER.conditions[c].column].isin(OFFER.conditions[c].allowed)
        if take.days:
            met &= frame["t"] > end - take.days * MICROS_PER_DAY
        found = _pandas_answer(take, frame[met], as_of).reindex(out.index)
        if take.op in ("count", "sum", "distinct"):
            found = found.fillna(0)
        out[name] = found.where(first <= end)
    return pa.Table.from_pandas(out.reset_index(), preserve_index=False)


def _pandas_answer(take: Take, rows: pd.DataFrame, as_of: int) -> pd.Series[Any]:
    day = float(MICROS_PER_DAY)
    by = rows.groupby("customer_id")
    if take.op == "count":
        return by.size()
    if take.op in ("recency", "tenure"):
        return (as_of - (by["t"].max() if take.op == "recency" else by["t"].min())) / day
    if take.op == "distinct":
        return by[str(take.value)].nunique()
    if take.op == "std":
        return by[str(take.value)].std(ddof=0)
    if take.op == "slope":
        known = rows[rows[take.value].notna()]
        x, v = (known["t"] - as_of) / day, known[take.value]
        sums = pd.DataFrame(
            {"c": known["customer_id"], "n": 1.0, "x": x, "v": v, "xx": x * x, "xv": x * v}
        )
        s = sums.groupby("c").sum()
        slope = (s.n * s.xv - s.x * s.v) / (s.n * s.xx - s.x * s.x)
        times = known.groupby("customer_id")["t"]
        return slope.where((times.max() - times.min()) >= MICROS_PER_DAY)
    found: pd.Series[Any] = getattr(by[str(take.value)], take.op)()
    return found


def in_lifetimes(dataset: Dataset, as_of: int, takes: dict[str, Take]) -> pa.Table:
    """Recency, frequency, age and money of purchases only: four features, whatever was asked."""
    from lifetimes.utils import summary_data_from_transaction_data

    del takes
    files = [str(f) for f in dataset.files(TABLE)]
    bought = pads.field("kind") == "purchase"
    rows = pads.dataset(files).to_table(
        columns=["customer_id", "happened_at", "amount"], filter=bought
    )
    frame = rows.to_pandas()
    frame["happened_at"] = frame["happened_at"].dt.tz_localize(None)
    end = pd.Timestamp(from_micros(as_of)).tz_localize(None)
    found = summary_data_from_transaction_data(
        frame, "customer_id", "happened_at", "amount", observation_period_end=end
    )
    return pa.Table.from_pandas(found.reset_index(), preserve_index=False)


PEERS: dict[str, Peer] = {
    "duckdb": in_duckdb,
    "polars": in_polars,
    "pandas": in_pandas,
    "lifetimes": in_lifetimes,
}
