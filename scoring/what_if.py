"""What-if: the points, reasons and tiers of a customer for whom some features were otherwise.

Enters: scorers, a policy, one customer's values and changes of them. Leaves: each target now and
then. Everything that must follow from a change does (`features/consequences.py`). Nothing is
recorded: it is no decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.decision import Reason
from domain.errors import Fault, InputError
from domain.policy import Policy
from domain.tiers import Target
from features.catalogue import Catalogue
from features.consequences import changeable, derived, families, follow
from scoring.booster import LARGEST_VALUE
from scoring.reasons import reasons
from scoring.scorer import Scorer, row_of

Row = Mapping[str, float | None]


@dataclass(frozen=True)
class Then:
    """One target as it is and as it would be; the reasons are those of the points it would have."""

    points_now: int
    points: int
    tier_now: str
    tier: str
    points_to_cut: int | None
    base_points: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class WhatIf:
    """Each target, and every value that moves, derived ones too (None: it would be missing)."""

    targets: Mapping[Target, Then]
    values: Mapping[str, float | None]


def what_if(
    scorers: Mapping[Target, Scorer],
    policy: Policy,
    catalogue: Catalogue,
    row: Row,
    changes: Mapping[str, float],
    top: int = 8,
) -> WhatIf:
    """Each target where the customer's features were changed.

    `row`: the customer's values by name, None where missing. `changes` may name any feature taken
    from events that is not protected nor of the past, one of each family.

    Raises:
        InputError: a change of a feature that is unknown, protected, derived, of the past or one
            that only follows; two of one family; a value that no past could have; all at once, each
            with its path.
    """
    known = {n: math.nan if v is None else float(v) for n, v in row.items()}
    faults = _faults(catalogue, known, changes)
    moved: dict[str, float] = {}
    for name in changes.keys() - {f.path.removeprefix("changes.") for f in faults}:
        found, possible = follow(catalogue, known, name, np.array([changes[name]]))
        if not possible[0]:
            said = "no past holds it beside the other values: change it less, or the other way"
            faults.append(Fault(f"changes.{name}", "impossible", said))
        moved |= {n: float(v[0]) for n, v in found.items()}
    if faults:
        faults.sort(key=lambda f: f.path)
        raise InputError("these features cannot be changed so:", tuple(faults))
    columns = {n: np.array([v]) for n, v in moved.items()}
    moved |= {n: float(v[0]) for n, v in derived(catalogue, known, columns).items()}
    then = {**known, **moved}
    return WhatIf(
        {t: _then(s, policy, catalogue, (known, then), top) for t, s in scorers.items()},
        {
            n: None if math.isnan(v) else v
            for n, v in sorted(moved.items())
            if _differs(v, known[n])
        },
    )


def _faults(
    catalogue: Catalogue, known: Mapping[str, float], changes: Mapping[str, float]
) -> list[Fault]:
    seen: dict[int, str] = {}
    faults = []
    for name, value in sorted(changes.items()):
        rule = _broken(catalogue, known, name, value)
        family = families(catalogue).get(name)
        if rule is None and family is not None:
            first = seen.setdefault(id(family), name)
            if first != name:
                rule = ("one_of_a_family", f"{first} is of the same events: change one of them")
        if rule is not None:
            faults.append(Fault(f"changes.{name[:64]}", *rule))
    return faults


def _broken(
    catalogue: Catalogue, known: Mapping[str, float], name: str, value: float
) -> tuple[str, str] | None:
    """The rule that a change breaks by itself, and what to do."""
    if name not in catalogue.names:
        return "unknown", "no such feature: docs/features.md lists them"
    feature = catalogue[name]
    if feature.protected:
        return "protected", "a protected attribute is never changed to see what a score would be"
    if feature.inputs:
        return "derived", f"it follows from {', '.join(feature.inputs)}: change those"
    if not changeable(catalogue, name):
        return "follows", "it is of the past, or follows from other features: change those"
    if not isinstance(value, int | float) or not abs(value) <= LARGEST_VALUE:
        return "finite", f"give a number up to {LARGEST_VALUE:g}"
    if name not in known or (name in families(catalogue) and math.isnan(known[name])):
        return "missing", "it is missing today, so nothing says what else would be otherwise"
    return None


def _differs(a: float, b: float) -> bool:
    return a != b and not (math.isnan(a) and math.isnan(b))


def _then(
    scorer: Scorer,
    policy: Policy,
    catalogue: Catalogue,
    rows: tuple[Mapping[str, float], Mapping[str, float]],
    top: int,
) -> Then:
    X = np.stack([row_of(scorer, row) for row in rows])
    now, points = (int(p) for p in scorer.points(X))
    explained = scorer.explain(X[1:])[0]
    cuts = policy.steps[scorer.target]
    return Then(
        points_now=now,
        points=points,
        tier_now=cuts.assign(now).name,
        tier=cuts.assign(points).name,
        points_to_cut=cuts.distance(points),
        base_points=explained.base_points,
        reasons=tuple(reasons(scorer, explained, X[1], catalogue, top)),
    )
