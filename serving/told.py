"""Everything that is told of one decision, gathered for terminal, page and file.

Enters: a decision with what decided it, and the decision before. Leaves: one plain JSON value in
which everything adds up. It computes no point and words nothing.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.decision import Decision
from domain.errors import BundleError, NotFoundError, RecordError
from domain.explanation import Explanation, Sure
from domain.inquiry import (
    AdverseAnswer,
    ChangeAnswer,
    Counterfactuals,
    CounterfactualsAnswer,
    ExplanationAnswer,
    ScoreChange,
)
from domain.policy import Labelled, StepRule
from domain.tiers import Target
from domain.workspace import Workspace
from features.ideas import ideas
from scoring.letter import letter
from serving import explain
from serving.past import Past, past_of
from serving.record import DecisionLog
from serving.suppose import counterfactuals


class Letter(BaseModel):
    """A letter in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str


class Told(BaseModel):
    """One decision with all that is told of it.

    `cuts`: the tiers of each target by the policy that decided. `ideas`: the names of the ideas.
    `currency`: the unit of amounts. `change` is since the customer's decision before, null where
    there is none; `adverse` and `letter` are null where there is none to write. `notes` are all
    that the answers could not tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    explanation: ExplanationAnswer
    counterfactuals: CounterfactualsAnswer
    change: ChangeAnswer | None
    adverse: AdverseAnswer | None
    letter: Letter | None
    cuts: dict[Target, tuple[StepRule, ...]]
    ideas: dict[str, Labelled]
    currency: str
    notes: list[str]

    def explained(self, target: Target) -> Explanation:
        """The explanation of a target's score."""
        return next(e for e in self.explanation.explanations if e.target == target)

    def sure(self, target: Target) -> Sure | None:
        """How sure it is, where the bundle learnt it."""
        return next((s for s in self.explanation.sure if s.target == target), None)

    def plans(self, target: Target) -> Counterfactuals | None:
        """What would change it."""
        return next((c for c in self.counterfactuals.scores if c.target == target), None)

    def changed(self, target: Target) -> ScoreChange | None:
        """How it moved since the decision before."""
        scores = [] if self.change is None else self.change.scores
        return next((c for c in scores if c.target == target), None)


def tell(workspace: Workspace, decided: Past) -> Told:
    """All that is told of a decision.

    Raises:
        RecordError: the record holds other points or reasons than its bundle gives.
    """
    judge = decided.judge
    explanation = explain.explanation(decided, "full")
    plans = counterfactuals(decided)
    change, notes = _since(workspace, decided)
    told = [explanation.notes, plans.notes, change.notes if change else [], notes]
    known = set(ideas(judge.catalogue).values())
    return Told(
        decision=decided.decision,
        explanation=explanation,
        counterfactuals=plans,
        change=change,
        adverse=explain.adverse(decided) if is_adverse(decided) else None,
        letter=letter_of(decided),
        cuts=judge.policy.cuts,
        ideas={idea.name: Labelled(name=idea.name, zh=idea.zh, en=idea.en) for idea in known},
        currency=judge.currency,
        notes=list(dict.fromkeys(note for part in told for note in part)),
    )


def is_adverse(decided: Past) -> bool:
    """Whether the policy that decided calls the band of credit adverse."""
    rule = decided.judge.policy.adverse
    bands = () if rule is None else rule.credit
    return any(s.target == "credit" and s.tier.name in bands for s in decided.decision.scores)


def letter_of(decided: Past) -> Letter | None:
    """The letter to the customer; None where there is no credit score."""
    for score in decided.decision.scores:
        if score.target == "credit":
            case = decided.case("credit")
            return Letter(zh=letter(case, score.tier, "zh"), en=letter(case, score.tier, "en"))
    return None


def _since(workspace: Workspace, decided: Past) -> tuple[ChangeAnswer | None, list[str]]:
    """The change since the customer's decision before, or why it cannot be told."""
    record = DecisionLog(workspace.decisions).before(decided.record)
    if record is None:
        return None, []
    try:
        return explain.change(past_of(workspace, record), decided), []
    except (BundleError, NotFoundError, RecordError) as e:
        return None, [f"the decision before cannot be told from: {e}"]
