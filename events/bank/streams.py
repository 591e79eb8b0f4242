"""Random numbers: one independent stream for each seed, chunk, idea and month.

A stream depends on nothing but its name, so that a change in one process, chunk or month moves no
other. Enters: the name of a stream. Leaves: a numpy generator, or uniforms by hashing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MULTIPLIERS: Final = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1


class Idea(IntEnum):
    """What a stream is drawn for."""

    CUSTOMERS = 1
    LIFE = 2
    PURCHASES = 3
    MONEY = 4
    STATEMENTS = 5
    INTERACTIONS = 6
    LOANS = 7
    PROFILE = 8
    TROUBLE = 9


def stream(seed: int, start: int, idea: Idea, month: int = 0) -> np.random.Generator:
    """The generator of one idea in one month, for the chunk that begins at customer `start`."""
    entropy = np.random.SeedSequence([seed, start, int(idea), month])
    return np.random.Generator(np.random.Philox(entropy))


def hashed_uniforms(salt: tuple[int, ...], keys: Ints) -> Floats:
    """Uniforms in [0, 1), one a key, the same for the same salt and key wherever they stand.

    Source: Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators (the mixing
    of SplitMix64).
    """
    state = 0
    for part in salt:
        state = _mix_int((state + part + _GOLDEN) & _MASK)
    mixed = keys.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(state)
    for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(multiplier)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix_int(value: int) -> int:
    for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
        value = ((value ^ (value >> shift)) * multiplier) & _MASK
    return value ^ (value >> 31)
