"""How customers borrow and pay: repayment, utilisation, loans.

Declarations only; windows are days before as_of. Rises, falls, cures: statement to statement.
"""

from __future__ import annotations

from features.declare import LEVER, Rule, Subject, Take, Theme, against, count, days, money, share
from features.formulas import Column, Quotient

S = "statements"
DPD, PAID, BILL = (f"statements.{n}" for n in ("days_past_due", "paid", "bill"))
LATE, PAYS = Rule(credit=-1, lever=3), Rule(credit=1, lever=2)
PAST, WELL = Rule(credit=-1), Rule(credit=1)
W, HALF, LAGS = (90, 180, 365), (180,), (30, 60, 90, 120, 150)

issued, overdue = Subject("statement", S), Subject("days_past_due", DPD, unit="days")
missed, missed_30, missed_60 = (
    Subject(name, S, (name,)) for name in ("past_due", "past_due_30", "past_due_60"))
linked = Subject("linked_days_past_due", f"{S}.linked_days_past_due", unit="days")
billed, paid = Subject("bill", BILL), Subject("paid", PAID)
covered, used = (Subject(n, f"{S}.{n}", unit="share") for n in ("paid_to_bill", "utilisation"))

repayment = Theme("repayment", 62, owner="credit risk")
repayment.ever(overdue, "last", "当前逾期天数 | Time past due now", LATE)
repayment.before("days_past_due_{w}d_ago", Take("last", DPD, days=30), LAGS,
    days("{w}天前的逾期天数", "Time past due {w} days ago"), PAST)
repayment.past(overdue, "max", W, "最长逾期天数 | Longest time past due", LATE)
repayment.past(overdue, "mean", W[1:], "平均逾期天数 | Mean time past due", LATE)
repayment.ever(overdue, "max", "历来最长逾期天数 | Longest time past due ever", PAST)
repayment.past(overdue, "slope", HALF, "逾期趋势（每天） | Trend of the time past due")
repayment.past(missed, "count", W, "逾期次数 | Statements past due", LATE)
repayment.past(missed_30, "count", W[1:], "逾期30天以上次数 | Statements 30 days past due", LATE)
repayment.ever(missed_60, "count", "历来逾期60天以上次数 | Statements 60 days past due ever", PAST)
repayment.ever(missed_30, "recency",
    "距上次逾期30天以上的天数 | Days since a payment was last 30 days late", WELL)
repayment.ever(missed, "recency", "距上次逾期的天数 | Days since a payment was last late", WELL)
repayment.windowed("rolled_up_count_{w}d", Take("rises", DPD), (180, 365),
    count("近{w}天逾期加重次数", "Increases in days past due in the past {w} days"), LATE)
repayment.windowed("rolled_down_count_{w}d", Take("falls", DPD), HALF,
    count("近{w}天逾期减轻次数", "Decreases in days past due in the past {w} days"))
repayment.windowed("cured_count_{w}d", Take("cures", DPD), (365,),
    count("近{w}天逾期结清次数", "Full recoveries from arrears in the past {w} days"))
repayment.past(linked, "max", W[2:], "关联账户最长逾期天数 | Longest linked arrears", PAST)
repayment.ever(linked, "max", "关联账户历来最长逾期天数 | Longest linked arrears ever", PAST)
repayment.windowed("full_payment_share_{w}d", Take("share", S, (), ("paid_in_full",)), W,
    share("近{w}天全额还款占比", "Share of statements paid in full in the past {w} days"), PAYS)
repayment.shares(issued, "unused", HALF, "未用卡占比 | Share of statements without use")
repayment.shares(issued, "revolving", HALF, "循环信用占比 | Share of revolving statements")
repayment.shares(issued, "some_paid", HALF,
    "有还款的期数占比 | Share of statements with a payment", PAYS)
repayment.past(paid, "sum", (90, 180), "还款金额 | Amount paid", PAYS)
repayment.past(paid, "min", HALF, "最低单期还款 | Smallest payment of a statement", PAYS)
repayment.past(paid, "max", HALF, "最高单期还款 | Largest payment of a statement")
repayment.ever(paid, "last", "最近一期还款 | Amount paid on the last statement", PAYS)
repayment.before("paid_{w}d_ago", Take("last", PAID, days=30), LAGS,
    money("{w}天前一期的还款", "Amount paid {w} days ago"), WELL)
