"""Against whom: a score's reasons as the difference from a named population, in whole points.

Enters: a scorer and the rows of a population; later a row. Leaves: a `Reference` (a population's
mean contributions, plain JSON that names no customer), and differences that add up to the score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.decision import FiniteFloat
from domain.errors import BundleError, InputError, NotEnoughDataError, broken
from domain.policy import Policy
from domain.tiers import Target
from scoring.points import whole_parts
from scoring.scorer import Scorer

Whole = NDArray[np.int64]
FILE = "references"
EVERYBODY, APPROVED, STAGE, POINTS = "everybody", "approved", "stage_", "points_"
"""Names of references; those of stages and of bands of points begin with the last two."""
"""What the references are called beside the scorers of a bundle."""
FEWEST = 50
"""A mean over fewer customers would tell of each of them."""
BAND = 100
"""Points of a band that depends on no policy: four times the odds, or the amount."""


class Reference(BaseModel):
    """A population of a scorer: how many, and the mean contribution of each feature to the margin.

    `base` is the booster's mean output; `base` and all contributions make the mean margin.
    `typical` is the median, to three digits, of each feature that fifty have and that is no code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    zh: Annotated[str, Field(min_length=1, max_length=200)]
    en: Annotated[str, Field(min_length=1, max_length=200)]
    customers: Annotated[int, Field(ge=FEWEST)]
    base: FiniteFloat
    contributions: dict[str, FiniteFloat]
    typical: dict[str, FiniteFloat]

    def points(self, scorer: Scorer) -> int:
        """The points of the mean margin.

        Raises:
            InputError: it is of another scorer.
        """
        names = {*scorer.features}
        if {*self.contributions} != names or not {*self.typical} <= names:
            raise InputError(
                f"reference {self.name} is of other features than the {scorer.target} scorer: "
                "fit it again"
            )
        margin = math.fsum([self.base, *self.contributions.values()])
        calibrated = scorer.calibration.slope * margin + scorer.calibration.intercept
        return int(scorer.scale.points(np.array([calibrated]))[0])


_FILE = TypeAdapter(dict[Target, list[Reference]])


@dataclass(frozen=True)
class Against:
    """`reference_points + differences.sum(axis=1) == points`; differences (n, k), points (n,)."""

    reference_points: int
    differences: Whole
    points: Whole


def fit_reference(
    scorer: Scorer, X: NDArray[np.float64], name: str, zh: str, en: str
) -> Reference:  # fmt: skip
    """The reference of the population whose feature values are the rows X (n, k).

    The order of the rows changes no bit.

    Raises:
        NotEnoughDataError: fewer than 50 rows.
        InputError: as `Scorer.margin`.
    """
    return _mean(scorer, X, scorer.contributions(X), (name, zh, en))


def fit_references(
    scorer: Scorer,
    X: NDArray[np.float64],
    policy: Policy | None = None,
    stages: Sequence[str] = (),
) -> list[Reference]:
    """Everybody; whom the policy approves; each of its stages; each band of a hundred points.

    Approved are, of a credit scorer, those whose band is not adverse in the policy. `stages`: the
    lifecycle stage of each row by it. A population of too few, or of everybody, is left out; the
    bands stand last, from the lowest on.

    Raises:
        NotEnoughDataError, InputError: as `fit_reference`.
    """
    shap, points = scorer.contributions(X), scorer.points(X)
    made = [_mean(scorer, X, shap, (EVERYBODY, "全部客户", "all customers"))]
    for inside, words in [*_by_policy(scorer, points, policy, stages), *_by_points(points)]:
        if inside.sum() >= FEWEST:
            made.append(_mean(scorer, X[inside], shap[inside], words))
    return made


_Words = tuple[str, str, str]


def _by_policy(
    scorer: Scorer, points: Whole, policy: Policy | None, stages: Sequence[str]
) -> Iterator[tuple[NDArray[np.bool_], _Words]]:
    if policy is None:
        return
    zh, en = f"（政策{policy.version}）", f" (policy {policy.version})"
    if scorer.target == "credit" and policy.adverse is not None:
        cuts = policy.steps["credit"]
        adverse = np.array([step.name in policy.adverse.credit for step in cuts.steps])
        inside = ~adverse[np.searchsorted(cuts.bounds, points, side="right")]
        yield inside, (APPROVED, f"获批客户{zh}", f"approved customers{en}")
    each = np.asarray(stages)
    for rule in {s.name: s for s in reversed(policy.stages)}.values():
        inside = each == rule.name if len(each) else np.zeros(len(points), dtype=bool)
        if not inside.all():
            yield (
                inside,
                (STAGE + rule.name, f"{rule.zh}{zh}", f"customers who are {rule.name}{en}"),
            )


def _by_points(points: Whole) -> Iterator[tuple[NDArray[np.bool_], _Words]]:
    bands = points // BAND * BAND
    for low in np.unique(bands).tolist():
        high = low + BAND - 1
        name = f"{POINTS}{low}_{high}".replace("-", "minus_")
        zh, en = f"{low}至{high}分的客户", f"customers with {low} to {high} points"
        yield bands == low, (name, zh, en)


def _mean(
    scorer: Scorer, X: NDArray[np.float64], shap: NDArray[np.float64], words: tuple[str, str, str]
) -> Reference:
    name, zh, en = words
    if len(shap) < FEWEST:
        raise NotEnoughDataError(
            f"{len(shap)} customers in reference {name}: give at least {FEWEST}"
        )
    means = [math.fsum(column.tolist()) / len(shap) for column in shap.T]
    codes = {levels.feature for levels in scorer.categories}
    return Reference(
        name=name,
        zh=zh,
        en=en,
        customers=len(shap),
        base=means[-1],
        contributions=dict(zip(scorer.features, means[:-1], strict=True)),
        typical={
            feature: float(f"{np.nanmedian(column):.3g}")
            for feature, column in zip(scorer.features, X.T, strict=True)
            if feature not in codes and np.count_nonzero(~np.isnan(column)) >= FEWEST
        },
    )


def against(scorer: Scorer, X: NDArray[np.float64], reference: Reference) -> Against:
    """What sets each row apart from the reference, by feature, in whole points.

    A feature's difference is its contribution less the reference's mean one, taken into points; the
    whole numbers are handed out by largest remainder, the reference's points stay as they are.

    Raises:
        InputError: as `Scorer.margin`; a reference of another scorer.
    """
    start, points = reference.points(scorer), scorer.points(X)
    means = np.array([reference.contributions[name] for name in scorer.features])
    apart = scorer.contributions(X)[:, :-1] - means
    parts = scorer.scale.factor * scorer.calibration.slope * apart
    return Against(start, whole_parts(parts, points - start), points)


def references_content(
    references: Mapping[Target, list[Reference]]
) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    """The references of all targets as plain JSON, to stand beside the scorers of a bundle."""
    return {t: [r.model_dump() for r in found] for t, found in references.items()}


def read_references(
    content: Mapping[str, Any], scorers: Mapping[Target, Scorer]
) -> dict[Target, tuple[Reference, ...]]:
    """The checked references of a bundle.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind; a name twice; another scorer's.
    """
    try:
        read = _FILE.validate_json(json.dumps(content))
        for target, found in read.items():
            if len({r.name for r in found}) != len(found):
                raise BundleError(f"references of {target} repeat a name: train again")
            for reference in found:
                reference.points(scorers[target])
    except ValidationError as e:
        raise broken(f"{FILE}.json", e) from None
    except (KeyError, InputError) as e:
        raise BundleError(f"{FILE}.json is not of these scorers ({e}): train again") from None
    return {target: tuple(found) for target, found in read.items()}
