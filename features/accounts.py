"""What moves through an account: money in and out, its cost, and the balance it leaves.

Declarations only, a line or two a family; windows are days before as_of.
"""

from __future__ import annotations

from features.declare import Rule, Subject, Theme, against, quotient
from features.formulas import Quotient

AMOUNT = "transactions.amount"
SAFE, RISKY = Rule(credit=1), Rule(credit=-1)

inflow, outflow = (Subject(n, AMOUNT, (n,)) for n in ("inflow", "outflow"))
costs, penalties = (Subject(n, AMOUNT, (n,)) for n in ("cost", "penalty"))
balance = Subject("balance", "transactions.balance")

flows = Theme("flows", owner="retail banking")
flows.ever(inflow, "recency", "距上次入账天数 | Days since money last came in")
flows.past(inflow, "count", (90, 180), "入账次数 | Payments in over the past {w} days")
flows.past(outflow, "count", (90, 180), "转出次数 | Payments out over the past {w} days")
flows.past(inflow, "sum", (30, 90, 180, 365), "入账金额 | Money in over the past {w} days", SAFE)
flows.past(outflow, "sum", (30, 90, 180, 365), "转出金额 | Money out over the past {w} days")
flows.past(inflow, "std", (180,), "单笔入账波动 | Spread of payments in over the past {w} days")
flows.past(inflow, "gap_std", (180,), "入账间隔波动 | Spread of the time between incoming payments")
flows.past(costs, "sum", (90, 365), "费用与利息 | Fees and interest")
flows.ever(penalties, "count", "历来罚息次数 | Penalties ever", RISKY)
flows.quotient("outflow_ratio_90d", Quotient("outflow_sum_90d", "inflow_sum_90d"),
    quotient("近90天转出与入账之比", "Ratio of money out to money in over 90 days"), RISKY)
flows.quotient("inflow_ratio_30d_to_180d", Quotient("inflow_sum_30d", "inflow_sum_180d", 6.0),
    against("近30天与近180天日均入账之比", "Money in a day: past 30 days to past 180 days"))

balances = Theme("balances", owner="retail banking")
balances.ever(balance, "last", "当前余额 | Balance now", SAFE)
balances.past(balance, "min", (30, 90, 180), "最低余额 | Lowest balance", SAFE)
balances.ever(balance, "min", "历来最低余额 | Lowest balance ever", SAFE)
balances.past(balance, "mean", (90, 180), "平均余额 | Mean balance", SAFE)
balances.past(balance, "max", (180,), "最高余额 | Highest balance")
balances.past(balance, "std", (180,), "余额波动 | Spread of the balance")
balances.past(balance, "slope", (180,), "余额趋势（每天） | Trend of the balance (a day)")
balances.quotient("balance_to_mean_180d", Quotient("balance_last", "balance_mean_180d"),
    against("当前余额与近180天平均之比", "Balance now to the mean of the past 180 days"))

THEMES = (flows, balances)
