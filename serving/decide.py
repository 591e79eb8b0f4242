"""From feature values to decisions: score, explain, assign; pure, nothing is read or recorded.

Enters: a bundle, a policy, feature values and where they come from. Leaves: decisions, in the order
asked. What is not known is said: a missing customer gets no score, and an old feature a note.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY, from_micros, to_micros
from domain.decision import Decision, Purpose, TargetScore, Versions
from domain.errors import BundleError, PolicyError
from domain.policy import Assignment, Labelled, Policy, Status
from domain.tiers import TARGETS, Target
from features.catalogue import CATALOGUE, THIN_FEATURES, Catalogue
from features.views import longest_age, themes
from scoring.bundle import Bundle
from scoring.card import Card, read_card
from scoring.conformal import Conformal, read_conformal
from scoring.global_view import FILE as GLOBAL_VIEW
from scoring.global_view import GlobalView, read_global_view
from scoring.grouped import Case
from scoring.levers import levers_of
from scoring.reasons import reasons
from scoring.reference import Reference, read_references
from scoring.scorer import ExplainedRow, Scorer, by_month
from scoring.segments import Fitted, Row, read_segments, tags

Floats = NDArray[np.float64]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Judge:
    """What decides: a bundle and a policy that fit the catalogue, and how much is told.

    Raises:
        BundleError: the bundle was made with another catalogue, what stands beside its scorers is
            damaged, or read what the catalogue gives no scorer (I10).
        PolicyError: the policy reads features that the catalogue lacks, or moves what no plan may.
    """

    bundle: Bundle
    policy: Policy
    top: int
    stale_days: int
    catalogue: Catalogue = CATALOGUE

    def __post_init__(self) -> None:
        if self.bundle.catalogue_hash != self.catalogue.hash:
            raise BundleError(
                f"bundle {self.bundle.hash[:12]} was made with another catalogue: train again, or "
                "go back to the version of Tierline that made it"
            )
        _ = self.conformal, self.references
        unknown = sorted(set(self.policy.features) - set(self.catalogue.names))
        if unknown:
            raise PolicyError(f"the policy reads {unknown}: docs/features.md lists the features")
        levers_of(self.catalogue, {}, self.policy.levers)
        fitted = self.fitted
        foreign = sorted({*fitted.names} - {*self.catalogue.for_target("value")}) if fitted else []
        if foreign:
            raise BundleError(f"segments read {foreign}, no feature of a scorer: train again")

    @cached_property
    def fitted(self) -> Fitted | None:
        """The bundle's segments and baselines, where it has any."""
        return read_segments(self.bundle.beside.get("segments"))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every feature that scorers, segments or the policy read, and what their formulas read, in
        catalogue order, in which a formula stands after what it reads."""
        used = set(self.policy.features) | set(THIN_FEATURES)
        if self.fitted is not None:
            used |= set(self.fitted.names)
        for scorer in self.bundle.scorers.values():
            used |= set(scorer.features)
        for name in reversed(self.catalogue.names):
            used |= set(self.catalogue[name].inputs) if name in used else set()
        return tuple(n for n in self.catalogue.names if n in used)

    @cached_property
    def ages(self) -> Mapping[str, float]:
        """How many days the features of each theme count."""
        return {t: longest_age(f) / DAY for t, f in themes(self.catalogue).items()}

    @cached_property
    def views(self) -> tuple[str, ...]:
        """The themes of these features."""
        theme = {f.name: f.theme for f in self.catalogue.features}
        return tuple(dict.fromkeys(theme[n] for n in self.names))

    @cached_property
    def conformal(self) -> Conformal:
        """What the bundle learnt of how sure its scores are; nothing in an older bundle."""
        return read_conformal(self.bundle.beside.get("conformal", {}))

    @cached_property
    def references(self) -> Mapping[Target, tuple[Reference, ...]]:
        """The populations that the bundle holds scores against; none in an older bundle."""
        return read_references(self.bundle.beside.get("references", {}), self.bundle.scorers)

    @cached_property
    def global_views(self) -> Mapping[Target, GlobalView]:
        """What moves scores over the customers learnt from; none in an older bundle."""
        return read_global_view(self.bundle.beside.get(GLOBAL_VIEW, {}))

    @cached_property
    def currency(self) -> str:
        """The unit of amounts in texts."""
        return str(self.card.plan.get("currency", ""))

    def case(self, scorer: Scorer, x: Floats) -> Case:
        """A row (k,) of a scorer of an instant, ready to be explained."""
        return Case(scorer, x, self.catalogue, self.currency)

    def age_days(self, moment: datetime, as_of: int) -> float | None:
        """How old features as of `as_of` (micros) are, in days; None where nobody knows."""
        return None if self.catalogue.nominal else age_days(moment, as_of)

    @property
    def card(self) -> Card:
        """The bundle's model card."""
        return read_card(self.bundle.card)

    @property
    def versions(self) -> Versions:
        """What decides, by hash."""
        return Versions(
            bundle=self.bundle.hash,
            policy=self.policy.hash,
            policy_version=self.policy.version,
            catalogue=self.catalogue.hash,
            tierline=self.bundle.tierline,
            top_reasons=self.top,
            stale_days=self.stale_days,
        )


