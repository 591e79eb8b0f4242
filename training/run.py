"""The whole training of a source: features, studies, scorers, judgement, one registered bundle.

Enters: a checked data set, a workspace, options. Leaves: a bundle on disk, its model version where
it may be registered, and the figures. Progress is told, nothing is printed.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from domain.asof import to_micros
from domain.decision import content_hash
from domain.errors import NotEnoughDataError, PromotionError
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of
from scoring.bundle import Bundle, write_bundle
from scoring.card import Accepted
from scoring.conformal import Amounts, Conformal, Outcomes
from scoring.golden import draw_rows
from scoring.registry import register
from scoring.scorer import Scorer
from scoring.segments import Fitted
from training import segments
from training.baselines import PEERS
from training.beside import beside
from training.conformal import figures as coverages
from training.conformal import learn
from training.fit import Material, evidence, fit_scorer, fold_evidence, out_of_fold
from training.judge import Evidence, Judged, Verdict, judge, judge_amount, verdict
from training.leakage import Leaks, of_source, of_target
from training.matrix import Told, labelled, material, write_features
from training.report import plots
from training.splits import Index, has_both, percents
from training.targets import grids
from training.track import Tracker
from training.tune import RULES, Best, inner_folds, make_study, tune

GOLDEN_ROWS = 50


@dataclass(frozen=True)
class RunOptions:
    """Trials a study, the seed of every choice, and who accepts a failed verdict and why."""

    trials: int = 20
    seed: int = 20261122
    accepted: Accepted | None = None
    lock: Path | None = None


@dataclass(frozen=True)
class TargetResult:
    """One target's scorer, its judged parts (see `parts_to_judge`) and verdict."""

    scorer: Scorer
    learnt: Amounts | Outcomes
    best: Best
    parts: Mapping[str, Judged]
    verdict: Verdict
    rules: tuple[str, ...]
    dropped: tuple[str, ...]
    fit_rows: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Everything that is the same on every run with the same data, seed and lock."""
        return {
            "rows": self.fit_rows,
            "metric": self.parts["test"].metric,
            **{name: dict(part.figures) for name, part in self.parts.items()},
            "verdict": self.verdict.word,
            "gates": [
                {"gate": g, "passed": passed, "figure": said}
                for g, passed, said in self.verdict.gates
            ],
            "params": {**self.best.params, "trees": self.best.trees},
            "features": len(self.scorer.features),
            "dropped": list(self.dropped),
        }


@dataclass(frozen=True)
class RunResult:
    """What a run of one source came to; `version` is None where nothing was registered."""

    source: str
    targets: Mapping[Target, TargetResult]
    skipped: Mapping[Target, str]
    bundle: Bundle | None
    version: str | None
    refused: str | None
    segments: Mapping[str, Any]
    leaks: Leaks
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON: `targets.<name>.test.<metric>`, `.interval`, `.baseline`."""
        done = {t: {**r.to_dict(), "seconds": r.seconds} for t, r in self.targets.items()}
        skipped = {t: {"skipped": why} for t, why in self.skipped.items()}
        return {
            "source": self.source,
            "targets": {**done, **skipped},
            "bundle": self.bundle.hash if self.bundle else None,
            "registered": self.version,
            "refused": self.refused,
            "segments": dict(self.segments),
            "leakage": self.leaks.to_dict(),
            "seconds": dict(self.seconds),
        }


def compute_features(dataset: Dataset, workspace: Workspace, told: Told) -> int:
    """Compute and keep every feature that training and serving need; the rows of the panel."""
    return write_features(dataset, workspace, labelled(dataset)[0], told)


def tune_all(
    dataset: Dataset, workspace: Workspace, options: RunOptions, told: Told
) -> dict[Target, Best]:
    """The study of every target, over features already kept; resumes where it stands."""
    rows, _ = labelled(dataset)
    found = {}
    for target, table in rows.items():
        made = material(dataset, workspace, target, table, options.seed)
        with Tracker(workspace, target) as tracker:
            found[target] = _tune(made, dataset, workspace, options, (tracker, told))
    return found


def run(dataset: Dataset, workspace: Workspace, options: RunOptions, told: Told) -> RunResult:
    """Features, then `train`."""
    began = time.monotonic()
    compute_features(dataset, workspace, told)
    return train(dataset, workspace, options, told, {"features": time.monotonic() - began})


def train(
    dataset: Dataset,
    workspace: Workspace,
    options: RunOptions,
    told: Told,
    seconds: Mapping[str, float] | None = None,
) -> RunResult:
    """Study, scorer and judgement of every target, over features already kept; then the bundle.

    Raises:
        NotEnoughDataError: no target of the source can be learnt.
        InputError: the data tells the future or the test, and nobody accepts it.
    """
    rows, skipped = labelled(dataset)
    is_accepted = options.accepted is not None
    leaks = of_source(dataset, rows).check(accepted=is_accepted)
    learnt = segments.learn(dataset, workspace, options.seed)
    results: dict[Target, TargetResult] = {}
    golden, fitted = {}, {}
    for target, table in rows.items():
        try:
            made = material(dataset, workspace, target, table, options.seed)
        except NotEnoughDataError as e:
            skipped[target] = str(e)
            continue
        leaks = (leaks + of_target(dataset, made)).check(accepted=is_accepted)
        results[target] = _learn(made, dataset, workspace, options, (told, learnt.fitted, leaks))
        X = made.problem.X[made.split.fit]
        golden[target] = draw_rows(X, min(GOLDEN_ROWS, len(X)), options.seed)
        fitted[target] = (results[target].scorer, X)
    if not results:
        raise NotEnoughDataError(
            f"{dataset.source}: no target can be learnt: "
            + "; ".join(f"{t}: {why}" for t, why in skipped.items())
        )
    conformal = Conformal.model_validate({t: r.learnt for t, r in results.items()})
    bundle = write_bundle(
        workspace.bundles,
        {t: r.scorer for t, r in results.items()},
        catalogue_of(dataset),
        {**_card(dataset, results, skipped, options, leaks), "segments": learnt.told},
        golden,
        {
            **learnt.beside,
            **beside(fitted, catalogue_of(dataset)),
            "conformal": conformal.model_dump(mode="json"),
        },
    )
    version, refused = None, None
    try:
        version = register(workspace, bundle)
    except PromotionError as e:
        refused = str(e)
    return RunResult(
        dataset.source, results, skipped, bundle, version, refused, learnt.told, leaks,
        dict(seconds or {}),
    )  # fmt: skip


