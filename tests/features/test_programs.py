"""Takes become programs: what is shared is computed once, what is read is named."""

from __future__ import annotations

import pytest

from domain.errors import TierlineError
from features import programs, running
from features.catalogue import CATALOGUE
from features.declare import Take
from features.programs import compile_takes
from tests.features.test_panel import catalogue_of

T = "transactions"


def compiled(*takes):
    [found] = compile_takes(catalogue_of(takes))
    return found


def test_windows_of_one_sum_share_what_runs_along():
    found = compiled(*(Take("sum", f"{T}.amount", days=d) for d in (7, 30, 0)))
    assert len(found.programs.runs) == 1
    assert found.programs.windows.tolist() == [[0, 0], [7, 0], [30, 0]]


def test_a_spread_and_a_mean_of_one_value_share_its_sum():
    found = compiled(Take("std", f"{T}.amount", days=7), Take("mean", f"{T}.amount", days=30))
    assert [running.RUNS[r[0]] for r in found.programs.runs] == ["sum", "squares"]


def test_conditions_in_any_order_are_one_need():
    found = compiled(
        Take("count", T, ("purchase", "online")), Take("count", T, ("online", "purchase"))
    )
    assert len(found.programs.needs) == 1


def test_two_half_lives_run_apart():
    found = compiled(Take("decay", T, half_life=1), Take("decay", T, half_life=2))
    assert [r[3] for r in found.programs.runs.tolist()] == [86_400_000_000, 2 * 86_400_000_000]


def test_only_the_columns_that_are_used_are_read():
    found = compiled(Take("sum", f"{T}.net_spend", ("online",), days=7))
    assert found.columns == ("amount", "kind", "channel")


def test_more_conditions_than_there_are_bits_are_refused(monkeypatch):
    monkeypatch.setattr(programs, "MOST_CONDITIONS", 1)
    with pytest.raises(TierlineError, match="2 conditions"):
        compiled(Take("count", T, ("purchase", "online")))


def test_every_taken_feature_of_the_catalogue_is_filled_once():
    filled = [n for c in compile_takes(CATALOGUE) for n in c.names]
    assert sorted(filled) == sorted(d.name for d in CATALOGUE.declarations if d.take is not None)
