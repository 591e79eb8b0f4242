"""How customers borrow and pay: repayment, utilisation, loans.

Declarations only, two lines a family; windows are days before as_of. Rises, falls and cures follow
from statement to statement.
"""

# ruff: noqa: I001
# fmt: off
from __future__ import annotations

from features.declare import (
    LEVER, Column, Quotient, Rule, Take, Theme, against, count, days, money, share, slope, since,
)

S, DPD, PAID, BILL = (
    "statements", "statements.days_past_due", "statements.paid", "statements.bill"
)
USED, TO_BILL = "statements.utilisation", "statements.paid_to_bill"
LATE, PAYS = Rule(credit=-1, lever=3), Rule(credit=1, lever=2)
PAST, WELL = Rule(credit=-1), Rule(credit=1)
W, HALF, LAGS = (90, 180, 365), (180,), (30, 60, 90, 120, 150)

repayment = Theme("repayment", 62, owner="credit risk")
repayment.single("days_past_due_last", Take("last", DPD),
    days("当前逾期天数", "Days past due now"), LATE)
repayment.before("days_past_due_{w}d_ago", Take("last", DPD, days=30), LAGS,
    days("{w}天前的逾期天数", "Days past due {w} days ago"), PAST)
repayment.windowed("days_past_due_max_{w}d", Take("max", DPD), W,
    days("近{w}天最长逾期天数", "Most days past due in the past {w} days"), LATE)
repayment.windowed("days_past_due_mean_{w}d", Take("mean", DPD), (180, 365),
    days("近{w}天平均逾期天数", "Mean days past due in the past {w} days"), LATE)
repayment.single("days_past_due_max_ever", Take("max", DPD),
    days("历来最长逾期天数", "Most days past due ever"), PAST)
repayment.windowed("days_past_due_slope_{w}d", Take("slope", DPD), HALF,
    slope("近{w}天逾期趋势(每天)", "Trend of days past due over the past {w} days"))
repayment.windowed("past_due_count_{w}d", Take("count", S, ("past_due",)), W,
    count("近{w}天逾期期数", "Statements past due in the past {w} days"), LATE)
repayment.windowed("past_due_30_count_{w}d", Take("count", S, ("past_due_30",)), (180, 365),
    count("近{w}天逾期30天以上期数", "Statements 30 days past due in the past {w} days"), LATE)
repayment.single("past_due_60_count_ever", Take("count", S, ("past_due_60",)),
    count("历来逾期60天以上期数", "Statements 60 days past due ever"), PAST)
repayment.single("past_due_30_recency_days", Take("recency", S, ("past_due_30",)),
    since("距上次逾期30天以上的天数", "Days since last 30 days past due"), WELL)
repayment.single("past_due_recency_days", Take("recency", S, ("past_due",)),
    since("距上次逾期的天数", "Days since last past due"), WELL)
repayment.windowed("rolled_up_count_{w}d", Take("rises", DPD), (180, 365),
    count("近{w}天逾期加重次数", "Times days past due rose in the past {w} days"), LATE)
repayment.windowed("rolled_down_count_{w}d", Take("falls", DPD), HALF,
    count("近{w}天逾期减轻次数", "Times days past due fell in the past {w} days"))
repayment.windowed("cured_count_{w}d", Take("cures", DPD), (365,),
    count("近{w}天逾期结清次数", "Times all that was past due was paid, past {w} days"))
repayment.windowed("full_payment_share_{w}d", Take("share", S, (), ("paid_in_full",)), W,
    share("近{w}天全额还款占比", "Share of statements paid in full in the past {w} days"), PAYS)
repayment.windowed("unused_share_{w}d", Take("share", S, (), ("unused",)), HALF,
    share("近{w}天未用卡占比", "Share of statements without use in the past {w} days"))
repayment.windowed("revolving_share_{w}d", Take("share", S, (), ("revolving",)), HALF,
    share("近{w}天循环信用占比", "Share of revolving statements in the past {w} days"))
repayment.windowed("some_paid_share_{w}d", Take("share", S, (), ("some_paid",)), HALF,
    share("近{w}天有还款的期数占比", "Share of statements with a payment, past {w} days"), PAYS)
repayment.windowed("paid_sum_{w}d", Take("sum", PAID), (90, 180),
    money("近{w}天还款金额", "Paid in the past {w} days"), PAYS)
repayment.windowed("paid_min_{w}d", Take("min", PAID), HALF,
    money("近{w}天最低单期还款", "Smallest payment of a statement in the past {w} days"), PAYS)
repayment.windowed("paid_max_{w}d", Take("max", PAID), HALF,
    money("近{w}天最高单期还款", "Largest payment of a statement in the past {w} days"))
repayment.single("paid_last", Take("last", PAID),
    money("最近一期还款", "Paid on the last statement"), PAYS)
