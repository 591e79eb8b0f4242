"""What stands beside the scorers of a bundle: references to hold a score against, global views.

Enters: the scorers with the rows they were fitted on. Leaves: plain JSON by name, the same for the
same rows (I11). Where a target has too few rows to hide a customer, it has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.policy import Policy
from domain.tiers import Target
from features.catalogue import Catalogue
from scoring import global_view, reference
from scoring.scorer import Scorer
from scoring.tree_tables import UnsupportedError

MOST_ROWS = 20_000


def beside(
    fitted: Mapping[Target, tuple[Scorer, NDArray[np.float64], Sequence[str]]],
    catalogue: Catalogue,
    policy: Policy,
) -> dict[str, dict[str, Any]]:
    """`references` and `global_view` of every target, of at most 20,000 rows evenly taken.

    `fitted`: the scorer of each, the rows it learnt from, and the lifecycle stage of each row by
    the policy.
    """
    references, views = {}, {}
    for target, (learnt, all_rows, all_stages) in fitted.items():
        if len(all_rows) < reference.FEWEST:
            continue
        scorer, every = _explainable(learnt), slice(None, None, -(-len(all_rows) // MOST_ROWS))
        X, stages = all_rows[every], all_stages[every]
        references[target] = reference.fit_references(scorer, X, policy, stages)
        views[target] = global_view.global_view(scorer, X, catalogue)
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
