"""Spoils clean rows on purpose: known late, corrected later, or delivered twice.

Which rows, is decided by hashing (seed, table, customer, sequence), so that a row's fate depends
on no other row. A row has at most one trouble. Enters: numbered rows. Leaves: row indices, the
instants they are known, and the amounts to write.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.asof import MICROS_PER_DAY
from events.bank.config import BankConfig
from events.bank.streams import Floats, Idea, Ints, hashed_uniforms

HOUR = 3_600_000_000


@dataclass(frozen=True)
class Spoilt:
    """Rows to write: `row` indexes the clean rows (twice where one is delivered twice).

    `factor` multiplies the amount: 1 unless the row is the faulty first version of a correction,
    which is followed by the true one, known later.
    """

    row: Ints
    known: Ints
    factor: Floats


def spoil(
    config: BankConfig, table: int, keys: Ints, happened: Ints, *, corrects: bool = True
) -> Spoilt:
    """The rows of a table with late, corrected and doubled ones; order kept.

    `keys`: one distinct number a row. A late row is known 1 hour to `late_days` after it happened,
    and so is the true version of a corrected row.
    """
    fate, delay, size = (
        hashed_uniforms((config.seed, int(Idea.TROUBLE), table, k), keys) for k in range(3)
    )
    late = fate < config.late_share
    bound = config.late_share + config.correction_share * corrects
    corrected = ~late & (fate < bound)
    doubled = ~late & ~corrected & (fate < bound + config.duplicate_share)
    longest = config.late_days * MICROS_PER_DAY - HOUR
    later = happened + HOUR + (delay * longest).astype(np.int64) // 1_000_000 * 1_000_000
    row = np.repeat(np.arange(len(keys)), 1 + (corrected | doubled))
    again = np.concatenate([[False], row[1:] == row[:-1]])
    wrong = corrected[row] & ~again
    factor = np.where(wrong, np.where(size < 0.5, 0.4 + size, 0.8 + size)[row], 1.0)
    known = np.where(late[row] | (corrected[row] & again), later[row], happened[row])
    return Spoilt(row=row, known=known, factor=factor)
