"""Pushed events: rows of a request into checked rows of a raw table, every fault at once.

Enters: a request of the contract. Leaves: rows as ingest would have them. Nothing is kept here.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from domain.decision import EventsRequest
from domain.errors import Fault, InputError
from events.check import check_table
from events.schema import TABLES
from features.offers import OFFERS

MAX_FAULTS = 50


def checked_events(request: EventsRequest, now: int) -> pa.Table:
    """The rows in the table's own types; `known_at` that is not given is `happened_at`.

    `now` (micros): what is known later comes from the future.

    Raises:
        InputError: another table, a column that is unknown or missing, a value that breaks a rule;
            every fault is named, with rows counted from 1, and no value.
    """
    if request.table not in OFFERS:
        allowed = f"features read {', '.join(OFFERS)}"
        raise InputError("no such table", (Fault("table", "unknown_table", allowed),))
    rows = [
        {**row, "known_at": row["happened_at"]}
        if row.get("known_at") is None and "happened_at" in row
        else row
        for row in request.rows
    ]
    columns, faults = _columns(rows)
    found = check_table(TABLES[request.table], pa.table(columns), "rows", now)
    faults = [*faults, *found.fatal, *found.faults]
    if faults:
        raise InputError("events break rules; nothing was kept:", tuple(faults[:MAX_FAULTS]))
    return found.clean


def _columns(rows: list[dict[str, Any]]) -> tuple[dict[str, pa.Array], list[Fault]]:
    """The cells by column; a column of several kinds is a fault, and left out."""
    columns: dict[str, pa.Array] = {}
    faults = []
    for name in dict.fromkeys(name for row in rows for name in row):
        cells = [row.get(name) for row in rows]
        try:
            columns[name] = pa.array(cells)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            said = "give text, numbers or flags, one kind for all rows"
            faults.append(Fault(f"rows:{name[:64]}", "mixed_types", said))
            columns[name] = pa.nulls(len(rows))
    return columns, faults
