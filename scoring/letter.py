"""What the customer is told of a credit score: what spoke for and against it, in plain sentences.

Enters: a credit case, the decision. Leaves: a letter, Chinese or English. It names no points and no
word of the trade; it states only what may be a ground (`features/ideas.py`), an idea once.
"""

from __future__ import annotations

from domain.errors import InputError
from domain.policy import Labelled
from features.catalogue import Language
from features.ideas import ideas, may_be_ground
from features.wording import reason
from scoring.grouped import Case, Whole, by_idea

MOST = 3
"""Sentences for, and as many against."""
_ZH = (
    "我们对您的信用评估结果是：{decision}。",
    "有利的方面：",
    "不利的方面：",
    "您有权要求我们说明该结果、更正有误的资料，并由工作人员重新审核。",
)
_EN = (
    "Our assessment of your credit is: {decision}.",
    "What spoke for you:",
    "What spoke against you:",
    "You may ask us to explain this result, to correct data that is wrong, and to have a person "
    "look at it again.",
)


def letter(case: Case, decision: Labelled, lang: Language) -> str:
    """The letter to the customer of a credit case.

    Raises:
        InputError: the score is not a credit score.
    """
    scorer = case.scorer
    if scorer.target != "credit":
        raise InputError(f"a {scorer.target} score has no letter: give a credit score")
    reasons = scorer.explain(case.x[None, :])[0].reasons
    first, good, bad, last = _ZH if lang == "zh" else _EN
    lines = [first.format(decision=decision.zh if lang == "zh" else decision.en)]
    for head, way in ((good, 1), (bad, -1)):
        told = [
            reason(case.catalogue, case.said(column, reasons), case.style(lang, "customer"))
            for column in _strongest(case, reasons, way)
        ]
        lines += [head, *(f"- {sentence}" for sentence in told)] if told else []
    return "\n".join([*lines, last])


def _strongest(case: Case, reasons: Whole, way: int) -> list[int]:
    """The features that tell the ideas that pull one way most and may be stated."""
    found = by_idea(reasons[None, :], case.scorer, case.catalogue)
    known = ideas(case.catalogue)
    chosen: list[int] = []
    for g in (-way * found.reasons[0]).argsort(kind="stable").tolist():
        if way * found.reasons[0, g] <= 0 or len(chosen) == MOST:
            break
        fit = [
            column
            for column, name in enumerate(case.scorer.features)
            if known[name] == found.ideas[g]
            and way * reasons[column] > 0
            and may_be_ground(case.catalogue, name)
        ]
        chosen += [max(fit, key=lambda column: way * int(reasons[column]))] if fit else []
    return chosen
