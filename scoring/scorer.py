"""Scorer: one booster with its calibration, point scale and feature list.

Enters: feature values, a float64 matrix (n, k), NaN where missing. Leaves: margins, points,
probability or amount, and exact integer reasons. It reads no file and fetches no feature.

Every answer is a function of its row alone: rows may be permuted, split and batched, on any number
of threads, without changing a bit (I4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from domain.asof import from_micros
from domain.errors import BundleError, Fault, InputError
from domain.tiers import Target
from scoring.booster import LARGEST_VALUE, check_text, open_booster
from scoring.categories import Levels, encoded, levels_from
from scoring.points import PointScale, whole_reasons

if TYPE_CHECKING:
    from scoring.leaves import Leaves
    from scoring.tree_shap import TreeShap

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Explainer = Literal["tree_shap", "pred_contrib"]
"""Who computes contributions: `scoring/tree_shap.py` or LightGBM. They agree to 12 digits, so a
part just between two whole numbers may be rounded otherwise; a bundle keeps the one it was made
with."""

LARGEST_LOG = 700.0
"""`exp` of more is beyond any amount."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated margin = `slope * margin + intercept`, shifted by the calendar month.

    It is the log-odds of the good outcome (churn: stays; credit: pays) or the log of the expected
    amount (value). `monthly` is empty, or what January to December add to the intercept; a scorer
    knows no month until `Scorer.at` tells it.

    Raises:
        InputError: the slope is not positive (it would turn good into bad), or not finite; months
            that are not twelve finite numbers.
    """

    slope: float
    intercept: float
    monthly: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (0 < self.slope < math.inf and math.isfinite(self.intercept)):
            raise InputError(
                f"calibration {self.slope} * margin + {self.intercept}: "
                "the slope must be finite and above 0, the intercept finite"
            )
        if len(self.monthly) not in (0, 12) or not all(map(math.isfinite, self.monthly)):
            raise InputError(f"calibration by month {self.monthly}: give twelve finite numbers")

    def at(self, month: int) -> Calibration:
        """The calibration of a calendar month, 1 to 12.

        >>> Calibration(1.0, 0.5, (0.25, *[0.0] * 11)).at(1)
        Calibration(slope=1.0, intercept=0.75, monthly=())
        """
        if not self.monthly:
            return self
        return Calibration(self.slope, self.intercept + self.monthly[month - 1])


@dataclass(frozen=True)
class ExplainedRow:
    """One row's points and their whole reasons: `base_points + reasons.sum() == points`."""

    base_points: int
    reasons: Whole
    points: int


@dataclass(frozen=True)
class Explained:
    """Points (n,), base (n,) and reasons (n, k): `base_points + reasons.sum(axis=1) == points`."""

    base_points: Whole
    reasons: Whole
    points: Whole

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, row: int) -> ExplainedRow:
        """The explanation of one row."""
        return ExplainedRow(int(self.base_points[row]), self.reasons[row], int(self.points[row]))


