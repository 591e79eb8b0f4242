"""Small real boosters, a small catalogue and a written bundle for the tests of scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from domain.tiers import Target
from scoring.booster import booster_text
from scoring.bundle import Bundle, write_bundle
from scoring.points import PointScale
from scoring.scorer import Calibration, Scorer

FEATURES = ("spend_sum_90d", "transaction_recency_days", "complaint_count_90d", "tenure_days")
MONOTONE = (1, -1, 0, 0)


@dataclass(frozen=True)
class SmallCatalogue:
    """The part of the feature catalogue that scoring asks for."""

    names: tuple[str, ...] = FEATURES
    hash: str = "c" * 64

    def for_target(self, target: Target) -> tuple[str, ...]:
        return self.names

    def monotone(self, target: Target, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(dict(zip(FEATURES, MONOTONE, strict=True)).get(n, 0) for n in names)

    def categories(self, names: Sequence[str]) -> tuple[str, ...]:
        return ()

    def reason_text(self, name, value, points, lang, currency, target) -> str:
        shown = "missing" if value is None else f"{value:g}"
        return f"{lang}:{name}={shown} {currency} {points:+d}"


def make_rows(n: int, seed: int, missing: float = 0.15) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(FEATURES)))
    X[rng.random(X.shape) < missing] = np.nan
    return X


def train(
    X: np.ndarray, y: np.ndarray, *, rounds: int = 12, leaves: int = 8, **params: Any
) -> lgb.Booster:
    settings = {
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "learning_rate": 0.3,
        "verbose": -1,
        "num_threads": 1,
        "seed": 1,
        "deterministic": True,
        **params,
    }
    names = list(FEATURES[: X.shape[1]])
    return lgb.train(settings, lgb.Dataset(X, y, feature_name=names), rounds)


def make_scorer(target: Target, seed: int = 3, **params: Any) -> Scorer:
    X = make_rows(400, seed)
    filled = np.nan_to_num(X)
    latent = filled @ np.array([1.0, -0.8, 0.4, 0.0]) + 0.5 * filled[:, 2] * filled[:, 3]
    noise = np.random.default_rng(seed + 1).normal(size=400)
    binary = target != "value"
    y = (latent + noise > 0).astype(float) if binary else latent + 0.3 * noise
    objective = "binary" if binary else "regression"
    settings = {"objective": objective, "monotone_constraints": list(MONOTONE), **params}
    booster = train(X, y, **settings)
    return Scorer(
        target=target,
        features=FEATURES,
        booster_text=booster_text(booster),
        calibration=Calibration(1.2, -0.1),
        scale=PointScale(anchor_margin=0.25),
        horizon_days=90,
        currency="GBP" if target == "value" else None,
        monotone=MONOTONE,
    )


def make_card(*targets: Target, verdict: str = "passed", **changes: Any) -> dict[str, Any]:
    return {
        "source": "little_shop",
        "targets": {t: {"verdict": verdict, "figures": {"auc": 0.75}} for t in targets},
        "accepted": None,
        "data": {"transactions": "d" * 64},
        "plan": {"split": "customer"},
        "seed": 7,
        "lock_hash": "e" * 64,
        **changes,
    }


class Kit:
    """The makers above, for tests to ask for by the fixture `kit`."""

    features = FEATURES
    monotone = MONOTONE
    catalogue = SmallCatalogue
    rows = staticmethod(make_rows)
    train = staticmethod(train)
    scorer = staticmethod(make_scorer)
    card = staticmethod(make_card)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


@pytest.fixture(scope="session")
def scorers() -> dict[Target, Scorer]:
    return {t: make_scorer(t) for t in ("value", "churn")}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, scorers: dict[Target, Scorer]) -> Bundle:
    golden = {t: make_rows(5, 9) for t in scorers}
    folder: Path = tmp_path_factory.mktemp("bundles")
    card, beside = make_card("value", "churn"), {"segments": {"cuts": [1.5, 2.0]}}
    return write_bundle(folder, scorers, SmallCatalogue(), card, golden, beside)
