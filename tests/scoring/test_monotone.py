"""The proof on the trees agrees with brute force on every cell of small trees (I5)."""

from __future__ import annotations

import itertools
import re

import lightgbm as lgb
import numpy as np
import pytest

from domain.errors import BundleError, InputError
from scoring.booster import booster_text
from scoring.monotone import Violation, leaf_boxes, violations

LARGEST = 1e300
TINY = float(np.float32(1e-35))  # LightGBM reads what is not larger as 0.0


def cells(tree: dict, k: int) -> list[list[float]]:
    """For each feature: a value in every interval between its thresholds of one tree."""
    cuts: list[set[float]] = [set() for _ in range(k)]
    stack = [tree["tree_structure"]]
    while stack:
        node = stack.pop()
        if "split_feature" in node:
            cuts[node["split_feature"]].add(node["threshold"])
            stack += [node["left_child"], node["right_child"]]
    return [sorted({*(min(c, LARGEST) for c in one), LARGEST}) for one in cuts]


def brute_force(booster: lgb.Booster, constraints: tuple[int, ...]) -> set[tuple[int, int]]:
    """(tree, feature) pairs that break their constraint, by predicting every cell of every tree."""
    k, found = len(constraints), set()
    for t, tree in enumerate(booster.dump_model()["tree_info"]):
        values = cells(tree, k)
        for f in range(k):
            others = [[*values[j], np.nan] if j != f else [0.0] for j in range(k)]
            for rest in itertools.product(*others):
                X = np.tile(np.array(rest), (len(values[f]), 1))
                X[:, f] = values[f]
                out = booster.predict(
                    X, raw_score=True, start_iteration=t, num_iteration=1, num_threads=1
                )
                if (np.diff(out) * constraints[f] < 0).any():
                    found.add((t, f))
                    break
    return found


def small(kit, seed: int, missing: float, **params) -> lgb.Booster:
    X = kit.rows(250, seed, missing)[:, :3]
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=3)
    filled = np.nan_to_num(X, nan=0.7)
    y = filled @ weights + filled[:, 0] * filled[:, 1] + 0.5 * rng.normal(size=250)
    return kit.train(X, y, objective="regression", rounds=4, leaves=6, **params)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_it_finds_exactly_what_brute_force_finds(kit, seed: int, missing: float) -> None:
    booster = small(kit, seed, missing)
    constraints = (1, -1, 1)
    names = booster.feature_name()
    found = violations(booster_text(booster), constraints)
    expected = brute_force(booster, constraints)
    assert {(v.tree, names.index(v.feature)) for v in found} == expected
    assert 0 < len(expected) < 12, "of 4 trees x 3 features some must break and some must hold"


@pytest.mark.parametrize("seed", range(6))
def test_what_lightgbm_s_basic_method_trains_is_proved(kit, seed: int) -> None:
    constraints = (1, -1, 0)
    booster = small(kit, seed, 0.2, monotone_constraints=list(constraints))
    assert violations(booster_text(booster), constraints) == ()
    assert brute_force(booster, constraints) == set()
    assert violations(booster_text(booster), (-1, 1, 0)), "the trees use the constrained features"


def test_what_lightgbm_s_advanced_method_breaks_is_found(kit) -> None:
    constraints, found = (1, -1, 1), 0
    params = {"monotone_constraints": [1, -1, 1], "monotone_constraints_method": "advanced"}
    for seed in range(6):
        booster = small(kit, seed, 0.3, **params)
        names = booster.feature_name()
        broken = violations(booster_text(booster), constraints)
        expected = brute_force(booster, constraints)
        assert {(v.tree, names.index(v.feature)) for v in broken} == expected
        found += len(broken)
    assert found > 0


def witness(booster: lgb.Booster, violation: Violation) -> np.ndarray:
    """Two rows that differ in the violation's feature only and reach its two leaves."""
    names = booster.feature_name()
    tree = booster.dump_model()["tree_info"][violation.tree]["tree_structure"]
    boxes = leaf_boxes(tree, violation.tree)
    a, b = (boxes.leaves.tolist().index(v) for v in (violation.low_leaf, violation.high_leaf))
    X = np.zeros((2, len(names)))
    for i, f in enumerate(boxes.features):
        low, high = boxes.low[[a, b], i], boxes.high[[a, b], i]
        if names[f] != violation.feature:
            low, high = np.full(2, low.max()), np.full(2, high.min())
        inside = np.where(high == -TINY, np.maximum(low, -1) / 2, high)
        X[:, f] = np.where(low < high, inside, np.nan)
    return X