@dataclass(frozen=True)
class Known:
    """Feature values (n, k) of customers under `names`, NaN missing, each with its as_of (micros).

    `as_of` 0: the customer is not known; None: the caller brought the values. `asked`: the past
    instant that the caller asked for. `by_view`: the as_of (n,) of each theme, 0 without a row.
    """

    customers: Sequence[str]
    names: Sequence[str]
    values: Floats
    as_of: NDArray[np.int64] | None
    asked: datetime | None = None
    by_view: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


def decide(
    judge: Judge, known: Known, purpose: Purpose, now: datetime, ids: Sequence[str] | None = None
) -> list[tuple[Decision, dict[str, float | None]]]:
    """A decision for every customer, with the feature values that it was made from.

    `ids`: decision ids to use (replay); by default new ones.
    """
    place = {n: i for i, n in enumerate(known.names)}
    scored: dict[Target, list[_Scored]] = {}
    moment = to_micros(known.asked or now)
    moments = np.full(len(known.customers), moment) if known.as_of is None else known.as_of
    for target in (t for t in TARGETS if t in judge.bundle.scorers and len(known.customers)):
        scorer = judge.bundle.scorers[target]
        X = np.ascontiguousarray(known.values[:, [place[n] for n in scorer.features]])
        scored[target] = _scored(scorer, X, moments)
    beside: list[Row] = [(None, None)] * len(known.customers)
    if judge.fitted is not None:
        beside = judge.fitted.rows(known.names, known.values)
    made = []
    for row in range(len(known.customers)):
        features = _plain(known.names, known.values[row])
        decision_id = ids[row] if ids is not None else uuid.uuid4().hex
        given = (features, scored, beside[row], purpose, now, decision_id)
        made.append((_one(judge, known, row, given), features))
    return made


_Scored = tuple[Scorer, Floats, ExplainedRow]
"""The scorer of a row's instant, the row (1, k), and its explanation."""


def _scored(scorer: Scorer, X: Floats, moments: NDArray[np.int64]) -> list[_Scored]:
    found: dict[int, _Scored] = {}
    for then, rows in by_month(scorer, moments):
        explained = then.explain(X[rows])
        found |= {r: (then, X[r : r + 1], explained[i]) for i, r in enumerate(rows.tolist())}
    return [found[row] for row in range(len(X))]


