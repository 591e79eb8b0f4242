"""What moves through an account: money in and out, its cost, and the balance it leaves.

Declarations only, two lines a family; windows are days before as_of.
"""

# ruff: noqa: I001
# fmt: off
from __future__ import annotations

from features.declare import (
    Quotient, Rule, Take, Theme, against, count, days, money, quotient, since, slope,
)

T, AMOUNT, BALANCE = "transactions", "transactions.amount", "transactions.balance"
IN, OUT = ("inflow",), ("outflow",)
SAFE, RISKY = Rule(credit=1), Rule(credit=-1)

flows = Theme("flows", owner="retail banking")
flows.single("inflow_recency_days", Take("recency", T, IN),
    since("距上次入账天数", "Days since money last came in"))
flows.windowed("inflow_count_{w}d", Take("count", T, IN), (90, 180),
    count("近{w}天入账次数", "Payments in over the past {w} days"))
flows.windowed("outflow_count_{w}d", Take("count", T, OUT), (90, 180),
    count("近{w}天转出次数", "Payments out over the past {w} days"))
flows.windowed("inflow_sum_{w}d", Take("sum", AMOUNT, IN), (30, 90, 180, 365),
    money("近{w}天入账金额", "Money in over the past {w} days"), SAFE)
flows.windowed("outflow_sum_{w}d", Take("sum", AMOUNT, OUT), (30, 90, 180, 365),
    money("近{w}天转出金额", "Money out over the past {w} days"))
flows.windowed("inflow_std_{w}d", Take("std", AMOUNT, IN), (180,),
    money("近{w}天单笔入账波动", "Spread of payments in over the past {w} days"))
flows.windowed("inflow_gap_std_{w}d", Take("gap_std", T, IN), (180,),
    days("近{w}天入账间隔波动", "Spread of the days between payments in, past {w} days"))
flows.windowed("cost_sum_{w}d", Take("sum", AMOUNT, ("cost",)), (90, 365),
    money("近{w}天费用与利息", "Fees and interest in the past {w} days"))
flows.single("penalty_count_ever", Take("count", T, ("penalty",)),
    count("历来罚息次数", "Penalties ever"), RISKY)
flows.quotient("outflow_ratio_90d", Quotient("outflow_sum_90d", "inflow_sum_90d"),
    quotient("近90天转出与入账之比", "Money out to money in over the past 90 days"), RISKY)
flows.quotient("inflow_ratio_30d_to_180d", Quotient("inflow_sum_30d", "inflow_sum_180d", 6.0),
    against("近30天与近180天日均入账之比", "Money in a day: past 30 days to past 180 days"))

balances = Theme("balances", owner="retail banking")
balances.single("balance_last", Take("last", BALANCE), money("当前余额", "Balance now"), SAFE)
balances.windowed("balance_min_{w}d", Take("min", BALANCE), (30, 90, 180),
    money("近{w}天最低余额", "Lowest balance in the past {w} days"), SAFE)
balances.single("balance_min_ever", Take("min", BALANCE),
    money("历来最低余额", "Lowest balance ever"), SAFE)
balances.windowed("balance_mean_{w}d", Take("mean", BALANCE), (90, 180),
    money("近{w}天平均余额", "Mean balance in the past {w} days"), SAFE)
balances.windowed("balance_max_{w}d", Take("max", BALANCE), (180,),
    money("近{w}天最高余额", "Highest balance in the past {w} days"))
balances.windowed("balance_std_{w}d", Take("std", BALANCE), (180,),
    money("近{w}天余额波动", "Spread of the balance in the past {w} days"))
balances.windowed("balance_slope_{w}d", Take("slope", BALANCE), (180,),
    slope("近{w}天余额趋势(每天)", "Trend of the balance a day over the past {w} days"))
balances.quotient("balance_to_mean_180d", Quotient("balance_last", "balance_mean_180d"),
    against("当前余额与近180天平均之比", "Balance now to the mean of the past 180 days"))

THEMES = (flows, balances)
