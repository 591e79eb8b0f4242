"""How customers borrow and pay: repayment, utilisation, loans. Declarations only."""

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

S = "statements"
DPD = "statements.days_past_due"
LATE = Rule(credit=-1, lever=True)
PAYS = Rule(credit=1, lever=True)
W = (90, 180, 365)

repayment = Theme("repayment", max_age_days=62)
repayment.single(
    "days_past_due_last", Take("last", DPD), days("当前逾期天数", "Days past due now"), LATE
)
repayment.windowed(
    "days_past_due_max_{w}d",
    Take("max", DPD),
    W,
    days("近{w}天最长逾期天数", "Most days past due in the past {w} days"),
    LATE,
)
repayment.windowed(
    "days_past_due_mean_{w}d",
    Take("mean", DPD),
    (180, 365),
    days("近{w}天平均逾期天数", "Mean days past due in the past {w} days"),
    LATE,
)
repayment.single(
    "days_past_due_max_ever",
    Take("max", DPD),
    days("历来最长逾期天数", "Most days past due ever"),
    Rule(credit=-1),
)
repayment.windowed(
    "days_past_due_slope_{w}d",
    Take("slope", DPD),
    (180,),
    quotient("近{w}天逾期趋势(每天)", "Trend of days past due over the past {w} days"),
)
repayment.windowed(
    "past_due_count_{w}d",
    Take("count", S, ("past_due",)),
    W,
    count("近{w}天逾期期数", "Statements past due in the past {w} days"),
    LATE,
)
repayment.windowed(
    "past_due_30_count_{w}d",
    Take("count", S, ("past_due_30",)),
    (180, 365),
    count("近{w}天逾期30天以上期数", "Statements 30 days past due in the past {w} days"),
    LATE,
)
repayment.single(
    "past_due_60_count_ever",
    Take("count", S, ("past_due_60",)),
    count("历来逾期60天以上期数", "Statements 60 days past due ever"),
    Rule(credit=-1),
)
repayment.single(
    "past_due_30_recency_days",
    Take("recency", S, ("past_due_30",)),
    days("距上次逾期30天以上的天数", "Days since last 30 days past due"),
    Rule(credit=1),
)
repayment.single(
    "past_due_recency_days",
    Take("recency", S, ("past_due",)),
    days("距上次逾期的天数", "Days since last past due"),
    Rule(credit=1),
)
repayment.windowed(
    "full_payment_share_{w}d",
    Take("share", S, (), ("paid_in_full",)),
    W,
    share("近{w}天全额还款占比", "Share of statements paid in full in the past {w} days"),
    PAYS,
)
repayment.windowed(
    "unused_share_{w}d",
    Take("share", S, (), ("unused",)),
    (180,),
    share("近{w}天未用卡占比", "Share of statements without use in the past {w} days"),
)
repayment.windowed(
    "revolving_share_{w}d",
    Take("share", S, (), ("revolving",)),
    (180,),
    share("近{w}天循环信用占比", "Share of revolving statements in the past {w} days"),
)
repayment.windowed(
    "paid_sum_{w}d",
    Take("sum", "statements.paid"),
    (90, 180),
    money("近{w}天还款金额", "Paid in the past {w} days"),
    PAYS,
)
repayment.windowed(
    "paid_min_{w}d",
    Take("min", "statements.paid"),
    (180,),
    money("近{w}天最低单期还款", "Smallest payment of a statement in the past {w} days"),
    PAYS,
)
repayment.windowed(
    "paid_max_{w}d",
    Take("max", "statements.paid"),
    (180,),
    money("近{w}天最高单期还款", "Largest payment of a statement in the past {w} days"),
)
repayment.single(
    "paid_last",
    Take("last", "statements.paid"),
    money("最近一期还款", "Paid on the last statement"),
    PAYS,
)

