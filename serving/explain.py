"""Why a recorded decision came out so, what changed since another, and whether a letter is owed.

Enters: decisions with what decided them (`serving/past.py`). Leaves: the typed answers. Each is
held against the record first: what would not repeat its points and reasons is not told (I1).
Nothing is recorded.
"""

from __future__ import annotations

from domain.decision import Decision, Reason, TargetScore
from domain.errors import Fault, InputError, RecordError
from domain.explanation import Level, Sure
from domain.inquiry import (
    AdverseAnswer,
    ChangeAnswer,
    ExplanationAnswer,
    FeatureChange,
    ScoreChange,
)
from domain.tiers import Target
from features.catalogue import Language
from scoring import adverse as action
from scoring.change import changed, tier_changed
from scoring.conformal import sure
from scoring.explanation import explanation as explained
from scoring.reasons import reasons
from scoring.reference import EVERYBODY, STAGE, Reference
from serving.decide import Judge
from serving.past import Past


def explanation(past: Past, level: Level, target: Target | None = None) -> ExplanationAnswer:
    """The scores of a decision explained, one target or all.

    `reasons` tells as many ideas as the decision lists reasons, `full` every one.

    Raises:
        InputError: the decision has no score of the target.
        RecordError: the record holds other points or reasons than its bundle gives.
    """
    told, how_sure, notes = [], [], unscored(past.decision)
    for score in past.scores(target):
        check(past, score)
        case, references = past.case(score.target), populations(past, score.target)
        top = len(case.scorer.features) if level == "full" else past.judge.top
        told.append(explained(case, level, top, references))
        if level == "none":
            continue
        found = sureness(past.judge, score.target, score.points)
        how_sure += [found] if found is not None else []
        notes += unsaid(score.target, found)
        if level == "full" and not references:
            notes.append(f"the bundle holds no population to hold a {score.target} score against")
    return ExplanationAnswer(
        decision_id=past.decision.decision_id, level=level, explanations=told, sure=how_sure,
        notes=notes,
    )  # fmt: skip


def populations(past: Past, target: Target) -> list[Reference]:
    """The references of a target, of lifecycle stages only the customer's own."""
    own = STAGE + past.decision.stage.name
    return [
        r
        for r in past.judge.references.get(target, ())
        if not r.name.startswith(STAGE) or r.name == own
    ]


def sureness(judge: Judge, target: Target, points: int) -> Sure | None:
    """How sure these points are; None where the bundle learnt nothing of it."""
    scale = judge.bundle.scorers[target].scale
    cuts = judge.policy.steps[target]
    found = sure(judge.conformal, target, [points], cuts, scale.points_to_double)
    return None if found is None else found[0]


def change(then: Past, now: Past) -> ChangeAnswer:
    """What moved every score of one customer from one decision to another.

    Raises:
        InputError: the decisions are of two customers.
        RecordError: as `explanation`.
    """
    if then.decision.customer_id != now.decision.customer_id:
        fault = Fault("since", "other_customer", "give a decision of the same customer")
        raise InputError("the decisions are of two customers", (fault,))
    before = {s.target: s for s in then.decision.scores}
    moved, notes = [], []
    for score in now.decision.scores:
        if score.target in before:
            check(then, before[score.target])
            check(now, score)
            moved.append(_moved(then, now, score.target))
    both = {m.target for m in moved}
    alone = sorted({*before, *(s.target for s in now.decision.scores)} - both)
    notes = [f"only one of the decisions has a {target} score" for target in alone]
    return ChangeAnswer(
        decision_id=now.decision.decision_id, since=then.decision.decision_id, scores=moved,
        notes=notes,
    )  # fmt: skip


def adverse(past: Past) -> AdverseAnswer:
    """The adverse action of a decision, as data and as letters in both languages.

    A decision is adverse where its band of credit stands in `adverse` of the policy that made it.
    It is held against everybody learnt from, or else the average.

    Raises:
        InputError: the decision is not adverse, has no credit score, or its policy has no rule.
        RecordError: as `explanation`.
    """
    [score] = past.scores("credit")
    rule = past.judge.policy.adverse
    if rule is None:
        raise InputError(
            "the policy of this decision says of no credit band that it is adverse: state "
            "[adverse] in the policy and decide again"
        )
    if score.tier.name not in rule.credit:
        bands = ", ".join(rule.credit)
        raise InputError(f"the decision is not adverse: its policy says so of credit band {bands}")
    check(past, score)
    found = past.judge.references.get("credit", ())
    reference = next((r for r in found if r.name == EVERYBODY), None)
    made = action.adverse_action(past.case("credit"), score.tier, reference)
    notes = [] if reference else ["the bundle holds no reference: held against the average"]
    if made.left_out:
        notes.append("ideas that may not be stated weighed more: a person should look at it")
    if not made.reasons:
        notes.append("no reason may be stated: a person has to decide and to write")

    def letter(lang: Language, agency: str) -> str | None:
        return action.notice(made, lang, agency) if made.reasons else None

    return AdverseAnswer(
        decision_id=past.decision.decision_id, action=made, letter_zh=letter("zh", rule.zh),
        letter_en=letter("en", rule.en), notes=notes,
    )  # fmt: skip


def unscored(decision: Decision) -> list[str]:
    """The note of a decision without scores."""
    return [] if decision.scores else ["nothing was known of this customer: no score"]


def unsaid(target: Target, found: Sure | None) -> list[str]:
    """The note of a score whose bundle learnt nothing of how sure it is."""
    return [f"the bundle does not say how sure a {target} score is"] if found is None else []


def check(past: Past, score: TargetScore) -> None:
    """Refuse a record whose points or reasons are not those that its bundle gives.

    Texts are not compared: they may have been reworded since.

    Raises:
        RecordError: they are not.
    """
    case = past.case(score.target)
    row = case.scorer.explain(case.x[None, :])[0]
    again = reasons(case.scorer, row, case.x, case.catalogue, past.judge.top, case.currency)
    made = (row.base_points, row.points, _parts(again))
    if made != (score.base_points, score.points, _parts(score.reasons)):
        raise RecordError(
            f"the {score.target} score of decision {past.decision.decision_id} is not the one that "
            "its bundle gives: `tierline replay` names the differences"
        )


def _parts(told: list[Reason]) -> list[tuple[str, int, float | None]]:
    return [(r.feature, r.points, r.value) for r in told]


def _moved(then: Past, now: Past, target: Target) -> ScoreChange:
    old, new = then.scored(target), now.scored(target)
    found = changed(old, new)
    tier = tier_changed(
        target, (found.before, then.judge.policy), (found.after, now.judge.policy)
    )  # fmt: skip
    data = []
    moving = [(name, points) for name, points in found.data.items() if points]
    for name, points in sorted(moving, key=lambda part: (-abs(part[1]), part[0])):
        feature = now.judge.catalogue[name]
        data.append(
            FeatureChange(
                feature=name, zh=feature.zh, en=feature.en, unit=feature.unit, points=points,
                before=old.values.get(name), after=new.values.get(name),
            )
        )  # fmt: skip
    return ScoreChange(
        target=target, before=found.before, after=found.after, data=data, model=found.model,
        tier_before=tier.before, tier_after=tier.after,
        tier_by_points=tier.by_points, tier_by_policy=tier.by_policy,
    )  # fmt: skip
