"""The champion: the bundle that is live, asked about the rows that judge the challenger.

Enters: a workspace, the rows and features of one target. Leaves: the champion's scores of them, or
why it has none. It promotes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from domain.workspace import Workspace
from events.schema import INSTANT
from features.catalogue import Catalogue
from features.store import matrix, open_room
from scoring.bundle import Bundle
from scoring.registry import find_bundle, history
from scoring.scorer import Scorer, by_month
from training.fit import Material

CHAMPION = "champion"


@dataclass(frozen=True)
class Champion:
    """The live bundle's hash; `scores` of the test rows (n,), or `because` it has none."""

    bundle: str
    scores: NDArray[np.float64] | None
    because: str | None = None


def live_bundle(workspace: Workspace) -> Bundle | None:
    """The bundle that is live, checked; None before the first promotion."""
    past = history(workspace)
    return find_bundle(workspace, past[-1].bundle) if past else None


def champion(
    live: Bundle | None, workspace: Workspace, material: Material, catalogue: Catalogue
) -> Champion | None:
    """What the live bundle says of the test rows; None where nothing is live."""
    if live is None:
        return None
    scorer = live.scorers.get(material.target)
    if scorer is None:
        return Champion(live.hash, None, f"it has no scorer for {material.target}")
    gone = sorted({*scorer.features} - {*catalogue.names})
    if gone:
        return Champion(live.hash, None, f"features it reads are gone: {', '.join(gone[:5])}")
    if material.split.folds:
        return Champion(live.hash, None, "it learnt from every row that is judged in folds")
    return Champion(live.hash, _scores(scorer, workspace, material, catalogue))


def _scores(
    scorer: Scorer, workspace: Workspace, material: Material, catalogue: Catalogue
) -> NDArray[np.float64]:
    rows = material.split.test
    asked = pa.table(
        {
            "customer_id": pa.array([material.ids[r] for r in rows], pa.string()),
            "as_of": pa.array(material.as_of[rows]).cast(INSTANT),
        }
    )
    found = open_room(workspace, os.environ, catalogue).historical(asked, scorer.features)
    X, score = matrix(found, scorer.features), np.empty(len(rows))
    for now, part in by_month(scorer, material.as_of[rows]):
        score[part] = now.calibrated(X[part])
    return score
