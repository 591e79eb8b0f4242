"""Resamples are of whole customers, and every interval and difference is over the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from training import metrics
from training.draws import RESAMPLES, apart, interval, intervals, over, resample


def test_whole_customers_are_drawn_with_replacement():
    customers = ["a", "b", "a", "c"]
    weights = resample(customers, seed=3)
    assert weights.shape == (RESAMPLES, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 1].mean() == pytest.approx(1, abs=0.15)


def test_every_measure_is_of_the_rows_themselves_and_then_of_each_resample():
    values = np.array([1.0, 5.0, 9.0, 2.0])
    weights = resample(["a", "b", "a", "c"], 1)[:30]
    drawn = over({"mean": metrics.mean(values), "sum": lambda w: float(w @ values)}, weights)
    again = [np.repeat(values, w.astype(int)) for w in (np.ones(4), *weights)]
    assert drawn["mean"] == pytest.approx([rows.mean() for rows in again])
    assert drawn["sum"] == pytest.approx([rows.sum() for rows in again])
    ends = np.quantile([rows.mean() for rows in again[1:]], [0.025, 0.975])
    assert intervals(drawn)["mean"] == pytest.approx(ends)


def test_a_difference_is_draw_by_draw_and_of_what_both_have():
    ours = {"a": np.array([5.0, *np.arange(100.0)]), "b": np.zeros(101)}
    theirs = {"a": np.array([3.0, *np.arange(100.0) - 1.0])}
    assert apart(ours, theirs) == {"a": [2.0, 1.0, 1.0]}


def test_what_cannot_be_told_of_a_resample_is_left_out_of_the_interval():
    found = np.array([np.nan, *np.arange(101.0)])
    assert interval(found) == pytest.approx([2.5, 97.5])
