"""The columns of a clean table as the arrays that its offer names.

Enters: an Arrow table. Leaves: clocks, values, bits of conditions and codes of keys, one entry an
event. What they mean is in `features/offers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER
from features.offers import Condition, Key, Value

_DAY = float(MICROS_PER_DAY)


def encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of text as one dictionary array."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return pa.array([], pa.string()).dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


N = TypeVar("N", np.float64, np.int32)


def filled(
    names: Sequence[str], row: Callable[[str], NDArray[N]], width: int, kind: type[N]
) -> NDArray[N]:
    """The row of every name, one below the other; one empty row where there are no names."""
    out = np.empty((len(names), width), kind) if names else np.zeros((1, width), kind)
    for place, name in enumerate(names):
        out[place] = row(name)
    return out


class Raw:
    """A clean table as the arrays that its offer names; columns are decoded once."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._codes: dict[str, tuple[pa.Array, NDArray[np.int32]]] = {}
        self._days: dict[str, tuple[NDArray[np.int32], int]] = {}
        self._micros: dict[str, NDArray[np.int64]] = {}

    def micros(self, column: str) -> NDArray[np.int64]:
        """A clock in microseconds, read only; null is never."""
        if column not in self._micros:
            found = self.table[column].cast(pa.int64())
            found = (pc.fill_null(found, NEVER) if found.null_count else found).to_numpy()
            self._micros[column] = found
        return self._micros[column]

    def codes(self, column: str) -> tuple[pa.Array, NDArray[np.int32]]:
        """The texts of a column, and the place of each row's among them; null: one past them."""
        if column not in self._codes:
            coded = encoded(self.table[column])
            places = coded.indices.cast(pa.int32())
            if places.null_count:
                places = pc.fill_null(places, len(coded.dictionary))
            self._codes[column] = (coded.dictionary, places.to_numpy())
        return self._codes[column]

    def days(self, column: str) -> tuple[NDArray[np.int32], int]:
        """The UTC day of an instant since the first one that occurs, and which that is."""
        if column not in self._days:
            days = self.micros(column) // MICROS_PER_DAY
            first = int(days.min()) if days.size else 0
            self._days[column] = ((days - first).astype(np.int32), first)
        return self._days[column]

    def value(self, value: Value) -> NDArray[np.float64]:
        """A number of every event, NaN where it is missing."""
        first = _numbers(self.table[value.columns[0]])
        if value.rule == "net":
            texts, places = self.codes(value.columns[1])
            sign = np.append(np.where(np.asarray(texts) == "refund", -1.0, 1.0), 1.0)
            return np.asarray(first * sign[places])
        if value.rule == "ratio":
            below = _numbers(self.table[value.columns[1]])
            with np.errstate(all="ignore"):
                return np.where(below > 0, first / below, np.nan)
        return first

    def bits(self, conditions: Sequence[Condition]) -> NDArray[np.int64]:
        """The conditions that each event meets, the first one in the lowest bit."""
        bits = np.zeros(self.table.num_rows, np.int64)
        lookups: dict[str, NDArray[np.int64]] = {}
        for place, condition in enumerate(conditions):
            if condition.rule == "one_of":
                texts = self.codes(condition.column)[0].to_pylist()
                lookup = lookups.setdefault(condition.column, np.zeros(len(texts) + 1, np.int64))
                for code, text in enumerate(texts):
                    lookup[code] |= np.int64((text in condition.allowed) << place)
            else:
                bits |= self._meets(condition).astype(np.int64) << np.int64(place)
        for column, lookup in lookups.items():
            bits |= lookup[self.codes(column)[1]]
        return bits

    def _meets(self, condition: Condition) -> NDArray[np.bool_]:
        column = self.table[condition.column]
        if condition.rule == "present":
            return np.asarray(pc.is_valid(column).to_numpy(), dtype=bool)
        if condition.rule == "weekend":
            days, first = self.days(condition.column)
            of_day = (np.arange(days.max(initial=0) + 1) + first + 3) % 7 >= 5
            return np.asarray(of_day[days])
        if condition.rule == "month_end":
            days, first = self.days(condition.column)
            calendar = np.arange(first, first + days.max(initial=0) + 4).astype("datetime64[D]")
            months = calendar.astype("datetime64[M]")
            return np.asarray((months[3:] > months[:-3])[days])
        return _numbers(column) >= condition.minimum

    def key(self, key: Key) -> NDArray[np.int32]:
        """What tells the kinds of events apart, as codes; days and months grow with time."""
        if key.rule == "category":
            texts, places = self.codes(key.column)
            return np.append(np.arange(len(texts), dtype=np.int32), np.int32(-1))[places]
        days, first = self.days(key.column)
        if key.rule == "day":
            return days
        if key.rule == "weekday":
            return (days + np.int32((first + 3) % 7)) % np.int32(7)
        calendar = np.arange(first, first + days.max(initial=0) + 1).astype("datetime64[D]")
        months = calendar.astype("datetime64[M]").astype(np.int32)
        return np.asarray((months - months[0])[days])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column as float64: flags 0 and 1, instants and dates in days since 1970, null NaN."""
    if pa.types.is_timestamp(column.type):
        days = pc.divide(column.cast(pa.int64()).cast(pa.float64()), _DAY)
    elif pa.types.is_date(column.type):
        days = column.cast(pa.int32()).cast(pa.float64())
    else:
        days = column.cast(pa.float64())
    return np.asarray(days.to_numpy(), dtype=np.float64)
