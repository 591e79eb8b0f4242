"""Explanations are LightGBM's `pred_contrib` on every shape of model; a row's bits are its own."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext

import lightgbm as lgb
import numpy as np
import pytest

from scoring.tree_shap import TreeShap, explain
from scoring.tree_tables import NODES, read_tables

MOST = 1e-12
"""Largest difference allowed, against the largest contribution."""
ODD = (0.0, -0.0, 1e-35, -1e-36, 5e-324, 1e-310, math.inf, -math.inf, 1e300, -1e300, math.nan)
SHAPES = {
    "binary": {"objective": "binary"},
    "regression": {"objective": "regression"},
    "tweedie": {"objective": "tweedie"},
    "multiclass": {"objective": "multiclass", "num_class": 3},
    "zero as missing": {"objective": "regression", "zero_as_missing": True},
    "missing not used": {"objective": "regression", "use_missing": False},
    "dart": {"objective": "binary", "boosting": "dart"},
    "goss": {"objective": "binary", "data_sample_strategy": "goss"},
    "bagged": {"objective": "binary", "bagging_fraction": 0.5, "bagging_freq": 1},
    "extra trees": {"objective": "regression", "extra_trees": True},
}


def rows(n: int, features: int, seed: int) -> np.ndarray:
    """Numbers, counts and categories, with gaps and zeros; the first row is all missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, features)) * 10.0 ** rng.integers(-3, 6, features)
    X[:, 1::4] = np.rint(X[:, 1::4])
    X[:, 2::4] = rng.integers(0, 70, size=X[:, 2::4].shape)
    X[rng.random(X.shape) < rng.random(features) * 0.4] = np.nan
    X[rng.random(X.shape) < rng.random(features) * 0.4] = 0.0
    X[0] = np.nan
    return X


def odd(X: np.ndarray, seed: int) -> np.ndarray:
    """The rows with some values put out of the ordinary."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(X.shape) < 0.15, rng.choice(ODD, size=X.shape), X)


def train(X: np.ndarray, seed: int, rounds: int, categories=(), **params) -> lgb.Booster:
    rng = np.random.default_rng(seed)
    Z = np.nan_to_num(X / (np.nanmax(np.abs(X), axis=0) + 1e-9))
    latent = Z @ rng.normal(size=Z.shape[1]) + np.sin(9 * Z[:, 0]) * Z[:, -1]
    latent += 0.1 * rng.normal(size=len(X))
    y = latent
    if params["objective"] == "multiclass":
        y = np.digitize(latent, np.quantile(latent, [0.3, 0.7]))
    elif params["objective"] != "regression":
        y = (latent > np.median(latent)) * (1.0 if params["objective"] == "binary" else latent**2)
    settings = {"num_leaves": 15, "min_data_in_leaf": 3, "verbose": -1, "num_threads": 1}
    data = lgb.Dataset(X, y, categorical_feature=list(categories))
    return lgb.train({**settings, "seed": seed, **params}, data, rounds)


def check(booster: lgb.Booster, X: np.ndarray) -> None:
    theirs = booster.predict(X, pred_contrib=True, num_threads=1)
    ours = explain(booster, X)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= MOST * np.abs(theirs).max()


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("categories", [(), (2,)], ids=["numbers", "categories"])
def test_contributions_are_those_of_lightgbm(name: str, seed: int, categories) -> None:
    X = rows(400, 4 + 5 * seed, seed)
    booster = train(X, seed, 20, categories, **SHAPES[name])
    check(booster, odd(X[:90], seed))
    check(lgb.Booster(model_str=booster.model_to_string()), X[90:110])


@pytest.mark.parametrize("how", ["one hot", "sets"])
def test_every_kind_of_split_on_categories_is_explained(how: str) -> None:
    X = rows(600, 8, 5)
    most = 100 if how == "one hot" else 1
    booster = train(
        X, 1, 30, (2, 6), objective="regression", max_cat_to_onehot=most, min_data_per_group=5
    )  # fmt: skip
    assert "cat_threshold" in booster.model_to_string()
    strange = np.array([-1.0, -0.5, 0.5, 2.7, 31.0, 32.0, 63.5, 64.0, 1e6, 3e9, -3e9, 1e300])
    many = np.repeat(X[:20], len(strange), axis=0)
    many[:, 2] = np.tile(strange, 20)
    check(booster, many)


def test_one_tree_one_leaf_and_no_split_are_explained() -> None:
    X = rows(200, 5, 1)
    check(train(X, 1, 1, objective="regression"), X)
    check(train(X, 1, 1, objective="regression", num_leaves=2), X)
    constant = lgb.train(
        {"objective": "regression", "verbose": -1, "min_data_in_leaf": 500},
        lgb.Dataset(X, np.full(200, 3.5)),
        3,
    )
    check(constant, X)


def test_two_thousand_trees_are_explained() -> None:
    X = rows(400, 6, 2)
    check(
        train(X, 2, 2000, objective="regression", num_leaves=4, learning_rate=0.01), odd(X, 2)[:40]
    )


def peeled() -> tuple[lgb.Booster, np.ndarray]:
    """Trees that split off one of 31 features after the other, and rows for them."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, 32, 4000)
    X = (which[:, None] == np.arange(31)).astype(np.float64)
    settings = {"objective": "regression", "num_leaves": 32, "min_data_in_leaf": 1, "verbose": -1}
    settings |= {"min_sum_hessian_in_leaf": 0.0, "num_threads": 1, "enable_bundle": False}
    booster = lgb.train(settings, lgb.Dataset(X, 1.5**-which), 5)
    return booster, np.where(rng.random(X.shape) < 0.2, 1.0 - X, X)


