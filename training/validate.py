"""What a reviewer asks of one scorer beyond the judge's figures: the content of its report.

Enters: one target's material, scorer and evidence, the policy. Leaves: plain finite JSON for the
card, the same for the same rows (I11): gains, profit, tiers, directions, stability, groups, seed
noise, who learnt. No row and no customer stands in it (I12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, iso
from domain.gates import CostRule
from domain.plan import StudyPlan
from events.dataset import Dataset
from features.catalogue import Catalogue
from features.given import catalogue_of
from features.ideas import ideas
from scoring.monotone import violations
from scoring.scorer import Scorer
from training import metrics
from training.baselines import PEERS
from training.case import Case
from training.champion import Champion
from training.conformal import thin_file
from training.fit import Material, points
from training.groups import THIN, VINTAGE, Placed, by_group, groups_of, vintages
from training.judge import against
from training.noise import seed_noise
from training.report_model import FORMAT
from training.spread import gains, profit, tier_spread
from training.targets import SPECS
from training.tier_figures import places, suggested_bounds, tier_figures, true_places

Floats = NDArray[np.float64]
Index = NDArray[np.int64]


def validate(case: Case, dataset: Dataset, champion: Champion | None) -> dict[str, Any]:
    """Everything of one target's report, by section."""
    made = case.material
    costs = case.policy.costs.get(made.target)
    found = {
        "format": FORMAT,
        "definition": SPECS[made.target].text,
        "labels": _labels(case.scorer.features, catalogue_of(dataset)),
        "learnt": _learnt(made, dataset.plan),
        "gains": _gains(case),
        "profit": None if costs is None else _profit(case, costs),
        "tiers": _tiers(case) if case.is_amount else None,
        "noise": seed_noise(case, dataset.plan),
        "champion": None if champion is None else _champion(case, champion),
        "monotone": _monotone(case.scorer),
        "stability": _stability(case),
        "groups": _groups(case, dataset),
        "ratio_counts": made.target == "credit",
    }
    return {name: rounded(section) for name, section in found.items()}


