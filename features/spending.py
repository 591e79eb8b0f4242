"""What customers buy: recency, frequency, money, trend, regularity, mix.

Declarations only, a line or two a family; windows are days before as_of.
"""

from __future__ import annotations

import numpy as np

from features.declare import (
    LEVER, Rule, Subject, Take, Theme, Words, against, count, money, quotient, share,
)
from features.formulas import Column, Quotient, ratio

T, NET, AMOUNT = "transactions", "transactions.net_spend", "transactions.amount"
BUY, SPEND = ("purchase",), ("spend",)
MORE, SILENT, VALUE = Rule(value=1, churn=1, lever=2), Rule(value=-1, churn=-1), Rule(value=1)
W, LONG, YEAR = (30, 90, 180, 365), (90, 180, 365), (365,)
AGO = (("未到往常", "sooner than usual"), ("久于往常", "later than usual"), 1.0)

dealt, bought = Subject("transaction", T), Subject("purchase", T, BUY, "count")
spent, paid = Subject("spend", NET, SPEND), Subject("spend", AMOUNT, BUY)
shopped = Subject("active_days", "transactions.day", BUY, "days")
items = Subject("items", "transactions.items", BUY, "items")
refunded = Subject("refund", AMOUNT, ("refund",))

recency = Theme("recency", owner="CRM")
recency.ever(dealt, "recency", "距上次交易天数 | Days since the last transaction")
recency.ever(bought, "recency", "距上次消费天数 | Days since the last purchase", SILENT)
recency.ever(refunded, "recency", "距上次退款天数 | Days since the last refund")

frequency = Theme("frequency", owner="CRM")
frequency.past(bought, "count", (7, 14, 30, 60, 90, 180, 365), "消费次数 | Purchases", MORE)
frequency.ever(bought, "count", "累计消费次数 | Purchases ever")
frequency.decayed(bought, (30, 90, 180), "消费次数 | Purchases", MORE)
frequency.past(refunded, "count", (90, 365), "退款次数 | Refunds")
frequency.past(shopped, "distinct", W, "有消费的天数 | Days with a purchase", MORE)
frequency.ever(shopped, "distinct", "历来有消费的天数 | Days with a purchase ever")
frequency.windowed("active_months_{w}d", Take("distinct", "transactions.month", BUY), (180, 365),
    count("近{w}天有消费的月数", "Months with a purchase in the past {w} days", "months"), MORE)

monetary = Theme("monetary", owner="CRM")
monetary.past(spent, "sum", (30, 60, 90, 180, 365), "净消费金额 | Net spend", MORE)
monetary.ever(spent, "sum", "累计净消费金额 | Net spend ever")
monetary.decayed(spent, (30, 90, 180), "净消费金额 | Net spend", MORE)
monetary.past(paid, "mean", LONG, "笔均消费 | Mean purchase", VALUE)
monetary.past(paid, "median", YEAR, "单笔消费中位数 | Median purchase", VALUE)
monetary.past(paid, "max", (180, 365), "最大单笔消费 | Largest purchase")
monetary.past(paid, "min", YEAR, "最小单笔消费 | Smallest purchase")
monetary.past(paid, "std", (180, 365), "消费金额波动 | Spread of purchases")
monetary.ever(paid, "last", "最近一笔消费 | Last purchase")
monetary.quotient("spend_last_to_mean", Quotient("spend_last", "spend_mean_365d", most=20.0),
    against("最近一笔与近365天笔均消费之比", "Last purchase to the mean of the past 365 days"))
monetary.past(refunded, "sum", (90, 365), "退款金额 | Amount refunded")

trend = Theme("trend", owner="CRM")
trend.past(paid, "slope", (180,), "单笔消费趋势（每天） | Trend of the size of purchases (a day)")
trend.before("spend_sum_before_{w}d", Take("sum", NET, SPEND), (30, 90),
    money("此前一个{w}天净消费", "Net spend in the {w} days before the past {w}"))
trend.before("purchase_count_before_{w}d", Take("count", T, BUY), (30, 90),
    count("此前一个{w}天消费次数", "Purchases in the {w} days before the past {w}"))