def test_a_path_of_thirty_splits_on_thirty_features_is_explained() -> None:
    """Here LightGBM itself loses digits: 2e-12 of the largest contribution, ours 1e-15."""
    booster, X = peeled()
    assert longest(booster) >= 30
    theirs = booster.predict(odd(X[:100], 3), pred_contrib=True, num_threads=1)
    ours = explain(booster, odd(X[:100], 3))
    assert np.abs(ours - theirs).max() <= 1e-11 * np.abs(theirs).max()
    exact = np.array([many_digits(booster, x) for x in X[:3]])
    assert np.abs(explain(booster, X[:3])[:, :-1] - exact).max() <= 1e-14 * np.abs(exact).max()


def many_digits(booster: lgb.Booster, x: np.ndarray) -> list[float]:
    """Contributions by sizes of sets in 50 digits: a leaf at a time, a feature at a time."""
    found = [Decimal(0)] * booster.num_feature()
    with localcontext(prec=50):
        for tree in booster.dump_model()["tree_info"]:
            for value, path in leaves(tree["tree_structure"], x, {}):
                for feature, (agrees, share) in path.items():
                    sizes = [Decimal(1)]  # by how many of the others are known
                    for other, (o, r) in path.items():
                        if other != feature:
                            pairs = zip([*sizes, Decimal(0)], [Decimal(0), *sizes], strict=True)
                            sizes = [a * r + b * o for a, b in pairs]
                    mean = sum(w / math.comb(len(sizes) - 1, k) for k, w in enumerate(sizes))
                    found[feature] += value * (agrees - share) * mean / len(sizes)
    return [float(v) for v in found]


def leaves(node: dict, x: np.ndarray, path: dict):
    """Each leaf's value and, of each feature above it, whether x agrees and its share of cover."""
    if "left_child" not in node:
        yield Decimal(node["leaf_value"]), path
        return
    feature = node["split_feature"]
    agrees, share = path.get(feature, (1, Decimal(1)))
    goes = int(x[feature] <= node["threshold"])
    for child, side in ((node["left_child"], goes), (node["right_child"], 1 - goes)):
        rows = child.get("internal_count", child.get("leaf_count"))
        part = Decimal(rows) / Decimal(node["internal_count"])
        yield from leaves(child, x, {**path, feature: (agrees * side, share * part)})


def longest(booster: lgb.Booster) -> int:
    frame = booster.dump_model()["tree_info"]

    def depth(node: dict, seen: frozenset[int]) -> int:
        if "left_child" not in node:
            return len(seen)
        seen |= {node["split_feature"]}
        return max(depth(node["left_child"], seen), depth(node["right_child"], seen))

    return max(depth(tree["tree_structure"], frozenset()) for tree in frame)


