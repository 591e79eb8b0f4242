"""Persons under new ids, dates of the future, and ids that tell: planted into a whole data set.

Enters: a data set. Leaves: for each kind and strength the finding. A fiftieth of the customers is
copied, with all their rows, under new ids, which are then changed as the kind says.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from domain.asof import MICROS_PER_DAY, to_micros
from events.dataset import Dataset
from events.given import GIVEN, GivenColumn
from events.schema import PERSON_ID
from features.programs import CLOCKS
from training.findings import Finding
from training.leak_dates import EXCEL_EPOCH, future_dated
from training.leak_persons import same_person, told_by_id
from training.matrix import labelled

SHARE, MOST = 50, 50_000
"""Of so many customers one is copied; larger sets have only their dates tried."""
Change = Callable[[str, pa.Table, np.random.Generator], pa.Table]
Found = Iterator[tuple[str, str, Finding | None]]


def persons_found(dataset: Dataset, seed: int) -> Found:
    """Every kind that a data set of this form can have."""
    events = [t for t in ("transactions", "statements") if dataset.has(t)]
    kinds = dict(_IDS) | (_PROFILES if dataset.given is not None else {})
    kinds |= _EVENTS if events else {}
    if dataset.given is not None and dataset.tables[GIVEN].rows > MOST:
        kinds = {}
    for (kind, strength), (renamed, change) in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            again = copied(dataset, Path(folder), renamed, change, np.random.default_rng(seed))
            found = same_person(again, labelled(again)[0])[0]
        yield kind, strength, max(found, key=lambda f: f.is_sure, default=None)
    with tempfile.TemporaryDirectory() as folder:
        linked = phoned(dataset, Path(folder), np.random.default_rng(seed))
        if linked is not None:
            found = same_person(linked, labelled(linked)[0])[0]
            worst = max(found, key=lambda f: f.is_sure, default=None)
            yield "persons twice", "strangers with one phone", worst
    for target, table in labelled(dataset)[0].items():
        for mixed in (0.0, 0.3, 0.6):
            again = _sorted_ids(table, mixed, np.random.default_rng(seed))
            yield "ids given by outcome", f"{mixed:.0%} mixed", told_by_id(target, again)
        break
    if dataset.given is not None:
        yield from _dates(dataset)


def copied(
    dataset: Dataset, root: Path, renamed: Callable[[str], str], change: Change,
    rng: np.random.Generator,
) -> Dataset:  # fmt: skip
    """The data set with some customers once more."""
    tables = (GIVEN, "outcomes", "transactions", "statements")
    main = next(t for t in tables if t in dataset.tables and dataset.has(t))
    ids = pc.unique(dataset.table(main, ["customer_id"])["customer_id"])
    some = ids.take(pa.array(np.sort(rng.permutation(len(ids))[: len(ids) // SHARE])))
    for name in dataset.tables:
        if not dataset.has(name):
            continue
        rows = dataset.table(name)
        more = rows.filter(pc.is_in(rows["customer_id"], value_set=some))
        new = pa.array([renamed(c) for c in more["customer_id"].to_pylist()], pa.string())
        more = change(name, more.set_column(0, rows.schema.field(0), new), rng)
        whole = pa.concat_tables([rows, more.cast(rows.schema)])
        (root / name).mkdir()
        order = [("customer_id", "ascending"), ("happened_at", "ascending")]
        pq.write_table(whole.sort_by(order), root / name / "part-00000.parquet")
    return replace(dataset, root=root)


def phoned(dataset: Dataset, root: Path, rng: np.random.Generator) -> Dataset | None:
    """The data set whose customers have a `person_id`: a twentieth has that of another one."""
    name = GIVEN if dataset.given is not None else "customers"
    if name not in dataset.tables or not dataset.has(name):
        return None
    rows = dataset.table(name)
    ids = pc.unique(rows["customer_id"])
    phones = np.array([f"h{i}" for i in range(len(ids))])
    twice = rng.permutation(len(ids))[: len(ids) // 20 * 2].reshape(2, -1)
    phones[twice[0]] = phones[twice[1]]
    told = pa.array(phones).take(pc.index_in(rows["customer_id"], value_set=ids).combine_chunks())
    if PERSON_ID.name in rows.column_names:
        rows = rows.drop_columns([PERSON_ID.name])
    shutil.copytree(dataset.root, root / "dataset")
    for file in (root / "dataset" / name).iterdir():
        file.unlink()
    place = root / "dataset" / name / "part-00000.parquet"
    pq.write_table(rows.append_column(PERSON_ID.name, told), place)
    given = dataset.given and dataset.given.model_copy(update={"person_id": "phone"})
    return replace(dataset, root=root / "dataset", given=given)


def _as_it_is(_: str, rows: pa.Table, __: np.random.Generator) -> pa.Table:
    return rows


def _changed(share: float) -> Change:
    """So many of the columns of each copy become another customer's."""

    def change(name: str, rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        if name not in (GIVEN, "customers"):
            return rows
        for place, field in enumerate(rows.schema):
            if field.name not in ("customer_id", *CLOCKS):
                others = rows[field.name].take(pa.array(rng.permutation(rows.num_rows)))
                mask = pa.array(rng.random(rows.num_rows) < share)
                rows = rows.set_column(place, field, pc.if_else(mask, others, rows[field.name]))
        return rows

    return change


def _jittered(share: float, *, is_moved: bool = False) -> Change:
    """Numbers that are no whole ones off by so much; events a day later where they are moved."""

    def change(name: str, rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        if is_moved and name in ("transactions", "statements"):
            rows = _moved(name, rows, rng)
        for place, field in enumerate(rows.schema):
            if pa.types.is_floating(field.type) and name != "outcomes" and share:
                values = rows[field.name].to_numpy()
                noise = 1 + share * rng.normal(size=rows.num_rows)
                is_amount = np.nanmax(np.abs(values), initial=0) > 100
                values = (values * noise).round(2) if is_amount else values
                rows = rows.set_column(place, field, pa.array(values, from_pandas=True))
        return rows

    return change


def _moved(name: str, rows: pa.Table, _: np.random.Generator) -> pa.Table:
    if name not in ("transactions", "statements"):
        return rows
    for clock in CLOCKS:
        place = rows.schema.get_field_index(clock)
        later = pc.add(rows[clock].cast(pa.int64()), MICROS_PER_DAY).cast(rows[clock].type)
        rows = rows.set_column(place, rows.schema.field(place), later)
    return rows


def _half(name: str, rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    if name not in ("transactions", "statements"):
        return rows
    return rows.filter(pa.array(rng.random(rows.num_rows) < 0.5))


def _new(customer: str) -> str:
    return f"N{customer}-7"


def _mixed(customer: str) -> str:
    return f" {customer.swapcase()}."


_IDS: dict[tuple[str, str], tuple[Callable[[str], str], Change]] = {
    ("persons twice", "the id written otherwise"): (_mixed, _changed(1.0)),
    ("persons twice", "a new id"): (_new, _as_it_is),
}
_PROFILES: dict[tuple[str, str], tuple[Callable[[str], str], Change]] = {
    ("persons twice", "a tenth of the columns changed"): (_new, _changed(0.1)),
    ("persons twice", "half of the columns changed"): (_new, _changed(0.5)),
    ("persons twice", "amounts off by 1 %"): (_new, _jittered(0.01)),
    ("persons twice", "amounts off by 5 %"): (_new, _jittered(0.05)),
}
_EVENTS: dict[tuple[str, str], tuple[Callable[[str], str], Change]] = {
    ("histories twice", "moved by a day"): (_new, _jittered(0.0, is_moved=True)),
    ("histories twice", "half of the events"): (_new, _half),
    ("histories twice", "amounts off by 1 %"): (_new, _jittered(0.01)),
    ("histories twice", "moved and off by 1 %"): (_new, _jittered(0.01, is_moved=True)),
}


def _sorted_ids(table: pa.Table, mixed: float, rng: np.random.Generator) -> pa.Table:
    y = table["y"].to_numpy().astype(np.float64)
    noise = rng.random(y.size)
    order = np.argsort(np.where(rng.random(y.size) < mixed, noise, y + 0.001 * noise))
    ids = np.empty(y.size, dtype=object)
    ids[order] = [f"c{i:07d}" for i in range(y.size)]
    return pa.table({"customer_id": pa.array(ids.tolist()), "y": table["y"]})


def _dates(dataset: Dataset) -> Found:
    """A closing date for a twentieth of the rows within the horizon, written in many ways."""
    given = dataset.given
    if given is None:
        return
    as_of = to_micros(given.as_of) // MICROS_PER_DAY
    rng = np.random.default_rng(1)
    rows = dataset.table(GIVEN)
    days = as_of + np.where(rng.random(rows.num_rows) < 0.05, 1, -1) * rng.integers(
        1, 60, rows.num_rows
    )
    moments = days.astype("datetime64[D]").astype(object)
    forms = {
        "20240131": [float(f"{d:%Y%m%d}") for d in moments],
        "31012024": [float(f"{d:%d%m%Y}") for d in moments],
        "2024031": [float(f"{d:%Y%j}") for d in moments],
        "week 202405": [float(f"{d:%G%V}") for d in moments],
        "days of a spreadsheet": days + float(EXCEL_EPOCH),
        "days since 1970": days.astype(np.float64),
        "seconds since 1970": days * 86_400.0,
        "milliseconds since 1970": days * 86_400e3,
    }
    for form, values in forms.items():
        column = GivenColumn(name="closed_on", column="CLOSED_ON", unit="date", zh="日", en="Day")
        more = given.model_copy(update={"columns": (*given.columns, column)})
        with tempfile.TemporaryDirectory() as folder:
            whole = rows.append_column("closed_on", pa.array(np.asarray(values, dtype=np.float64)))
            place = Path(folder) / GIVEN
            place.mkdir()
            pq.write_table(whole, place / "part-00000.parquet")
            found = future_dated(replace(dataset, root=Path(folder), given=more))[0]
        named = [f for f in found if f.where == f"{GIVEN}.closed_on"]
        yield "dates after as_of", form, max(named, key=lambda f: f.is_sure, default=None)
