"""What customers do with their money: recency, frequency, money, trend, regularity, mix.

Declarations only; windows are days before as_of.
"""

from __future__ import annotations

import numpy as np

from features.declare import (
    LEVER,
    Column,
    Rule,
    Take,
    Theme,
    count,
    days,
    money,
    quotient,
    ratio,
    share,
)

T = "transactions"
NET, AMOUNT = "transactions.net_spend", "transactions.amount"
PURCHASE, SPEND = ("purchase",), ("spend",)
MORE = Rule(value=1, churn=1, lever=True)
SILENT = Rule(value=-1, churn=-1)
W, LONG = (30, 90, 180, 365), (90, 180, 365)

recency = Theme("recency")
recency.single(
    "transaction_recency_days",
    Take("recency", T),
    days("距上次交易天数", "Days since the last transaction"),
)
recency.single(
    "purchase_recency_days",
    Take("recency", T, PURCHASE),
    days("距上次消费天数", "Days since the last purchase"),
    SILENT,
)
recency.single(
    "refund_recency_days",
    Take("recency", T, ("refund",)),
    days("距上次退款天数", "Days since the last refund"),
)
recency.single(
    "inflow_recency_days",
    Take("recency", T, ("inflow",)),
    days("距上次入账天数", "Days since money last came in"),
)

frequency = Theme("frequency")
frequency.windowed(
    "purchase_count_{w}d",
    Take("count", T, PURCHASE),
    (7, *W),
    count("近{w}天消费次数", "Purchases in the past {w} days"),
    MORE,
)
frequency.windowed(
    "refund_count_{w}d",
    Take("count", T, ("refund",)),
    LONG,
    count("近{w}天退款次数", "Refunds in the past {w} days"),
)
frequency.windowed(
    "active_days_{w}d",
    Take("distinct", "transactions.day", PURCHASE),
    (30, 90, 180),
    count("近{w}天有消费的天数", "Days with a purchase in the past {w} days", "days"),
    MORE,
)
frequency.windowed(
    "active_months_{w}d",
    Take("distinct", "transactions.month", PURCHASE),
    (365,),
    count("近{w}天有消费的月数", "Months with a purchase in the past {w} days", "months"),
    MORE,
)
frequency.windowed(
    "inflow_count_{w}d",
    Take("count", T, ("inflow",)),
    (90, 180),
    count("近{w}天入账次数", "Payments in over the past {w} days"),
)
frequency.windowed(
    "outflow_count_{w}d",
    Take("count", T, ("outflow",)),
    (90, 180),
    count("近{w}天转出次数", "Payments out over the past {w} days"),
)

monetary = Theme("monetary")
monetary.windowed(
    "spend_sum_{w}d",
    Take("sum", NET, SPEND),
    W,
    money("近{w}天净消费金额", "Net spend in the past {w} days"),
    MORE,
)
monetary.windowed(
    "spend_mean_{w}d",
    Take("mean", AMOUNT, PURCHASE),
    LONG,
    money("近{w}天笔均消费", "Mean purchase in the past {w} days"),
    Rule(value=1),
)
monetary.windowed(
    "spend_max_{w}d",
    Take("max", AMOUNT, PURCHASE),
    (180, 365),
    money("近{w}天最大单笔消费", "Largest purchase in the past {w} days"),
)
monetary.windowed(
    "spend_std_{w}d",
    Take("std", AMOUNT, PURCHASE),
    (180, 365),
    money("近{w}天消费金额波动", "Spread of purchases in the past {w} days"),
)
monetary.windowed(
    "refund_sum_{w}d",
    Take("sum", AMOUNT, ("refund",)),
    (90, 365),
    money("近{w}天退款金额", "Refunds in the past {w} days, amount"),
)
monetary.windowed(
    "inflow_sum_{w}d",
    Take("sum", AMOUNT, ("inflow",)),
    LONG,
    money("近{w}天入账金额", "Money in over the past {w} days"),
    Rule(credit=1),
)
monetary.windowed(
    "outflow_sum_{w}d",
    Take("sum", AMOUNT, ("outflow",)),
    LONG,
    money("近{w}天转出金额", "Money out over the past {w} days"),
)
monetary.windowed(
    "cost_sum_{w}d",
    Take("sum", AMOUNT, ("cost",)),
    (90, 365),
    money("近{w}天费用与利息", "Fees and interest in the past {w} days"),
)
monetary.windowed(
    "balance_min_{w}d",
    Take("min", "transactions.balance"),
    (90, 180),
    money("近{w}天最低余额", "Lowest balance in the past {w} days"),
    Rule(credit=1),
)
monetary.windowed(
    "balance_mean_{w}d",
    Take("mean", "transactions.balance"),
    (90, 180),
    money("近{w}天平均余额", "Mean balance in the past {w} days"),
    Rule(credit=1),
)
monetary.windowed(
    "balance_std_{w}d",
    Take("std", "transactions.balance"),
    (180,),
    money("近{w}天余额波动", "Spread of the balance in the past {w} days"),
)
monetary.single(
    "balance_last",
    Take("last", "transactions.balance"),
    money("当前余额", "Balance now"),
    Rule(credit=1),
)
monetary.single(
    "spend_sum_ever", Take("sum", NET, SPEND), money("累计净消费金额", "Net spend ever")
)
monetary.single(
    "purchase_count_ever", Take("count", T, PURCHASE), count("累计消费次数", "Purchases ever")
)

monetary.single(
    "balance_min_ever",
    Take("min", "transactions.balance"),
    money("历来最低余额", "Lowest balance ever"),
    Rule(credit=1),
)
monetary.single(
    "penalty_count_ever",
    Take("count", T, ("penalty",)),
    count("历来罚息次数", "Penalties ever"),
    Rule(credit=-1),
)

