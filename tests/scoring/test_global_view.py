"""The global view: slow counts of the same, no small groups, strict reading, the same bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from domain.errors import BundleError, NotEnoughDataError
from features.catalogue import CATALOGUE
from features.ideas import ideas
from scoring.global_view import TOLD, global_view, read_global_view
from scoring.reference import FEWEST
from tests.scoring.explain_world import NAMES, credit_scorer, rows

SCORER, X = credit_scorer(), rows(2500, 61)
VIEW = global_view(SCORER, X, CATALOGUE)
IDEA = {n: ideas(CATALOGUE)[n].name for n in NAMES}
REASONS = SCORER.explain(X).reasons.tolist()


def sums(row: list[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, part in zip(NAMES, row, strict=True):
        found[IDEA[name]] = found.get(IDEA[name], 0) + part
    return found


def test_importance_is_the_mean_size_of_points_the_largest_first():
    slow = {n: sum(abs(r[i]) for r in REASONS) / len(X) for i, n in enumerate(NAMES)}
    assert VIEW.features == pytest.approx({n: v for n, v in slow.items() if v}, abs=6e-4)
    by_idea: dict[str, float] = {}
    for row in REASONS:
        for idea, part in sums(row).items():
            by_idea[idea] = by_idea.get(idea, 0) + abs(part) / len(X)
    assert VIEW.ideas == pytest.approx({n: v for n, v in by_idea.items() if v}, abs=6e-4)
    for sizes in (VIEW.features, VIEW.ideas):
        assert list(sizes.values()) == sorted(sizes.values(), reverse=True)


def test_dependence_holds_every_row_in_the_order_of_values():
    for name, parts in VIEW.dependence.items():
        place = NAMES.index(name)
        values, points = X[:, place], np.array([r[place] for r in REASONS])
        missing = np.isnan(values)
        assert parts[0].value is None
        assert parts[0].rows == missing.sum()
        assert parts[0].points == pytest.approx(points[missing].mean(), abs=0.006)
        told = [p.value for p in parts[1:]]
        assert told == sorted(told)
        assert sum(p.rows for p in parts) == len(X)
        assert sum(p.rows * p.points for p in parts) == pytest.approx(
            points.sum(), abs=0.006 * len(X)
        )


def test_ranges_are_the_quantiles_of_what_at_least_fifty_have():
    few = X.copy()
    few[49:, 0] = np.nan
    few[:50, 1], few[50:, 1] = np.arange(50.0), np.nan
    found = global_view(SCORER, few, CATALOGUE).ranges
    assert {*found} == {*NAMES[1:]}
    for name, (low, high) in found.items():
        known = sorted(v for v in few[:, NAMES.index(name)] if v == v)
        assert low == pytest.approx(np.percentile(known, 5))
        assert high == pytest.approx(np.percentile(known, 95))


def test_equal_values_stay_in_one_part():
    late = VIEW.dependence["days_past_due_max_90d"]
    assert [p.value for p in late] == [None, 0.0, 30.0, 60.0]


def test_a_band_counts_whose_three_largest_ideas_hold_it():
    points = SCORER.points(X)
    for band in VIEW.bands:
        rows_in = np.flatnonzero(points // 100 * 100 == band.from_points)
        assert band.rows == len(rows_in) >= FEWEST
        count: dict[str, int] = {}
        for r in rows_in:
            found = sums(REASONS[r])
            names = list(found)
            best = sorted(names, key=lambda n: (-abs(found[n]), names.index(n)))[:TOLD]
            for idea in best:
                count[idea] = count.get(idea, 0) + bool(found[idea])
        slow = {i: c / len(rows_in) for i, c in count.items() if c}
        assert band.ideas == pytest.approx(slow, abs=6e-4)
    assert [b.from_points for b in VIEW.bands] == sorted(b.from_points for b in VIEW.bands)


def test_few_rows_make_no_view_and_no_band():
    with pytest.raises(NotEnoughDataError, match="49 rows"):
        global_view(SCORER, X[:49], CATALOGUE)
    small = global_view(SCORER, X[:120], CATALOGUE)
    told = [b.rows for b in small.bands] + [p.rows for ps in small.dependence.values() for p in ps]
    assert min(told) >= FEWEST


def test_the_same_rows_give_the_same_json_and_it_is_read_back():
    again = global_view(SCORER, X.copy(), CATALOGUE).model_dump_json()
    assert again == VIEW.model_dump_json()
    content = {"credit": json.loads(again)}
    read = read_global_view(json.loads(json.dumps(content, sort_keys=True)))["credit"]
    assert read == VIEW
    assert list(read.ideas) == list(VIEW.ideas)
    for broken in ({"loyalty": content["credit"]}, {"credit": {**content["credit"], "rows": "9"}}):
        with pytest.raises(BundleError, match="train again"):
            read_global_view(broken)


def test_an_idea_that_moved_nobody_is_among_no_reasons():
    stump = global_view(credit_scorer(rounds=1, leaves=2), X, CATALOGUE)
    assert len(stump.ideas) == 1
    assert all(band.ideas == dict.fromkeys(stump.ideas, 1.0) for band in stump.bands)