def _learn(
    made: Material,
    dataset: Dataset,
    workspace: Workspace,
    options: RunOptions,
    given: tuple[Told, Fitted | None, Leaks],
) -> TargetResult:
    told, fitted, leaks = given
    began = time.monotonic()
    with Tracker(workspace, made.target) as tracker:
        best = _tune(made, dataset, workspace, options, (tracker, told))
        folds = out_of_fold(made, options.seed) if made.split.folds else None
        scorer = fit_scorer(made, dataset.plan, best, options.seed, folds and folds[0])
        if folds:
            rows = {"test": made.split.test}
            parts = {"test": fold_evidence(made, *folds)}
        else:
            rows = parts_to_judge(made, dataset)
            parts = {n: evidence(made, scorer, r, fitted) for n, r in rows.items()}
        learnt = learn(made, scorer, folds and folds[0])
        covered = coverages(made, scorer, learnt, folds and folds[0], rows, options.seed)
        judged = {n: _judge(made, e, options.seed) for n, e in parts.items()}
        for name, part in judged.items():
            part.figures["coverage"] = covered[name]
        baselines = judged["test"].figures["baseline"]
        rules = tuple(b for b in baselines if b not in PEERS)
        decided = verdict(judged["test"], rules, [b for b in PEERS if b in baselines])
        result = TargetResult(
            scorer, learnt, best, judged, decided, rules, made.dropped,
            len(made.split.fit), time.monotonic() - began,
        )  # fmt: skip
        chosen = {**best.params, "trees": best.trees}
        tracker.tags(leaks.tags(made.target))
        tracker.figures(chosen, {n: j.figures for n, j in judged.items()})
        with tempfile.TemporaryDirectory() as folder:
            X = made.problem.X[made.split.test]
            tracker.files(plots(scorer, X, parts["test"], Path(folder)))
    return result


def _tune(
    made: Material,
    dataset: Dataset,
    workspace: Workspace,
    options: RunOptions,
    watchers: tuple[Tracker, Told],
) -> Best:
    tracker, told = watchers
    told(f"tune {made.target}", 0, options.trials)
    places = percents(f"{dataset.plan.split_key}:validation", made.customers)
    folds = inner_folds(places, made.split.fit)
    data = content_hash({n: t.sha256 for n, t in dataset.tables.items()})
    catalogue = catalogue_of(dataset).hash[:12]
    name = f"{workspace.source}-{made.target}-{data[:12]}-{catalogue}-{options.seed}-{RULES}"
    study = make_study(name, workspace.studies_url, is_amount=made.problem.is_amount)

    def each(trial: Any) -> None:
        tracker.trial(trial)
        told(f"tune {made.target}", trial.number + 1, options.trials)

    best = tune(made.problem, folds, study, options.trials, options.seed, each)
    told(f"tune {made.target}", options.trials, options.trials)
    return best


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


def _judge(made: Material, found: Evidence, seed: int) -> Judged:
    return judge_amount(found, seed) if made.problem.is_amount else judge(found, seed)


def _card(
    dataset: Dataset,
    results: Mapping[Target, TargetResult],
    skipped: Mapping[Target, str],
    options: RunOptions,
    leaks: Leaks,
) -> dict[str, Any]:
    """The model card; without times or durations, so that equal runs have equal bundles (I11)."""
    failed = leaks.alarms or any(not r.verdict.passed for r in results.values())
    accepted = options.accepted if failed else None
    lock = options.lock
    return {
        "source": dataset.source,
        "targets": {
            t: {"verdict": r.verdict.word, "figures": json.loads(json.dumps(r.to_dict()))}
            for t, r in results.items()
        },
        "skipped": dict(skipped),
        "accepted": accepted.model_dump() if accepted else None,
        "data": {n: t.sha256 for n, t in dataset.tables.items()},
        "plan": dataset.plan.model_dump(mode="json"),
        "leakage": json.loads(json.dumps(leaks.to_dict())),
        "seed": options.seed,
        "lock_hash": hashlib.sha256(lock.read_bytes()).hexdigest() if lock else None,
        **({"given": dataset.given.model_dump(mode="json")} if dataset.given else {}),
    }


def find_leaks(dataset: Dataset, workspace: Workspace, seed: int) -> Leaks:
    """Everything that a training of the source would find, over features already kept."""
    rows, _ = labelled(dataset)
    found = of_source(dataset, rows)
    for target, table in rows.items():
        try:
            made = material(dataset, workspace, target, table, seed)
        except NotEnoughDataError:
            continue
        found += of_target(dataset, made)
    return found
