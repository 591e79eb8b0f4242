"""Tables of a tree worked out by hand; what they cannot hold is named, never guessed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from scoring.quadrature import gauss_legendre
from scoring.tree_tables import (
    COLUMN,
    ENDS,
    KIND,
    LEFT,
    MISSING_NAN,
    NO,
    ON_LEFT,
    ON_RIGHT,
    OUTPUT,
    PRIOR,
    RIGHT,
    SHARE,
    TERM,
    THRESHOLD,
    WIDTH,
    YES,
    Column,
    UnsupportedError,
    read_tables,
)  # fmt: skip

TREE = """tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
feature_names=a b

Tree=0
num_leaves=3
num_cat=0
split_feature=1 1
threshold=5 2.5
decision_type=10 8
left_child=-1 -2
right_child=1 -3
leaf_value=1 4 -2
leaf_count=30 20 50
internal_count=100 70
is_linear=0
shrinkage=1


end of trees
"""


def test_a_tree_of_two_splits_on_one_feature_is_as_worked_by_hand() -> None:
    t = read_tables(TREE)
    assert t.columns == (Column(1, MISSING_NAN, True), Column(1, MISSING_NAN, False))
    root, end = t.ints
    assert root[[COLUMN, PRIOR, KIND, ON_LEFT, ON_RIGHT, OUTPUT]].tolist() == [0, 0, LEFT, 1, 2, 1]
    assert end[[COLUMN, PRIOR, KIND, ON_LEFT, ON_RIGHT, OUTPUT]].tolist() == [1, 2, ENDS, 2, 2, 1]
    above, below = t.floats
    # turned: the leaf stands right, so a yes leaves the left child, whose share is 70 of 100
    assert above[[THRESHOLD, YES, NO, SHARE, RIGHT]].tolist() == [5, -0.7, 1 - 0.7, 0.7, 1]
    c = 20 / 70
    expected = [2.5, (1 - c) * 6, -c * 6, c, -2 + c * 6]
    assert below[[THRESHOLD, YES, NO, SHARE, RIGHT]].tolist() == expected
    assert t.trees.tolist() == [[0, 2, 1, 1, 4 * WIDTH]]
    [node], [weight] = gauss_legendre(1)
    gp = node + (1 - node) * 0.7
    at = end[TERM]
    assert t.terms[[at, at + WIDTH, 4 * WIDTH]].tolist() == [node / gp, 0.7 / (gp * gp), weight]
    assert t.expected.tolist() == [0.3 * 1 + 0.2 * 4 + 0.5 * -2]


@pytest.mark.parametrize(
    ("pattern", "by", "named"),
    [
        ("feature_names=a b", "average_output\nfeature_names=a b", "averaged"),
        ("is_linear=0", "is_linear=1", "tree 0 has linear leaves"),
        ("leaf_count=30", "leaf_count=31", "tree 0 has 31 and 70 training rows .* of 100"),
        ("internal_count=100 70", "internal_count=100 71", "training rows"),
        ("leaf_count=30 20 50", "leaf_count=100 0 0", "training rows"),
        ("leaf_count=30 20 50", "leaf_count=30 0 70", None),
        ("left_child=-1 -2", "left_child=0 -2", "no tree"),
        ("left_child=-1 -2", "left_child=9 -2", "no tree"),
        ("left_child=-1 -2", "left_child=-1 -9", "no tree"),
        ("right_child=1 -3", "right_child=1 -2", "no tree"),
        ("split_feature=1 1", "split_feature=1 2", "feature 2"),
        ("split_feature=1 1", "split_feature=1 -1", "feature -1"),
        ("threshold=5 2.5", "threshold=5 nan", "split on nan"),
        ("threshold=5 2.5", "threshold=5", "threshold has 1 values, not 2"),
        ("threshold=5 2.5", "threshold=5 x", "damaged"),
        ("decision_type=10 8", "decision_type=10 12", "kind 12"),
        ("decision_type=10 8", "decision_type=10 1", "damaged"),
        ("leaf_value=1 4 -2\n", "", "leaf_value"),
        ("num_leaves=3", "num_leaves=1e9", "damaged"),
        ("max_feature_idx=1\n", "", "max_feature_idx"),
    ],
)
def test_what_the_tables_cannot_hold_is_named(pattern: str, by: str, named: str | None) -> None:
    assert pattern in TREE
    text = TREE.replace(pattern, by)
    if named is None:
        assert np.isfinite(read_tables(text).terms).all()
        return
    with pytest.raises(UnsupportedError, match=named):
        read_tables(text)


def test_a_text_with_no_tree_is_a_constant() -> None:
    t = read_tables(re.sub(r"Tree=0.*end", "end", TREE, flags=re.DOTALL))
    assert (len(t.ints), len(t.trees), t.expected.tolist()) == (0, 0, [0.0])
