"""The board of a search bounds what options come to, and of one choice says it exactly."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from features.catalogue import CATALOGUE
from scoring.board import Board, group_of
from scoring.categories import Levels
from scoring.levers import apart, options
from tests.scoring.lever_world import FEATURES, LEVERS, rows, scorer_of


def board_of(scorer, x):
    known = dict(zip(FEATURES, x.tolist(), strict=True))
    groups = []
    for together in apart(CATALOGUE, LEVERS):
        found = [o for v in together if (o := options(CATALOGUE, known, v)) is not None]
        group = group_of(scorer, x, found)
        if group is not None:
            groups.append(group)
    return Board.of(scorer, x, groups)


def point_of(board, x, picks):
    """The row of one option of each group."""
    changed = x.copy()
    for group, option in zip(board.groups, picks, strict=True):
        for place, values in group.columns.items():
            changed[place] = values[option]
    return changed


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_of_one_option_of_each_group_is_the_margin_itself(seed):
    scorer, x = scorer_of(seed), rows(200, seed)[0]
    board, rng = board_of(scorer, x), np.random.default_rng(seed)
    everything = tuple(range(len(board.groups)))
    for _ in range(20):
        picks = [int(rng.integers(len(g.costs))) for g in board.groups]
        ranges = [(g, o, o + 1) for g, o in enumerate(picks)]
        bound = board.bound(board.others(everything), ranges)
        margin = scorer.margin(point_of(board, x, picks)[None])[0]
        assert bound == pytest.approx(margin, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_choice_inside_of_ranges_has_a_margin_above_their_bound(seed):
    """And groups that are not chosen stay as they are."""
    scorer, x = scorer_of(seed), rows(200, seed)[1]
    board, rng = board_of(scorer, x), np.random.default_rng(seed)
    for _ in range(20):
        size = int(rng.integers(1, len(board.groups) + 1))
        chosen = tuple(sorted(rng.permutation(len(board.groups))[:size].tolist()))
        ranges = []
        for g in chosen:
            low, high = sorted(rng.choice(len(board.groups[g].costs) + 1, 2, replace=False))
            ranges.append((g, int(low), int(high)))
        bound = board.bound(board.others(chosen), ranges)
        picks = [0] * len(board.groups)
        for g, low, high in ranges:
            picks[g] = int(rng.integers(low, high))
        assert scorer.margin(point_of(board, x, picks)[None])[0] <= bound + 1e-9


def test_options_of_one_cell_are_one_option_and_the_nearest():
    scorer, x = scorer_of(2), rows(200, 2)[3]
    board = board_of(scorer, x)
    for group in board.groups:
        assert group.costs[0] == 0.0
        for begin, end in pairwise([*group.segments, len(group.costs)]):
            assert (np.diff(group.costs[begin:end]) > 0).all()
            cells = np.stack([
                scorer.leaves.sides[i].cells(np.array([x[i], *v[begin:end]]))
                for i, v in group.columns.items()
            ])  # fmt: skip
            assert (np.diff(cells, axis=1) != 0).any(axis=0).all()


def test_a_code_is_read_as_its_statistic_where_leaves_are_reached():
    x = rows(200, 0)[0]
    place = FEATURES.index("spend_ratio_30d_to_180d")
    levels = Levels(FEATURES[place], (7001.0, 7002.0), (0.5, 4.0), 1.0)
    plain = scorer_of(0)
    coded = replace(plain, categories=(levels,))
    others = tuple(v for v in LEVERS if not v.feature.startswith("spend"))
    for code in (7001.0, 7002.0, 5.0):
        x[place] = code
        groups = []
        for together in apart(CATALOGUE, others):
            known = dict(zip(FEATURES, x.tolist(), strict=True))
            found = [o for v in together if (o := options(CATALOGUE, known, v)) is not None]
            group = group_of(coded, x, found)
            groups += [] if group is None else [group]
        board = Board.of(coded, x, groups)
        stay = [(g, 0, 1) for g in range(len(groups))]
        bound = board.bound(board.others(range(len(groups))), stay)
        assert bound == pytest.approx(coded.margin(x[None])[0], abs=1e-9)
        assert coded.margin(x[None])[0] != plain.margin(x[None])[0]
