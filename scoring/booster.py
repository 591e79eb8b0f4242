"""Boosters as native LightGBM text: what such a text must say, and opening it.

Enters: a booster's text. Leaves: a `lightgbm.Booster`. A text that nobody vouches for must not be
opened here: LightGBM ends the process on many damaged texts (see `scoring/bundle.py`).
"""

from __future__ import annotations

import lightgbm as lgb

from domain.errors import BundleError

LARGEST_VALUE = 1e300
"""LightGBM writes an infinite threshold ("every number left, missing right") as 1e300: a feature
value beyond it would be taken for a missing one, so scorers refuse it."""

_ONE_MARGIN = {"num_class": "1", "num_tree_per_iteration": "1"}


def booster_text(booster: lgb.Booster) -> str:
    """The booster's text without its training parameters: they hold paths and thread counts."""
    text: str = booster.model_to_string()
    for tail in ("\nparameters:", "\npandas_categorical:"):
        text = text.split(tail, 1)[0]
    return text


def check_text(text: str, features: tuple[str, ...]) -> None:
    """Nothing, where the text is one additive margin of numbers over exactly these features.

    Raises:
        BundleError: other features, several classes, categories, linear leaves or averaged trees.
    """
    lines = text.splitlines()
    head = lines[: lines.index("")] if "" in lines else lines
    said = dict(line.split("=", 1) for line in head if "=" in line)
    if said.get("feature_names") != " ".join(features):
        raise BundleError(
            f"the booster was trained on other features than the {len(features)} of its scorer: "
            "keep both in one order"
        )
    for key, wanted in _ONE_MARGIN.items():
        if said.get(key) != wanted:
            raise BundleError(
                f"the booster says {key}={said.get(key)}: only {wanted} is one margin"
            )
    if "average_output" in head:
        raise BundleError("the booster averages its trees: train with boosting gbdt, dart or goss")
    if any(line.startswith("num_cat=") and line != "num_cat=0" for line in lines):
        raise BundleError("the booster splits on categories: features are numbers only")
    if "is_linear=1" in lines:
        raise BundleError("the booster has linear leaves: train with linear_tree=false")


def open_booster(text: str) -> lgb.Booster:
    """The booster of a text from our own training or from a checked bundle.

    Raises:
        BundleError: LightGBM refuses it.
    """
    try:
        return lgb.Booster(model_str=text)
    except lgb.basic.LightGBMError as e:
        raise BundleError(f"LightGBM refuses the booster's text: {e}; train again") from None