@dataclass(frozen=True)
class Scorer:
    """One fitted model of a target; a higher margin is always better.

    `categories`: features that arrive as codes, which the trees read as the statistic of the level.

    Raises:
        InputError: features repeat, `monotone` does not name one direction a feature, or nobody is
            known as `explainer`, or `categories` are not features, each once and free of direction.
        BundleError: the booster's text does not fit the features.
    """

    target: Target
    features: tuple[str, ...]
    booster_text: str
    calibration: Calibration
    scale: PointScale
    horizon_days: int
    currency: str | None
    monotone: tuple[int, ...]
    explainer: Explainer = "tree_shap"
    categories: tuple[Levels, ...] = ()

    def __post_init__(self) -> None:
        if not self.features or len(set(self.features)) != len(self.features):
            raise InputError(f"{self.target}: features are empty or repeat: name each once")
        if len(self.monotone) != len(self.features) or not set(self.monotone) <= {-1, 0, 1}:
            raise InputError(f"{self.target}: monotone needs -1, 0 or 1 for each feature")
        free = {n for n, way in zip(self.features, self.monotone, strict=True) if not way}
        named = [levels.feature for levels in self.categories]
        if len(set(named)) != len(named) or not set(named) <= free:
            raise InputError(
                f"{self.target}: categories {named} must be features, each once, without direction"
            )
        if self.horizon_days <= 0:
            raise InputError(f"{self.target}: horizon_days is {self.horizon_days}: give 1 or more")
        if self.explainer not in get_args(Explainer):
            raise InputError(f"{self.target}: explainer is {self.explainer!r}: {Explainer}")
        check_text(self.booster_text, self.features)

    def fields(self) -> dict[str, Any]:
        """Everything but the booster's text, as plain JSON; `scorer_from` reads it."""
        return {
            "target": self.target,
            "features": [str(name) for name in self.features],
            "calibration": {
                "slope": float(self.calibration.slope),
                "intercept": float(self.calibration.intercept),
                "monthly": [float(v) for v in self.calibration.monthly],
            },
            "scale": {
                "anchor_margin": float(self.scale.anchor_margin),
                "anchor_points": int(self.scale.anchor_points),
                "points_to_double": int(self.scale.points_to_double),
            },
            "horizon_days": int(self.horizon_days),
            "currency": self.currency,
            "monotone": [int(way) for way in self.monotone],
            "explainer": self.explainer,
            "categories": [levels.fields() for levels in self.categories],
        }

    def at(self, as_of: int) -> Scorer:
        """The scorer of an instant (micros), calibrated for its month (UTC), with the same trees.

        Whatever explains, changes or replays a score asks the scorer of the score's own instant, so
        that a month's shift stands in the base, and reasons add up to the points as ever.
        """
        if not self.calibration.monthly:
            return self
        _ = self._trees  # opened trees are shared
        made = copy(self)
        object.__setattr__(made, "calibration", self.calibration.at(from_micros(as_of).month))
        return made

    @cached_property
    def _trees(self) -> _Trees:
        return _Trees(self.booster_text)

    @property
    def booster(self) -> lgb.Booster:
        """The booster of `booster_text`, opened once."""
        return self._trees.booster

    @property
    def tree_shap(self) -> TreeShap:
        """The explanation of `booster_text`, its tables made once.

        Raises:
            UnsupportedError: the tables cannot hold the booster.
        """
        return self._trees.tree_shap

    @property
    def leaves(self) -> Leaves:
        """The leaves of `booster_text`, read once.

        Raises:
            BundleError: a split that has no order.
        """
        return self._trees.leaves

    def margin(self, X: Floats) -> Floats:
        """Raw margin (n,) of the booster.

        Raises:
            InputError: not a float64 matrix with a column a feature, or an infinite value.
        """
        self._check(X)
        if not len(X):
            return np.empty(0)
        told = self.booster.predict(self.encoded(X), raw_score=True, num_threads=1)
        return np.asarray(told, dtype=np.float64)

    def encoded(self, X: Floats) -> Floats:
        """The matrix as the trees read it: statistics in the place of codes."""
        return encoded(X, self.features, self.categories)

    def calibrated(self, X: Floats) -> Floats:
        """Log-odds of the good outcome, or log of the expected amount (n,)."""
        return self.calibration.slope * self.margin(X) + self.calibration.intercept

    def points(self, X: Floats) -> Whole:
        """Whole points (n,), higher is better."""
        return self.scale.points(self.calibrated(X))

    def p_bad(self, X: Floats) -> Floats:
        """Calibrated probability (n,) of churn or of default.

        Raises:
            InputError: asked of a value scorer.
        """
        if self.target == "value":
            raise InputError("a value scorer has no probability: ask for its amount")
        return _each(_sigmoid, -self.calibrated(X))

    def amount(self, X: Floats) -> Floats:
        """Calibrated expected amount (n,) over the horizon, in `currency`.

        Raises:
            InputError: asked of a churn or credit scorer.
            BundleError: the log of an amount is beyond 700.
        """
        if self.target != "value":
            raise InputError(f"a {self.target} scorer has no amount: ask for its p_bad")
        logs = self.calibrated(X)
        if len(logs) and logs.max() > LARGEST_LOG:
            raise BundleError(
                f"the log of an expected amount is {logs.max():.0f}, above {LARGEST_LOG:.0f}: "
                "the booster or its calibration is damaged; train again"
            )
        return _each(math.exp, logs)

    def explain(self, X: Floats) -> Explained:
        """Points with a whole base and whole reasons that add up to them exactly (I1).

        The reasons are the booster's own SHAP values (tree path dependent) through the affine
        calibration into points.

        Raises:
            InputError: as `margin`.
            UnsupportedError: as `tree_shap`.
        """
        points = self.points(X)
        width = len(self.features)
        shap = self.contributions(X)
        slope, intercept = self.calibration.slope, self.calibration.intercept
        base = self.scale.real(slope * shap[:, width] + intercept)
        parts = self.scale.factor * slope * shap[:, :width]
        whole, reasons = whole_reasons(base, parts, points)
        return Explained(whole, reasons, points)

    def contributions(self, X: Floats) -> Floats:
        """SHAP values (n, k + 1) of the raw margin, the last one the booster's mean output.

        Raises:
            InputError: as `margin`.
            UnsupportedError: as `tree_shap`.
        """
        self._check(X)
        if not len(X):
            return np.empty((0, len(self.features) + 1))
        if self.explainer == "tree_shap":
            return self.tree_shap.explain(self.encoded(X))
        told = self.booster.predict(self.encoded(X), pred_contrib=True, num_threads=1)
        return np.asarray(told)

    def _check(self, X: Floats) -> None:
        if not isinstance(X, np.ndarray) or X.dtype != np.float64:
            kind = X.dtype if isinstance(X, np.ndarray) else type(X).__name__
            raise InputError(f"feature values arrived as {kind}: give a float64 numpy matrix")
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise InputError(
                f"feature values have shape {X.shape}: the {self.target} scorer takes "
                f"(n, {len(self.features)}), one column a feature in its order"
            )
        wild = np.abs(X) > LARGEST_VALUE
        if wild.any():
            faults = tuple(
                Fault(self.features[j], "finite", f"infinite in {int(wild[:, j].sum())} rows")
                for j in np.flatnonzero(wild.any(axis=0))
            )
            raise InputError(
                f"infinite feature values: give numbers up to {LARGEST_VALUE:g}, NaN for missing",
                faults,
            )


