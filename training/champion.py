"""The champion: a bundle that is asked about the rows that judge the challenger, by default the
live one.

Enters: a workspace, which bundle, the rows and features of one target. Leaves: the champion's
scores of them, or why it has none. It promotes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.workspace import Workspace
from features.catalogue import Catalogue
from features.store import matrix, open_room
from scoring.bundle import Bundle
from scoring.registry import find_bundle, history
from scoring.scorer import Scorer, by_month
from training.fit import Material
from training.matrix import values

LIVE, NONE = "live", "none"


@dataclass(frozen=True)
class Champion:
    """The bundle's hash; `scores` of the test rows (n,), or `because` it has none."""

    bundle: str
    scores: NDArray[np.float64] | None
    because: str | None = None


def named(workspace: Workspace, champion: str) -> Bundle | None:
    """The bundle of a hash, checked; or the one that is `live`, None before the first promotion;
    or `none`.

    Raises:
        NotFoundError: the workspace has no such bundle.
        BundleError: it is damaged.
    """
    if champion == NONE:
        return None
    if champion != LIVE:
        return find_bundle(workspace, champion)
    past = history(workspace)
    return find_bundle(workspace, past[-1].bundle) if past else None


def champion(
    bundle: Bundle | None, workspace: Workspace, material: Material, catalogue: Catalogue
) -> Champion | None:
    """What a bundle says of the test rows; None where there is none."""
    if bundle is None:
        return None
    scorer = bundle.scorers.get(material.target)
    if scorer is None:
        return Champion(bundle.hash, None, f"it has no scorer for {material.target}")
    gone = sorted({*scorer.features} - {*catalogue.names})
    if gone:
        return Champion(bundle.hash, None, f"features it reads are gone: {', '.join(gone[:5])}")
    if material.split.folds:
        return Champion(bundle.hash, None, "it learnt from every row that is judged in folds")
    return Champion(bundle.hash, _scores(scorer, workspace, material, catalogue))


def _scores(
    scorer: Scorer, workspace: Workspace, material: Material, catalogue: Catalogue
) -> NDArray[np.float64]:
    rows = material.split.test
    found = values(material, rows, scorer.features, open_room(workspace, os.environ, catalogue))
    X, score = matrix(found, scorer.features), np.empty(len(rows))
    for now, part in by_month(scorer, material.as_of[rows]):
        score[part] = now.calibrated(X[part])
    return score
