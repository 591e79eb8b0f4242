"""Ideas: which features say the same thing, so that a reviewer reads it once; and what may be a
ground for a credit decision.

Enters: a catalogue. Leaves: the idea of every feature, and whether it may be a ground. A feature
computed from events has the idea whose prefix its name begins with (the longest counts), a derived
one the idea of its own name or else of its first input; one that no prefix names is an idea of its
own, told by its label. It computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from features.catalogue import Catalogue


@dataclass(frozen=True)
class Idea:
    """What some features say together; `name` is its key, `zh` and `en` are nouns."""

    name: str
    zh: str
    en: str


_DECLARED = {
    Idea("purchase_recency", "距上次消费时间", "Time since the last purchase"): (
        "purchase_recency", "transaction_recency",
    ),
    Idea("purchase_frequency", "消费频率", "Purchase frequency"): (
        "purchase_count", "purchase_decay", "purchase_rate", "active_", "season_count",
        "year_ago_count",
    ),
    Idea("spend", "消费金额", "Spend"): (
        "spend_sum", "spend_decay", "spend_to_", "spend_ratio", "season_spend", "year_ago_spend",
    ),
    Idea("purchase_size", "单笔消费金额", "Purchase size"): (
        "spend_mean", "spend_median", "spend_max", "spend_min", "spend_std", "spend_last",
        "spend_slope",
    ),
    Idea("refunds", "退款", "Refunds"): ("refund_",),
    Idea("purchase_rhythm", "消费间隔", "Time between purchases"): (
        "purchase_gap", "gap_variation", "day_gap",
    ),
    Idea("purchase_days", "消费日习惯", "Days of purchases"): (
        "weekend_share", "month_end_share", "weekday_",
    ),
    Idea("history", "往来时长", "Length of the relationship"): (
        "purchase_tenure", "purchase_span", "transaction_tenure", "statement_tenure",
        "statement_count", "relationship_",
    ),
    Idea("completeness", "资料完整度", "Completeness of the record"): (
        "profile_recency", "known_table", "filled_profile", "transaction_month",
    ),
    Idea("categories", "消费品类", "Categories of purchases"): (
        "category_", "groceries_", "dining_", "travel_",
    ),
    Idea("channels", "交易渠道", "Channels"): (
        "channel_", "online_share", "app_share", "branch_share",
    ),
    Idea("basket", "购买商品", "Items bought"): ("items_",),
    Idea("inflow", "入账资金", "Money coming in"): ("inflow_",),
    Idea("outflow", "转出资金", "Money going out"): ("outflow_",),
    Idea("costs", "费用与罚息", "Fees and penalties"): ("cost_", "penalty_"),
    Idea("balance", "账户余额", "Account balance"): ("balance_",),
    Idea("late_payment", "逾期记录", "Late payment"): (
        "days_past_due", "past_due", "rolled_", "cured_",
    ),
    Idea("linked_arrears", "关联账户逾期", "Arrears of linked accounts"): ("linked_",),
    Idea("repayment", "还款情况", "Repayment"): (
        "full_payment", "some_paid", "paid_", "payment_ratio", "revolving_share",
    ),
    Idea("utilisation", "额度使用", "Credit utilisation"): ("utilisation_", "unused_share"),
    Idea("bills", "账单金额", "Bills"): ("bill_",),
    Idea("limit", "授信额度", "Credit limit"): ("limit_",),
    Idea("loans", "贷款", "Loans"): ("loan_",),
    Idea("complaints", "投诉", "Complaints"): ("complaint_",),
    Idea("contacts", "联络", "Contacts"): ("contact_",),
    Idea("app_use", "App使用", "Use of the app"): ("app_",),
    Idea("satisfaction", "满意度", "Satisfaction"): ("satisfaction_",),
    Idea("campaigns", "营销活动", "Campaigns"): ("campaign_", "response_"),
    Idea("ownership", "资产", "Assets"): ("owns_",),
}  # fmt: skip
_GROUNDS = frozenset(
    ("recency", "frequency", "monetary", "trend", "flows", "balances", "repayment", "utilisation",
     "loans", "relationship", "profile")
)  # fmt: skip
"""Themes of plain facts about the account, the income or the credit history. Habits (`regularity`,
`mix`) nobody can check; a complaint or a contact (`engagement`) is the customer's right."""
_NO_GROUNDS = frozenset(("education_last", "products_last"))


@cache
def ideas(catalogue: Catalogue) -> dict[str, Idea]:
    """The idea of every feature of a catalogue."""
    found: dict[str, Idea] = {}
    for feature in catalogue.features:
        declared = _declared(feature.name) if feature.name in catalogue.declared else None
        if declared is None and feature.inputs:
            declared = found[feature.inputs[0]]
        found[feature.name] = declared or Idea(feature.name, feature.zh, feature.en)
    return found


def may_be_ground(catalogue: Catalogue, name: str) -> bool:
    """Whether a feature may be stated as the ground of an adverse credit decision.

    Never a protected one. By theme, what differs declared here; of a ready-made table the columns
    of which the source said the direction that is better for credit.

    Source: 12 CFR 1002.9(b)(2) and its comment 9(b)(2)-4 (reasons must relate to and accurately
    describe the factors actually considered); 12 CFR 1002.2(z) (rights that may be exercised).
    """
    feature = catalogue[name]
    if feature.protected or name in _NO_GROUNDS:
        return False
    return "credit" in feature.better or feature.theme in _GROUNDS


def _declared(name: str) -> Idea | None:
    fits = {p: idea for idea, begins in _DECLARED.items() for p in begins if name.startswith(p)}
    return fits[max(fits, key=len)] if fits else None
