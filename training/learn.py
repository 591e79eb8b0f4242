"""One target of a run: its study, scorer, judgement and report, under one run of MLflow.

Enters: the material of a target and what holds for the whole run. Leaves: a `TargetResult`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.asof import to_micros
from domain.gates import GateRules
from domain.policy import Policy
from events.dataset import Dataset
from features.given import catalogue_of
from scoring.bundle import Bundle
from scoring.conformal import Amounts, Outcomes
from scoring.scorer import Scorer
from scoring.segments import Fitted
from training.baselines import PEERS, fit_baselines
from training.case import Case
from training.champion import champion
from training.conformal import figures as coverage
from training.conformal import learn
from training.fit import (
    Floats,
    Material,
    evidence,
    fit_scorer,
    fold_evidence,
    out_of_fold,
    task,
)
from training.gates import Verdict, first_gates, further_gates
from training.judge import Judged, judge
from training.matrix import Told
from training.options import RunOptions
from training.plots import plots
from training.results import TargetResult
from training.splits import Index, has_both
from training.spread import reliability
from training.study import Asked, tune_study
from training.targets import grids
from training.track import Tracker, origin_of
from training.tune import Best
from training.validate import rounded, validate


@dataclass(frozen=True)
class Common:
    """What holds for every target of a run: `fitted` is what stands beside the scorers, `rival` the
    champion's bundle."""

    options: RunOptions
    policy: Policy
    fitted: Fitted | None
    rival: Bundle | None
    told: Told


def learn_target(
    made: Material, asked: Asked, common: Common, tags: Mapping[str, str]
) -> TargetResult:
    """The result of one target; `tags` go to its run in MLflow."""
    began, options, dataset = time.monotonic(), common.options, asked.dataset
    with Tracker(asked.workspace, made.target, origin_of(dataset, options.lock_hash)) as tracker:
        tracker.data(dataset, made.split)
        best = tune_study(asked, made, tracker, common.told)
        case, learnt, judged = _judged(made, dataset, common, best)
        rival = _other(common.rival, case.scorer)
        against = champion(rival, asked.workspace, made, catalogue_of(dataset))
        found = validate(case, dataset, against)
        decided = _decided(judged["test"], found, common.policy.limits)
        result = TargetResult(
            case.scorer, learnt, best, judged, decided, made.dropped, len(made.split.fit), found,
            tracker.run_id, time.monotonic() - began,
        )  # fmt: skip
        tracker.tags(tags)
        chosen = {**best.params, "trees": best.trees}
        tracker.figures(chosen, {n: j.figures for n, j in judged.items()})
        with tempfile.TemporaryDirectory() as folder:
            X = made.problem.X[made.split.test]
            tracker.files(plots(case.scorer, X, case.test, Path(folder)))
    return result


def _judged(
    made: Material, dataset: Dataset, common: Common, best: Best
) -> tuple[Case, Amounts | Outcomes, dict[str, Judged]]:
    """The scorer with its evidence, what the calibration rows teach, and the figures by part."""
    seed, more = common.options.seed, common.options.baselines
    folds = out_of_fold(made, seed, more) if made.split.folds else None
    margin = folds[0] if folds else None
    scorer = fit_scorer(made, dataset.plan, best, seed, margin, common.options.fit)
    if folds:
        rows = {"test": made.split.test}
        parts = {"test": fold_evidence(made, *folds)}
    else:
        rows = parts_to_judge(made, dataset)
        beaten = fit_baselines(task(made, made.split.fit, common.fitted), seed, more)
        parts = {n: evidence(made, scorer, r, beaten) for n, r in rows.items()}
    case = Case(made, scorer, best, parts, rows, common.policy, seed)
    learnt = learn(made, scorer, margin)
    return case, learnt, {part: _part(case, part, learnt, margin) for part in parts}


def _part(case: Case, part: str, learnt: Amounts | Outcomes, folded: Floats | None) -> Judged:
    """All figures of one part, over the same draws."""
    rows, weights, is_amount = case.parts[part], case.drawn(part), case.is_amount
    found = judge(rows, weights, case.seed, is_amount=is_amount, whole=part == "test")
    found.figures["coverage"] = coverage(case, part, learnt, folded, weights)
    tenths = reliability(rows.y, rows.predicted, weights, is_amount=is_amount)
    found.figures["reliability"] = rounded(tenths)
    return found


def _other(rival: Bundle | None, scorer: Scorer) -> Bundle | None:
    """The rival, unless its scorer is this very one: a retraining compares with nobody."""
    same = rival is not None and rival.scorers.get(scorer.target)
    if same and same.booster_text == scorer.booster_text and same.fields() == scorer.fields():
        return None
    return rival


def _decided(judged: Judged, found: Mapping[str, Any], limits: GateRules) -> Verdict:
    """The verdict over all gates: a baseline that is no peer is a rule."""
    rules = [b for b in judged.figures["baseline"] if b not in PEERS]
    noise = found["noise"]["test"][judged.metric]
    first = first_gates(judged, rules, limits, noise)
    return Verdict((*first, *further_gates(found, judged.metric, limits)))


def parts_to_judge(made: Material, dataset: Dataset) -> dict[str, Index]:
    """The rows of the whole test, of its known and unseen customers, and of each of several dates;
    and of the last training date, of the customers learnt from and of the unseen.

    The gates ask `test` alone. A part with one outcome only ranks nobody and is left out.
    """
    split = made.split
    parts = {"test": split.test}
    if dataset.plan.split == "time":
        parts["test_known"] = np.setdiff1d(split.test, split.test_unseen)
        parts["test_unseen"] = split.test_unseen
        last = made.as_of == made.as_of[split.fit].max()
        for name, rows in (("known", split.fit), ("unseen", split.earlier_unseen)):
            parts[f"earlier_{name}"] = rows[last[rows]]
        for moment in dataset.plan.test_as_of if len(grids(dataset)[1]) > 1 else ():
            rows = split.test[made.as_of[split.test] == to_micros(moment)]
            parts[f"test_{moment:%Y_%m_%d}"] = rows
    return {n: r for n, r in parts.items() if has_both(made.problem.y[r])}
