"""The timeline of one customer around one as_of: what was visible, what came later, the label.

Enters: a data set, a customer, a target, an as_of. Leaves: its events with what each is to the
label, the window, the gap, the horizon and the label itself, which training would take. It draws
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from domain.asof import NEVER, in_horizon, is_mature, visible
from domain.errors import NotFoundError
from domain.tiers import TARGETS, Target
from events.dataset import Dataset
from features.programs import CLOCKS
from training.people import persons
from training.splits import Part, part_of
from training.targets import SPECS, STATEMENT_DAYS, grids, labels, why_skipped


class State(StrEnum):
    """What an event is to a label at as_of."""

    VISIBLE = "visible"
    REPLACED = "replaced"
    CORRECTED = "corrected"
    LATE = "late"
    LABEL = "label"
    OUTDATED = "outdated"
    BEYOND = "beyond"


@dataclass(frozen=True)
class Event:
    """One version of an event: its clocks (micros), what it says, what it is to the label."""

    happened: int
    known: int
    superseded: int
    what: str
    state: State


@dataclass(frozen=True)
class Timeline:
    """One customer, target and as_of. `y` is None out of the cohort or where it is not mature.

    `window_days`: within which an event makes the cohort; None where outcomes make it. `gap`: the
    last training and the first test as_of.
    """

    customer: str
    target: Target
    as_of: int
    window_days: int | None
    horizon_days: int
    gap: tuple[int, int] | None
    data_until: int
    part: Part
    is_mature: bool
    y: float | None
    events: tuple[Event, ...]


def timeline(
    dataset: Dataset, customer: str, target: Target | None = None, as_of: int | None = None
) -> Timeline:
    """The timeline of a customer; of the first target that the source has, at the latest as_of of
    the plan at which the customer has a label, where none is named.

    Raises:
        NotFoundError: no such customer, or the source has no such target.
    """
    had: list[Target] = [t for t in TARGETS if why_skipped(dataset, t) is None]
    chosen: Target = target if target is not None else [*had, TARGETS[0]][0]
    reason = why_skipped(dataset, chosen)
    if reason is not None:
        raise NotFoundError(f"{reason}: name another with --target")
    plan = dataset.plan.targets[chosen]
    is_told = plan.label == "outcomes"
    events = _shown_events(dataset, customer, chosen)
    if not events and dataset.has("customers") and _rows(dataset, "customers", customer):
        raise NotFoundError(
            f"{customer[:64]!r} has no {_table(dataset, chosen)}, which make {chosen}: name another"
            " with --target"
        )
    if not events:
        raise NotFoundError(
            f"no customer {customer[:64]!r} in {dataset.source}: give the id as the data set has it"
        )
    moment = _latest(dataset, customer, chosen) if as_of is None else as_of
    mature = is_told or bool(is_mature(moment, plan.horizon_days, dataset.data_until))
    y = _at(labels(dataset, chosen, [moment], [customer]), moment) if mature else None
    train, test = grids(dataset)
    window = STATEMENT_DAYS if chosen == "credit" else plan.active_days
    when = (moment, plan.horizon_days)
    return Timeline(
        customer, chosen, moment, None if is_told else window, plan.horizon_days,
        (max(train), min(test)) if train and test else None, dataset.data_until,
        part_of(persons(dataset, [customer])[0], dataset.plan), mature, y,
        tuple(_event(row, is_label, when) for row, is_label in events),
    )  # fmt: skip


def _shown_events(
    dataset: Dataset, customer: str, target: Target
) -> list[tuple[dict[str, Any], bool]]:
    """The customer's rows in the order of time, and whether each can make the label."""
    plan = dataset.plan.targets[target]
    is_told = plan.label == "outcomes"
    table = _table(dataset, target)
    kinds = {"churn": ("purchase",), "value": ("purchase", "refund")}.get(target)
    if target == "value" and plan.spend == "gross":
        kinds = ("purchase",)
    found = [
        (row, not is_told and (kinds is None or row["kind"] in kinds))
        for row in _rows(dataset, table, customer)
    ]
    if is_told:
        found += [(row, True) for row in _rows(dataset, "outcomes", customer)]
    return sorted(found, key=lambda told: (told[0]["happened_at"], told[0]["known_at"]))


def _table(dataset: Dataset, target: Target) -> str:
    """Whose rows are shown."""
    own = SPECS[target].table
    return own if dataset.has(own) else "transactions"


def _rows(dataset: Dataset, table: str, customer: str) -> list[dict[str, Any]]:
    """The rows of a customer with their clocks in micros."""
    rows = dataset.table(table, customers=[customer])
    for name in CLOCKS:
        micros = pc.fill_null(rows[name].cast(pa.int64()), NEVER)
        rows = rows.set_column(rows.schema.get_field_index(name), name, micros)
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def _latest(dataset: Dataset, customer: str, target: Target) -> int:
    """The latest as_of of the plan, or of the outcomes, at which the customer has a label."""
    grid = sorted({*grids(dataset)[0], *grids(dataset)[1]})
    rows = labels(dataset, target, grid, [customer])
    if rows.num_rows:
        return int(pc.max(rows["as_of"].cast(pa.int64())).as_py())
    return grid[-1] if grid else dataset.data_until


def _at(rows: pa.Table, as_of: int) -> float | None:
    found = rows.filter(pc.equal(rows["as_of"].cast(pa.int64()), as_of))["y"]
    return float(found[0].as_py()) if len(found) else None


def _event(row: Mapping[str, Any], is_label: bool, when: tuple[int, int]) -> Event:
    happened, known, superseded = (int(row[c]) for c in CLOCKS)
    state = state_of(happened, known, superseded, when)
    if state in (State.LABEL, State.OUTDATED) and not is_label:
        state = State.BEYOND
    return Event(happened, known, superseded, _say(row), state)


def state_of(happened: int, known: int, superseded: int, when: tuple[int, int]) -> State:
    """What an event is to a label at `when`: as_of and horizon in days."""
    as_of, days = when
    if visible(happened, known, superseded, as_of):
        return State.VISIBLE if superseded == NEVER else State.REPLACED
    if happened <= as_of:
        return State.LATE if known > as_of else State.CORRECTED
    if not in_horizon(happened, as_of, days):
        return State.BEYOND
    return State.LABEL if superseded == NEVER else State.OUTDATED


def _say(row: Mapping[str, Any]) -> str:
    """What an event says, short."""
    if "is_bad" in row:
        return "outcome: bad" if row["is_bad"] else "outcome: good"
    if "kind" in row:
        return f"{row['kind']} {row['amount']:,.2f}"
    said = str(row["status"]).replace("_", " ") + ", " if row["status"] is not None else ""
    return f"{said}{row['days_past_due']:g} days past due"