@dataclass(frozen=True)
class _Trees:
    """A booster's text with what is read from it, each once and where it is asked for."""

    text: str

    @cached_property
    def booster(self) -> lgb.Booster:
        return open_booster(self.text)

    @cached_property
    def tree_shap(self) -> TreeShap:
        from scoring.tree_shap import TreeShap  # a process that only scores needs no compiler
        from scoring.tree_tables import read_tables

        return TreeShap(read_tables(self.text))

    @cached_property
    def leaves(self) -> Leaves:
        from scoring.leaves import read_leaves  # a process that only scores walks no tree

        return read_leaves(self.text)


def by_month(scorer: Scorer, as_of: Whole) -> Iterator[tuple[Scorer, Whole]]:
    """The scorers of instants (n,) in micros, each with the numbers of its rows."""
    if not scorer.calibration.monthly:
        yield scorer, np.arange(len(as_of))
        return
    months = as_of.astype("datetime64[us]").astype("datetime64[M]")
    for month in np.unique(months):
        rows = np.flatnonzero(months == month)
        yield scorer.at(int(as_of[rows[0]])), rows


def row_of(scorer: Scorer, values: Mapping[str, float]) -> Floats:
    """One customer's values (k,) in the scorer's order.

    Raises:
        InputError: features that `values` does not name; all at once, with paths.
    """
    absent = [n for n in scorer.features if n not in values]
    if absent:
        faults = tuple(Fault(f"features.{n}", "missing", "give it, or null") for n in absent)
        raise InputError(f"the row lacks features of the {scorer.target} scorer:", faults)
    return np.array([values[n] for n in scorer.features], dtype=np.float64)


def scorer_from(fields: Mapping[str, Any], booster_text: str) -> Scorer:
    """The scorer of `Scorer.fields` and a booster's text.

    Raises:
        InputError, BundleError: as `Scorer`.
    """
    return Scorer(
        target=fields["target"],
        features=tuple(fields["features"]),
        booster_text=booster_text,
        calibration=Calibration(
            fields["calibration"]["slope"],
            fields["calibration"]["intercept"],
            tuple(fields["calibration"].get("monthly", ())),
        ),
        scale=PointScale(**fields["scale"]),
        horizon_days=fields["horizon_days"],
        currency=fields["currency"],
        monotone=tuple(fields["monotone"]),
        explainer=fields["explainer"],
        categories=tuple(map(levels_from, fields.get("categories", ()))),
    )


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    grown = math.exp(max(x, -LARGEST_LOG))
    return grown / (1.0 + grown)


def _each(rule: Callable[[float], float], values: Floats) -> Floats:
    """One call a value: numpy's vector loops differ in the last bit from machine to machine."""
    return np.fromiter(map(rule, values.tolist()), dtype=np.float64, count=len(values))
