"""Packed rows: same values, same bytes; every value back bit for bit; no row of another schema."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import StoreError
from features.packed import HASH_BYTES, Layout, Rows

LAYOUT = Layout("quick", ("alpha", "beta", "gamma"))


def bits(values: np.ndarray) -> list:
    return np.ascontiguousarray(values).view(np.int64).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 130), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_every_number_comes_back_bit_for_bit_and_every_missing_one_missing(fields, size, seed):
    rng = np.random.default_rng(seed)
    layout = Layout("v", tuple(f"f{i}" for i in range(fields)))
    values = rng.integers(-(2**63), 2**63, (size, fields)).view(np.float64)
    rows = Rows(values, rng.random((size, fields)) < 0.7, rng.integers(-(2**62), 2**62, size))
    found = layout.unpack(layout.pack(rows)) if size else rows
    assert found.present.tolist() == rows.present.tolist()
    assert found.as_of.tolist() == rows.as_of.tolist()
    assert bits(found.values[rows.present]) == bits(values[rows.present])
    assert np.isnan(found.values[~rows.present]).all()


def test_a_row_is_what_the_module_says_read_with_a_plain_loop():
    [row] = LAYOUT.pack(Rows.of(np.array([[1.5, np.nan, -0.0]]), np.array([-7])))
    head, as_of, present, *values = struct.unpack("<16sqQ3d", row)
    assert (head, as_of, present) == (LAYOUT.hash, -7, 0b101)
    assert values[0] == 1.5
    assert np.isnan(values[1])
    assert str(values[2]) == "-0.0"
    assert len(row) == LAYOUT.row_bytes


def test_a_nan_that_is_present_is_not_a_missing_value():
    rows = Rows(np.array([[np.nan, 1.0, np.nan]]), np.array([[True, True, False]]), np.array([1]))
    assert LAYOUT.unpack(LAYOUT.pack(rows)).present.tolist() == [[True, True, False]]


def test_whatever_stands_under_a_missing_value_the_bytes_are_the_same():
    there = np.array([[True, False, True]])
    one, two = (Rows(np.array([[1.0, x, 2.0]]), there, np.array([5])) for x in (9.0, -1e300))
    assert LAYOUT.pack(one) == LAYOUT.pack(two)


def test_another_view_name_or_order_of_fields_is_another_schema():
    others = [
        Layout("other", LAYOUT.names),
        Layout("quick", ("beta", "alpha", "gamma")),
        Layout("quick", ("alpha", "beta")),
        Layout("quick", ("alpha", "beta", "delta")),
    ]
    assert len({LAYOUT.hash, *(o.hash for o in others)}) == 5
    assert Layout("quick", LAYOUT.names).hash == LAYOUT.hash
    row = LAYOUT.pack(Rows.of(np.ones((1, 3)), np.array([1])))
    for other in others:
        with pytest.raises(StoreError, match=rf"schema {LAYOUT.hash.hex()}.*{other.hash.hex()}"):
            other.unpack(row)


@pytest.mark.parametrize("spoil", [lambda r: r[:-1], lambda r: r + b"\0", lambda r: r[:HASH_BYTES]])
def test_a_row_that_was_cut_or_grew_is_told_and_gives_no_value(spoil):
    [row] = LAYOUT.pack(Rows.of(np.ones((1, 3)), np.array([1])))
    with pytest.raises(StoreError, match="damaged"):
        LAYOUT.unpack([row, spoil(row)])