def brute_force(booster: lgb.Booster, x: np.ndarray) -> np.ndarray:
    """Shapley's formula over all sets of features, each tree's mean by cover where unknown."""
    trees = [t["tree_structure"] for t in booster.dump_model()["tree_info"]]
    many = range(booster.num_feature())

    def cover(node: dict) -> int:
        return node["internal_count"] if "left_child" in node else node["leaf_count"]

    def mean(node: dict, known: frozenset[int]) -> float:
        if "left_child" not in node:
            return node["leaf_value"]
        left, right = node["left_child"], node["right_child"]
        if node["split_feature"] in known:
            return mean(left if x[node["split_feature"]] <= node["threshold"] else right, known)
        share = cover(left) / cover(node)
        return share * mean(left, known) + (1 - share) * mean(right, known)

    worth = {
        frozenset(s): sum(mean(t, frozenset(s)) for t in trees)
        for size in range(len(many) + 1)
        for s in itertools.combinations(many, size)
    }
    found = np.zeros(len(many) + 1)
    for s, value in worth.items():
        for i in s:
            weight = math.factorial(len(s) - 1) * math.factorial(len(many) - len(s))
            found[i] += weight / math.factorial(len(many)) * (value - worth[s - {i}])
    found[-1] = worth[frozenset()]
    return found


def test_contributions_are_shapley_s_own_formula() -> None:
    X = np.random.default_rng(4).normal(size=(300, 5))
    booster = train(X, 4, 6, objective="regression")
    ours = explain(booster, X[:12])
    theirs = np.array([brute_force(booster, x) for x in X[:12]])
    assert np.abs(ours - theirs).max() <= MOST * np.abs(theirs).max()


def test_a_side_that_no_training_row_took_is_explained_by_shapley_s_formula() -> None:
    """LightGBM divides by such a share and answers NaN for rows that go there."""
    X = np.random.default_rng(4).normal(size=(300, 5))
    text = train(X, 4, 1, objective="regression", num_leaves=6).model_to_string()
    booster = lgb.Booster(model_str=empty_a_leaf(text))
    ours = explain(booster, X[:60])
    theirs = np.array([brute_force(booster, x) for x in X[:60]])
    assert np.abs(ours - theirs).max() <= MOST * np.abs(theirs).max()


def empty_a_leaf(text: str) -> str:
    """The text with the training rows of one leaf given to its neighbour."""
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    counts = [int(v) for v in said["leaf_count"].split()]
    sides = zip(said["left_child"].split(), said["right_child"].split(), strict=True)
    a, b = next((~int(x), ~int(y)) for x, y in sides if int(x) < 0 and int(y) < 0)
    counts[b] += counts[a]
    counts[a] = 0
    return text.replace(said["leaf_count"], " ".join(map(str, counts)))


@pytest.fixture(scope="module")
def engine() -> tuple[TreeShap, np.ndarray]:
    X = rows(700, 9, 6)
    booster = train(X, 6, 60, (2,), objective="binary", num_leaves=40)
    return TreeShap(read_tables(booster.model_to_string())), odd(X, 6)


def test_permuting_rows_changes_no_bit(engine) -> None:
    shap, X = engine
    order = np.random.default_rng(0).permutation(len(X))
    assert shap.explain(X)[order].tobytes() == shap.explain(X[order]).tobytes()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 15, 16, 17, 19, 255, 257, 699])
def test_splitting_a_batch_changes_no_bit(engine, size: int) -> None:
    shap, X = engine
    pieces = [shap.explain(X[i : i + size]) for i in range(0, len(X), size)]
    assert shap.explain(X).tobytes() == np.concatenate(pieces).tobytes()


def test_threads_and_memory_layout_change_no_bit(engine) -> None:
    shap, X = engine
    expected = shap.explain(X).tobytes()
    assert shap.explain(X, threads=3).tobytes() == expected
    assert shap.explain(np.asfortranarray(X)).tobytes() == expected
    assert shap.explain(np.repeat(X, 2, axis=0)[::2]).tobytes() == expected
    with ThreadPoolExecutor(4) as pool:
        assert {found.tobytes() for found in pool.map(shap.explain, [X] * 8)} == {expected}


def test_a_path_of_more_than_eight_nodes_has_the_same_bits_alone_and_in_a_batch() -> None:
    booster, X = peeled()
    shap = TreeShap(read_tables(booster.model_to_string()))
    assert max(shap.tables.trees[:, NODES]) == 16
    alone = np.concatenate([shap.explain(X[i : i + 1]) for i in range(40)])
    assert shap.explain(X[:40]).tobytes() == alone.tobytes()


def test_no_rows_give_no_contributions(engine) -> None:
    shap, X = engine
    assert shap.explain(X[:0]).shape == (0, 10)