@pytest.mark.parametrize(
    "params",
    [
        {"monotone_constraints_method": "intermediate"},
        {"monotone_constraints_method": "advanced"},
        {"path_smooth": 5.0},
    ],
    ids=["intermediate", "advanced", "smoothed"],
)
def test_a_violation_in_a_large_booster_shows_in_lightgbm_s_own_predictions(params) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 4))
    X[rng.random(X.shape) < 0.3] = np.nan
    X[:, 0] = np.round(X[:, 0] * 2)
    y = np.sin(np.nan_to_num(X, nan=0.5) @ rng.normal(size=4)) + 0.3 * rng.normal(size=2000)
    constraints = [1, -1, 1, -1]
    settings = {"verbose": -1, "num_threads": 1, "monotone_constraints": constraints, **params}
    text = booster_text(lgb.train(settings, lgb.Dataset(X, y), 60))
    booster = lgb.Booster(model_str=text)
    broken = violations(text, constraints)
    assert broken
    for v in broken[:10]:
        rows = witness(booster, v)
        found = booster.predict(
            rows, raw_score=True, start_iteration=v.tree, num_iteration=1, num_threads=1
        )
        assert found.tolist() == [v.low_value, v.high_value]
        assert (v.high_value - v.low_value) * v.direction < 0
        assert (rows[0] != rows[1]).sum() - np.isnan(rows[0]).sum() == 1


def test_a_long_constrained_booster_is_proved(kit) -> None:
    scorer = kit.scorer("churn", rounds=200, leaves=31)
    assert violations(scorer.booster_text, scorer.monotone) == ()


def test_the_worst_pair_of_a_tree_is_the_one_reported() -> None:
    X = np.arange(200.0)[:, None]
    data = lgb.Dataset(X, -X[:, 0], feature_name=["age"])
    booster = lgb.train({"num_leaves": 6, "verbose": -1, "num_threads": 1}, data, 1)
    (found,) = violations(booster_text(booster), (1,))
    leaves = booster.predict(X, raw_score=True)
    assert (found.feature, found.low_value, found.high_value) == ("age", leaves[0], leaves[-1])


def leaf_values(text: str, tree: int) -> list[str]:
    return re.findall(r"^leaf_value=(.*)$", text, re.M)[tree].split(" ")


def plant(text: str, tree: int, leaf: int, value: float) -> str:
    old = leaf_values(text, tree)
    new = list(old)
    new[leaf] = repr(value)
    planted = text.replace(f"leaf_value={' '.join(old)}", f"leaf_value={' '.join(new)}", 1)
    return re.sub(r"^tree_sizes=.*\n", "", planted, count=1, flags=re.M)


def test_a_planted_violation_is_found_and_named(kit) -> None:
    scorer = kit.scorer("churn")
    found_at_all = 0
    for leaf in range(len(leaf_values(scorer.booster_text, 3))):
        text = plant(scorer.booster_text, 3, leaf, -50.0)
        expected = brute_force(lgb.Booster(model_str=text), scorer.monotone)
        found = violations(text, scorer.monotone)
        assert {(v.tree, scorer.features.index(v.feature)) for v in found} == expected
        for v in found:
            assert v.tree == 3
            assert leaf in (v.low_leaf, v.high_leaf)
            assert -50.0 in (v.low_value, v.high_value)
            assert f"tree 3: output {'falls' if v.direction > 0 else 'rises'} from" in str(v)
        found_at_all += len(found)
    assert found_at_all >= 4


def node(feature: int, cut: float, left, right, **changes) -> dict:
    return {
        "split_feature": feature,
        "threshold": cut,
        "decision_type": "<=",
        "missing_type": "NaN",
        "default_left": True,
        "left_child": left,
        "right_child": right,
        **changes,
    }


def leaf(index: int, value: float) -> dict:
    return {"leaf_index": index, "leaf_value": value}


def test_a_box_says_which_values_reach_a_leaf_and_where_missing_goes() -> None:
    tree = node(0, 1.0, node(1, 5.0, leaf(0, 0.1), leaf(1, 0.2), missing_type="None"), leaf(2, 0.3))
    boxes = leaf_boxes(tree, 0)
    assert boxes.leaves.tolist() == [0, 1, 2]
    assert boxes.low.tolist() == [[-np.inf, -np.inf], [-np.inf, 5.0], [1.0, -np.inf]]
    assert boxes.high.tolist() == [[1.0, 5.0], [1.0, LARGEST], [LARGEST, LARGEST]]
    assert boxes.missing.tolist() == [[True, True], [True, False], [False, True]]


def test_a_very_deep_tree_is_walked() -> None:
    tree = leaf(0, 0.0)
    for i in range(1, 3000):
        tree = node(0, -float(i), leaf(i, 0.0), tree)
    assert len(leaf_boxes(tree, 0).leaves) == 3000


@pytest.mark.parametrize("change", [{"decision_type": "=="}, {"missing_type": "Zero"}])
def test_splits_without_an_order_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(BundleError, match="without an order"):
        leaf_boxes(node(0, 1.0, leaf(0, 0.0), leaf(1, 1.0), **change), 4)


@pytest.mark.parametrize("constraints", [(1, 0), (1, 0, 0, 2)])
def test_constraints_that_do_not_fit_are_refused(kit, constraints: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="constraints for 4 features"):
        violations(kit.scorer("churn").booster_text, constraints)
