"""Who customers are and how they deal with us: engagement, relationship, profile.

Declarations only, two lines a family; windows are days before as_of.
"""

# ruff: noqa: I001
# fmt: off
from __future__ import annotations

from features.declare import (
    LEVER, Quotient, Rule, Take, Theme, against, count, days, money, quotient, share, since,
)

D, SCORE = "interactions", "interactions.score"
UPSET, PLEASED, APP = Rule(churn=-1, lever=1), Rule(churn=1, lever=2), ("app_session",)

engagement = Theme("engagement", owner="CRM")
engagement.windowed("complaint_count_{w}d", Take("count", D, ("complaint",)), (90, 365),
    count("近{w}天投诉次数", "Complaints in the past {w} days"), UPSET)
engagement.single("complaint_recency_days", Take("recency", D, ("complaint",)),
    since("距上次投诉天数", "Days since the last complaint"))
engagement.windowed("contact_count_{w}d", Take("count", D, ("contact",)), (90,),
    count("近{w}天联络次数", "Contacts in the past {w} days"))
engagement.windowed("app_session_count_{w}d", Take("count", D, APP), (30, 90),
    count("近{w}天App使用次数", "App sessions in the past {w} days"), PLEASED)
engagement.decayed("app_session_decay_{w}d", Take("count", D, APP), (30,),
    count("App使用次数(每{w}天减半计)", "App sessions, each worth half after {w} days"), PLEASED)
engagement.single("app_recency_days", Take("recency", D, APP),
    since("距上次使用App天数", "Days since the app was last used"), UPSET)
engagement.single("satisfaction_last", Take("last", SCORE, ("satisfaction",)),
    count("最近满意度", "Last satisfaction score", "of 5"), PLEASED)
engagement.windowed("satisfaction_mean_{w}d", Take("mean", SCORE, ("satisfaction",)), (365,),
    count("近{w}天平均满意度", "Mean satisfaction in the past {w} days", "of 5"), PLEASED)
engagement.windowed("satisfaction_min_{w}d", Take("min", SCORE, ("satisfaction",)), (365,),
    count("近{w}天最低满意度", "Lowest satisfaction in the past {w} days", "of 5"), PLEASED)
engagement.windowed("campaign_count_{w}d", Take("count", D, ("campaign",)), (180,),
    count("近{w}天营销触达次数", "Campaigns sent in the past {w} days"), Rule(lever=1))
engagement.windowed("response_count_{w}d", Take("count", D, ("response",)), (180,),
    count("近{w}天营销响应次数", "Campaigns answered in the past {w} days"))
engagement.single("response_recency_days", Take("recency", D, ("response",)),
    since("距上次响应营销天数", "Days since a campaign was last answered"))
engagement.quotient("response_share_180d", Quotient("response_count_180d", "campaign_count_180d"),
    share("近180天营销响应率", "Share of campaigns answered in the past 180 days"))
engagement.quotient("app_ratio_30d_to_90d",
    Quotient("app_session_count_30d", "app_session_count_90d", 3.0),
    against("近30天与近90天App使用之比", "App use a day: past 30 days to past 90 days"), PLEASED)

relationship = Theme("relationship", 400, owner="CRM")
relationship.single("transaction_tenure_days", Take("tenure", "transactions"),
    days("首笔交易至今天数", "Days since the first transaction"))
relationship.single("relationship_days", Take("age", "customers.joined_at"),
    days("开户至今天数", "Days since joining"))
relationship.single("products_last", Take("last", "customers.products"),
    count("持有产品数", "Products held", "products"), LEVER)

profile = Theme("profile", 400, owner="customer data")
profile.single("income_last", Take("last", "customers.income"),
    money("年收入", "Income a year"), Rule(credit=1))
profile.single("education_last", Take("last", "customers.education"),
    count("教育程度", "Level of education", "of 4"))
profile.single("employed_days", Take("age", "customers.employed_since"),
    days("现职工作天数", "Days in the current work"))
profile.single("owns_home_last", Take("last", "customers.owns_home"),
    count("有房产", "Owns a home", "flag"))
profile.single("owns_car_last", Take("last", "customers.owns_car"),
    count("有车", "Owns a car", "flag"))
profile.single("age_years", Take("age", "customers.birth_on", scale=1 / 365.25),
    count("年龄", "Age", "years"))
profile.single("dependants_last", Take("last", "customers.dependants"),
    count("受抚养人数", "Dependants", "people"))
profile.quotient("limit_to_income", Quotient("limit_last", "income_last"),
    quotient("授信额度与年收入之比", "Credit limit to income"))

THEMES = (engagement, relationship, profile)
