"""The takes of a catalogue as the programs that the kernel runs, one set a table.

Enters: a catalogue. Leaves: what to read of each table, and what to compute from it. It reads no
data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY
from domain.errors import TierlineError
from events.dataset import SUPERSEDED
from features import kernel, operations, running
from features.catalogue import Catalogue
from features.declare import Take
from features.offers import OFFERS, Offer

CLOCKS = ("happened_at", "known_at", SUPERSEDED)
MOST_CONDITIONS = 62
"""Conditions of one table are the bits of an integer."""
T = TypeVar("T")


@dataclass(frozen=True)
class Compiled:
    """The takes of one table as the kernel wants them; step `i` of `programs` fills `names[i]`."""

    table: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    conditions: tuple[str, ...]
    keys: tuple[str, ...]
    programs: kernel.Programs
    scales: NDArray[np.float64]

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns to read, besides customer and clocks."""
        offer = OFFERS[self.table]
        names = (*self.values, *self.conditions, *self.keys)
        raw = [c for n in names for c in offer.columns_of(n)]
        return tuple(dict.fromkeys(c for c in raw if c not in CLOCKS))


def compile_takes(catalogue: Catalogue) -> tuple[Compiled, ...]:
    """The programs of every table that the catalogue reads."""
    by_table: dict[str, list[tuple[str, Take]]] = {}
    for declaration in catalogue.declarations:
        if declaration.take is not None:
            by_table.setdefault(declaration.take.table, []).append(
                (declaration.name, declaration.take)
            )
    return tuple(_compile(table, takes) for table, takes in by_table.items())


def _compile(table: str, takes: list[tuple[str, Take]]) -> Compiled:
    offer = OFFERS[table]
    values = _used(t.value for _, t in takes if t.value in offer.values)
    keys = _used(t.value for _, t in takes if t.value in offer.keys)
    conditions = _used(c for _, t in takes for c in (*t.where, *t.share))
    if len(conditions) > MOST_CONDITIONS:
        raise TierlineError(
            f"the features of {table} ask for {len(conditions)} conditions, the engine holds "
            f"{MOST_CONDITIONS}: ask for fewer"
        )
    takes = sorted(takes, key=lambda named: (named[1].where, named[1].days, named[1].ago))
    windows = sorted({(t.days, t.ago) for _, t in takes})
    bit = {c: 1 << i for i, c in enumerate(conditions)}
    needs = _used(tuple(sorted(t.where)) for _, t in takes)
    runs = _used(run for _, t in takes for run in _runs(offer, t))
    steps = [
        (
            operations.OPERATIONS.index(t.op),
            needs.index(tuple(sorted(t.where))),
            values.index(t.value) if t.value in values else 0,
            windows.index((t.days, t.ago)),
            keys.index(t.value) if t.value in keys else 0,
            *[*map(runs.index, _runs(offer, t)), -1, -1, -1, -1][: running.MOST_RUNS],
        )
        for _, t in takes
    ]
    compiled = [
        (
            running.RUNS.index(run.kind),
            needs.index(run.where),
            -1 if run.what is None else (keys if run.what in keys else values).index(run.what),
            sum(bit[c] for c in run.share) or round(run.half_life * MICROS_PER_DAY),
        )
        for run in runs
    ]
    return Compiled(
        table, tuple(n for n, _ in takes), values, conditions, keys,
        kernel.Programs(
            np.array(windows, dtype=np.int64).reshape(-1, 2),
            np.array([sum(bit[c] for c in where) for where in needs], dtype=np.int64),
            np.array(compiled, dtype=np.int64).reshape(-1, 4),
            np.array(steps, dtype=np.int64).reshape(-1, 5 + running.MOST_RUNS),
        ),
        np.array([t.scale for _, t in takes]),
    )  # fmt: skip


class Run(NamedTuple):
    """What runs along: a kind of the kernel, over which need, of what, with its detail."""

    kind: str
    where: tuple[str, ...]
    what: str | None
    share: tuple[str, ...]
    half_life: float


def _runs(offer: Offer, take: Take) -> tuple[Run, ...]:
    """What the kernel keeps running for a take: kind, need, value or key, bits of a share."""
    in_time = take.op == "distinct" and offer.keys[str(take.value)].rule in ("day", "month")
    kinds = running.RUNNING.get("distinct_in_time" if in_time else take.op, ())
    where = tuple(sorted(take.where))
    return tuple(Run(kind, where, take.value, take.share, take.half_life) for kind in kinds)


def _used(names: Iterator[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(n for n in names if n is not None))
