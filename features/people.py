"""Who customers are and how they deal with us: engagement, relationship, profile."""

from __future__ import annotations

from features.declare import (
    LEVER,
    Column,
    Rule,
    Take,
    Theme,
    count,
    days,
    money,
    ratio,
)

DEALINGS = "interactions"

engagement = Theme("engagement")
engagement.windowed(
    "complaint_count_{w}d",
    Take("count", DEALINGS, ("complaint",)),
    (90, 365),
    count("近{w}天投诉次数", "Complaints in the past {w} days"),
    Rule(churn=-1, lever=True),
)
engagement.single(
    "complaint_recency_days",
    Take("recency", DEALINGS, ("complaint",)),
    days("距上次投诉天数", "Days since the last complaint"),
)
engagement.windowed(
    "contact_count_{w}d",
    Take("count", DEALINGS, ("contact",)),
    (90,),
    count("近{w}天联络次数", "Contacts in the past {w} days"),
)
engagement.windowed(
    "app_session_count_{w}d",
    Take("count", DEALINGS, ("app_session",)),
    (30, 90),
    count("近{w}天App使用次数", "App sessions in the past {w} days"),
    Rule(churn=1, lever=True),
)
engagement.single(
    "app_recency_days",
    Take("recency", DEALINGS, ("app_session",)),
    days("距上次使用App天数", "Days since the app was last used"),
    Rule(churn=-1, lever=True),
)
engagement.single(
    "satisfaction_last",
    Take("last", "interactions.score", ("satisfaction",)),
    count("最近满意度", "Last satisfaction score", "of 5"),
    Rule(churn=1, lever=True),
)
engagement.windowed(
    "satisfaction_mean_{w}d",
    Take("mean", "interactions.score", ("satisfaction",)),
    (365,),
    count("近{w}天平均满意度", "Mean satisfaction in the past {w} days", "of 5"),
    Rule(churn=1, lever=True),
)
engagement.windowed(
    "campaign_count_{w}d",
    Take("count", DEALINGS, ("campaign",)),
    (180,),
    count("近{w}天营销触达次数", "Campaigns sent in the past {w} days"),
    LEVER,
)
engagement.windowed(
    "response_count_{w}d",
    Take("count", DEALINGS, ("response",)),
    (180,),
    count("近{w}天营销响应次数", "Campaigns answered in the past {w} days"),
)


@engagement.derived("share")
def response_share_180d(response_count_180d: Column, campaign_count_180d: Column) -> Column:
    """近180天营销响应率 | Share of campaigns answered in the past 180 days"""
    return ratio(response_count_180d, campaign_count_180d)


@engagement.derived("ratio", Rule(churn=1, lever=True))
def app_ratio_30d_to_90d(app_session_count_30d: Column, app_session_count_90d: Column) -> Column:
    """近30天与近90天App使用之比 | App use a day: past 30 days to past 90 days"""
    return 3.0 * ratio(app_session_count_30d, app_session_count_90d)


relationship = Theme("relationship", max_age_days=400)
relationship.single(
    "transaction_tenure_days",
    Take("tenure", "transactions"),
    days("首笔交易至今天数", "Days since the first transaction"),
)
relationship.single(
    "relationship_days",
    Take("age", "customers.joined_at"),
    days("开户至今天数", "Days since joining"),
)
relationship.single(
    "products_last",
    Take("last", "customers.products"),
    count("持有产品数", "Products held", "products"),
    LEVER,
)

profile = Theme("profile", max_age_days=400)
profile.single(
    "income_last",
    Take("last", "customers.income"),
    money("年收入", "Income a year"),
    Rule(credit=1),
)
profile.single(
    "education_last",
    Take("last", "customers.education"),
    count("教育程度", "Level of education", "of 4"),
)
profile.single(
    "employed_days",
    Take("age", "customers.employed_since"),
    days("现职工作天数", "Days in the current work"),
)
profile.single(
    "owns_home_last", Take("last", "customers.owns_home"), count("有房产", "Owns a home", "flag")
)
profile.single(
    "owns_car_last", Take("last", "customers.owns_car"), count("有车", "Owns a car", "flag")
)
profile.single(
    "age_years", Take("age", "customers.birth_on", scale=1 / 365.25), count("年龄", "Age", "years")
)
profile.single(
    "dependants_last",
    Take("last", "customers.dependants"),
    count("受抚养人数", "Dependants", "people"),
)


@profile.derived("ratio")
def limit_to_income(limit_last: Column, income_last: Column) -> Column:
    """授信额度与年收入之比 | Credit limit to income"""
    return ratio(limit_last, income_last)


THEMES = (engagement, relationship, profile)