utilisation = Theme("utilisation", max_age_days=62)
utilisation.single(
    "utilisation_last",
    Take("last", "statements.utilisation"),
    share("当前额度使用率", "Credit utilisation now"),
    LEVER,
)
utilisation.windowed(
    "utilisation_mean_{w}d",
    Take("mean", "statements.utilisation"),
    (90, 180),
    share("近{w}天平均额度使用率", "Mean credit utilisation in the past {w} days"),
    LEVER,
)
utilisation.windowed(
    "utilisation_max_{w}d",
    Take("max", "statements.utilisation"),
    (180, 365),
    share("近{w}天最高额度使用率", "Highest credit utilisation in the past {w} days"),
    LEVER,
)
utilisation.windowed(
    "utilisation_slope_{w}d",
    Take("slope", "statements.utilisation"),
    (180,),
    quotient("近{w}天额度使用率趋势(每天)", "Trend of utilisation over the past {w} days"),
)
utilisation.windowed(
    "paid_to_limit_mean_{w}d",
    Take("mean", "statements.paid_to_limit"),
    (180,),
    share("近{w}天平均还款占额度", "Mean payment to limit in the past {w} days"),
    PAYS,
)
utilisation.single("bill_last", Take("last", "statements.bill"), money("最近一期账单", "Last bill"))
utilisation.windowed(
    "bill_sum_{w}d",
    Take("sum", "statements.bill"),
    (90, 180),
    money("近{w}天账单合计", "Billed in the past {w} days"),
)
utilisation.windowed(
    "bill_mean_{w}d",
    Take("mean", "statements.bill"),
    (180,),
    money("近{w}天平均账单", "Mean bill in the past {w} days"),
)
utilisation.windowed(
    "bill_slope_{w}d",
    Take("slope", "statements.bill"),
    (180,),
    quotient("近{w}天账单趋势(每天)", "Trend of bills over the past {w} days"),
)
utilisation.single(
    "limit_last",
    Take("last", "statements.limit"),
    money("授信额度", "Credit limit"),
    Rule(credit=1),
)
utilisation.single("statement_count_ever", Take("count", S), count("账单期数", "Statements so far"))
utilisation.single(
    "statement_tenure_days",
    Take("tenure", S),
    days("首期账单至今天数", "Days since the first statement"),
)


@utilisation.derived("ratio", PAYS)
def payment_ratio_90d(paid_sum_90d: Column, bill_sum_90d: Column) -> Column:
    """近90天还款与账单之比 | Paid to billed in the past 90 days"""
    return np.minimum(ratio(paid_sum_90d, bill_sum_90d), 5.0)


@utilisation.derived("ratio", PAYS)
def payment_ratio_180d(paid_sum_180d: Column, bill_sum_180d: Column) -> Column:
    """近180天还款与账单之比 | Paid to billed in the past 180 days"""
    return np.minimum(ratio(paid_sum_180d, bill_sum_180d), 5.0)


@utilisation.derived("currency", Rule(credit=1, lever=True))
def limit_left(limit_last: Column, bill_last: Column) -> Column:
    """可用额度 | Limit left"""
    return limit_last - bill_last


@utilisation.derived("ratio")
def bill_to_mean_180d(bill_last: Column, bill_mean_180d: Column) -> Column:
    """最近账单与平均账单之比 | Last bill to the mean bill"""
    return ratio(bill_last, bill_mean_180d)


loans = Theme("loans", max_age_days=400)
loans.single("loan_count_ever", Take("count", "loans"), count("贷款笔数", "Loans so far"))
loans.single(
    "loan_amount_last",
    Take("last", "loans.amount"),
    money("最近一笔贷款金额", "Amount of the last loan"),
    Rule(credit=-1),
)
loans.single(
    "loan_payment_last",
    Take("last", "loans.payment"),
    money("最近一笔贷款月供", "Monthly payment of the last loan"),
    Rule(credit=-1),
)
loans.single(
    "loan_term_last",
    Take("last", "loans.term_months"),
    count("最近一笔贷款期限", "Term of the last loan", "months"),
)


@loans.derived("ratio", Rule(credit=-1, lever=True))
def loan_payment_to_inflow(loan_payment_last: Column, inflow_sum_180d: Column) -> Column:
    """月供与月均入账之比 | Loan payment to money in a month"""
    return 6.0 * ratio(loan_payment_last, inflow_sum_180d)


@loans.derived("ratio", Rule(credit=-1, lever=True))
def loan_payment_to_balance(loan_payment_last: Column, balance_mean_180d: Column) -> Column:
    """月供与平均余额之比 | Loan payment to the mean balance"""
    return ratio(loan_payment_last, balance_mean_180d)


THEMES = (repayment, utilisation, loans)
