"""Who learns, who calibrates, who tests: rows parted by time and by customer.

Enters: the labelled rows of one target and the plan. Leaves: index arrays. A customer stands in
one of three parts, by a hash of its id (of the person, where the plan tells persons: see
`training.people`): `unseen` (never learnt from), `calibration`, `fit`. Where the plan says
`calibration = "latest"`, the latest training date calibrates instead.
With `time`, training rows end at least a horizon before the first test row; test rows are all
customers of the later dates, and the unseen among them are judged once more by themselves, as are
the unseen of the earlier dates. With
`customer`, the test is the unseen customers. With `folds`, every row is tested by a model that did
not learn from its customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, iso
from domain.errors import InputError, NotEnoughDataError
from domain.plan import StudyPlan

Index = NDArray[np.int64]
Part = Literal["folds", "unseen", "calibration", "fit"]
CALIBRATION_PERCENT = 15
FOLDS = 5
REPEATS = 3
LEAST_ROWS = 100
LEAST_OF_A_KIND = 10


@dataclass(frozen=True)
class Split:
    """Row numbers of each part. `folds`: for each fold the rows it learns from and is tested on;
    then `fit` and `test` are all rows and `calibration` is empty. `earlier_unseen`: with `time`,
    rows of the training dates that nothing learns from."""

    fit: Index
    calibration: Index
    test: Index
    test_unseen: Index
    folds: tuple[tuple[Index, Index], ...] = ()
    earlier_unseen: Index = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def percent(key: str, customer_id: str) -> int:
    """The customer's place from 0 to 99 under a key; the same everywhere, for ever."""
    return int(hashlib.sha256(f"{key}:{customer_id}".encode()).hexdigest()[:8], 16) % 100


def percents(key: str, customers: Sequence[str]) -> Index:
    """`percent` of every row's customer."""
    known: dict[str, int] = {}
    out = np.empty(len(customers), dtype=np.int64)
    for row, customer in enumerate(customers):
        if customer not in known:
            known[customer] = percent(key, customer)
        out[row] = known[customer]
    return out


def learners(customers: Sequence[str], plan: StudyPlan) -> NDArray[np.bool_]:
    """Whether each customer is learnt from: neither unseen nor calibrating."""
    unseen, calibration = _places(customers, plan)
    return ~unseen & ~calibration


def part_of(person: str, plan: StudyPlan) -> Part:
    """Where one stands: `folds`, `unseen`, `calibration` or `fit`."""
    if plan.split == "folds":
        return "folds"
    unseen, calibration = _places([person], plan)
    return "unseen" if unseen[0] else "calibration" if calibration[0] else "fit"


def _places(
    customers: Sequence[str], plan: StudyPlan
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who is unseen, and who of the others calibrates."""
    unseen = percents(plan.split_key, customers) < plan.test_percent
    places = percents(f"{plan.split_key}:calibration", customers)
    return unseen, ~unseen & (places < CALIBRATION_PERCENT)


def split(rows: pa.Table, plan: StudyPlan, horizon_days: int, test_from: int, seed: int) -> Split:
    """The parts of labelled rows (customer_id, as_of, y); `test_from` is the first test as_of.

    What stands in `customer_id` is parted as one: an id, or the person behind several.

    Raises:
        InputError: training reaches into the horizon before the test.
        NotEnoughDataError: a part with too few rows, or too few of either outcome.
    """
    customers = rows["customer_id"].to_pylist()
    unseen, calibration = _places(customers, plan)
    if plan.split == "folds":
        found = _folds(rows, customers, seed)
    elif plan.split == "customer":
        fit = np.flatnonzero(~unseen & ~calibration)
        test = np.flatnonzero(unseen)
        found = Split(fit, np.flatnonzero(calibration), test, test)
    else:
        as_of = rows["as_of"].cast(pa.int64()).to_numpy()
        early = as_of < test_from
        check_gap(as_of[early], test_from, horizon_days)
        if plan.calibration == "latest":
            calibration = as_of == as_of[early].max(initial=0)
        found = Split(
            np.flatnonzero(early & ~unseen & ~calibration),
            np.flatnonzero(early & ~unseen & calibration),
            np.flatnonzero(~early),
            np.flatnonzero(~early & unseen),
            earlier_unseen=np.flatnonzero(early & unseen),
        )
    check_size(found, rows["y"].to_numpy())
    return found


def check_size(found: Split, y: NDArray[np.float64]) -> None:
    """Nothing, where fit and test have enough rows and enough of either outcome, and calibration,
    where it has rows of its own, has both.

    Raises:
        NotEnoughDataError: says which part lacks what.
    """
    for name, part in (("fit", found.fit), ("test", found.test)):
        good = int((y[part] > 0).sum())
        few = min(good, part.size - good) if set(np.unique(y)) <= {0.0, 1.0} else good
        if part.size < LEAST_ROWS or few < LEAST_OF_A_KIND:
            raise NotEnoughDataError(
                f"the {name} part has {part.size} rows, {few} of the rarer outcome: "
                f"{LEAST_ROWS} and {LEAST_OF_A_KIND} are the least to learn and judge from; "
                "take more customers, or dates that the data reaches"
            )
    if not found.folds and not has_both(y[found.calibration]):
        raise NotEnoughDataError(
            f"the calibration part has {found.calibration.size} rows of one outcome only: "
            "take more customers"
        )


def has_both(y: NDArray[np.float64]) -> bool:
    """Whether good and bad, or amounts and zeros, or different amounts, are both there.

    >>> has_both(np.array([1.0, 0.0])), has_both(np.array([1.0, 1.0])), has_both(np.array([]))
    (True, False, False)
    """
    return bool(np.unique(y).size > 1)


def check_gap(train: NDArray[np.int64], test_from: int, horizon_days: int) -> None:
    """Nothing, where every label of the training dates is known at the first test as_of.

    Raises:
        InputError: training reaches into the horizon before the test.
    """
    if train.size and int(train.max()) + horizon_days * MICROS_PER_DAY > test_from:
        raise InputError(
            f"training at {iso(int(train.max()))} with a horizon of {horizon_days} days reaches "
            f"past the first test at {iso(test_from)}: take earlier training or later test dates"
        )


def _folds(rows: pa.Table, customers: Sequence[str], seed: int) -> Split:
    from sklearn.model_selection import StratifiedGroupKFold

    y = rows["y"].to_numpy()
    everybody = np.arange(rows.num_rows)
    folds: list[tuple[Index, Index]] = []
    for repeat in range(REPEATS):
        parts = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        folds += [
            (np.asarray(a), np.asarray(b)) for a, b in parts.split(everybody, y, groups=customers)
        ]
    nobody = everybody[:0]
    return Split(everybody, nobody, everybody, nobody, tuple(folds))
