"""Lanes compute what numpy computes, to the bit, and nothing is fused."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from scoring.lanes import (
    ALIGN,
    aligned,
    at_most,
    chooser,
    filler,
    loader,
    peek,
    store,
    transposed_sums,
)  # fmt: skip

load, fill, choose, sums = loader(8), filler(8), chooser(8), transposed_sums(8)


@njit
def arithmetic(a, b, number, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x * y + number)
    store(out, 8, (x - y) * number)
    store(out, 16, number - x + fill(2.0))


@njit
def compare(a, bound):
    return at_most(load(a, 0), bound)


@njit
def pick(bits, a, out):
    store(out, 0, choose(bits, 7.0, load(a, 0)))


@njit
def add_up(a, at, stride, out):
    store(out, 0, sums(load(out, 0), a, at, stride))


@njit
def look(numbers, counts, at):
    return peek(numbers, at), peek(counts, at)


@pytest.fixture
def numbers() -> np.ndarray:
    return np.random.default_rng(1).normal(size=16)


def test_every_lane_is_rounded_by_itself_and_never_fused(numbers) -> None:
    a, b, out = numbers[:8], numbers[8:], np.empty(24)
    arithmetic(a, b, 0.1, out)
    assert out[:8].tolist() == [x * y + 0.1 for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert out[8:16].tolist() == ((a - b) * 0.1).tolist()
    assert out[16:].tolist() == (0.1 - a + 2.0).tolist()
    [code] = arithmetic.inspect_asm().values()
    assert not [word for word in ("vfmadd", "vfmsub", "vfnm", "fmla", "fmls") if word in code]


def test_comparison_sets_one_bit_a_lane_and_none_for_nan(numbers) -> None:
    a = np.array([0.0, -1.0, np.nan, 2.0, -np.inf, np.inf, 1.0, 1.5])
    assert compare(a, 1.0) == 0b01010011
    assert compare(a, np.inf) == 0b11111011


def test_choosing_takes_the_number_where_the_bit_is_set(numbers) -> None:
    out = np.empty(8)
    pick(0b10000101, numbers, out)
    expected = numbers[:8].copy()
    expected[[0, 2, 7]] = 7.0
    assert out.tolist() == expected.tolist()


def test_sums_add_each_run_in_order() -> None:
    a = np.random.default_rng(2).normal(size=200) * 10.0 ** np.arange(200.0) % 7
    out = np.arange(8.0)
    add_up(a, 3, 11, out)
    for lane in range(8):
        total = float(lane)
        for value in a[3 + 11 * lane :][:8].tolist():
            total += value
        assert out[lane] == total


def test_peeking_reads_numbers_and_counts() -> None:
    assert look(np.array([1.5, 2.5]), np.array([7, -9], dtype=np.int32), 1) == (2.5, -9)


@pytest.mark.parametrize("size", [0, 1, 17, 1000])
def test_aligned_arrays_begin_on_a_cache_line_and_are_zero(size: int) -> None:
    made = aligned(size)
    assert size == 0 or made.ctypes.data % ALIGN == 0
    assert made.shape == (size,)
    assert not made.any()
