"""A booster's text is one additive margin of numbers, or it is refused."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from domain.errors import BundleError
from scoring.booster import booster_text, check_text, open_booster


def test_the_text_keeps_every_prediction_and_drops_how_it_was_trained(kit) -> None:
    X = kit.rows(200, 1)
    booster = kit.train(X, np.nansum(X, axis=1), objective="regression", num_threads=1)
    text = booster_text(booster)
    assert "num_threads" not in text and "[data" not in text
    again = open_booster(text)
    for how in ({"raw_score": True}, {"pred_contrib": True}):
        assert again.predict(X, **how).tobytes() == booster.predict(X, **how).tobytes()
    assert booster_text(again) == text


def test_other_features_are_refused(kit) -> None:
    text = kit.scorer("churn").booster_text
    check_text(text, kit.features)
    with pytest.raises(BundleError, match="other features"):
        check_text(text, ("a", *kit.features[1:]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"objective": "multiclass", "num_class": 3}, "num_class=3"),
        ({"objective": "regression", "linear_tree": True}, "linear leaves"),
        (
            {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "objective": "binary"},
            "averages",
        ),
    ],
)
def test_boosters_that_are_not_one_sum_of_numeric_trees_are_refused(kit, params, message) -> None:
    X = np.nan_to_num(kit.rows(300, 1))
    X[:, 3] = np.random.default_rng(0).integers(0, 6, 300)
    y = (X[:, 3] % 3 if "num_class" in params else (X[:, 3] % 2)) + 0.0
    text = booster_text(kit.train(X, y, **params))
    with pytest.raises(BundleError, match=message):
        check_text(text, kit.features)


def test_splits_on_categories_are_refused(kit) -> None:
    X = np.random.default_rng(0).integers(0, 6, (300, 4)).astype(float)
    data = lgb.Dataset(X, X[:, 3] % 2, feature_name=list(kit.features), categorical_feature=[3])
    params = {"objective": "binary", "verbose": -1, "min_data_per_group": 1, "cat_smooth": 0}
    with pytest.raises(BundleError, match="categories"):
        check_text(booster_text(lgb.train(params, data, 2)), kit.features)


def test_a_text_that_lightgbm_refuses_is_a_bundle_error() -> None:
    with pytest.raises(BundleError, match="LightGBM refuses"):
        open_booster("tree\nversion=v4\n")
