"""Adverse action: why a credit decision went against a customer, as data and as a letter.

Enters: a scored case, the decision, whom it is held against. Leaves: at most four reasons of
distinct ideas, each a permitted ground that the scorer truly used and that truly took points
against the stated reference; ideas that may not be stated are named, so that nobody overlooks that
they weighed.

Source: 12 CFR 1002.9(a)(2) and (b), Regulation B of the Equal Credit Opportunity Act, with comment
9(b)(2)-1 (more than four reasons are not likely to help) and forms C-1 to C-5 of its appendix C;
Personal Information Protection Law of the People's Republic of China, article 24.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domain.errors import InputError
from domain.explanation import (
    MOST_ADVERSE_REASONS,
    AdverseAction,
    AdverseReason,
    ReferenceTold,
)
from domain.policy import Labelled
from features.catalogue import Language
from features.customer import Typical
from features.ideas import Idea, ideas, may_be_ground
from features.wording import reason
from scoring.grouped import LANGUAGES, Case, Whole, by_idea
from scoring.reference import Reference, against

_EN = (
    "We made this decision on your application: {decision}.",
    "It is based in part on a credit score of {points} points, set against {reference} "
    "({reference_points} points). Higher is better. The principal reasons for the score are:",
    "Notice: The federal Equal Credit Opportunity Act prohibits creditors from discriminating "
    "against credit applicants on the basis of race, color, religion, national origin, sex, "
    "marital status, age (provided the applicant has the capacity to enter into a binding "
    "contract); because all or part of the applicant's income derives from any public assistance "
    "program; or because the applicant has in good faith exercised any right under the Consumer "
    "Credit Protection Act. The federal agency that administers compliance with this law "
    "concerning this creditor is {agency}.",
)
_ZH = (
    "我们对您的申请作出如下决定：{decision}。",
    "该决定部分依据您的信用评分{points}分，对照{reference}（{reference_points}分），分数越高越好。"
    "影响评分的主要原因如下：",
    "依据《中华人民共和国个人信息保护法》第二十四条，您有权要求我们对上述决定予以说明，"
    "并有权拒绝我们仅通过自动化决策的方式作出决定。监管机构：{agency}。",
)


def adverse_action(
    case: Case, decision: Labelled, reference: Reference | None = None
) -> AdverseAction:  # fmt: skip
    """The adverse action of a credit case against a reference, by default the training average.

    Raises:
        InputError: the score is not a credit score; a reference of another scorer.
    """
    scorer = case.scorer
    if scorer.target != "credit":
        raise InputError(f"a {scorer.target} score grounds no credit decision: give a credit score")
    told, parts, points = stated(case, reference)
    found = by_idea(parts[None, :], scorer, case.catalogue)
    sums = found.reasons[0]
    reasons: list[AdverseReason] = []
    left_out: list[Labelled] = []
    for g in np.argsort(sums, kind="stable").tolist():
        if sums[g] >= 0 or len(reasons) == MOST_ADVERSE_REASONS:
            break
        column = _ground(case, parts, found.ideas[g])
        if column is None:
            left_out.append(_label(found.ideas[g]))
            continue
        said = replace(case.said(column, parts), typical=_typical(case, column, reference))
        zh, en = (reason(case.catalogue, said, case.style(lang, "customer")) for lang in LANGUAGES)
        reasons.append(
            AdverseReason(
                idea=found.ideas[g].name, feature=said.name, points=int(sums[g]),
                value=case.values[said.name], zh=zh, en=en,
            )
        )  # fmt: skip
    used = [_label(idea) for idea, moved in zip(found.ideas, sums.tolist(), strict=True) if moved]
    return AdverseAction(
        target="credit", decision=decision, points=points, reference=told,
        reasons=reasons, left_out=left_out, used=used,
    )  # fmt: skip


def stated(case: Case, reference: Reference | None) -> tuple[ReferenceTold, Whole, int]:
    """Whom a case is held against, its whole difference by feature (k,), and its points."""
    row = case.x[None, :]
    if reference is None:
        explained = case.scorer.explain(row)[0]
        told = ReferenceTold(
            name="average", zh="全部客户的平均水平", en="the average of all customers",
            customers=None, points=explained.base_points,
        )  # fmt: skip
        return told, explained.reasons, explained.points
    apart = against(case.scorer, row, reference)
    told = ReferenceTold(
        name=reference.name, zh=reference.zh, en=reference.en,
        customers=reference.customers, points=apart.reference_points,
    )  # fmt: skip
    return told, apart.differences[0], int(apart.points[0])


def notice(action: AdverseAction, lang: Language, agency: str) -> str:
    """The letter to the customer; `agency` is the supervisor with its address.

    Raises:
        InputError: no reason may be stated: a person has to decide and to write.
    """
    if not action.reasons:
        raise InputError(
            "no permitted reason took points from this score: a person has to state the reasons"
        )
    first, second, last = _ZH if lang == "zh" else _EN
    decision, reference = (
        (action.decision.zh, action.reference.zh) if lang == "zh"
        else (action.decision.en, action.reference.en)
    )  # fmt: skip
    lines = [
        first.format(decision=decision),
        second.format(
            points=action.points, reference=reference, reference_points=action.reference.points
        ),
        *(f"{i}. {r.zh if lang == 'zh' else r.en}" for i, r in enumerate(action.reasons, 1)),
        last.format(agency=agency),
    ]
    return "\n".join(lines)


def _ground(case: Case, parts: Whole, idea: Idea) -> int | None:
    """The feature of an idea that took most points and may be stated; None where there is none."""
    known = ideas(case.catalogue)
    fit = [
        column
        for column, name in enumerate(case.scorer.features)
        if known[name] == idea and parts[column] < 0 and may_be_ground(case.catalogue, name)
    ]
    return min(fit, key=lambda column: int(parts[column]), default=None)


def _typical(case: Case, column: int, reference: Reference | None) -> Typical | None:
    """What is typical of the reference, where it has it."""
    name = case.scorer.features[column]
    if reference is None or name not in reference.typical:
        return None
    return Typical(reference.typical[name], reference.zh, reference.en)


def _label(idea: Idea) -> Labelled:
    return Labelled(name=idea.name, zh=idea.zh, en=idea.en)
