"""What was usual for a customer before a window: built from the longer windows of its family.

Enters: a catalogue, one customer's feature values. Leaves: a mean over as many days as the window
has. Only counts and sums have one: what the longest window that the customer's history fills holds
beyond the window, scaled to its days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from features.catalogue import Catalogue
from features.declare import EVER

Values = Mapping[str, float | None]
MONTH = 30
_SUMMED = ("count", "sum")


@dataclass(frozen=True)
class Past:
    """What was usual before: `value` in so many days."""

    value: float
    days: int

    @property
    def often_zh(self) -> str:
        """How often, in Chinese."""
        return "月均" if self.days == MONTH else f"平均每{self.days}天"


def past(catalogue: Catalogue, name: str, values: Values) -> Past | None:
    """What was usual before the feature's window; None where the history does not tell.

    >>> from features.catalogue import CATALOGUE
    >>> past(CATALOGUE, "spend_sum_90d", {"spend_sum_90d": 10.0, "spend_sum_180d": 40.0,
    ...      "transaction_tenure_days": 200.0})
    Past(value=30.0, days=90)
    """
    now, kin = number(values, name), _kin(catalogue).get(name)
    if now is None or kin is None:
        return None
    histories = (number(values, tenure) for tenure in kin.tenures)
    history = max((h for h in histories if h is not None), default=0.0)
    for days, longer in kin.longer:
        whole = number(values, longer)
        if whole is not None and days <= history:
            return Past((whole - now) * kin.days / (days - kin.days), kin.days)
    return None


def number(values: Values, name: str) -> float | None:
    """The value of a feature; None where it is missing, NaN or not among them."""
    value = values.get(name)
    return None if value is None or math.isnan(value) else value


@dataclass(frozen=True)
class _Kin:
    """A window of a family: its days, the longer ones (the longest first), and what tells how long
    the history is."""

    days: int
    longer: tuple[tuple[int, str], ...]
    tenures: tuple[str, ...]


@cache
def _kin(catalogue: Catalogue) -> dict[str, _Kin]:
    takes = {n: d.take for n, d in catalogue.declared.items() if d.take is not None}
    families: dict[tuple[object, ...], dict[int, str]] = {}
    for name, take in takes.items():
        if take.op in _SUMMED and take.days != EVER and not take.ago:
            family = (take.op, take.of, take.where, take.scale)
            families.setdefault(family, {})[take.days] = name
    return {
        name: _Kin(
            days,
            tuple((d, n) for d, n in sorted(windows.items(), reverse=True) if d > days),
            tuple(n for n, t in takes.items() if t.op == "tenure" and t.table == takes[name].table),
        )
        for windows in families.values()
        for days, name in windows.items()
    }
