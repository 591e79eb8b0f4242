"""The three targets as data: cohort, label, horizon, and the tables they need.

Enters: a checked data set with its plan. Leaves: one row (customer_id, as_of, y) for every member
of a cohort at a mature as_of. `y` is the good outcome: churn 1 = stays, credit 1 = pays as agreed,
value = spend over the horizon, net of refunds and not below 0, or gross where the plan says so.
Cohorts see what was visible at as_of; labels take the last version of each event that happened
inside the horizon. It computes no feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import NEVER, in_horizon, in_window, is_mature, iso, to_micros, visible
from domain.errors import NotEnoughDataError
from domain.plan import TargetPlan
from domain.tiers import Target
from events.dataset import SUPERSEDED, Dataset
from events.schema import INSTANT
from features.programs import CLOCKS

STATEMENT_DAYS = 62
"""A card is in the credit cohort when a statement of it closed in so many days."""


@dataclass(frozen=True)
class Events:
    """The rows of one table as arrays: customer code, three clocks (micros), and what is asked.

    `ids` names the customer of each code.
    """

    ids: pa.Array
    codes: NDArray[np.int64]
    happened: NDArray[np.int64]
    known: NDArray[np.int64]
    superseded: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]

    def any_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each customer has an event where `mask` is true."""
        return np.bincount(self.codes[mask], minlength=len(self.ids)) > 0

    def sum_of(self, name: str, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Each customer's sum of a column where `mask` is true."""
        weights = self.columns[name][mask]
        sums = np.bincount(self.codes[mask], weights=weights, minlength=len(self.ids))
        return sums.astype(np.float64)

    def max_of(self, name: str, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Each customer's largest value of a column where `mask` is true, else -inf."""
        out = np.full(len(self.ids), -np.inf)
        np.maximum.at(out, self.codes[mask], self.columns[name][mask])
        return out

    def visible(self, as_of: int) -> NDArray[np.bool_]:
        """Whether each event counts at `as_of`."""
        return np.asarray(visible(self.happened, self.known, self.superseded, as_of))

    def final(self, as_of: int, days: int) -> NDArray[np.bool_]:
        """Whether each event is the last version and lies in the horizon after `as_of`."""
        return np.asarray((self.superseded == NEVER) & in_horizon(self.happened, as_of, days))


@dataclass(frozen=True)
class TargetSpec:
    """One target: its tables, and how cohort and label come about at one as_of.

    `label(events, as_of, plan)` gives whether each customer is in the cohort, and `y`.
    """

    name: Target
    text: str
    table: str
    columns: tuple[str, ...]
    label: Callable[[Events, int, TargetPlan], tuple[NDArray[np.bool_], NDArray[np.float64]]]
    is_amount: bool = False


def _purchases(events: Events) -> NDArray[np.bool_]:
    return events.columns["is_purchase"] > 0


def _buyers(events: Events, as_of: int, plan: TargetPlan) -> NDArray[np.bool_]:
    recent = in_window(events.happened, as_of, plan.active_days)
    return events.any_of(events.visible(as_of) & recent & _purchases(events))


def _spend(
    events: Events, as_of: int, plan: TargetPlan
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    counted = events.final(as_of, plan.horizon_days)
    if plan.spend == "gross":
        counted &= _purchases(events)
    spend = events.sum_of("net_spend", counted)
    return _buyers(events, as_of, plan), np.maximum(spend, 0.0)


def _stays(
    events: Events, as_of: int, plan: TargetPlan
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    after = events.final(as_of, plan.horizon_days) & _purchases(events)
    return _buyers(events, as_of, plan), events.any_of(after).astype(np.float64)


def _pays(
    events: Events, as_of: int, plan: TargetPlan
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    recent = events.visible(as_of) & in_window(events.happened, as_of, STATEMENT_DAYS)
    now = events.max_of("days_past_due", recent)
    after = events.max_of("days_past_due", events.final(as_of, plan.horizon_days))
    bad = plan.bad_days_past_due
    cohort = (now >= 0) & (now < bad) & (after >= 0)
    return cohort, (after < bad).astype(np.float64)


SPECS: dict[Target, TargetSpec] = {
    "value": TargetSpec(
        "value", "expected spend over the horizon, net of refunds or gross", "transactions",
        ("is_purchase", "net_spend"), _spend, is_amount=True,
    ),
    "churn": TargetSpec(
        "churn", "no purchase in the horizon among customers active before", "transactions",
        ("is_purchase", "net_spend"), _stays,
    ),
    "credit": TargetSpec(
        "credit", "reaching so many days past due, or the source's own default label",
        "statements", ("days_past_due",), _pays,
    ),
}  # fmt: skip


def why_skipped(dataset: Dataset, target: Target) -> str | None:
    """Why a source cannot have a target, or None where it can."""
    plan = dataset.plan.targets.get(target)
    if plan is None:
        return f"{dataset.source} declares no {target} target"
    table = "outcomes" if plan.label == "outcomes" else SPECS[target].table
    if not dataset.has(table):
        return f"{dataset.source} has no {table}"
    return None


def labels(
    dataset: Dataset, target: Target, grid: Sequence[int], customers: Sequence[str] | None = None
) -> pa.Table:
    """The labelled cohort at every as_of of `grid` (micros): customer_id, as_of, y.

    `customers`: only theirs. With `label = "outcomes"` the as_of are those of the outcomes, and
    `grid` is not read.

    Raises:
        NotEnoughDataError: an as_of whose horizon the data does not cover.
    """
    plan = dataset.plan.targets[target]
    if plan.label == "outcomes":
        return _outcomes(dataset, customers)
    late = [iso(t) for t in grid if not is_mature(t, plan.horizon_days, dataset.data_until)]
    if late:
        raise NotEnoughDataError(
            f"{target} at {late[0]} needs {plan.horizon_days} days of data after it; the data "
            f"ends at {iso(dataset.data_until)}: take earlier as_of dates"
        )
    spec = SPECS[target]
    events = read_events(dataset, spec, customers)
    asked = _with_profile(dataset, events)
    parts = []
    for as_of in grid:
        cohort, y = spec.label(events, as_of, plan)
        members = np.flatnonzero(cohort & asked)
        moments = pa.array(np.full(members.size, as_of), pa.int64()).cast(INSTANT)
        ids = events.ids.take(pa.array(members))
        parts.append(pa.table({"customer_id": ids, "as_of": moments, "y": pa.array(y[members])}))
    return pa.concat_tables(parts)


def grids(dataset: Dataset) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The training and the test as_of of the plan, in micros."""
    plan = dataset.plan
    return (
        tuple(to_micros(t) for t in plan.train_as_of),
        tuple(to_micros(t) for t in plan.test_as_of),
    )


def read_events(
    dataset: Dataset, spec: TargetSpec, customers: Sequence[str] | None = None
) -> Events:
    """The events that a target reads, as arrays."""
    derived = {"is_purchase", "net_spend"} & set(spec.columns)
    raw = ["kind", "amount"] if derived else list(spec.columns)
    table = dataset.table(spec.table, ["customer_id", *CLOCKS, *raw], customers=customers)
    encoded = table["customer_id"].combine_chunks().dictionary_encode()
    micros = {c: pc.fill_null(table[c].cast(pa.int64()), NEVER).to_numpy() for c in CLOCKS}
    columns = {c: table[c].to_numpy() for c in raw if c != "kind"}
    if derived:
        is_purchase = pc.equal(table["kind"], "purchase").to_numpy()
        is_refund = pc.equal(table["kind"], "refund").to_numpy()
        sign = is_purchase.astype(np.float64) - is_refund
        columns = {
            "is_purchase": is_purchase.astype(np.float64),
            "net_spend": sign * columns["amount"],
        }
    return Events(
        ids=encoded.dictionary,
        codes=encoded.indices.to_numpy().astype(np.int64),
        happened=micros["happened_at"],
        known=micros["known_at"],
        superseded=micros[SUPERSEDED],
        columns=columns,
    )


def _with_profile(dataset: Dataset, events: Events) -> NDArray[np.bool_]:
    """Whether each customer stands in `customers`; everybody, where there is no such table."""
    if not dataset.has("customers"):
        return np.ones(len(events.ids), dtype=bool)
    people = pc.unique(dataset.table("customers", ["customer_id"])["customer_id"])
    return np.asarray(pc.is_in(events.ids, value_set=people).to_numpy(zero_copy_only=False))


def _outcomes(dataset: Dataset, customers: Sequence[str] | None) -> pa.Table:
    columns = ["customer_id", "decided_at", "is_bad", SUPERSEDED]
    rows = dataset.table("outcomes", columns, customers=customers)
    rows = rows.filter(pc.is_null(rows[SUPERSEDED]))
    y = pc.cast(pc.invert(rows["is_bad"]), pa.float64())
    return pa.table({"customer_id": rows["customer_id"], "as_of": rows["decided_at"], "y": y})
