"""The whole training of a source: features, studies, scorers, judgement, one registered bundle.

Enters: a checked data set, a workspace, options. Leaves: a bundle on disk, its model version where
it may be registered, and the figures. Progress is told, nothing is printed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import NotEnoughDataError, PromotionError
from domain.tiers import Target
from domain.workspace import Workspace
from events.dataset import Dataset
from features.given import catalogue_of
from features.store import open_room
from scoring.approvals import trained
from scoring.bundle import Bundle, write_bundle
from scoring.conformal import Conformal
from scoring.golden import draw_rows
from scoring.registry import BUNDLE_TAG, register
from scoring.tracking import tracking_client
from training import segments
from training.beside import beside
from training.champion import named
from training.fit import Material
from training.leakage import of_source, of_target
from training.learn import Common, learn_target
from training.matrix import Told, labelled, stages, write_features
from training.model_card import model_card
from training.options import RunOptions
from training.report import log
from training.results import RunResult, TargetResult
from training.study import material_of, tune_study
from training.track import Tracker, origin_of
from training.tune import Best

GOLDEN_ROWS = 50


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
        PolicyError: the policy does not fit the source or has no gates.
        NotFoundError: no such champion.
    """
    options.check_studies(dataset, workspace)
    policy, rival = options.judged_by(dataset), named(workspace, options.champion)
    rows, skipped = labelled(dataset)
    leaks = of_source(dataset, rows).check(accepted=options.is_accepted)
    learnt = segments.learn(dataset, workspace, options.seed)
    common = Common(options, policy, learnt.fitted, rival, told)
    results: dict[Target, TargetResult] = {}
    mades: dict[Target, Material] = {}
    for target, table in rows.items():
        asked = options.asked(target, dataset, workspace)
        try:
            made = mades[target] = material_of(asked, table, told)
        except NotEnoughDataError as e:
            skipped[target] = str(e)
            continue
        leaks = (leaks + of_target(dataset, made)).check(accepted=options.is_accepted)
        results[target] = learn_target(made, asked, common, leaks.tags(target))
    if not results:
        raise NotEnoughDataError(
            f"{dataset.source}: no target can be learnt: "
            + "; ".join(f"{t}: {why}" for t, why in skipped.items())
        )
    card = model_card(dataset, results, skipped, options, leaks, learnt.told)
    more = {**learnt.beside, **_beside(dataset, workspace, common, results, mades)}
    bundle = write_bundle(
        workspace.bundles, {t: r.scorer for t, r in results.items()}, catalogue_of(dataset), card,
        {t: _golden(made, options.seed) for t, made in mades.items()}, more,
    )  # fmt: skip
    _note(workspace, bundle, results, options)
    version, refused = _registered(workspace, bundle)
    return RunResult(
        dataset.source, results, skipped, bundle, version, refused, learnt.told, leaks,
        dict(seconds or {}),
    )  # fmt: skip


def _golden(made: Material, seed: int) -> NDArray[np.float64]:
    X = made.problem.X[made.split.fit]
    return draw_rows(X, min(GOLDEN_ROWS, len(X)), seed)


def _beside(
    dataset: Dataset,
    workspace: Workspace,
    common: Common,
    results: Mapping[Target, TargetResult],
    mades: Mapping[Target, Material],
) -> dict[str, Any]:
    """References, global views and what was learnt of how sure a score is, of every target."""
    catalogue = catalogue_of(dataset)
    room = open_room(workspace, os.environ, catalogue)
    fitted = {}
    for target, made in mades.items():
        fit = made.split.fit
        held = stages(made, fit, common.policy, room)
        fitted[target] = (results[target].scorer, made.problem.X[fit], held)
    sure = Conformal.model_validate({t: r.learnt for t, r in results.items()})
    views = beside(fitted, catalogue, common.policy)
    return {**views, "conformal": sure.model_dump(mode="json")}


def _registered(workspace: Workspace, bundle: Bundle) -> tuple[str | None, str | None]:
    """The version of a bundle, or why it has none."""
    try:
        return register(workspace, bundle), None
    except PromotionError as e:
        return None, str(e)


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
