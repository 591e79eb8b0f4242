"""The model card of a run: verdicts and figures, and every input that they came from.

Enters: the results of a run, its data set and options. Leaves: plain JSON for the bundle, without
times or durations, so that equal inputs have equal bundles (I11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domain.asof import iso
from domain.tiers import Target
from events.dataset import Dataset
from scoring.card import read_card
from training.findings import Leaks
from training.options import RunOptions
from training.results import TargetResult
from training.tune import learner


def model_card(
    dataset: Dataset,
    results: Mapping[Target, TargetResult],
    skipped: Mapping[Target, str],
    options: RunOptions,
    leaks: Leaks,
    segments: Mapping[str, Any],
) -> dict[str, Any]:
    """The card as plain JSON; it holds who accepts what failed where something did."""
    policy = options.judged_by(dataset)
    found = {
        "source": dataset.source,
        "targets": {
            t: {
                "verdict": r.verdict.word,
                "not_judged": list(r.verdict.having("not judged")),
                "figures": json.loads(json.dumps(r.to_dict())),
            }
            for t, r in results.items()
        },
        "skipped": dict(skipped),
        "data": {n: t.sha256 for n, t in dataset.tables.items()},
        "tables": _tables(dataset),
        "plan": dataset.plan.model_dump(mode="json"),
        "policy": {
            "version": policy.version,
            "hash": policy.hash,
            "effective_at": policy.effective_at.isoformat(),
            "gates": policy.limits.model_dump(mode="json"),
            "costs": {t: c.model_dump() for t, c in policy.costs.items()},
        },
        "champion": _champion(results),
        "segments": dict(segments),
        "leakage": json.loads(json.dumps(leaks.to_dict())),
        "seed": options.seed,
        "studies": {s.target: s.model_dump(mode="json") for s in options.studies},
        "lock_hash": options.lock_hash,
        **({"learner": name} if (name := learner(options.fit)) else {}),
        **({"given": dataset.given.model_dump(mode="json")} if dataset.given else {}),
    }
    accepted = options.accepted if read_card(found).objections else None
    return {**found, "accepted": accepted.model_dump() if accepted else None}


def _tables(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The rows of each table, and when its first and its last event happened."""
    found = {}
    for name, table in dataset.tables.items():
        period = dataset.period(name)
        first, last = (None, None) if period is None else map(iso, period)
        found[name] = {"rows": table.rows, "first": first, "last": last}
    return found


def _champion(results: Mapping[Target, TargetResult]) -> str | None:
    """The hash of the bundle that any target was held against."""
    told = [r.validation["champion"] for r in results.values()]
    return next((found["bundle"] for found in told if found is not None), None)
