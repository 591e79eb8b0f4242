"""One raw column into its declared type; what cannot be converted is a broken rule, not a guess.

Enters: an Arrow column of any type. Leaves: an array of the declared type (null where it could not
be read) and masks of the rows that broke a rule.
"""

from __future__ import annotations

from datetime import date

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
CALENDAR = (1900, 2200)
"""Years of an instant: before and after them stand placeholders, not events."""
_PLACEHOLDER = r"^\s*(0\d|1[0-8]|2[2-9]|[3-9]\d|\d{3,4})\d{2}-\d{2}-\d{2}([T ]|$)"
_A_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EXACT = 2.0**53
_NO_ZONE = (
    "it has no time zone (or names an hour that the clock change skips or repeats): declare zone = "
    '"UTC" (or another) in the mapping'
)
_NO_DATE = f"a date lies from {CALENDAR[0]} to {CALENDAR[1]}: leave it empty where it is unknown"
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
        return _number(array, wanted.hint)
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
    if pa.types.is_decimal(array.type) and array.type.scale <= 0:
        return array.cast(pa.string()), []
    if pa.types.is_floating(array.type):
        return _whole(array)
    return _all_wrong(array, pa.string(), f"text is wanted, {_kind(array)} arrived")


def _kind(array: pa.Array) -> str:
    return str(array.type)[:60]


def _whole(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    """Whole numbers that a tool wrote as fractions, as text; a real fraction names nobody."""
    numbers = array.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT))
    kept = pc.if_else(whole, numbers, pa.scalar(None, pa.float64()))
    said = "text or a whole number is wanted, a fraction arrived"
    return kept.cast(pa.int64()).cast(pa.string()), [
        ("wrong_type", said, _where(pc.is_valid(numbers)) & ~_where(whole))
    ]


def _number(array: pa.Array, hint: str) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return array.cast(pa.float64(), safe=False), []
    if pa.types.is_decimal(array.type):
        return array.cast(pa.float64()), []
    if not _is_text(array):
        return _all_wrong(array, pa.float64(), f"a number is wanted, {_kind(array)} arrived")
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
        ("wrong_type", hint or "it is text where a number is wanted", rest),
    ]


def _instant(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_timestamp(array.type):
        return _clock(array)
    if not _is_text(array):
        return _all_wrong(array, INSTANT, f"an instant is wanted, {_kind(array)} arrived")
    text = array.cast(pa.string())
    zoned = _where(pc.match_substring_regex(text, ZONED))
    frame = text.to_pandas()
    parsed = pd.to_datetime(frame.where(zoned), utc=True, errors="coerce", format="ISO8601")
    read = pa.array(parsed.dt.as_unit("us"), type=INSTANT, from_pandas=True)
    instants, beyond = _in_calendar(read)
    given = _where(pc.is_valid(text))
    beyond |= _where(pc.match_substring_regex(text, _PLACEHOLDER))
    local = pd.to_datetime(frame.where(~zoned), errors="coerce", format="ISO8601", utc=True)
    no_zone = given & ~zoned & ~beyond & local.notna().to_numpy()
    unread = given & ~no_zone & ~beyond & _where(pc.is_null(instants))
    return instants, [
        ("no_zone", _NO_ZONE, no_zone),
        ("beyond_calendar", _NO_DATE, beyond),
        ("wrong_type", "it is no ISO 8601 instant: declare its format in the mapping", unread),
    ]


def _clock(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    """Instants that have a type; those beyond the calendar are no instants."""
    if array.type.tz is None:
        return pa.nulls(len(array), INSTANT), [("no_zone", _NO_ZONE, _where(pc.is_valid(array)))]
    kept, beyond = _in_calendar(array)
    return kept.cast(INSTANT, safe=array.type.unit != "ns"), [("beyond_calendar", _NO_DATE, beyond)]


def _in_calendar(array: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """The instants (or dates) whose year is one of the calendar, and where there were others."""
    a_day = 1 if pa.types.is_date32(array.type) else 86_400 * _A_SECOND[array.type.unit]
    first, last = (_days_to(year) * a_day for year in CALENDAR)
    plain = array.cast(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    inside = pc.and_(pc.greater_equal(plain, first), pc.less(plain, last))
    kept = pc.if_else(inside, array, pa.scalar(None, array.type))
    return kept, _where(pc.invert(inside))


def _days_to(year: int) -> int:
    return (date(year, 1, 1) - date(1970, 1, 1)).days


def _date(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        dates, beyond = _in_calendar(array.cast(pa.date32(), safe=False))
        return dates, [("beyond_calendar", _NO_DATE, beyond)]
    if not _is_text(array):
        return _all_wrong(array, pa.date32(), f"a date is wanted, {_kind(array)} arrived")
    parsed = pd.to_datetime(array.to_pandas(), errors="coerce", format="%Y-%m-%d")
    dates, beyond = _in_calendar(pa.array(parsed.dt.date, type=pa.date32(), from_pandas=True))
    beyond |= _where(pc.match_substring_regex(array.cast(pa.string()), _PLACEHOLDER))
    unread = _where(pc.is_valid(array)) & ~beyond & _where(pc.is_null(dates))
    said = "it is no date like 1980-12-31: declare its format in the mapping"
    return dates, [("beyond_calendar", _NO_DATE, beyond), ("wrong_type", said, unread)]


def _flag(array: pa.Array) -> tuple[pa.Array, list[Broken]]:
    if pa.types.is_boolean(array.type):
        return array, []
    if pa.types.is_nested(array.type) or pa.types.is_binary(array.type):
        return _all_wrong(array, pa.bool_(), f"a flag is wanted, {_kind(array)} arrived")
    text = pc.utf8_trim_whitespace(pc.utf8_lower(array.cast(pa.string())))
    yes = pc.is_in(text, value_set=pa.array(["true", "1", "1.0", "yes", "y"]))
    no = pc.is_in(text, value_set=pa.array(["false", "0", "0.0", "no", "n"]))
    flags = pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_())))
    unread = _where(pc.not_equal(text, "")) & _where(pc.is_null(flags))
    return flags, [("wrong_type", "a flag is true or false", unread)]
