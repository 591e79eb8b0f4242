"""What a reader is: a name, a text, raw tables one after another, and the plan of its data.

It holds types only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from domain.errors import Fault
from domain.plan import StudyPlan
from events.given import GivenTable


@dataclass(frozen=True)
class RawTable:
    """Raw rows of one table as they stand in one file; `file` is for the check report."""

    table: str
    file: str
    data: pa.Table


def _no_table(_: Path) -> None:
    return None


def _unknown(_: Path) -> int | None:
    return None


def _nothing(_: Path) -> tuple[Fault, ...]:
    return ()


@dataclass(frozen=True)
class Source:
    """One way to bring data in: `read(folder)` yields raw tables, `plan(folder)` says the study.

    `notes(folder)`: what the report should tell although it stops nothing.
    `given(folder)`: what the columns of a ready-made feature table mean, where the source is one.
    `count(folder)`: how many raw tables `read` yields, where that is known before.
    `is_public`: a data set that stands under its name in the folder of public data sets.
    """

    name: str
    text: str
    read: Callable[[Path], Iterator[RawTable]]
    plan: Callable[[Path], StudyPlan]
    notes: Callable[[Path], tuple[Fault, ...]] = _nothing
    given: Callable[[Path], GivenTable | None] = _no_table
    is_public: bool = False
    count: Callable[[Path], int | None] = _unknown
