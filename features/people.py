"""Who customers are and how they deal with us: engagement, relationship, profile, completeness.

Declarations only, a line or two a family; windows are days before as_of.
"""

from __future__ import annotations

from features.declare import (
    LEVER, Rule, Subject, Take, Theme, against, count, days, quotient, share, since,
)
from features.formulas import Quotient

D = "interactions"
UPSET, PLEASED, APP = Rule(churn=-1, lever=1), Rule(churn=1, lever=2), ("app_session",)

complaints, contacts, campaigns, answers = (
    Subject(name, D, (name,)) for name in ("complaint", "contact", "campaign", "response")
)
sessions = Subject("app_session", D, APP, "count")
scored = Subject("satisfaction", "interactions.score", ("satisfaction",), "of 5")

engagement = Theme("engagement", owner="CRM")
engagement.past(complaints, "count", (90, 365), "投诉次数 | Complaints", UPSET)
engagement.ever(complaints, "recency", "距上次投诉天数 | Days since the last complaint")
engagement.past(contacts, "count", (90,), "联络次数 | Contacts")
engagement.past(sessions, "count", (30, 90), "App使用次数 | App sessions", PLEASED)
engagement.decayed(sessions, (30,), "App使用次数 | App sessions", PLEASED)
engagement.single("app_recency_days", Take("recency", D, APP),
    since("距上次使用App天数", "Days since the app was last used"), UPSET)
engagement.ever(scored, "last", "最近满意度 | Last satisfaction score", PLEASED)
engagement.past(scored, "mean", (365,), "平均满意度 | Mean satisfaction", PLEASED)
engagement.past(scored, "min", (365,), "最低满意度 | Lowest satisfaction", PLEASED)
engagement.past(campaigns, "count", (180,), "营销触达次数 | Campaigns sent", Rule(lever=1))
engagement.past(answers, "count", (180,), "营销响应次数 | Campaigns answered")
engagement.ever(answers, "recency", "距上次响应营销天数 | Days since a campaign was last answered")
engagement.quotient("response_share_180d", Quotient("response_count_180d", "campaign_count_180d"),
    share("近180天营销响应率", "Share of campaigns answered in the past 180 days"))
engagement.quotient("app_ratio_30d_to_90d",
    Quotient("app_session_count_30d", "app_session_count_90d", 3.0),
    against("近30天与近90天App使用之比", "App use a day: past 30 days to past 90 days"), PLEASED)

relationship = Theme("relationship", 400, owner="CRM")
relationship.single("transaction_tenure_days", Take("tenure", "transactions"),
    days("首笔交易至今天数", "Days since the first transaction"))
relationship.single("relationship_days", Take("age", "customers.joined_at"),
    days("开户至今天数", "Days since the account was opened"))
relationship.latest("customers.products", "products", "持有产品数 | Products held", LEVER)

profile = Theme("profile", 400, owner="customer data")
profile.latest("customers.income", "currency", "年收入 | Yearly income", Rule(credit=1))
profile.latest("customers.education", "of 4", "教育程度 | Level of education")
profile.single("employed_days", Take("age", "customers.employed_since"),
    days("现职工作天数", "Time in the current work"))
profile.latest("customers.owns_home", "flag", "有房产 | Home ownership")
profile.latest("customers.owns_car", "flag", "有车 | Car ownership")
profile.single("age_years", Take("age", "customers.birth_on", scale=1 / 365.25),
    count("年龄", "Age", "years"))
profile.latest("customers.dependants", "people", "受抚养人数 | Dependants")
profile.quotient("limit_to_income", Quotient("limit_last", "income_last"),
    quotient("授信额度与年收入之比", "Ratio of the credit limit to income"))

completeness = Theme("completeness", owner="customer data")
completeness.single("profile_recency_days", Take("recency", "customers"),
    since("距上次更新资料天数", "Days since the profile was last updated"))
completeness.single("transaction_months_ever", Take("distinct", "transactions.month"),
    count("历来有交易的月数", "Months with a transaction ever", "months"))
completeness.quotient("transaction_month_share",
    Quotient("transaction_months_ever", "transaction_tenure_days", 365.25 / 12, most=1.0),
    share("首笔交易以来有交易的月份占比", "Share of months with a transaction since the first"))
completeness.filled("known_table_share", ("profile_recency_days", "transaction_tenure_days",
    "statement_count_ever", "loan_count_ever", "contact_count_90d"),
    "有记录的数据表占比 | Share of tables with a record")
completeness.filled("filled_profile_share", ("relationship_days", "products_last", "income_last",
    "education_last", "employed_days", "owns_home_last", "owns_car_last"),
    "已填资料占比 | Share of the profile filled")

THEMES = (engagement, relationship, profile, completeness)
