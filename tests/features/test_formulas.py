"""Formulas: what they compute, what they read, and what of them counts as content."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.formulas import Column, Filled, Quotient, content_of, inputs_of, ratio

NUMBERS = st.lists(
    st.tuples(*[st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(0.0)] * 2), min_size=1
)


def columns(rows) -> list[Column]:
    return [np.array(c, dtype=np.float64) for c in zip(*rows, strict=True)]


@given(rows=NUMBERS, most=st.none() | st.floats(0.5, 9.0))
def test_a_quotient_is_scaled_bounded_and_missing_where_the_divisor_is_not_above_zero(rows, most):
    found = Quotient("a", "b", 3.0, most)(*columns(rows))
    for value, (above, below) in zip(found.tolist(), rows, strict=True):
        expected = 3.0 * (above / below) if below > 0 else math.nan
        if most is not None and expected > most:
            expected = most
        assert value == pytest.approx(expected, nan_ok=True)


@given(rows=NUMBERS)
def test_filled_is_the_share_that_has_a_value_and_missing_where_none_has(rows):
    found = Filled(("a", "b"))(*columns(rows))
    for value, row in zip(found.tolist(), rows, strict=True):
        known = [v for v in row if v == v]
        assert value == pytest.approx(len(known) / 2 if known else math.nan, nan_ok=True)


def test_a_formula_reads_its_parameters_or_those_of_its_data():
    def both(first, second):
        """一 | One"""
        return ratio(first, second)

    assert inputs_of(both) == ("first", "second")
    assert inputs_of(Quotient("a", "b")) == inputs_of(Filled(("a", "b"))) == ("a", "b")


def test_of_a_function_the_code_counts_and_of_data_the_data():
    def one(a):
        """一 | One"""
        return 2.0 * a

    said = content_of(one)

    def one(a):
        """二 | Another text"""
        return (
            2.0  # twice
            * a
        )

    assert content_of(one) == said

    def one(a):
        return 3.0 * a

    assert content_of(one) != said
    assert content_of(Quotient("a", "b")) != content_of(Quotient("a", "b", 2.0))
    assert content_of(Filled(("a",))) == {"inputs": ("a",)}