for _w in (30, 90):
    trend.quotient(f"spend_to_before_{_w}d",
        Quotient(f"spend_sum_{_w}d", f"spend_sum_before_{_w}d", most=20.0),
        against(f"近{_w}天与此前{_w}天消费之比", f"Spend: past {_w} days to the {_w} before"))
trend.quotient("spend_ratio_30d_to_180d", Quotient("spend_sum_30d", "spend_sum_180d", 6.0),
    against("近30天与近180天日均消费之比", "Spend a day: past 30 days to past 180 days"), LEVER)
trend.quotient("spend_ratio_90d_to_365d", Quotient("spend_sum_90d", "spend_sum_365d", 365 / 90),
    against("近90天与近365天日均消费之比", "Spend a day: past 90 days to past 365 days"), LEVER)
trend.quotient("count_ratio_90d_to_180d", Quotient("purchase_count_90d", "purchase_count_180d", 2),
    against("近90天与近180天消费次数之比", "Purchases: past 90 days to past 180 days"), LEVER)
trend.before("season_spend_90d", Take("sum", NET, SPEND, days=90), (275,),
    money("去年同期后90天净消费", "Net spend in the same coming 90 days a year ago"))
trend.before("season_count_90d", Take("count", T, BUY, days=90), (275,),
    count("去年同期后90天消费次数", "Purchases in the same coming 90 days a year ago"))
trend.before("year_ago_spend_90d", Take("sum", NET, SPEND, days=90), YEAR,
    money("去年同期90天净消费", "Net spend in the same 90 days a year ago"))
trend.before("year_ago_count_90d", Take("count", T, BUY, days=90), YEAR,
    count("去年同期90天消费次数", "Purchases in the same 90 days a year ago"))
trend.quotient("spend_to_year_ago_90d", Quotient("spend_sum_90d", "year_ago_spend_90d", most=20.0),
    against("近90天消费与去年同期之比", "Spend of the past 90 days to the same a year ago"))

regularity = Theme("regularity", owner="CRM")
regularity.past(bought, "gap_mean", (180, 365), "平均消费间隔 | Mean time between purchases")
regularity.past(bought, "gap_median", YEAR, "消费间隔中位数 | Median time between purchases")
regularity.past(bought, "gap_std", YEAR, "消费间隔波动 | Spread of the time between purchases")
regularity.past(bought, "gap_slope", YEAR, "消费间隔趋势（每次） | Trend of time between purchases")
regularity.ever(bought, "gap_mean", "历来平均消费间隔 | Mean time between purchases ever")
regularity.ever(bought, "gap_median", "历来消费间隔中位数 | Median time between purchases ever")
regularity.ever(bought, "gap_max", "历来最长消费间隔 | Longest time between purchases ever")
regularity.ever(bought, "tenure", "首次消费至今天数 | Days since the first purchase")
regularity.shares(bought, "weekend", (180,), "周末消费占比 | Share of purchases at weekends")
regularity.shares(bought, "month_end", (180,), "月末消费占比 | Share of purchases at month end")
regularity.windowed("weekday_entropy_{w}d", Take("entropy", "transactions.weekday", BUY), YEAR,
    quotient("近{w}天消费星期分散度（熵）", "Variety of purchase weekdays in {w} days (entropy)"))
for _name, _of, _most, _zh, _en in (
    ("gap", "mean", None, "平均消费间隔", "mean"),
    ("median_gap", "median", 100.0, "消费间隔中位数", "median"),
    ("longest_gap", "max", 100.0, "最长消费间隔", "longest"),
):
    regularity.quotient(f"recency_to_{_name}",
        Quotient("purchase_recency_days", f"purchase_gap_{_of}_ever", most=_most),
        Words("ratio", f"静默天数与{_zh}之比",
              f"Days of silence to the {_en} time between purchases", *AGO), SILENT)
regularity.quotient("gap_variation_365d",
    Quotient("purchase_gap_std_365d", "purchase_gap_mean_365d"),
    quotient("消费间隔的波动与均值之比", "Variation of the time between purchases (to mean)"))


