"""What would change a recorded decision, and what a customer's scores would be if.

Enters: a decision with what decided it, or a customer's values as known now; changes. Leaves: the
typed answers. Nothing is recorded: none of it is a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from domain.asof import from_micros
from domain.decision import TargetScore
from domain.errors import Fault, InputError, NotFoundError
from domain.inquiry import (
    Counterfactuals,
    CounterfactualsAnswer,
    LeverMove,
    PlanTold,
    WhatIfAnswer,
    WhatIfRequest,
    WhatIfScore,
)
from domain.tiers import TARGETS, Target
from features.catalogue import Catalogue
from scoring.change import Scored
from scoring.counterfactuals import Answer, Plan, plans
from scoring.explanation import explanation
from scoring.golden import golden_rows
from scoring.levers import levers_of, ranges
from scoring.scorer import Scorer
from scoring.what_if import what_if as supposed
from serving.decide import Judge
from serving.desk import Desk
from serving.explain import check, sureness, unsaid, unscored
from serving.past import Past, find_past

Values = Mapping[str, float | None]


def counterfactuals(
    past: Past, target: Target | None = None, points: int | None = None
) -> CounterfactualsAnswer:
    """The cheapest plans to so many points of a target, by default to the next cut of all.

    Levers and their ranges are those of the decision's policy and bundle. A search ends after a
    fixed number of nodes.

    Raises:
        InputError: points without a target; the decision has no score of the target.
        RecordError: the record holds other points or reasons than its bundle gives.
    """
    if points is not None and target is None:
        fault = Fault("points", "needs_target", "say of which target: add target")
        raise InputError("points of which target?", (fault,))
    found, notes = [], unscored(past.decision)
    for score in past.scores(target):
        check(past, score)
        found.append(_counterfactual(past, score, points))
        notes += unsaid(score.target, found[-1].sure)
    return CounterfactualsAnswer(
        decision_id=past.decision.decision_id, scores=found, notes=notes
    )  # fmt: skip


def _counterfactual(past: Past, score: TargetScore, points: int | None) -> Counterfactuals:
    judge, target = past.judge, score.target
    bounds = judge.policy.steps[target].bounds
    above = next((cut for cut in bounds if cut > score.points), None)
    wanted = above if points is None else points
    found = None if wanted is None else _search(past, target, wanted)
    return Counterfactuals(
        target=target,
        points=score.points,
        tier=score.tier,
        points_to_cut=score.points_to_cut,
        wanted=wanted,
        reaches=None if wanted is None else judge.policy.held(target, wanted),
        plans=[] if found is None else [_told(judge.catalogue, plan) for plan in found.plans],
        proved=found is None or found.proved,
        bound=None if found is None else found.bound,
        sure=sureness(judge, target, score.points),
    )


def _search(past: Past, target: Target, wanted: int) -> Answer:
    judge = past.judge
    scorer = past.scorers[target]
    levers = levers_of(judge.catalogue, _seen(judge, scorer), judge.policy.levers)
    return plans(scorer, judge.catalogue, past.record.features, wanted, levers)


def _seen(judge: Judge, scorer: Scorer) -> Mapping[str, tuple[float, float]]:
    """How far features reach, by the rows learnt from; by the golden rows in an older bundle."""
    view = judge.global_views.get(scorer.target)
    found = view.ranges if view is not None else {}
    return found or ranges(scorer.features, golden_rows(judge.bundle.golden[scorer.target]))


def _told(catalogue: Catalogue, plan: Plan) -> PlanTold:
    moves = []
    for move in plan.moves:
        feature = catalogue[move.feature]
        moves.append(
            LeverMove(
                feature=move.feature, zh=feature.zh, en=feature.en, unit=feature.unit,
                now=move.now, then=move.then, cost=move.cost,
            )
        )  # fmt: skip
    return PlanTold(
        moves=moves, cost=plan.cost, gap=plan.gap, points=plan.points, values=dict(plan.values)
    )  # fmt: skip


def what_if(desk: Desk, request: WhatIfRequest) -> WhatIfAnswer:
    """The scores of a recorded decision, or of a customer as known now, were features otherwise.

    Raises:
        InputError: neither or both of decision and customer; changes that cannot be, all with their
            paths; a decision without scores.
        NotFoundError: no such decision, or nothing is known of the customer.
        RecordError: as `counterfactuals`.
    """
    if (request.decision_id is None) == (request.customer_id is None):
        fault = Fault("decision_id", "one_of", "give decision_id or customer_id")
        raise InputError("whose scores?", (fault,))
    if request.decision_id is not None:
        case = _recorded(desk, request.decision_id)
    else:
        case = _now(desk, str(request.customer_id))
    scores, values = _otherwise(case, request.changes)
    return WhatIfAnswer(
        customer_id=case.customer_id,
        decision_id=request.decision_id,
        as_of=case.as_of,
        scores=scores,
        values=values,
        versions=case.judge.versions,
    )


@dataclass(frozen=True)
class _Supposed:
    """Whose values are changed, and who judges them."""

    customer_id: str
    as_of: datetime | None
    values: Values
    judge: Judge
    scorers: Mapping[Target, Scorer]


def _recorded(desk: Desk, decision_id: str) -> _Supposed:
    past = find_past(desk, decision_id)
    told = past.decision
    if not told.scores:
        fault = Fault("decision_id", "no_score", "nothing was known of this customer")
        raise InputError("the decision has no score", (fault,))
    for score in told.scores:
        check(past, score)
    return _Supposed(told.customer_id, told.as_of, past.record.features, past.judge, past.scorers)


def _now(desk: Desk, customer_id: str) -> _Supposed:
    judge = desk.judge
    rows = desk.room.online([customer_id], judge.names)
    as_of = int(rows.as_of[0])
    if as_of == 0 or np.isnan(rows.values[0]).all():
        raise NotFoundError("nothing is known of this customer: check the id")
    pairs = zip(judge.names, rows.values[0].tolist(), strict=True)
    values = {name: None if np.isnan(v) else v for name, v in pairs}
    scorers = {t: scorer.at(as_of) for t, scorer in judge.bundle.scorers.items()}
    return _Supposed(customer_id, from_micros(as_of), values, judge, scorers)


def _otherwise(
    case: _Supposed, changes: Mapping[str, float]
) -> tuple[list[WhatIfScore], dict[str, float | None]]:
    judge = case.judge
    scorers, policy = case.scorers, judge.policy
    found = supposed(scorers, policy, judge.catalogue, case.values, changes, judge.top)
    values = {**case.values, **found.values}
    scores = []
    for target in (t for t in TARGETS if t in scorers):
        then, scorer = found.targets[target], scorers[target]
        changed = judge.case(scorer, Scored(scorer, values).row(scorer))
        scores.append(
            WhatIfScore(
                target=target, points_now=then.points_now,
                tier_now=policy.held(target, then.points_now), points=then.points,
                tier=policy.held(target, then.points), points_to_cut=then.points_to_cut,
                explanation=explanation(changed, "reasons", judge.top),
            )
        )  # fmt: skip
    return scores, dict(found.values)
