"""One raw column into its declared type; what cannot be converted is a broken rule, not a guess.

Enters: an Arrow column of any type. Leaves: an array of the declared type (null where it could not
be read) and masks of the rows that broke a rule.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from events.schema import INSTANT, Column

Broken = tuple[str, str, NDArray[np.bool_]]
NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"
THOUSANDS = r"^\s*[+-]?\d{1,3}([, ' ]\d{3})+([.]\d+)?\s*$"
NOT_FINITE = r"(?i)^\s*[+-]?(nan|inf|infinity)\s*$"
ZONED = r"[0-9](Z|[+-]\d{2}:?\d{2})\s*$"


def convert(column: pa.ChunkedArray | pa.Array, wanted: Column) -> tuple[pa.Array, list[Broken]]:
    """The column in its declared type, and the rules that rows broke on the way."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), wanted.type), []
    if pa.types.is_string(wanted.type):
        return _text(array)
    if pa.types.is_floating(wanted.type):
        return _number(array)
    if pa.types.is_timestamp(wanted.type):
        return _instant(array)
    if pa.types.is_date(wanted.type):
        return _date(array)
    return _flag(array)


def _is_text(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def _where(mask: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), dtype=bool)


def _all_wrong(array: pa.Array, wanted: pa.DataType, said: str) -> tuple[pa.Array, list[Broken]]:
    return pa.nulls(len(array), wanted), [("wrong_type", said, _where(pc.is_valid(array)))]


def _text(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if _is_text(array) or pa.types.is_integer(array.type):
        return array.cast(pa.string()), []
    return _all_wrong(array, pa.string(), f"text is wanted, {array.type} arrived")


def _number(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return array.cast(pa.float64(), safe=False), []
    if pa.types.is_decimal(array.type):
        return array.cast(pa.float64()), []
    if not _is_text(array):
        return _all_wrong(array, pa.float64(), f"a number is wanted, {array.type} arrived")
    text = array.cast(pa.string())
    empty = pc.equal(pc.utf8_trim_whitespace(text), "")
    text = pc.if_else(pc.fill_null(empty, True), pa.scalar(None, pa.string()), text)
    fine = pc.match_substring_regex(text, NUMBER)
    grouped = _where(pc.match_substring_regex(text, THOUSANDS)) & ~_where(fine)
    odd = _where(pc.match_substring_regex(text, NOT_FINITE))
    readable = pc.if_else(pc.fill_null(fine, False), text, pa.scalar(None, pa.string()))
    numbers = pc.cast(pc.utf8_trim_whitespace(readable), pa.float64())
    rest = _where(pc.invert(fine)) & ~grouped & ~odd
    return numbers, [
        (
            "thousands_separator",
            'separators of thousands: declare thousands = "," in the mapping',
            grouped,
        ),
        ("not_finite", "NaN and infinite are no numbers: leave it empty", odd),
        ("wrong_type", "it is text where a number is wanted", rest),
    ]


def _instant(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_timestamp(array.type):
        if array.type.tz is None:
            said = 'it has no time zone: declare zone = "UTC" (or another) in the mapping'
            return pa.nulls(len(array), INSTANT), [("no_zone", said, _where(pc.is_valid(array)))]
        return array.cast(INSTANT, safe=array.type.unit != "ns"), []
    if not _is_text(array):
        return _all_wrong(array, INSTANT, f"an instant is wanted, {array.type} arrived")
    text = array.cast(pa.string())
    zoned = _where(pc.match_substring_regex(text, ZONED))
    frame = text.to_pandas()
    parsed = pd.to_datetime(frame.where(zoned), utc=True, errors="coerce", format="ISO8601")
    instants = pa.array(parsed.dt.as_unit("us"), type=INSTANT, from_pandas=True)
    given = _where(pc.is_valid(text))
    no_zone = (
        given
        & ~zoned
        & pd.to_datetime(frame, errors="coerce", format="ISO8601", utc=True).notna().to_numpy()
    )
    unread = given & ~no_zone & _where(pc.is_null(instants))
    return instants, [
        (
            "no_zone",
            'it has no time zone: declare zone = "UTC" (or another) in the mapping',
            no_zone,
        ),
        ("wrong_type", "it is no ISO 8601 instant: declare its format in the mapping", unread),
    ]


def _date(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return array.cast(pa.date32(), safe=False), []
    if not _is_text(array):
        return _all_wrong(array, pa.date32(), f"a date is wanted, {array.type} arrived")
    parsed = pd.to_datetime(array.to_pandas(), errors="coerce", format="%Y-%m-%d")
    dates = pa.array(parsed.dt.date, type=pa.date32(), from_pandas=True)
    unread = _where(pc.is_valid(array)) & _where(pc.is_null(dates))
    return dates, [("wrong_type", "it is no date like 1980-12-31", unread)]


def _flag(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_boolean(array.type):
        return array, []
    text = pc.utf8_lower(array.cast(pa.string()))
    yes = pc.is_in(text, value_set=pa.array(["true", "1", "1.0", "yes", "y"]))
    no = pc.is_in(text, value_set=pa.array(["false", "0", "0.0", "no", "n"]))
    flags = pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_())))
    unread = _where(pc.is_valid(array)) & _where(pc.is_null(flags))
    return flags, [("wrong_type", "a flag is true or false", unread)]
