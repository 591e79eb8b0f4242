"""Who is one person: ids that the plan's columns tell to be the same.

Enters: a data set and ids. Leaves: for each id the key of its person, by which splits go. A person
is told by the first version of the columns; an id that lacks one of them is a person of its own.
It finds nobody by likeness: `training.twins` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from domain.errors import InputError
from events.dataset import Dataset
from events.given import GIVEN
from events.shown import listed


def profile(dataset: Dataset) -> pa.Table:
    """The first version of every customer's columns without clocks: `customers`, or those given."""
    table = "customers" if dataset.given is None else GIVEN
    rows = dataset.table(table)
    rows = rows.sort_by([("customer_id", "ascending"), ("happened_at", "ascending"),
                         ("known_at", "ascending")])  # fmt: skip
    ids = rows["customer_id"].combine_chunks()
    if len(ids):
        is_first = pa.concat_arrays([pa.array([True]), pc.not_equal(ids[1:], ids[:-1])])
        rows = rows.filter(is_first)
    return rows.drop_columns(["happened_at", "known_at", "superseded_at"])


def persons(dataset: Dataset, customers: Sequence[str]) -> list[str]:
    """The person of each customer: a key made of the plan's columns, or the id itself.

    Raises:
        InputError: the plan names a column that is not there.
    """
    names = dataset.plan.person_columns
    if not names:
        return list(customers)
    found = profile(dataset)
    strange = sorted({*names} - {*found.column_names})
    if strange:
        there = listed([n for n in found.column_names if n != "customer_id"])
        raise InputError(
            f"the plan tells persons by {listed(strange)}: there are {there}; name some of these"
        )
    rows = zip(*(found[n].cast(pa.string()).to_pylist() for n in names), strict=True)
    keys = {
        customer: hashlib.sha256("\x1f".join(row).encode()).hexdigest()
        for customer, row in zip(found["customer_id"].to_pylist(), rows, strict=True)
        if None not in row
    }
    return [keys.get(c, c) for c in customers]
