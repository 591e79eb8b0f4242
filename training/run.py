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
from domain.errors import InputError, NotEnoughDataError, PromotionError
from domain.gates import GateRules
from domain.policy import Policy, default_policy
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of
from scoring.approvals import trained
from scoring.bundle import Bundle, write_bundle
from scoring.card import Accepted
from scoring.conformal import Amounts, Conformal, Outcomes
from scoring.golden import draw_rows
from scoring.registry import BUNDLE_TAG, register
from scoring.scorer import Scorer
from scoring.segments import Fitted
from scoring.tracking import tracking_client
from training import segments
from training.baselines import PEERS, fit_baselines
from training.beside import beside
from training.champion import champion, live_bundle
from training.conformal import figures as coverages
from training.conformal import learn
from training.findings import Leaks
from training.fit import Material, evidence, fit_scorer, fold_evidence, out_of_fold, task
from training.gates import further_gates
from training.judge import Evidence, Judged, Verdict, judge, judge_amount, verdict, verdict_of
from training.leakage import of_source, of_target
from training.matrix import Told, labelled, write_features
from training.report import plots
from training.splits import Index, has_both
from training.study import Asked, ask, material_of, tune_study
from training.study_file import BudgetFile, StudyFile
from training.targets import grids
from training.track import Tracker, origin_of
from training.tune import Best, Fit, fit_booster, learner
from training.validate import Case, validate
from training.validation import log

GOLDEN_ROWS = 50


