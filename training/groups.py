"""By group: who stands in which, and how the scorer does for each of them.

Enters: a data set with the rows that are judged; truth, scores and predictions. Leaves: figures in
the words of fairlearn (overall, by_group, difference, ratio) with intervals by customer. Groups
describe and never score (I10); one of few rows is named as too small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER, visible
from events.dataset import SUPERSEDED, Dataset, declared
from events.given import GIVEN
from events.schema import Personal
from training import metrics
from training.judge import Evidence, interval, resample

Floats = NDArray[np.float64]
Names = NDArray[np.str_]
"""The group of each row; "" where it is not known."""
FEWEST = 50
"""Rows of a group that is told, `FEWEST_OF_A_KIND` of them of either outcome."""
FEWEST_OF_A_KIND = 10
AGES = (25, 35, 45, 55, 65)
THIN = "thin_file"
_DAYS_A_YEAR = 365.25


def groups_of(
    dataset: Dataset, customers: Sequence[str], as_of: NDArray[np.int64]
) -> dict[str, Names]:
    """By protected attribute the group of each row, as it was known at its as_of.

    A birth date becomes an age; a number of more than ten values is cut at its quartiles.
    """
    table = "customers" if dataset.given is None else GIVEN
    if not dataset.has(table):
        return {}
    columns = declared(table, dataset.given).columns
    protected = [c.name for c in columns if c.personal is Personal.PROTECTED]
    clocks = ["happened_at", "known_at", SUPERSEDED]
    held = dataset.table(table, ["customer_id", *clocks, *protected])
    places = _latest(held, customers, as_of)
    found = {}
    for name in protected:
        values = held[name].take(places)
        if values.null_count < len(values):
            found[name] = _named(values, as_of)
    return found


def _latest(held: pa.Table, customers: Sequence[str], as_of: NDArray[np.int64]) -> pa.Array:
    """The row of `held` that counted for each customer at each as_of; null where none did."""
    asked = pa.table({"customer_id": pa.array(customers, pa.string()), "row": range(len(as_of))})
    keys = pa.table({"customer_id": held["customer_id"], "place": range(held.num_rows)})
    both = asked.join(keys, "customer_id", join_type="inner")
    row, place = both["row"].to_numpy(), both["place"].to_numpy()
    happened, known, superseded = (
        held[c].cast(pa.int64()).fill_null(NEVER).to_numpy()[place]
        for c in ("happened_at", "known_at", SUPERSEDED)
    )
    counts = np.asarray(visible(happened, known, superseded, as_of[row]))
    order = np.lexsort((place[counts], happened[counts]))
    last = np.full(len(as_of), -1)
    last[row[counts][order]] = place[counts][order]
    return pa.array(last, mask=last < 0)


def _named(values: pa.ChunkedArray, as_of: NDArray[np.int64]) -> Names:
    if pa.types.is_date(values.type):
        born = values.cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.float64)
        return _cut((as_of / MICROS_PER_DAY - born) / _DAYS_A_YEAR, AGES)
    if pa.types.is_floating(values.type) or pa.types.is_integer(values.type):
        number = values.to_numpy(zero_copy_only=False).astype(np.float64)
        known = np.unique(number[~np.isnan(number)])
        if known.size > 10:
            return _cut(number, np.unique(np.nanquantile(number, [0.25, 0.5, 0.75])))
        return np.array(["" if np.isnan(v) else f"{v:g}" for v in number])
    return np.array(["" if v is None else str(v) for v in values.to_pylist()])


def _cut(values: Floats, cuts: Sequence[float] | Floats) -> Names:
    """Names of the ranges between the cuts; a cut belongs to the range above it.

    >>> _cut(np.array([20.0, 25.0, 70.0, np.nan]), (25, 65)).tolist()
    ['< 25', '25-65', '>= 65', '']
    """
    told = [f"{c:g}" for c in cuts]
    between = [f"{a}-{b}" for a, b in pairwise(told)]
    names = np.array([f"< {told[0]}", *between, f">= {told[-1]}", ""])
    place = np.searchsorted(np.asarray(cuts, dtype=np.float64), values, side="right")
    return np.asarray(names[np.where(np.isnan(values), len(names) - 1, place)])


def by_group(
    evidence: Evidence,
    favourable: NDArray[np.bool_],
    groups: Mapping[str, Names],
    seed: int,
    *,
    is_amount: bool,
) -> dict[str, Any]:
    """By attribute: each group's figures, their largest difference and least ratio, `[value, low,
    high]`, and the names of groups that are `too_small`. With fewer than two others there is no
    difference and no ratio; an attribute of a single group is left out.

    Measures: the ranking one; `predicted_to_seen`, the mean prediction by the mean truth (of bad
    outcomes, or amounts); `favourable`, the share whose tier or band is not adverse.
    """
    weights = resample(evidence.customers, seed)
    found = {}
    for attribute, names in groups.items():
        parts = [(n, names == n) for n in sorted({*names.tolist()} - {""})]
        told = {
            n: _group(evidence, favourable, rows, weights[:, rows], is_amount=is_amount)
            for n, rows in parts
            if _can_be_told(evidence.y[rows], is_amount=is_amount)
        }
        if len(parts) > 1:
            small = [n for n, _ in parts if n not in told]
            found[attribute] = {**_compared(told), "too_small": small}
    return found


def _can_be_told(y: Floats, *, is_amount: bool) -> bool:
    good = int((y > 0).sum())
    few = good if is_amount else min(good, len(y) - good)
    return len(y) >= FEWEST and few >= FEWEST_OF_A_KIND


Figure = tuple[float, Floats]
"""A figure, and the same on each resample."""


def _group(
    evidence: Evidence,
    favourable: NDArray[np.bool_],
    rows: NDArray[np.bool_],
    weights: Floats,
    *,
    is_amount: bool,
) -> tuple[dict[str, Any], dict[str, Figure]]:
    y, score, predicted = evidence.y[rows], evidence.score[rows], evidence.predicted[rows]
    rank = metrics.spearman(y, score) if is_amount else metrics.auc(y, score)
    seen, said = (y, predicted) if is_amount else (1 - y, 1 - predicted)
    liked = favourable[rows].astype(np.float64)
    even = np.ones((1, len(y)))

    def on(samples: Floats) -> dict[str, Floats]:
        return {
            "spearman" if is_amount else "auc": np.array([_safe(rank, w) for w in samples]),
            "predicted_to_seen": _ratio(samples @ said, samples @ seen),
            "favourable": _ratio(samples @ liked, samples.sum(axis=1)),
        }

    whole, several = on(even), on(weights)
    drawn = {n: (float(whole[n][0]), several[n]) for n in whole}
    figures = {n: [value, *interval(values)] for n, (value, values) in drawn.items()}
    events = int((y > 0).sum() if is_amount else (y == 0).sum())
    return {"rows": len(y), "events": events, "seen": float(seen.mean()), **figures}, drawn


def _safe(measure: Callable[[Floats], float], weight: Floats) -> float:
    """NaN where a resample drew nobody of the group."""
    return measure(weight) if weight.any() else float("nan")


def _ratio(a: Floats, b: Floats) -> Floats:
    """NaN where there is nothing to divide by."""
    found: Floats = np.full(len(b), np.nan)
    return np.divide(a, b, out=found, where=b > 0)


def _compared(told: Mapping[str, tuple[dict[str, Any], dict[str, Figure]]]) -> dict[str, Any]:
    """Chance widens the gap of the largest and the least, most of all between small groups, so the
    intervals are basic ones, turned about the figure.

    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 5.2.
    """
    found: dict[str, Any] = {"by_group": {n: figures for n, (figures, _) in told.items()}}
    difference: dict[str, list[float]] = {}
    ratio: dict[str, list[float]] = {}
    for name in next(iter(told.values()))[1] if len(told) > 1 else ():
        values = np.array([figures[name][0] for _, figures in told.values()])
        drawn = np.stack([figures[name][1] for _, figures in told.values()])
        drawn = drawn[:, ~np.isnan(drawn).any(axis=0)]
        gap = float(values.max() - values.min())
        difference[name] = [gap, *_turned(gap, np.ptp(drawn, axis=0), np.inf)]
        tops = drawn.max(axis=0)
        if values.min() > 0 and (tops > 0).all():
            least = float(values.min() / values.max())
            ratio[name] = [least, *_turned(least, drawn.min(axis=0) / tops, 1.0)]
    return {**found, "difference": difference, "ratio": ratio}


def _turned(value: float, drawn: Floats, most: float) -> list[float]:
    """The basic interval: as far below the figure as the resamples lie above it, and back."""
    low, high = interval(drawn)
    return [float(np.clip(2 * value - end, 0.0, most)) for end in (high, low)]
