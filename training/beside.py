"""What stands beside the scorers of a bundle: references to hold a score against, global views.

Enters: the scorers with the rows they were fitted on. Leaves: plain JSON by name, the same for the
same rows (I11). Where a target has too few rows to hide a customer, it has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.tiers import Target
from features.catalogue import Catalogue
from scoring import global_view, reference
from scoring.scorer import Scorer
from scoring.tree_tables import UnsupportedError

MOST_ROWS = 20_000


def beside(
    fitted: Mapping[Target, tuple[Scorer, NDArray[np.float64]]], catalogue: Catalogue
) -> dict[str, dict[str, Any]]:
    """`references` and `global_view` of every target, of at most 20,000 rows evenly taken."""
    some = {
        target: (_explainable(scorer), X[:: -(-len(X) // MOST_ROWS)])
        for target, (scorer, X) in fitted.items()
        if len(X) >= reference.FEWEST
    }
    references = {t: reference.fit_references(scorer, X) for t, (scorer, X) in some.items()}
    views = {t: global_view.global_view(s, X, catalogue) for t, (s, X) in some.items()}
    return {
        reference.FILE: {**reference.references_content(references)},
        global_view.FILE: {t: view.model_dump() for t, view in views.items()},
    }


def _explainable(scorer: Scorer) -> Scorer:
    """The scorer as its bundle explains it: by LightGBM where our own tables cannot hold it."""
    try:
        _ = scorer.tree_shap
    except UnsupportedError:
        return replace(scorer, explainer="pred_contrib")
    return scorer
