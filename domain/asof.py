"""Time: what was known at an instant, which window and horizon an event falls into.

Instants are `int64` microseconds since 1970-01-01T00:00:00Z. Every comparison of two clocks in
Tierline is one of the four rules below; they are plain arithmetic, so that the same functions take
an `int`, a numpy array, or are compiled by numba. Enters: instants. Leaves: instants and truth
values. It reads no clock and no file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from domain.errors import InputError

MICROS_PER_DAY = 86_400_000_000
NEVER = 9_223_372_036_854_775_807
"""`superseded_at` of an event that was never corrected."""


def visible(happened: Any, known: Any, superseded: Any, as_of: Any) -> Any:
    """True where an event counts at `as_of`: it had happened, was known, and was not yet corrected.

    >>> visible(1, 2, NEVER, 2), visible(1, 3, NEVER, 2), visible(1, 2, 2, 2)
    (True, False, False)
    """
    return (happened <= as_of) & (known <= as_of) & (as_of < superseded)


def in_window(happened: Any, as_of: Any, days: Any) -> Any:
    """True where `happened` lies in the half-open window `(as_of - days, as_of]`.

    >>> in_window(0, MICROS_PER_DAY, 1), in_window(1, MICROS_PER_DAY, 1)
    (False, True)
    """
    return (as_of - days * MICROS_PER_DAY < happened) & (happened <= as_of)


def in_horizon(happened: Any, as_of: Any, days: Any) -> Any:
    """True where `happened` lies in the half-open horizon `(as_of, as_of + days]`.

    >>> in_horizon(0, 0, 1), in_horizon(MICROS_PER_DAY, 0, 1), in_horizon(MICROS_PER_DAY + 1, 0, 1)
    (False, True, False)
    """
    return (as_of < happened) & (happened <= as_of + days * MICROS_PER_DAY)


def is_mature(as_of: Any, days: Any, data_until: Any) -> Any:
    """True where a label of `days` horizon at `as_of` is complete in data up to `data_until`."""
    return as_of + days * MICROS_PER_DAY <= data_until


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly.

    Raises:
        InputError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise InputError(f"{moment.isoformat()} has no time zone: write it as 2011-06-01T00:00:00Z")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The UTC datetime of an instant."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest)


def parse_instant(text: str) -> int:
    """An instant from ISO 8601: a date means its midnight UTC, a time needs its zone.

    >>> from_micros(parse_instant("2011-06-01")).isoformat()
    '2011-06-01T00:00:00+00:00'

    Raises:
        InputError: not ISO 8601, or a time without a zone.
    """
    try:
        if len(text) == len("2011-06-01"):
            day = date.fromisoformat(text)
            return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
        moment = datetime.fromisoformat(text)
    except ValueError:
        shown = text[:40]
        raise InputError(
            f"{shown!r} is not an instant: write 2011-06-01 or 2011-06-01T00:00:00Z"
        ) from None
    return to_micros(moment)


def iso(micros: int) -> str:
    """The instant as ISO 8601 with a Z, whole seconds where it is whole."""
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def monthly_grid(first: str, last: str) -> tuple[int, ...]:
    """Midnights UTC of the first of every month from `first` to `last`, both included.

    >>> [iso(t)[:10] for t in monthly_grid("2010-11-01", "2011-01-01")]
    ['2010-11-01', '2010-12-01', '2011-01-01']

    Raises:
        InputError: a bound is not the first of a month.
    """
    start, end = (from_micros(parse_instant(t)) for t in (first, last))
    if start.day != 1 or end.day != 1:
        raise InputError(
            f"a monthly grid runs from a first to a first of a month, not {first} to {last}"
        )
    months = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    return tuple(to_micros(datetime(m // 12, m % 12 + 1, 1, tzinfo=UTC)) for m in months)
