"""Spreads: quantiles of what is known, bins that lose nobody, plots that say empty is empty."""

from __future__ import annotations

import numpy as np
import pytest

from features.stats import BINS, EMPTY, HEIGHTS, QUANTILES, spread


@pytest.mark.parametrize("seed", range(5))
def test_every_known_value_falls_into_a_bin_and_quantiles_are_those_of_the_known(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_cauchy(500)
    values[rng.random(500) < 0.2] = np.nan
    found = spread(values)
    known = values[~np.isnan(values)]
    assert found.rows == 500
    assert found.missing == pytest.approx(1 - known.size / 500)
    assert sum(found.bins) == known.size
    assert found.quantiles == pytest.approx(np.quantile(known, QUANTILES))
    assert len(found.plot) == BINS
    assert HEIGHTS[-1] in found.plot


def test_a_bin_with_anybody_in_it_is_never_drawn_empty_and_an_empty_one_always():
    found = spread(np.concatenate([np.zeros(10_000), np.full(200, 11.0)]))
    drawn = [mark != EMPTY for mark in found.plot]
    assert drawn == [n > 0 for n in found.bins]
    assert drawn.count(True) == 2


def test_nothing_known_has_no_plot_and_one_value_stands_in_the_middle():
    nothing = spread(np.full(3, np.nan))
    assert (nothing.missing, nothing.plot, nothing.bins) == (1.0, "", ())
    assert all(np.isnan(q) for q in nothing.quantiles)
    assert spread(np.empty(0)).missing == 1.0
    one = spread(np.full(4, 7.0))
    assert one.bins[BINS // 2] == 4
