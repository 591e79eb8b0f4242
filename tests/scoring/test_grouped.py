"""Reasons by idea: the sums stay, each idea stands once, the strongest feature tells it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from features.catalogue import CATALOGUE
from features.ideas import Idea, ideas
from scoring.grouped import by_idea, grouped, idea_reasons
from tests.scoring.explain_world import NAMES, NOISE, case, credit_scorer, rows

IDEAS = [Idea(n, n, n) for n in "abc"]
MATRIX = hnp.arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(1, 8)),
                    elements=st.integers(-900, 900))  # fmt: skip


@given(MATRIX, st.data())
def test_an_idea_has_the_sum_of_its_features_and_the_one_that_pulls_most_tells_it(reasons, data):
    width = reasons.shape[1]
    of = data.draw(st.lists(st.sampled_from(IDEAS), min_size=width, max_size=width))
    found = grouped(reasons, of)
    assert (found.reasons.sum(axis=1) == reasons.sum(axis=1)).all()
    assert found.ideas == tuple(dict.fromkeys(of))
    assert sum(found.sizes) == width
    for r, row in enumerate(reasons.tolist()):
        for g, idea in enumerate(found.ideas):
            members = [i for i in range(width) if of[i] == idea]
            total = sum(row[i] for i in members)
            assert found.reasons[r, g] == total
            best = members[0]
            for i in members:
                pulls = [abs(row[j]) if total == 0 else row[j] * np.sign(total) for j in (i, best)]
                best = i if pulls[0] > pulls[1] else best
            assert found.tellers[r, g] == best


def test_base_and_ideas_are_the_points_of_many_rows_and_of_each_alone():
    scorer, X = credit_scorer(), rows(5000, 4)
    explained = scorer.explain(X)
    found = by_idea(explained.reasons, scorer, CATALOGUE)
    assert (explained.base_points + found.reasons.sum(axis=1) == explained.points).all()
    assert len(found.ideas) < len(NAMES)
    for i in range(0, 5000, 500):
        alone = by_idea(scorer.explain(X[i : i + 1]).reasons, scorer, CATALOGUE)
        assert (alone.reasons[0] == found.reasons[i]).all()
        assert (alone.tellers[0] == found.tellers[i]).all()


def test_a_million_rows_keep_their_sums():
    scorer, X = credit_scorer(), rows(5000, 8)
    explained = scorer.explain(X)
    found = by_idea(np.tile(explained.reasons, (200, 1)), scorer, CATALOGUE)
    points, base = np.tile(explained.points, 200), np.tile(explained.base_points, 200)
    assert len(points) == 1_000_000
    assert (base + found.reasons.sum(axis=1) == points).all()


@pytest.mark.parametrize("top", [0, 1, 3, 50])
def test_listed_ideas_and_the_rest_add_up_and_no_idea_stands_twice(top):
    scorer, X = credit_scorer(), rows(60, 5)
    explained = scorer.explain(X)
    for i, x in enumerate(X):
        said = idea_reasons(case(x), explained.reasons[i], top)
        row = explained[i]
        assert row.base_points + sum(r.points for r in said) == row.points
        assert sum(r.features for r in said) == len(NAMES)
        assert len({r.idea for r in said}) == len(said)
        sizes = [abs(r.points) for r in said if r.idea != "other"]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) <= top


def test_an_idea_is_told_with_the_value_of_its_strongest_feature():
    scorer, X = credit_scorer(), rows(40, 6)
    known = ideas(CATALOGUE)
    for i, x in enumerate(X):
        for said in idea_reasons(case(x), scorer.explain(X).reasons[i], 3):
            if said.feature is not None:
                assert known[said.feature].name == said.idea
                value = x[NAMES.index(said.feature)]
                assert said.value == (None if np.isnan(value) else value)
                assert str(abs(said.points)) in said.zh
                assert CATALOGUE[said.feature].zh in said.zh


def test_what_drives_the_truth_ranks_first_and_planted_noise_has_hardly_a_share():
    scorer, X = credit_scorer(), rows(4000, 7)
    found = by_idea(scorer.explain(X).reasons, scorer, CATALOGUE)
    sizes = dict(
        zip([i.name for i in found.ideas], np.abs(found.reasons).mean(axis=0), strict=True)
    )
    ranked = sorted(sizes, key=lambda n: -sizes[n])
    assert ranked[0] == "late_payment"
    assert ranked[1] == "utilisation"
    noise = sum(sizes[ideas(CATALOGUE)[n].name] for n in NOISE)
    assert noise < 0.06 * sum(sizes.values())