def _one(
    judge: Judge,
    known: Known,
    row: int,
    given: tuple[
        dict[str, float | None], Mapping[Target, list[_Scored]], Row, Purpose, datetime, str
    ],
) -> Decision:
    features, scored, (segments, baseline), purpose, now, decision_id = given
    as_of = None if known.as_of is None else int(known.as_of[row])
    moment = known.asked or now
    status, age = _status(judge, features, as_of, moment)
    ages = {v: judge.age_days(moment, int(at[row])) for v, at in known.by_view.items()}
    points: dict[Target, int | None] = {}
    if status is not Status.MISSING:
        points = {t: rows[row][2].points for t, rows in scored.items()}
    else:
        segments, baseline = None, None
    found = tags(segments)
    assignment = judge.policy.assign(points, features, status, [tag.name for tag in found])
    return Decision(
        decision_id=decision_id,
        customer_id=known.customers[row],
        purpose=purpose,
        decided_at=now,
        asked_as_of=known.asked,
        as_of=from_micros(as_of) if as_of else None,
        status=status,
        feature_age_days=age,
        view_age_days=ages,
        scores=[
            _score(judge, assignment, t, scored[t][row]) for t in points if points[t] is not None
        ],
        segments=segments,
        baseline=baseline,
        stage=assignment.stage,
        tags=[*assignment.tags, *found],
        strategy=assignment.strategy,
        degraded=[*_notes(judge, status, age), *_expired(judge, ages)],
        versions=judge.versions,
    )


def _score(
    judge: Judge,
    assignment: Assignment,
    target: Target,
    scored: _Scored,
) -> TargetScore:
    scorer, one, explained = scored
    tier: Labelled | None = assignment.tiers[target]
    if tier is None:
        raise PolicyError(f"the policy gives {target} no tier")
    is_amount = target == "value"
    return TargetScore(
        target=target,
        tier=tier,
        points=explained.points,
        base_points=explained.base_points,
        points_to_cut=assignment.points_to_cut[target],
        p_bad=None if is_amount else float(scorer.p_bad(one)[0]),
        amount=float(scorer.amount(one)[0]) if is_amount else None,
        currency=scorer.currency,
        horizon_days=scorer.horizon_days,
        reasons=reasons(scorer, explained, one[0], judge.catalogue, judge.top, judge.currency),
    )


def _status(
    judge: Judge, features: Mapping[str, float | None], as_of: int | None, moment: datetime
) -> tuple[Status, float | None]:
    if as_of == 0 or all(v is None for v in features.values()):
        return Status.MISSING, None
    age = None if as_of is None else judge.age_days(moment, as_of)
    if age is not None and age > judge.stale_days:
        return Status.STALE, age
    thin = [name for name in THIN_FEATURES if name in judge.catalogue.names]
    if thin and all(features.get(name) is None for name in thin):
        return Status.THIN, age
    return Status.FRESH, age


def age_days(moment: datetime, as_of: int) -> float | None:
    """How old features as of `as_of` (micros) are at a moment, in days; None where 0 says: none."""
    return None if as_of == 0 else max(0.0, (to_micros(moment) - as_of) / MICROS_PER_DAY)


def as_of_before(moment: datetime, age: float | None) -> int:
    """The as_of (micros) that `age_days` gave this age of, exact up to seventy years; 0 of None."""
    return 0 if age is None else to_micros(moment) - round(age * MICROS_PER_DAY)


def _expired(judge: Judge, ages: Mapping[str, float | None]) -> list[str]:
    """A note of every theme that is older than its features may be."""
    return [
        f"the features of {view} are {age:.0f} days old, they count for {judge.ages[view]:.0f}"
        for view in judge.views
        if (age := ages.get(view)) is not None and age > judge.ages[view]
    ]


def _notes(judge: Judge, status: Status, age: float | None) -> list[str]:
    notes = []
    if status is Status.MISSING:
        notes.append("nothing is known of this customer: no score; check the id")
    if status is Status.STALE and age is not None:
        notes.append(f"the features are {age:.0f} days old: run `tierline features` and promote")
    if judge.catalogue.nominal and status is not Status.MISSING:
        notes.append("the source does not say of when its features are: their age is unknown")
    if status is Status.THIN:
        notes.append("little is known of this customer: neither transactions nor statements")
    accepted = judge.card.accepted
    if accepted is not None:
        failed = ", ".join(judge.card.objections)
        notes.append(f"verdict failed for {failed}; accepted by {accepted.by}: {accepted.reason}")
    unapproved = judge.card.unapproved
    if unapproved is not None:
        why = unapproved.reason
        notes.append(f"no second person approved the model; accepted by {unapproved.by}: {why}")
    return notes


def _plain(names: Sequence[str], values: Floats) -> dict[str, float | None]:
    return {n: None if np.isnan(v) else float(v) for n, v in zip(names, values, strict=True)}