repayment.before("paid_{w}d_ago", Take("last", PAID, days=30), LAGS,
    money("{w}天前一期的还款", "Paid {w} days ago"), WELL)
repayment.windowed("paid_to_bill_min_{w}d", Take("min", TO_BILL), HALF,
    share("近{w}天还款占账单最低比", "Lowest share of a bill paid, past {w} days"), PAYS)
repayment.windowed("paid_to_bill_median_{w}d", Take("median", TO_BILL), HALF,
    share("近{w}天还款占账单中位数", "Median share of a bill paid, past {w} days"), PAYS)

utilisation = Theme("utilisation", 62, owner="credit risk")
utilisation.single("utilisation_last", Take("last", USED),
    share("当前额度使用率", "Credit utilisation now"), LEVER)
utilisation.windowed("utilisation_mean_{w}d", Take("mean", USED), (90, 180),
    share("近{w}天平均额度使用率", "Mean credit utilisation in the past {w} days"), LEVER)
utilisation.windowed("utilisation_max_{w}d", Take("max", USED), (180, 365),
    share("近{w}天最高额度使用率", "Highest credit utilisation in the past {w} days"), LEVER)
utilisation.windowed("utilisation_std_{w}d", Take("std", USED), HALF,
    share("近{w}天额度使用率波动", "Spread of credit utilisation in the past {w} days"))
utilisation.windowed("utilisation_slope_{w}d", Take("slope", USED), HALF,
    slope("近{w}天额度使用率趋势(每天)", "Trend of utilisation over the past {w} days"))
utilisation.windowed("paid_to_limit_mean_{w}d", Take("mean", "statements.paid_to_limit"), HALF,
    share("近{w}天平均还款占额度", "Mean payment to limit in the past {w} days"), PAYS)
utilisation.single("bill_last", Take("last", BILL), money("最近一期账单", "Last bill"))
utilisation.before("bill_{w}d_ago", Take("last", BILL, days=30), LAGS,
    money("{w}天前的账单", "Bill {w} days ago"))
utilisation.windowed("bill_sum_{w}d", Take("sum", BILL), (90, 180),
    money("近{w}天账单合计", "Billed in the past {w} days"))
utilisation.windowed("bill_mean_{w}d", Take("mean", BILL), HALF,
    money("近{w}天平均账单", "Mean bill in the past {w} days"))
utilisation.windowed("bill_slope_{w}d", Take("slope", BILL), HALF,
    slope("近{w}天账单趋势(每天)", "Trend of bills over the past {w} days"))
utilisation.single("limit_last", Take("last", "statements.limit"),
    money("授信额度", "Credit limit"), WELL)
utilisation.single("statement_count_ever", Take("count", S), count("账单期数", "Statements so far"))
utilisation.single("statement_tenure_days", Take("tenure", S),
    days("首期账单至今天数", "Days since the first statement"))
utilisation.quotient("payment_ratio_90d", Quotient("paid_sum_90d", "bill_sum_90d", most=5.0),
    share("近90天还款与账单之比", "Paid to billed in the past 90 days"), PAYS)
utilisation.quotient("payment_ratio_180d", Quotient("paid_sum_180d", "bill_sum_180d", most=5.0),
    share("近180天还款与账单之比", "Paid to billed in the past 180 days"), PAYS)
utilisation.quotient("payment_ratio_last", Quotient("paid_last", "bill_30d_ago", most=5.0),
    share("最近还款与上期账单之比", "Last payment to the bill before it"), PAYS)
utilisation.quotient("bill_to_mean_180d", Quotient("bill_last", "bill_mean_180d"),
    against("最近账单与平均账单之比", "Last bill to the mean bill"))


@utilisation.derived("currency", Rule(credit=1, lever=2))
def limit_left(limit_last: Column, bill_last: Column) -> Column:
    """可用额度 | Limit left"""
    return limit_last - bill_last


loans = Theme("loans", 400, owner="credit risk")
loans.single("loan_count_ever", Take("count", "loans"), count("贷款笔数", "Loans so far"))
loans.single("loan_amount_last", Take("last", "loans.amount"),
    money("最近一笔贷款金额", "Amount of the last loan"), PAST)
loans.single("loan_payment_last", Take("last", "loans.payment"),
    money("最近一笔贷款月供", "Monthly payment of the last loan"), PAST)
loans.single("loan_term_last", Take("last", "loans.term_months"),
    count("最近一笔贷款期限", "Term of the last loan", "months"))
loans.quotient("loan_payment_to_inflow", Quotient("loan_payment_last", "inflow_sum_180d", 6.0),
    share("月供与月均入账之比", "Loan payment to money in a month"), LATE)
loans.quotient("loan_payment_to_balance", Quotient("loan_payment_last", "balance_mean_180d"),
    share("月供与平均余额之比", "Loan payment to the mean balance"), LATE)

THEMES = (repayment, utilisation, loans)