@dataclass(frozen=True)
class RunOptions:
    """Trials a study, the seed of every choice, who accepts a failed verdict and why.

    `studies`: those of some targets, in the place of the default ones; `storage`: where studies
    are kept; `fit`: what learns the winners' boosters; `baselines`: peers by name, beside the usual
    baselines; `by`: who trains; `policy`: whose gates, cuts and costs judge.
    """

    trials: int = 20
    seed: int = 20261122
    accepted: Accepted | None = None
    lock: Path | None = None
    studies: tuple[StudyFile, ...] = ()
    storage: str | None = None
    fit: Fit = fit_booster
    baselines: tuple[str, ...] = ()
    by: str = "unnamed"
    policy: Policy = field(default_factory=default_policy)

    @property
    def lock_hash(self) -> str | None:
        """SHA-256 of the lock file."""
        return hashlib.sha256(self.lock.read_bytes()).hexdigest() if self.lock else None

    def asked(self, target: Target, dataset: Dataset, workspace: Workspace) -> Asked:
        """The study of a target: the one that was given, else the default one."""
        given = [s for s in self.studies if s.target == target]
        if not given:
            budget = BudgetFile(trials=self.trials)
            source = workspace.source
            given = [StudyFile(source=source, target=target, seed=self.seed, budget=budget)]
        return ask(given[0], dataset, workspace, self.storage)


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
    validation: Mapping[str, Any]
    run_id: str
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
            "validation": dict(self.validation),
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
    found = {}
    for target, rows in labelled(dataset)[0].items():
        asked = options.asked(target, dataset, workspace)
        made = material_of(asked, rows, told)
        with Tracker(workspace, target, origin_of(dataset, options.lock_hash)) as tracker:
            tracker.data(dataset, made.split)
            found[target] = tune_study(asked, made, tracker, told)
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
        InputError: a study does not fit the source, two are about one target, or the data tells
            the future or the test and nobody accepts it.
    """
    _check_studies(dataset, workspace, options)
    _ = options.policy.limits  # a policy without gates is refused before hours of work
    rows, skipped = labelled(dataset)
    live = live_bundle(workspace)
    is_accepted = options.accepted is not None
    leaks = of_source(dataset, rows).check(accepted=is_accepted)
    learnt = segments.learn(dataset, workspace, options.seed)
    results: dict[Target, TargetResult] = {}
    golden, fitted = {}, {}
    for target, table in rows.items():
        asked = options.asked(target, dataset, workspace)
        try:
            made = material_of(asked, table, told)
        except NotEnoughDataError as e:
            skipped[target] = str(e)
            continue
        leaks = (leaks + of_target(dataset, made)).check(accepted=is_accepted)
        results[target] = _learn(made, asked, options, (told, learnt.fitted, live, leaks))
        X = made.problem.X[made.split.fit]
        golden[target] = draw_rows(X, min(GOLDEN_ROWS, len(X)), options.seed)
        stages = [made.stages[row] for row in made.split.fit]
        fitted[target] = (results[target].scorer, X, stages)
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
    _note(workspace, bundle, results, options)
    version, refused = None, None
    try:
        version = register(workspace, bundle)
    except PromotionError as e:
        refused = str(e)
    return RunResult(
        dataset.source, results, skipped, bundle, version, refused, learnt.told, leaks,
        dict(seconds or {}),
    )  # fmt: skip


def _check_studies(dataset: Dataset, workspace: Workspace, options: RunOptions) -> None:
    """Nothing, where every study fits the source and each target has one at most."""
    for study in options.studies:
        ask(study, dataset, workspace)
    named = [s.target for s in options.studies]
    twice = sorted({t for t in named if named.count(t) > 1})
    if twice:
        raise InputError(f"two studies are about {', '.join(twice)}: give one a target")


def _learn(
    made: Material,
    asked: Asked,
    options: RunOptions,
    given: tuple[Told, Fitted | None, Bundle | None, Leaks],
) -> TargetResult:
    (told, fitted, live, leaks), dataset = given, asked.dataset
    began = time.monotonic()
    with Tracker(asked.workspace, made.target, origin_of(dataset, options.lock_hash)) as tracker:
        tracker.data(dataset, made.split)
        best = tune_study(asked, made, tracker, told)
        more = options.baselines
        folds = out_of_fold(made, options.seed, more) if made.split.folds else None
        scorer = fit_scorer(made, dataset.plan, best, options.seed, folds and folds[0], options.fit)
        if folds:
            rows = {"test": made.split.test}
            parts = {"test": fold_evidence(made, *folds)}
        else:
            rows = parts_to_judge(made, dataset)
            beaten = fit_baselines(task(made, made.split.fit, fitted), options.seed, more)
            parts = {n: evidence(made, scorer, r, beaten) for n, r in rows.items()}
        learnt = learn(made, scorer, folds and folds[0])
        covered = coverages(made, scorer, learnt, folds and folds[0], rows, options.seed)
        judged = {n: _judge(made, e, options.seed) for n, e in parts.items()}
        for name, part in judged.items():
            part.figures["coverage"] = covered[name]
        case = Case(made, scorer, best, parts, rows, options.policy)
        rival = champion(_other(live, scorer), asked.workspace, made, catalogue_of(dataset))
        found = validate(case, dataset, rival, options.seed)
        rules, decided = _decided(judged["test"], found, options.policy.limits)
        result = TargetResult(
            scorer, learnt, best, judged, decided, rules, made.dropped,
            len(made.split.fit), found, tracker.run_id, time.monotonic() - began,
        )  # fmt: skip
        chosen = {**best.params, "trees": best.trees}
        tracker.tags(leaks.tags(made.target))
        tracker.figures(chosen, {n: j.figures for n, j in judged.items()})
        with tempfile.TemporaryDirectory() as folder:
            X = made.problem.X[made.split.test]
            tracker.files(plots(scorer, X, parts["test"], Path(folder)))
    return result


def _other(live: Bundle | None, scorer: Scorer) -> Bundle | None:
    """The live bundle, unless its scorer is this very one: a retraining compares with nobody."""
    same = live is not None and live.scorers.get(scorer.target)
    if same and same.booster_text == scorer.booster_text and same.fields() == scorer.fields():
        return None
    return live


def _decided(
    judged: Judged, found: Mapping[str, Any], limits: GateRules
) -> tuple[tuple[str, ...], Verdict]:
    """The names of the rules, and the verdict over all gates."""
    baselines = judged.figures["baseline"]
    rules = tuple(b for b in baselines if b not in PEERS)
    noise = found["noise"]["test"][judged.metric]
    first = verdict(judged, rules, [b for b in PEERS if b in baselines], limits, noise)
    return rules, verdict_of([*first.gates, *further_gates(found, limits)])


def _note(
    workspace: Workspace,
    bundle: Bundle,
    results: Mapping[Target, TargetResult],
    options: RunOptions,
) -> None:
    """Who trained the bundle, in the log; its hash and report at every run that it came from."""
    trained(workspace, bundle.hash, options.by, time.time_ns() // 1000)
    client = tracking_client(workspace)
    for result in results.values():
        client.set_tag(result.run_id, BUNDLE_TAG, bundle.hash)
    log(workspace, bundle, [result.run_id for result in results.values()])


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
        "policy": {
            "version": options.policy.version,
            "hash": options.policy.hash,
            "effective_at": options.policy.effective_at.isoformat(),
            "gates": options.policy.limits.model_dump(mode="json"),
            "costs": {t: c.model_dump() for t, c in options.policy.costs.items()},
        },
        "leakage": json.loads(json.dumps(leaks.to_dict())),
        "seed": options.seed,
        "studies": {s.target: s.model_dump(mode="json") for s in options.studies},
        "lock_hash": options.lock_hash,
        **({"learner": name} if (name := learner(options.fit)) else {}),
        **({"given": dataset.given.model_dump(mode="json")} if dataset.given else {}),
    }
