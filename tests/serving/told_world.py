"""One decision told in full, by hand: every part of a page, with numbers easy to follow."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.decision import (
    BuyingBaseline,
    Decision,
    Reason,
    RfmScores,
    Segments,
    TargetScore,
    Versions,
)
from domain.explanation import (
    AdverseAction,
    AdverseReason,
    Compared,
    Explanation,
    IdeaReason,
    ReferenceTold,
    Sure,
)
from domain.inquiry import (
    AdverseAnswer,
    ChangeAnswer,
    Counterfactuals,
    CounterfactualsAnswer,
    ExplanationAnswer,
    FeatureChange,
    LeverMove,
    PlanTold,
    ScoreChange,
)
from domain.policy import Labelled, default_policy
from features.catalogue import CATALOGUE
from features.ideas import ideas
from serving.told import Letter, Told

ID = "0123456789abcdef0123456789abcdef"
BEFORE = "f" * 32
BASE = {"value": 500, "churn": 640, "credit": 735}
POINTS = {"value": 447, "churn": 655, "credit": 536}


def _tier(target: str) -> Labelled:
    step = default_policy().steps[target].assign(POINTS[target])
    return Labelled(name=step.name, zh=step.zh, en=step.en)


def _idea(name: str, points: int, feature: str, value: float, zh: str, en: str) -> IdeaReason:
    moved_zh = f"{'加' if points > 0 else '减'}{abs(points)}分"
    moved_en = f"{'adds' if points > 0 else 'takes'} {abs(points)} points"
    label = {i.name: i for i in ideas(CATALOGUE).values()}[name]
    whole = (f"{label.zh}{moved_zh}；{zh}", f"{label.en} {moved_en}; {en}")
    if name == feature:
        whole = (f"{zh}，{moved_zh}", f"{en}, {moved_en}")
    return IdeaReason(
        idea=name, points=points, features=3, feature=feature, value=value, zh=whole[0], en=whole[1]
    )


def _other(points: int) -> IdeaReason:
    return IdeaReason(
        idea="other", points=points, features=9, feature=None, value=None,
        zh=f"其余4方面合计{points:+d}分", en=f"4 other things together: {points:+d} points",
    )  # fmt: skip


IDEAS = {
    "value": [
        _idea(
            "spend",
            -61,
            "spend_sum_90d",
            310.0,
            "近90天净消费金额：310 CNY（偏低）",
            "net spend in the past 90 days: 310 CNY (low)",
        ),
        _idea(
            "purchase_frequency",
            12,
            "purchase_count_90d",
            9.0,
            "近90天消费次数：9次（偏多）",
            "purchases in the past 90 days: 9 (many)",
        ),
        _other(-4),
    ],
    "churn": [
        _idea(
            "purchase_recency",
            20,
            "purchase_recency_days",
            2.0,
            "距上次消费天数：2天（不久前）",
            "days since the last purchase: 2 days (not long ago)",
        ),
        _other(-5),
    ],
    "credit": [
        _idea(
            "late_payment",
            -120,
            "days_past_due_max_90d",
            60.0,
            "近90天最长逾期天数：60天（偏长）",
            "longest time past due in the past 90 days: 60 days (long)",
        ),
        _idea(
            "utilisation",
            -80,
            "utilisation_last",
            0.97,
            "当前额度使用率：97%（偏高）",
            "credit utilisation now: 97% (high)",
        ),
        _idea(
            "income_last",
            4,
            "income_last",
            90000.0,
            "年收入：90,000 CNY",
            "Yearly income: 90,000 CNY",
        ),
        _other(-3),
    ],
}
MOVE = LeverMove(
    feature="utilisation_last", zh="当前额度使用率", en="Credit utilisation now", unit="share",
    now=0.97, then=0.41, cost=1.25,
)  # fmt: skip
_EVERYBODY = ReferenceTold(
    name="everybody", zh="全部客户", en="all customers", customers=7048, points=735
)
_LIKE = ReferenceTold(
    name="points_500_599", zh="500至599分的客户", en="customers with 500 to 599 points",
    customers=410, points=548,
)  # fmt: skip


def _score(target: str) -> TargetScore:
    parts = [
        Reason(feature=r.feature or "other", points=r.points, value=r.value, zh=r.zh, en=r.en)
        for r in IDEAS[target]
    ]
    is_value = target == "value"
    return TargetScore(
        target=target, tier=_tier(target), points=POINTS[target], base_points=BASE[target],
        points_to_cut=default_policy().steps[target].distance(POINTS[target]),
        p_bad=None if is_value else 0.378, amount=2201.4 if is_value else None,
        currency="CNY" if is_value else None, horizon_days=90, reasons=parts,
    )  # fmt: skip


def _explained(target: str) -> Explanation:
    score, compared = _score(target), []
    if target == "credit":
        compared = [
            Compared(reference=_EVERYBODY, points=536, ideas=[_other(-199)]),
            Compared(reference=_LIKE, points=536, ideas=[_other(-12)]),
        ]
    return Explanation(
        level="full", target=target, points=score.points, base_points=score.base_points,
        ideas=IDEAS[target], reasons=score.reasons, compared=compared,
    )  # fmt: skip


def _sure(target: str) -> Sure:
    gap = _score(target).points_to_cut
    is_value = target == "value"
    return Sure(
        target=target, percent=90, low=None, high=523 if is_value else None,
        tiers=("low", "mid") if is_value else (), outcomes=() if is_value else ("good", "bad"),
        points_to_cut=gap, near_cut=gap is not None and abs(gap) <= 10, unsure=True,
    )  # fmt: skip


def _plans(target: str) -> Counterfactuals:
    cuts = default_policy().steps[target]
    wanted = next((c for c in cuts.bounds if c > POINTS[target]), None)
    step = None if wanted is None else cuts.assign(wanted)
    plan = PlanTold(moves=[MOVE], cost=1.25, gap=0.0, points=603, values={"utilisation_last": 0.41})
    return Counterfactuals(
        target=target, points=POINTS[target], tier=_tier(target),
        points_to_cut=_score(target).points_to_cut, wanted=wanted,
        reaches=step and Labelled(name=step.name, zh=step.zh, en=step.en),
        plans=[plan, plan.model_copy(update={"gap": 0.5})] if target == "credit" else [],
        proved=True, bound=None, sure=_sure(target),
    )  # fmt: skip


def _change() -> ChangeAnswer:
    data = FeatureChange(
        feature="utilisation_last", zh="当前额度使用率", en="Credit utilisation now", unit="share",
        points=-60, before=0.2, after=0.97,
    )  # fmt: skip
    moved = ScoreChange(
        target="credit", before=606, after=536, data=[data], model=-10,
        tier_before=Labelled(name="d", zh="信用D级", en="credit band D"),
        tier_after=_tier("credit"), tier_by_points=-1.0, tier_by_policy=0.0,
    )  # fmt: skip
    return ChangeAnswer(decision_id=ID, since=BEFORE, scores=[moved], notes=[])


def _adverse() -> AdverseAnswer:
    reason = AdverseReason(
        idea="late_payment", feature="days_past_due_max_90d", points=-120, value=60.0,
        zh="您近90天的最长逾期天数为60天，偏长。",
        en="Your longest time past due in the past 90 days was 60 days, which is long.",
    )  # fmt: skip
    action = AdverseAction(
        target="credit", decision=_tier("credit"), points=536, reference=_EVERYBODY,
        reasons=[reason], left_out=[Labelled(name="complaints", zh="投诉", en="Complaints")],
        used=[],
    )  # fmt: skip
    return AdverseAnswer(
        decision_id=ID, action=action, letter_zh=f"我们对您的申请作出如下决定。\n1. {reason.zh}",
        letter_en=f"We made this decision.\n1. {reason.en}",
        notes=["ideas that may not be stated weighed more: a person should look at it"],
    )  # fmt: skip


def decision(customer_id: str = "C0000047") -> Decision:
    """The recorded answer."""
    at_risk = Labelled(name="rfm_at_risk", zh="风险客户", en="at risk")
    hashes = {"bundle": "b" * 64, "policy": "a" * 64, "catalogue": "c" * 64}
    return Decision(
        decision_id=ID, customer_id=customer_id, purpose="crm",
        decided_at=datetime(2026, 11, 25, 4, 36, 7, tzinfo=UTC), asked_as_of=None,
        as_of=datetime(2026, 11, 1, tzinfo=UTC), status="fresh", feature_age_days=24.2,
        view_age_days={}, scores=[_score(t) for t in POINTS],
        segments=Segments(
            rfm=RfmScores(recency=2, frequency=4, money=2, segment=at_risk), cluster=None
        ),
        baseline=BuyingBaseline(
            p_alive=0.989, p_no_purchase=0.026, purchase_days=4.5, amount=934.0, currency="CNY",
            horizon_days=90,
        ),
        stage=Labelled(name="loyal", zh="忠诚客户", en="loyal: a year with us"),
        tags=[Labelled(name="cooling", zh="消费降温", en="spends less")],
        strategy=Labelled(name="reduce_exposure", zh="控制额度，人工复核", en="hold the limit"),
        degraded=["the features are 24 days old: run `tierline features` and promote"],
        versions=Versions(
            **hashes, policy_version="2026.11.3", tierline="0.1.0", top_reasons=5, stale_days=20
        ),
    )  # fmt: skip


def told(customer_id: str = "C0000047") -> Told:
    """All of it."""
    known = {i.name: Labelled(name=i.name, zh=i.zh, en=i.en) for i in ideas(CATALOGUE).values()}
    return Told(
        decision=decision(customer_id),
        explanation=ExplanationAnswer(
            decision_id=ID, level="full", explanations=[_explained(t) for t in POINTS],
            sure=[_sure(t) for t in POINTS], notes=[],
        ),
        counterfactuals=CounterfactualsAnswer(
            decision_id=ID, scores=[_plans(t) for t in POINTS], notes=[]
        ),
        change=_change(), adverse=_adverse(),
        letter=Letter(zh="我们的评估结果是：信用E级。", en="Our assessment is: credit band E."),
        cuts=default_policy().cuts, ideas=known, currency="CNY",
        notes=["the bundle does not say how sure a churn score is"],
    )  # fmt: skip
