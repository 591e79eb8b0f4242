"""By group: who stands in which, and how the scorer does for each of them.

Enters: a data set with the rows that are judged; truth, scores and predictions. Leaves: figures in
the words of fairlearn (overall, by_group, difference, ratio) with intervals. Groups describe and
never score (I10); one of few rows is named as too small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, NEVER, iso, visible
from events.dataset import Dataset, declared
from events.given import GIVEN
from events.schema import Personal
from features.programs import CLOCKS
from training import metrics
from training.draws import over, resample
from training.judge import Evidence
from training.limits import (
    ATANH,
    LOG,
    LOGIT,
    Limits,
    Link,
    deviations,
    effective_rows,
    least,
    of_draws,
    widest,
    wilson,
)
from training.tier_figures import Places, macro_f1, quadratic_kappa, table

Floats = NDArray[np.float64]
Names = NDArray[np.str_]
"""The group of each row; "" where it is not known."""
FEWEST = 50
"""Rows of a group that is told, `FEWEST_OF_A_KIND` of them of either outcome."""
FEWEST_OF_A_KIND = 10
AGES = (25, 35, 45, 55, 65)
THIN, VINTAGE = "thin_file", "vintage"
"""What is told like an attribute and has no limit: little history, and the date of the row."""
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
    held = dataset.table(table, ["customer_id", *CLOCKS, *protected])
    places = _latest(held, customers, as_of)
    found = {}
    for name in protected:
        values = held[name].take(places)
        if values.null_count < len(values):
            found[name] = _named(values, as_of)
    return found


def vintages(as_of: NDArray[np.int64]) -> Names:
    """The date of each row."""
    moments, place = np.unique(as_of, return_inverse=True)
    return np.array([iso(int(m))[:10] for m in moments])[place]


def _latest(held: pa.Table, customers: Sequence[str], as_of: NDArray[np.int64]) -> pa.Array:
    """The row of `held` that counted for each customer at each as_of; null where none did."""
    asked = pa.table({"customer_id": pa.array(customers, pa.string()), "row": range(len(as_of))})
    keys = pa.table({"customer_id": held["customer_id"], "place": range(held.num_rows)})
    both = asked.join(keys, "customer_id", join_type="inner")
    row, place = both["row"].to_numpy(), both["place"].to_numpy()
    happened, known, superseded = (
        held[c].cast(pa.int64()).fill_null(NEVER).to_numpy()[place] for c in CLOCKS
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


class Placed(NamedTuple):
    """Where the policy puts each row: whether favourably; of amounts also the true and the
    predicted tier, and how many tiers there are."""

    favourable: NDArray[np.bool_]
    truth: Places | None = None
    said: Places | None = None
    tiers: int = 0


Figure = Callable[[float], Limits]
"""A figure with limits so many standard deviations away."""


def by_group(
    evidence: Evidence,
    placed: Placed,
    groups: Mapping[str, Names],
    seed: int,
    *,
    is_amount: bool,
) -> dict[str, Any]:
    """By attribute: figures of everybody and of each group, their largest difference and least
    ratio, `[value, low, high]`, and the names of groups that are `too_small`. With fewer than two
    others there is no difference and no ratio; an attribute of a single group is left out.

    Measures: the ranking one; of amounts the agreement of tiers; `predicted_to_seen`, the mean
    prediction by the mean truth (of bad outcomes, or amounts); `favourable`, the share whose tier
    or band is not adverse. Limits of a rate are Wilson's of as many rows as tell independently,
    others are by resampled customers of the group.
    """
    everybody, found = np.ones(len(evidence.y), bool), {}
    whole = _told(evidence, everybody, _figures(evidence, placed, everybody, seed, is_amount))
    for attribute, names in groups.items():
        parts = {n: names == n for n in sorted({*names.tolist()} - {""})}
        told = {
            n: _figures(evidence, placed, rows, seed, is_amount)
            for n, rows in parts.items()
            if _can_be_told(evidence.y[rows], is_amount=is_amount)
        }
        if len(parts) > 1:
            found[attribute] = {
                "overall": whole,
                "by_group": {n: _told(evidence, parts[n], told[n]) for n in told},
                **_compared([*told.values()]),
                "too_small": [n for n in parts if n not in told],
            }
    return found


def _can_be_told(y: Floats, *, is_amount: bool) -> bool:
    good = int((y > 0).sum())
    few = good if is_amount else min(good, len(y) - good)
    return len(y) >= FEWEST and few >= FEWEST_OF_A_KIND


def _told(
    evidence: Evidence, rows: NDArray[np.bool_], figures: Mapping[str, Figure]
) -> dict[str, Any]:
    y, is_amount = evidence.y[rows], "auc" not in figures
    events = (y > 0).sum() if is_amount else (y == 0).sum()
    seen = y.mean() if is_amount else 1 - y.mean()
    limits = {n: list(f(deviations())) for n, f in figures.items()}
    return {"rows": len(y), "events": int(events), "seen": float(seen), **limits}


def _figures(
    evidence: Evidence, placed: Placed, rows: NDArray[np.bool_], seed: int, is_amount: bool
) -> dict[str, Figure]:
    y, who = evidence.y[rows], [evidence.customers[i] for i in np.flatnonzero(rows).tolist()]
    weights = resample(who, seed)
    few = len({*who}) if is_amount else int(min(y.sum(), (1 - y).sum()))
    found: dict[str, Figure] = {}
    measures = _measures(evidence, placed, rows, is_amount)
    for name, drawn in over({n: m for n, (m, _) in measures.items()}, weights).items():
        if not np.isnan(drawn[0]):
            found[name] = partial(of_draws, float(drawn[0]), drawn[1:], measures[name][1], few)
    liked = placed.favourable[rows].astype(np.float64)
    found["favourable"] = partial(wilson, float(liked.mean()), effective_rows(liked, who))
    return found


def _measures(
    evidence: Evidence, placed: Placed, rows: NDArray[np.bool_], is_amount: bool
) -> dict[str, tuple[metrics.Weighted, Link]]:
    y, score, predicted = evidence.y[rows], evidence.score[rows], evidence.predicted[rows]
    seen, said = (y, predicted) if is_amount else (1 - y, 1 - predicted)
    found = {"predicted_to_seen": (metrics.ratio(said, seen), LOG)}
    if not is_amount:
        return {"auc": (metrics.auc(y, score), LOGIT), **found}
    if placed.truth is not None and placed.said is not None:
        counts = table(placed.truth[rows], placed.said[rows], placed.tiers)
        found["quadratic_kappa"] = (lambda w: quadratic_kappa(counts(w)), ATANH)
        found["macro_f1"] = (lambda w: macro_f1(counts(w)), LOGIT)
    return {"spearman": (metrics.spearman(y, score), ATANH), **found}


def _compared(told: Sequence[Mapping[str, Figure]]) -> dict[str, Any]:
    """The difference of every measure that all groups have, and the ratio where none is below 0."""
    difference: dict[str, list[float]] = {}
    ratio: dict[str, list[float]] = {}
    for name in told[0] if len(told) > 1 else ():
        if all(name in figures for figures in told):
            limits = [figures[name](deviations(len(told))) for figures in told]
            difference[name] = [*widest(limits)]
            if min(f.low for f in limits) >= 0 and max(f.value for f in limits) > 0:
                ratio[name] = [*least(limits)]
    return {"difference": difference, "ratio": ratio}