@regularity.derived("days")
def purchase_span_days(purchase_tenure_days: Column, purchase_recency_days: Column) -> Column:
    """首次到最近一次消费的天数 | Time from the first purchase to the last"""
    return purchase_tenure_days - purchase_recency_days


regularity.quotient("purchase_span_share", Quotient("purchase_span_days", "purchase_tenure_days"),
    share("首末次消费间隔占历史之比", "Share of the time since the first purchase up to the last"))


@regularity.derived("days")
def day_gap_mean_ever(purchase_span_days: Column, active_days_ever: Column) -> Column:
    """历来平均消费日间隔 | Mean time from one day with a purchase to the next"""
    return ratio(purchase_span_days, active_days_ever - 1.0)


@regularity.derived("ratio", SILENT)
def recency_to_day_gap(purchase_recency_days: Column, day_gap_mean_ever: Column) -> Column:
    """静默天数与平均消费日间隔之比 | Days of silence to the usual time from one to the next"""
    return ratio(purchase_recency_days, np.maximum(day_gap_mean_ever, 1.0))


@regularity.derived("ratio")
def purchase_rate_ever(active_days_ever: Column, purchase_tenure_days: Column) -> Column:
    """历来每30天消费天数 | Days with a purchase in every 30 days since the first"""
    return 30.0 * ratio(active_days_ever, purchase_tenure_days + 30.0)


@regularity.derived("days", SILENT)
def purchases_missed(purchase_recency_days: Column, purchase_rate_ever: Column) -> Column:
    """静默期内往常会有的消费天数 | Days with a purchase usual in so long a silence"""
    return purchase_recency_days * purchase_rate_ever / 30.0


mix = Theme("mix", owner="CRM")
mix.windowed("category_count_{w}d", Take("distinct", "transactions.category", BUY), (90, 365),
    count("近{w}天消费品类数", "Categories bought in the past {w} days", "kinds"))
mix.windowed("category_entropy_{w}d", Take("entropy", "transactions.category", BUY), YEAR,
    quotient("近{w}天品类多样性（熵）", "Variety of categories in the past {w} days (entropy)"))
for _name, _zh in (("groceries", "食品杂货"), ("dining", "餐饮"), ("travel", "旅行")):
    mix.windowed(f"{_name}_share_{{w}}d", Take("share", T, (*BUY, "has_category"), (_name,)), YEAR,
        share(f"近{{w}}天{_zh}消费占比", f"Share of {_name} in purchases in the past {{w}} days"))
mix.windowed("channel_count_{w}d", Take("distinct", "transactions.channel"), (180,),
    count("近{w}天使用渠道数", "Channels used in the past {w} days", "kinds"))
mix.windowed("channel_entropy_{w}d", Take("entropy", "transactions.channel"), (180,),
    quotient("近{w}天渠道分散度（熵）", "Variety of channels in the past {w} days (entropy)"))
for _name, _zh in (("online", "线上"), ("app", "App"), ("branch", "网点")):
    mix.windowed(f"{_name}_share_{{w}}d", Take("share", T, ("has_channel",), (_name,)), (90, 365),
        share(f"近{{w}}天{_zh}交易占比", f"Share of {_name} transactions in the past {{w}} days"))
mix.past(items, "sum", (90, 365), "购买商品种数 | Distinct items bought", LEVER)
mix.past(items, "mean", YEAR, "每单商品种数 | Mean items an order")
mix.ever(items, "last", "最近一单商品种数 | Items of the last order")
mix.quotient("items_last_to_mean", Quotient("items_last", "items_mean_365d", most=20.0),
    against("最近一单与近365天每单商品种数之比", "Items: last order to the mean of past 365 days"))


@mix.derived("share")
def refund_share_365d(refund_sum_365d: Column, spend_sum_365d: Column) -> Column:
    """近365天退款占消费比 | Share of spend refunded in the past 365 days"""
    return ratio(refund_sum_365d, np.maximum(spend_sum_365d, 0.0) + refund_sum_365d)


THEMES = (recency, frequency, monetary, trend, regularity, mix)
