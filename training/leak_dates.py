"""Dates that lie after the row was known, in whatever way they are written as numbers.

Enters: a data set. Leaves: the date columns that were looked at, and those with later dates. A date
column that says nothing of itself is known by its values; forms that amounts could have too are
only read as dates where name or unit says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, to_micros
from events.dataset import Dataset
from events.given import GIVEN
from features.programs import CLOCKS
from training.findings import Finding

Floats = NDArray[np.float64]
DATED_STOPS = 0.001
_WRITTEN = ((19_000_101, 21_001_231, "%Y%m%d"), (190_001, 210_012, "%Y%m"),
            (19_000_101_000_000, 21_001_231_235_959, "%Y%m%d%H%M%S"))  # fmt: skip
_HINTED = (
    (1_011_900, 31_122_100, "%d%m%Y", 8),
    (1_900_001, 2_100_366, "%Y%j", 7),
    (190_001, 210_053, "%G%V%u", 6),
)
"""31012024, 2024031, and the week 202405, which is asked for its Monday."""
_EXCEL, EXCEL_EPOCH = (30_000.0, 66_000.0), 25_569
"""Days of a spreadsheet from 1982 to 2080, and its number of 1970-01-01."""
_DAYS = (7_000.0, 30_000.0)
_DATE_NAME = re.compile(
    r"(^|[^a-z])(date|dt|datum|fecha|data|day|week|wk|serial|time|ts|on|at|as_of|asof|дата)"
    r"($|[^a-z])|日期|时间|日$|周|timestamp"
)


def future_dated(dataset: Dataset) -> tuple[list[Finding], list[str]]:
    """Date columns with values after the row was known, and all that were looked at."""
    found, checked = [], []
    for where, ahead in _days_ahead(dataset):
        checked.append(where)
        share = float((ahead > 0).mean())
        if share > 0:
            said = (
                f"{(ahead > 0).sum()} of its {ahead.size} dates lie after as_of, up to "
                f"{ahead.max():.0f} days: leave the column out, or say when each value became known"
            )
            found.append(
                Finding("future_dated", where, said, round(share, 4), is_sure=share >= DATED_STOPS)
            )
    return found, checked


def _days_ahead(dataset: Dataset) -> Iterator[tuple[str, Floats]]:
    """Every date column's values that are there, in days after the row was known."""
    given = dataset.given
    if given is not None:
        as_of = to_micros(given.as_of) / MICROS_PER_DAY
        rows = dataset.table(GIVEN)
        for column in given.columns:
            values = rows[column.name].drop_null().to_numpy()
            is_date = any(_is_dated(n) for n in (column.name, column.column, column.unit))
            days = -values if column.days_since else as_days(values, is_date=is_date)
            if days is not None and values.size:
                yield f"{GIVEN}.{column.name}", days if column.days_since else days - as_of
        return
    if not dataset.has("customers"):
        return
    rows = dataset.table("customers")
    for name in rows.schema.names:
        if pa.types.is_temporal(rows.schema.field(name).type) and name not in CLOCKS:
            gaps = pc.subtract(
                rows[name].cast(pa.timestamp("us")).cast(pa.int64()),
                rows["known_at"].cast(pa.int64()),
            ).drop_null()
            if len(gaps):
                yield f"customers.{name}", gaps.to_numpy() / MICROS_PER_DAY


def _is_dated(name: str) -> bool:
    """Whether a name or unit says that its values are dates.

    >>> [_is_dated(n) for n in ("closed_on", "ClosedDate", "DT_CLOSE", "销户日期", "balance")]
    [True, True, True, True, False]
    """
    split = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    return _DATE_NAME.search(split.lower()) is not None


def as_days(values: Floats, *, is_date: bool) -> Floats | None:
    """Days since 1970 of numbers that are all written as one form of dates; None where they are
    something else.

    20200131, 202001, 20200131235959, and seconds, milli-, micro- or nanoseconds between 1989 and
    2079; where `is_date`, also 31012020, 2020031, the week 202005, days of a spreadsheet and days
    since 1970.
    """
    if values.size < 2 or not np.isfinite(values).all():
        return None
    kinds, place = np.unique(values, return_inverse=True)
    if kinds.size < 2:
        return None
    is_whole = bool((kinds == np.round(kinds)).all())
    read = [_written(kinds, *form) for form in _WRITTEN if is_whole]
    read += [_counted(kinds)] if is_whole or is_date else []
    if is_date:
        read += [_hinted(kinds, *form) for form in _HINTED if is_whole]
        read.append(_spreadsheet(kinds))
    days = next((d for d in read if d is not None), None)
    return None if days is None else days[place]


def _written(kinds: Floats, first: int, last: int, form: str) -> Floats | None:
    if kinds[0] < first or kinds[-1] > last:
        return None
    return _parsed(pd.Series(kinds.astype(np.int64).astype(str)), form)


def _hinted(kinds: Floats, first: int, last: int, form: str, digits: int) -> Floats | None:
    if kinds[0] < first or kinds[-1] > last:
        return None
    texts = pd.Series(kinds.astype(np.int64).astype(str)).str.zfill(digits)
    return _parsed(texts + "1" if form == "%G%V%u" else texts, form)


def _parsed(texts: pd.Series, form: str) -> Floats | None:
    days = pd.to_datetime(texts, format=form, errors="coerce").to_numpy()
    if np.isnat(days).any():
        return None
    return days.astype("datetime64[D]").astype(np.float64)


def _counted(kinds: Floats) -> Floats | None:
    """Seconds since 1970 and finer."""
    for scale in (86_400.0, 86_400e3, 86_400e6, 86_400e9):
        if kinds[0] / scale >= 7_000 and kinds[-1] / scale <= 40_000:
            return np.asarray(kinds / scale)
    return None


def _spreadsheet(kinds: Floats) -> Floats | None:
    if kinds[0] >= _EXCEL[0] and kinds[-1] <= _EXCEL[1]:
        return np.asarray(kinds - EXCEL_EPOCH)
    return kinds if kinds[0] >= _DAYS[0] and kinds[-1] <= _DAYS[1] else None