def rounded(content: Any) -> Any:
    """Numbers to six digits: what linear algebra adds up in another order is the same (I11)."""
    if isinstance(content, Mapping):
        return {k: rounded(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [rounded(v) for v in content]
    return float(f"{content:.6g}") if isinstance(content, float) else content


def _learnt(made: Material, plan: StudyPlan) -> dict[str, Any]:
    """Rows, customers and dates of each part of the split; who stands in two parts that must not
    share anybody, and the days from the last training as_of to the first test one."""
    split = made.split
    parts = {
        "fit": split.fit,
        "calibration": split.calibration,
        "test": split.test,
        "test_unseen": split.test_unseen,
    }
    who = {n: {made.customers[r] for r in rows} for n, rows in parts.items()}
    apart = (("fit", "calibration"), ("fit", "test_unseen"), ("calibration", "test_unseen"))
    if split.folds:
        shared = {"folds": _shared(made)}
    else:
        shared = {f"{a} {b}": len(who[a] & who[b]) for a, b in apart}
    gap = None
    if plan.split == "time":
        last, first = made.as_of[split.fit].max(), made.as_of[split.test].min()
        gap = float(first - last) / MICROS_PER_DAY
    return {
        "by": plan.split,
        "parts": {n: _part(made, r) for n, r in parts.items() if len(r)},
        "shared_customers": shared,
        "gap_days": gap,
    }


def _shared(made: Material) -> int:
    """Customers that a fold is tested on and learnt from, over all folds."""
    names = np.asarray(made.customers)
    return sum(len({*names[learn]} & {*names[tested]}) for learn, tested in made.split.folds)


def _labels(features: Sequence[str], catalogue: Catalogue) -> dict[str, Any]:
    """Both texts of every feature and idea, and units, so that a report is the same when the words
    change."""
    of = ideas(catalogue)
    told = [catalogue[n] for n in features]
    named = {idea.name: idea for idea in (of[n] for n in features)}
    return {
        "features": {f.name: [f.zh, f.en] for f in told},
        "units": {f.name: f.unit for f in told},
        "ideas": {name: [idea.zh, idea.en] for name, idea in named.items()},
    }


def _part(made: Material, rows: Index) -> dict[str, Any]:
    moments = np.unique(made.as_of[rows])
    return {
        "rows": len(rows),
        "customers": len({made.customers[r] for r in rows}),
        "dates": len(moments),
        "first": iso(int(moments[0])),
        "last": iso(int(moments[-1])),
    }


def _gains(case: Case) -> list[dict[str, Any]]:
    """Amounts from the highest scores on, bad outcomes from the lowest."""
    sought, first = (case.test.y, 1) if case.is_amount else (1.0 - case.test.y, -1)
    return gains(sought, case.test.score, first, case.drawn("test"))


def _profit(case: Case, costs: CostRule) -> dict[str, Any]:
    """The curve in the order of acting: the customers at risk of leaving, else the best first."""
    y = case.test.y
    gain = costs.share * y if case.is_amount else np.where(y > 0, costs.good, costs.bad)
    first = -1 if case.material.target == "churn" else 1
    return profit(gain - costs.cost, case.test.score, first, case.drawn("test"))


def _tiers(case: Case) -> dict[str, Any]:
    """Agreement of tiers, how much better than the tiers that each rule would make, and the cuts
    that suit the calibrating customers best, whom no tree has seen."""
    test, scale, cuts = case.test, case.scorer.scale, case.cuts
    truth, said = true_places(test.y, scale, cuts), places(case.points, cuts.bounds)
    rules = {n: score for n, score in test.baselines.items() if n not in PEERS}
    made, own, suggested = case.material, case.material.split.calibration, None
    if own.size:
        bounds = suggested_bounds(made.problem.y[own], points(made, case.scorer, own), scale, cuts)
        better = tier_figures(test.y, case.points, scale, cuts, bounds)
        suggested = {"bounds": list(bounds), **better}
    return {
        **tier_figures(test.y, case.points, scale, cuts),
        **tier_spread(truth, said, rules, case.drawn("test")),
        "suggested": suggested,
    }


def _champion(case: Case, champion: Champion) -> dict[str, Any]:
    if champion.scores is None:
        return {"bundle": champion.bundle, "because": champion.because}
    found = against(case.test, champion.scores, case.drawn("test"), is_amount=case.is_amount)
    return {"bundle": champion.bundle, **found}


def _monotone(scorer: Scorer) -> dict[str, Any]:
    ways = zip(scorer.features, scorer.monotone, strict=True)
    return {
        "trees": scorer.booster.num_trees(),
        "broken": len(violations(scorer.booster_text, scorer.monotone)),
        "directions": {name: way for name, way in ways if way},
    }


def _stability(case: Case) -> dict[str, Any]:
    """PSI of each feature from the fit rows to the test, and of the score from the customers that
    calibrate, whom no tree learnt from; `floor` is what chance alone shows.

    With folds learning and test rows are the same, so there is none.
    Source: Yurdakul, Statistical Properties of Population Stability Index (2018), for the floor.
    """
    made = case.material
    split, X = made.split, made.problem.X
    if split.folds:
        return {"score": None, "features": {}}
    before = case.scorer.margin(X[split.calibration])
    told = case.scorer.encoded(X)
    features = {
        name: metrics.psi(told[split.fit, i], told[split.test, i])
        for i, name in enumerate(made.problem.names)
    }
    largest = sorted(features.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = {n: metrics.psi(before, case.scorer.margin(X[rows])) for n, rows in case.rows.items()}
    floor = (metrics.BINS - 1) * (1 / len(before) + 1 / len(case.test.y))
    return {
        "score": {"psi": parts["test"], "floor": floor, "parts": parts},
        "features": dict(largest),
    }


def _groups(case: Case, dataset: Dataset) -> dict[str, Any]:
    made, rows = case.material, case.rows["test"]
    groups = groups_of(dataset, [made.ids[r] for r in rows], made.as_of[rows])
    thin = thin_file(made.problem.X[rows], made.problem.names)
    groups[THIN] = np.where(thin, "thin", "known")
    groups[VINTAGE] = vintages(made.as_of[rows])
    cuts, bounds = case.cuts, case.cuts.steps
    adverse = case.policy.adverse
    bad = adverse.credit if adverse and made.target == "credit" else (bounds[0].name,)
    said = places(case.points, cuts.bounds)
    favourable = ~np.isin(np.array([s.name for s in bounds])[said], bad)
    truth = true_places(case.test.y, case.scorer.scale, cuts) if case.is_amount else None
    placed = Placed(favourable, truth, said, len(bounds))
    return by_group(case.test, placed, groups, case.seed, is_amount=case.is_amount)