trend = Theme("trend")
trend.windowed(
    "spend_slope_{w}d",
    Take("slope", AMOUNT, PURCHASE),
    (180,),
    quotient("近{w}天单笔消费趋势(每天)", "Trend of purchases a day over the past {w} days"),
)
trend.windowed(
    "balance_slope_{w}d",
    Take("slope", "transactions.balance"),
    (180,),
    quotient("近{w}天余额趋势(每天)", "Trend of the balance a day over the past {w} days"),
)
trend.single(
    "season_spend_30d",
    Take("sum", NET, SPEND, days=30, ago=335),
    money("去年同期后30天净消费", "Net spend in the same coming 30 days a year ago"),
)
trend.single(
    "season_spend_90d",
    Take("sum", NET, SPEND, days=90, ago=275),
    money("去年同期后90天净消费", "Net spend in the same coming 90 days a year ago"),
)
trend.single(
    "season_count_90d",
    Take("count", T, PURCHASE, days=90, ago=275),
    count("去年同期后90天消费次数", "Purchases in the same coming 90 days a year ago"),
)


@trend.derived("ratio", LEVER)
def spend_ratio_30d_to_180d(spend_sum_30d: Column, spend_sum_180d: Column) -> Column:
    """近30天与近180天日均消费之比 | Spend a day: past 30 days to past 180 days"""
    return 6.0 * ratio(spend_sum_30d, spend_sum_180d)


@trend.derived("ratio", LEVER)
def spend_ratio_90d_to_365d(spend_sum_90d: Column, spend_sum_365d: Column) -> Column:
    """近90天与近365天日均消费之比 | Spend a day: past 90 days to past 365 days"""
    return 365.0 / 90.0 * ratio(spend_sum_90d, spend_sum_365d)


@trend.derived("ratio", LEVER)
def count_ratio_90d_to_180d(purchase_count_90d: Column, purchase_count_180d: Column) -> Column:
    """近90天与近180天消费次数之比 | Purchases: past 90 days to past 180 days"""
    return 2.0 * ratio(purchase_count_90d, purchase_count_180d)


@trend.derived("ratio", Rule(credit=-1))
def outflow_ratio_90d(outflow_sum_90d: Column, inflow_sum_90d: Column) -> Column:
    """近90天转出与入账之比 | Money out to money in over the past 90 days"""
    return ratio(outflow_sum_90d, inflow_sum_90d)


regularity = Theme("regularity")
regularity.windowed(
    "purchase_gap_mean_{w}d",
    Take("gap_mean", T, PURCHASE),
    (365,),
    days("近{w}天平均消费间隔", "Mean days between purchases in the past {w} days"),
)
regularity.windowed(
    "purchase_gap_std_{w}d",
    Take("gap_std", T, PURCHASE),
    (365,),
    days("近{w}天消费间隔波动", "Spread of the days between purchases in the past {w} days"),
)
regularity.single(
    "purchase_gap_mean_ever",
    Take("gap_mean", T, PURCHASE),
    days("历来平均消费间隔", "Mean days between purchases ever"),
)
regularity.windowed(
    "weekend_share_{w}d",
    Take("share", T, PURCHASE, ("weekend",)),
    (180,),
    share("近{w}天周末消费占比", "Share of purchases at weekends in the past {w} days"),
)


@regularity.derived("ratio", SILENT)
def recency_to_gap(purchase_recency_days: Column, purchase_gap_mean_ever: Column) -> Column:
    """静默天数与平均消费间隔之比 | Days of silence to the mean days between purchases"""
    return ratio(purchase_recency_days, purchase_gap_mean_ever)


@regularity.derived("ratio")
def gap_variation_365d(purchase_gap_std_365d: Column, purchase_gap_mean_365d: Column) -> Column:
    """消费间隔的波动与均值之比 | Days between purchases: spread to mean"""
    return ratio(purchase_gap_std_365d, purchase_gap_mean_365d)


mix = Theme("mix")
mix.windowed(
    "category_count_{w}d",
    Take("distinct", "transactions.category", PURCHASE),
    (90, 365),
    count("近{w}天消费品类数", "Categories bought in the past {w} days"),
)
mix.windowed(
    "category_entropy_{w}d",
    Take("entropy", "transactions.category", PURCHASE),
    (365,),
    quotient("近{w}天品类多样性(熵)", "Variety of categories in the past {w} days (entropy)"),
)
mix.windowed(
    "channel_count_{w}d",
    Take("distinct", "transactions.channel"),
    (180,),
    count("近{w}天使用渠道数", "Channels used in the past {w} days"),
)
mix.windowed(
    "online_share_{w}d",
    Take("share", T, ("has_channel",), ("online",)),
    (90, 365),
    share("近{w}天线上交易占比", "Share of online transactions in the past {w} days"),
)
mix.windowed(
    "items_sum_{w}d",
    Take("sum", "transactions.items", PURCHASE),
    (90, 365),
    count("近{w}天购买商品种数", "Distinct items bought in the past {w} days", "items"),
    Rule(lever=True),
)
mix.windowed(
    "items_mean_{w}d",
    Take("mean", "transactions.items", PURCHASE),
    (365,),
    count("近{w}天每单商品种数", "Items an order in the past {w} days", "items"),
)


@mix.derived("share")
def refund_share_365d(refund_sum_365d: Column, spend_sum_365d: Column) -> Column:
    """近365天退款占消费比 | Refunds to net spend in the past 365 days"""
    return ratio(refund_sum_365d, np.maximum(spend_sum_365d, 0.0) + refund_sum_365d)


THEMES = (recency, frequency, monetary, trend, regularity, mix)
