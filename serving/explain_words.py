"""The words around an explanation, Chinese and English, for terminal and page alike.

Enters: typed answers. Leaves: short texts. What reasons, plans and letters say is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from domain.decision import Decision, TargetScore
from domain.explanation import ReferenceTold, Sure
from domain.inquiry import Counterfactuals, FeatureChange, LeverMove, PlanTold
from domain.policy import Labelled, StepRule
from domain.tiers import Target
from features.catalogue import Language, shown_value

WORDS: dict[str, tuple[str, str]] = {
    "value": ("价值", "Value"),
    "churn": ("流失", "Churn"),
    "credit": ("信用", "Credit"),
    "title": ("为什么是这个分数", "Why this score"),
    "customer": ("客户", "customer"),
    "decision": ("决策编号", "decision"),
    "as_of": ("数据截至", "as of"),
    "decided_at": ("决策时间", "decided at"),
    "status": ("数据状态", "status"),
    "stage": ("生命周期", "stage"),
    "strategy": ("策略", "strategy"),
    "tags": ("标签", "tags"),
    "bundle": ("模型包", "bundle"),
    "policy": ("政策", "policy"),
    "fresh": ("最新", "fresh"),
    "stale": ("过期", "stale"),
    "thin": ("记录很少", "thin file"),
    "missing": ("无记录", "missing"),
    "unknown": ("未知", "unknown"),
    "none": ("无", "none"),
    "notes": ("注意", "Please note"),
    "base": ("起点", "base"),
    "score": ("总分", "score"),
    "points": ("分", "points"),
    "idea": ("方面", "idea"),
    "why": ("原因", "why"),
    "other": ("其余方面", "everything else"),
    "feature": ("指标", "feature"),
    "features": ("逐项指标", "Single features"),
    "cuts": ("虚线为分档线", "Dashed lines: where a tier begins"),
    "compared": ("与参照人群比较", "Against others"),
    "sure": ("把握有多大", "How sure"),
    "plans": ("怎样才会改变", "What would change it"),
    "highest": ("已在最高一档。", "Already in the highest tier."),
    "no_plan": (
        "在可以改变的指标之内，没有任何办法达到：已证明。",
        "Nothing within the levers reaches it: proved.",
    ),
    "not_found": (
        "搜索范围内没有找到办法，也未证明没有。",
        "Nothing was found as far as the search went; that none exists is not proved.",
    ),
    "change": ("与上一次决策相比", "Since the decision before"),
    "before": ("上次", "before"),
    "after": ("本次", "after"),
    "data": ("数据变化", "data"),
    "model": ("模型变化", "model"),
    "other_features": ("其余指标", "other features"),
    "beside": ("分群与购买模型", "segments"),
    "letter": ("致客户的说明", "Letter to the customer"),
    "notice": ("不利决定通知", "Adverse action notice"),
    "left_out": (
        "以下方面影响了评分，但不得作为理由告知客户，请人工复核：",
        "These weighed too and may not be stated to the customer; a person should look: ",
    ),
    "adds_up": (
        "起点加各方面得分等于总分，一分不差。分数越高越好。",
        "The base and all ideas add up to the score, to the point. Higher is better.",
    ),
    "replay": (
        "这些内容由存档记录重新得出，可随时复算。",
        "All of it is made from the record and can be made again.",
    ),
}  # fmt: skip
_OUTCOMES: dict[tuple[Target, str], tuple[str, str]] = {
    ("churn", "good"): ("留存", "stays"),
    ("churn", "bad"): ("流失", "leaves"),
    ("credit", "good"): ("按约还款", "pays as agreed"),
    ("credit", "bad"): ("违约", "defaults"),
}


def word(key: str, lang: Language) -> str:
    """A word or sentence of the table above."""
    return WORDS[key][lang == "en"]


def label(what: Labelled | StepRule | ReferenceTold, lang: Language) -> str:
    """The text of something labelled."""
    return what.zh if lang == "zh" else what.en


def colon(lang: Language) -> str:
    """What stands between a word and what it announces."""
    return "：" if lang == "zh" else ": "


def listed(texts: Iterable[str], lang: Language) -> str:
    """Texts one after the other."""
    return ("、" if lang == "zh" else ", ").join(texts)


def held(when: str, tier: Labelled, lang: Language) -> str:
    """The tier held before or after."""
    return f"{word(when, lang)}{colon(lang)}{label(tier, lang)}"


def moment(at: datetime | None, lang: Language) -> str:
    """An instant, to the minute, in UTC."""
    return word("unknown", lang) if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def expected(score: TargetScore, lang: Language) -> str:
    """The calibrated probability or amount, with its horizon."""
    days = score.horizon_days
    if score.amount is not None:
        said = f"{score.amount:,.0f} {score.currency}"
        return f"预计{days}天内{said}" if lang == "zh" else f"{said} expected in {days} days"
    bad = _OUTCOMES[score.target, "bad"]
    if lang == "zh":
        return f"{days}天内{bad[0]}概率{score.p_bad:.1%}"
    return f"{bad[1]} within {days} days: {score.p_bad:.1%}"


def to_cut(gap: int | None, near: bool | None, lang: Language) -> str:
    """How far the nearest cut is, and whether that is near (None: nobody learnt what is)."""
    if gap is None:
        return "没有分档线" if lang == "zh" else "no cut"
    way = ("高于", "above") if gap >= 0 else ("低于", "below")
    if lang == "zh":
        said = f"{way[0]}最近的分档线{abs(gap)}分"
        return said + ("，很接近" if near else "")
    said = f"{abs(gap)} {'point' if abs(gap) == 1 else 'points'} {way[1]} the nearest cut"
    return said + (", which is near" if near else "")


def sure_text(sure: Sure, steps: tuple[StepRule, ...], lang: Language) -> str:
    """What may be true of the customer, in a sentence."""
    zh = lang == "zh"
    if sure.target == "value":
        tiers = listed((label(s, lang) for s in steps if s.name in sure.tiers), lang)
        bounds = _bounds(sure.low, sure.high, lang)
        left = f"{bounds}，即{tiers}" if zh else f"{bounds}: {tiers}"
    else:
        told = (_OUTCOMES[sure.target, o] for o in sure.outcomes)
        left = ("或" if zh else " or ").join(pair[not zh] for pair in told)
    if zh:
        how = "不确定" if sure.unsure else "较确定"
        return f"{how}（{sure.percent}%的把握）：{left}"
    return f"{'unsure' if sure.unsure else 'sure'}, at {sure.percent}%: {left}"


def _bounds(low: int | None, high: int | None, lang: Language) -> str:
    zh = lang == "zh"
    if low is None and high is None:
        return "任何分数" if zh else "any points"
    if low is None:
        return f"至多{high}分" if zh else f"at most {high} points"
    if high is None:
        return f"至少{low}分" if zh else f"at least {low} points"
    return f"{low}至{high}分" if zh else f"{low} to {high} points"


def move_text(move: LeverMove, lang: Language, currency: str) -> str:
    """One lever of a plan: what it is, today's value and the plan's."""
    now, then = (shown_value(v, move.unit, lang, currency) for v in (move.now, move.then))
    return f"{_name(move, lang)}{colon(lang)}{now} → {then}"


def changed_text(part: FeatureChange, lang: Language, currency: str) -> str:
    """One feature of a change, with its value then and now."""
    was, now = (shown_value(v, part.unit, lang, currency) for v in (part.before, part.after))
    return f"{_name(part, lang)}{colon(lang)}{was} → {now}"


def _name(what: LeverMove | FeatureChange, lang: Language) -> str:
    return what.zh if lang == "zh" else what.en


def aim(found: Counterfactuals, lang: Language) -> str:
    """Where the plans lead."""
    tier = "" if found.reaches is None else label(found.reaches, lang)
    if lang == "zh":
        return f"达到{found.wanted}分（{tier}），成本最低的在前："
    return f"To {found.wanted} points ({tier}), cheapest first:"


def plan_end(plan: PlanTold, lang: Language) -> str:
    """What a plan comes to and costs, and what is proved of it."""
    if lang == "zh":
        gap = "，没有更省而未列出的" if plan.gap == 0 else f"，更省的办法至多再省{plan.gap:.2f}"
        return f"达到{plan.points}分，成本{plan.cost:.2f}{gap}"
    gap = (
        ", no cheaper one was missed"
        if plan.gap == 0
        else f", a cheaper one saves at most {plan.gap:.2f}"
    )
    return f"comes to {plan.points} points, cost {plan.cost:.2f}{gap}"


def steps_text(by_points: float, by_policy: float, lang: Language) -> str:
    """How a tier moved, in steps."""
    if lang == "zh":
        return f"档位：因分数{by_points:+g}档，因政策{by_policy:+g}档"
    return f"tier: {by_points:+g} steps by points, {by_policy:+g} by policy"


def reference_text(told: ReferenceTold, lang: Language) -> str:
    """Whom a score is held against, and what they have."""
    if lang == "zh":
        many = "" if told.customers is None else f"，{told.customers:,}位客户"
        return f"{told.zh}（{told.points}分{many}）"
    many = "" if told.customers is None else f", {told.customers:,} customers"
    return f"{told.en} ({told.points} points{many})"


def beside_texts(decision: Decision, lang: Language) -> list[str]:
    """The segments, and what a model of buying alone expects, where they were recorded."""
    zh, said = lang == "zh", []
    rfm = decision.segments and decision.segments.rfm
    if rfm:
        scores = f"RFM {rfm.recency}-{rfm.frequency}-{rfm.money}"
        said.append(f"{scores}{colon(lang)}{label(rfm.segment, lang)}")
    if decision.segments and decision.segments.cluster:
        said.append(label(decision.segments.cluster, lang))
    found = decision.baseline
    if found is None:
        return said
    amount = "" if found.amount is None else f"{found.amount:,.0f} {found.currency}"
    days = found.horizon_days
    if zh:
        said.append(
            f"购买模型：仍活跃{found.p_alive:.1%}；{days}天内不消费{found.p_no_purchase:.1%}，"
            f"预计消费{found.purchase_days:.1f}天" + (f"、{amount}" if amount else "")
        )
    else:
        said.append(
            f"Buying model: alive {found.p_alive:.1%}; in {days} days no purchase "
            f"{found.p_no_purchase:.1%}, expected {found.purchase_days:.1f} days with one"
            + (f", {amount}" if amount else "")
        )
    return said
