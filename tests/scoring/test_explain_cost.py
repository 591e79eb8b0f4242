"""The price of an explanation: counted from the trees, in the order of the clock."""

from __future__ import annotations

import math

import lightgbm as lgb
import numpy as np
import pytest

from scoring.explain_cost import LANE_US, ROW_US, TREE_US, explain_us, work
from scoring.tree_tables import UnsupportedError


def booster(trees: int, leaves: int) -> lgb.Booster:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 30))
    y = (X @ rng.normal(size=30) + rng.normal(size=1500) > 0).astype(float)
    params = {"objective": "binary", "num_leaves": leaves, "verbosity": -1, "num_threads": 1,
              "min_data_in_leaf": 3}  # fmt: skip
    return lgb.train(params, lgb.Dataset(X, y), trees)


def by_hand(node: dict, path: frozenset[int] = frozenset()) -> tuple[int, int]:
    """Splits below a node, and the most distinct features on a way down from the root."""
    if "split_feature" not in node:
        return 0, len(path)
    path = path | {node["split_feature"]}
    below = [by_hand(node[side], path) for side in ("left_child", "right_child")]
    return 1 + sum(splits for splits, _ in below), max(depth for _, depth in below)


@pytest.mark.parametrize(("trees", "leaves"), [(5, 4), (3, 200)])
def test_the_work_is_that_of_a_walk_over_every_tree(trees, leaves):
    made = booster(trees, leaves)
    walked = [by_hand(t["tree_structure"]) for t in made.dump_model()["tree_info"]]
    lanes = sum(splits * math.ceil(math.ceil(depth / 2) / 8) for splits, depth in walked)
    assert work(made.model_to_string()) == (trees, lanes)
    expected = ROW_US + TREE_US * trees + LANE_US * lanes
    assert explain_us(made.model_to_string()) == pytest.approx(expected)


def test_more_trees_and_more_leaves_cost_more_and_the_same_text_the_same():
    made = [booster(10, 4), booster(20, 4), booster(20, 16)]
    costs = [explain_us(b.model_to_string()) for b in made]
    assert costs == sorted(set(costs))
    assert explain_us(made[2].model_to_string(10)) < costs[2]
    assert explain_us(booster(20, 16).model_to_string()) == costs[2]


def test_a_booster_without_a_split_costs_its_row():
    made = lgb.train(
        {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 5000},
        lgb.Dataset(np.zeros((100, 2)), np.arange(100) % 2), 3,
    )  # fmt: skip
    assert explain_us(made.model_to_string()) == ROW_US


def test_averaged_trees_have_no_price():
    made = booster(1, 4).model_to_string().replace("\n\nTree=0", "\naverage_output\n\nTree=0")
    with pytest.raises(UnsupportedError):
        explain_us(made)
