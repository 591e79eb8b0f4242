"""Conformal prediction: what the calibration rows teach of how sure a score is, and its coverage.

Enters: whole points and the truth, of calibration rows to learn from and of test rows to measure
on. Leaves: `Amounts` or `Outcomes` for the bundle, and figures of coverage by segment. What the
sets mean is in `scoring/conformal.py`.

Points come from a margin calibrated on the same rows, two numbers of hundreds of rows: for outcomes
that changes no rank and so nothing; for amounts it is a small optimism that the coverage shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.tiers import Cuts
from features.catalogue import THIN_FEATURES
from scoring.conformal import Amounts, Outcomes, Span, interval, outcomes, rank
from scoring.points import PointScale
from scoring.scorer import Scorer
from training.case import Case
from training.fit import Material, calibrate
from training.fit import points as points_of
from training.splits import FOLDS

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
PERCENT = 90
SPANS = 10
FEWEST_ROWS = 30
"""A segment of fewer test rows gets no figure."""


def learn_outcomes(
    points: Whole, good: Floats, starts: Sequence[int], percent: int = PERCENT
) -> Outcomes:
    """From which points on a customer may be good, and up to which bad.

    Each of the two by the rank of its own customers, so that the rarer is not given up (where that
    leaves a gap one cut in its middle serves both); and among customers of like points each that is
    not too rare there, so that few bad ones do not make all the good ones near them bad. `starts`:
    where the second and each later span of like points begins, of other rows than these.
    """
    of_good, of_bad = np.sort(points[good > 0]), np.sort(points[good <= 0])
    k, m = rank(len(of_good), percent), rank(len(of_bad), percent)
    good_from = float(of_good[k - 1]) if k else -np.inf
    bad_to = float(of_bad[-m]) if m else np.inf
    if bad_to < good_from - 1:
        bad_to = (bad_to + good_from) // 2
        good_from = bad_to + 1
    for begin, end in pairwise([-np.inf, *starts, np.inf]):
        rows = (points >= begin) & (points < end)
        some = rank(int(rows.sum()), percent)
        if (good[rows] > 0).sum() >= some:
            good_from = min(good_from, begin)
        if (good[rows] <= 0).sum() >= some:
            bad_to = max(bad_to, end - 1)
    return Outcomes(
        percent=percent,
        good_from=_whole(good_from),
        bad_to=_whole(bad_to),
        good_rows=len(of_good),
        bad_rows=len(of_bad),
    )


def learn_amounts(
    points: Whole, truth: Floats, spans: Sequence[Like], percent: int = PERCENT
) -> Amounts:
    """How far the truth lies from the points of customers of like points.

    Half of what may be missed lies below and half above; all of it above where the truth has no
    lower bound. `truth`: `true_points`. `spans`: `like`, of other rows than these.
    """
    starts = [s.from_points for s in spans[1:] if s.from_points is not None]
    place = np.searchsorted(np.asarray(starts), points, side="right")
    found = []
    for i, span in enumerate(spans):
        off = np.sort(truth[place == i] - points[place == i])
        k = rank(len(off), percent, tails=2 if span.bounded else 1)
        low = float(off[k - 1]) if k and span.bounded else -np.inf
        high = float(off[-k]) if k else np.inf
        found.append(
            Span(from_points=span.from_points, low=_whole(low), high=_whole(high), rows=len(off))
        )
    return Amounts(percent=percent, spans=tuple(found))


class Like(NamedTuple):
    """Customers of like points: where they begin (None: the lowest), and whether so few of them
    come to no amount at all that the truth has a lower bound."""

    from_points: int | None
    bounded: bool


def like(points: Whole, truth: Floats, percent: int = PERCENT) -> list[Like]:
    """Tenths of rows by points, for amounts."""
    starts = starts_of(points)
    place = np.searchsorted(np.asarray(starts), points, side="right")
    nothing = [float(np.isneginf(truth[place == i]).mean()) for i in range(len(starts) + 1)]
    most = (100 - percent) / 200
    return [Like(s, n < most) for s, n in zip([None, *starts], nothing, strict=True)]


def starts_of(points: Whole) -> list[int]:
    """The points at which the second and each later tenth of the rows begins, each once."""
    parts = np.quantile(points, np.arange(1, SPANS) / SPANS, method="higher")
    return sorted({int(p) for p in parts} - {int(points.min())})


def _whole(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None


def true_points(scale: PointScale, amount: Floats) -> Floats:
    """The whole points of amounts that came true; minus infinity of nothing or less."""
    found = np.full(len(amount), -np.inf)
    some = amount > 0
    found[some] = scale.points(np.log(amount[some]))
    return found


def learn(
    material: Material, scorer: Scorer, folded: Floats | None, percent: int = PERCENT
) -> Amounts | Outcomes:
    """What the calibration rows teach; with folds, all rows by their margins out of fold.

    Spans of like points are tenths of the fit rows (with folds, of the very rows).
    """
    split, problem = material.split, material.problem
    rows = split.calibration if folded is None else split.fit
    if folded is None:
        points = points_of(material, scorer, rows)
    else:
        points = _points(material, scorer, folded, rows)
    fitted = points if folded is not None else points_of(material, scorer, split.fit)
    return _learn(points, problem.y[rows], fitted, problem.y[split.fit], (scorer, percent))


def _learn(
    points: Whole, y: Floats, fitted: Whole, fitted_y: Floats, how: tuple[Scorer, int]
) -> Amounts | Outcomes:
    """What rows teach, in spans that other rows give."""
    scorer, percent = how
    if scorer.target != "value":
        return learn_outcomes(points, y, starts_of(fitted), percent)
    spans = like(fitted, true_points(scorer.scale, fitted_y), percent)
    return learn_amounts(points, true_points(scorer.scale, y), spans, percent)


def _points(material: Material, scorer: Scorer, margin: Floats, rows: Index) -> Whole:
    """Points of margins out of fold, calibrated on `rows`."""
    found = calibrate(material, margin[rows], rows)
    return scorer.scale.points(found.slope * margin + found.intercept)


Held = tuple[Whole, Flags, Flags]
"""Points, whether the truth is inside, and whether more than one answer is left."""


def held(learnt: Amounts | Outcomes, points: Whole, y: Floats, scorer: Scorer, cuts: Cuts) -> Held:
    """What is true of rows that nothing was learnt from."""
    inside = np.zeros(len(points), bool)
    unsure = np.zeros(len(points), bool)
    if isinstance(learnt, Amounts):
        truth = true_points(scorer.scale, y)
        for i, p in enumerate(points.tolist()):
            low, high = interval(learnt, p)
            inside[i] = (low is None or truth[i] >= low) and (high is None or truth[i] <= high)
            unsure[i] = _tier(cuts, low, -np.inf) != _tier(cuts, high, np.inf)
    else:
        for i, p in enumerate(points.tolist()):
            left = outcomes(learnt, p)
            inside[i] = ("good" if y[i] > 0 else "bad") in left
            unsure[i] = len(left) > 1
    return points, inside, unsure


def _tier(cuts: Cuts, points: int | None, otherwise: float) -> int:
    return int(np.searchsorted(cuts.bounds, otherwise if points is None else points, side="right"))


def held_out_of_fold(material: Material, scorer: Scorer, folded: Floats, cuts: Cuts) -> Held:
    """The same of every row, each learnt without its fold (the first five, once each)."""
    y = material.problem.y
    out = (np.zeros(len(y), np.int64), np.zeros(len(y), bool), np.zeros(len(y), bool))
    for _, tested in material.split.folds[:FOLDS]:
        others = np.setdiff1d(np.arange(len(y)), tested)
        points = _points(material, scorer, folded, others)
        mine, theirs = points[others], y[others]
        learnt = _learn(mine, theirs, mine, theirs, (scorer, PERCENT))
        for whole, part in zip(
            out, held(learnt, points[tested], y[tested], scorer, cuts), strict=True
        ):
            whole[tested] = part
    return out


def coverage(found: Held, segments: Mapping[str, Flags], weights: Floats) -> dict[str, Any]:
    """How often the truth was inside, with an interval by resampled customers, and how often more
    than one answer was left; over all rows and by segment."""
    _, inside, unsure = found
    chosen = {"all": np.ones(len(inside), bool), **segments}
    return {
        name: _covered(inside[rows], unsure[rows], weights[:, rows])
        for name, rows in chosen.items()
        if rows.sum() >= FEWEST_ROWS
    }


def _covered(inside: Flags, unsure: Flags, weights: Floats) -> dict[str, Any]:
    total = weights.sum(axis=1)
    drawn = (weights @ inside)[total > 0] / total[total > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "rows": len(inside),
        "coverage": float(inside.mean()),
        "interval": [float(low), float(high)],
        "unsure": float(unsure.mean()),
    }


def figures(
    case: Case, part: str, learnt: Amounts | Outcomes, folded: Floats | None, weights: Floats
) -> dict[str, Any]:
    """Coverage on a part of the test, tiers and bands by the policy that judges."""
    material, scorer, cuts, rows = case.material, case.scorer, case.cuts, case.rows[part]
    X, y = material.problem.X[rows], material.problem.y[rows]
    if folded is None:
        found = held(learnt, points_of(material, scorer, rows), y, scorer, cuts)
    else:
        found = held_out_of_fold(material, scorer, folded, cuts)
    thin = thin_file(X, material.problem.names)
    chosen = _segments(found[0], y, cuts, thin, is_amount=material.problem.is_amount)
    return coverage(found, chosen, weights)


def _segments(
    points: Whole, y: Floats, cuts: Cuts, thin: Flags, *, is_amount: bool
) -> dict[str, Flags]:
    """Rows by tier or band, by thin file, and by outcome where the truth is one."""
    place = np.searchsorted(cuts.bounds, points, side="right")
    parts = {f"tier {s.name}": place == i for i, s in enumerate(cuts.steps)}
    parts |= {"thin": thin, "not thin": ~thin}
    return parts if is_amount else parts | {"good": y > 0, "bad": y <= 0}


def thin_file(X: Floats, names: Sequence[str]) -> Flags:
    """Rows that miss every feature that tells of a history; none where no such feature is used."""
    columns = [i for i, n in enumerate(names) if n in THIN_FEATURES]
    missing = np.isnan(X[:, columns]).all(axis=1) if columns else np.zeros(len(X), bool)
    return np.asarray(missing)