repayment.past(covered, "min", HALF, "还款占账单最低比 | Lowest share of a bill paid", PAYS)
repayment.past(covered, "median", HALF, "还款占账单中位数 | Median share of a bill paid", PAYS)

utilisation = Theme("utilisation", 62, owner="credit risk")
utilisation.ever(used, "last", "当前额度使用率 | Credit utilisation now", LEVER)
utilisation.past(used, "mean", (90, 180), "平均额度使用率 | Mean credit utilisation", LEVER)
utilisation.past(used, "max", (180, 365), "最高额度使用率 | Highest credit utilisation", LEVER)
utilisation.past(used, "std", HALF, "额度使用率波动 | Spread of credit utilisation")
utilisation.past(used, "slope", HALF, "额度使用率趋势（每天） | Trend of utilisation")
utilisation.windowed("paid_to_limit_mean_{w}d", Take("mean", "statements.paid_to_limit"), HALF,
    share("近{w}天平均还款占额度", "Mean share of the limit paid in the past {w} days"), PAYS)
utilisation.ever(billed, "last", "最近一期账单 | Last bill")
utilisation.before("bill_{w}d_ago", Take("last", BILL, days=30), LAGS,
    money("{w}天前的账单", "Bill {w} days ago"))
utilisation.past(billed, "sum", (90, 180), "账单合计 | Amount billed")
utilisation.past(billed, "mean", HALF, "平均账单 | Mean bill")
utilisation.past(billed, "slope", HALF, "账单趋势（每天） | Trend of bills")
utilisation.latest("statements.limit", "currency", "授信额度 | Credit limit", WELL)
utilisation.ever(issued, "count", "累计出账次数 | Statements so far")
utilisation.ever(issued, "tenure", "首期账单至今天数 | Days since the first statement")
utilisation.quotient("payment_ratio_90d", Quotient("paid_sum_90d", "bill_sum_90d", most=5.0),
    share("近90天还款与账单之比", "Share of bills paid in the past 90 days"), PAYS)
utilisation.quotient("payment_ratio_180d", Quotient("paid_sum_180d", "bill_sum_180d", most=5.0),
    share("近180天还款与账单之比", "Share of bills paid in the past 180 days"), PAYS)
utilisation.quotient("payment_ratio_last", Quotient("paid_last", "bill_30d_ago", most=5.0),
    share("最近还款与上期账单之比", "Share paid of the bill before the last"), PAYS)
utilisation.quotient("bill_to_mean_180d", Quotient("bill_last", "bill_mean_180d"),
    against("最近账单与平均账单之比", "Last bill to the mean bill"))


@utilisation.derived("currency", Rule(credit=1, lever=2))
def limit_left(limit_last: Column, bill_last: Column) -> Column:
    """可用额度 | Credit limit left"""
    return limit_last - bill_last


loans = Theme("loans", 400, owner="credit risk")
loans.single("loan_count_ever", Take("count", "loans"), count("贷款笔数", "Loans", "loans"))
loans.single("loan_amount_last", Take("last", "loans.amount"),
    money("最近一笔贷款金额", "Amount of the last loan"), PAST)
loans.single("loan_payment_last", Take("last", "loans.payment"),
    money("最近一笔贷款月供", "Monthly payment of the last loan"), PAST)
loans.single("loan_term_last", Take("last", "loans.term_months"),
    count("最近一笔贷款期限", "Term of the last loan", "months"))
loans.quotient("loan_payment_to_inflow", Quotient("loan_payment_last", "inflow_sum_180d", 6.0),
    share("月供与月均入账之比", "Loan payment as a share of monthly money in"), LATE)
loans.quotient("loan_payment_to_balance", Quotient("loan_payment_last", "balance_mean_180d"),
    share("月供与平均余额之比", "Loan payment as a share of the mean balance"), LATE)

THEMES = (repayment, utilisation, loans)
