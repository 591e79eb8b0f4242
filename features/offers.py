"""What each raw table offers the engine: values, conditions and keys of its events.

Enters: nothing. Leaves: data that says from which raw columns a value, a condition or a key is
made; the catalogue derives lineage from it and the engine fills its arrays by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ValueRule = Literal["column", "net", "ratio"]
ConditionRule = Literal["one_of", "at_least", "present", "weekend", "month_end"]
KeyRule = Literal["category", "day", "month", "weekday"]


@dataclass(frozen=True)
class Value:
    """A number of an event. `column`: as it stands (instants and dates in days since 1970, flags as
    0 and 1); `net`: signed, refunds count against; `ratio`: first by second column where that is
    above zero."""

    rule: ValueRule
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """A truth about an event; a missing value meets none. `month_end`: one of the last three UTC
    days of a month."""

    rule: ConditionRule
    column: str
    allowed: tuple[str, ...] = ()
    minimum: float = 0.0


@dataclass(frozen=True)
class Key:
    """What kinds of events are told apart by: a category, or the UTC day, month or weekday."""

    rule: KeyRule
    column: str


@dataclass(frozen=True)
class Offer:
    """Everything the engine can read from one table."""

    values: Mapping[str, Value] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)

    def columns_of(self, name: str) -> tuple[str, ...]:
        """The raw columns that a value, condition or key reads."""
        if name in self.values:
            return self.values[name].columns
        if name in self.keys:
            return (self.keys[name].column,)
        return (self.conditions[name].column,)

    def content(self) -> dict[str, Any]:
        """Plain data, to be hashed."""
        return {
            "values": {k: [v.rule, *v.columns] for k, v in self.values.items()},
            "conditions": {
                k: [c.rule, c.column, *c.allowed, c.minimum] for k, c in self.conditions.items()
            },
            "keys": {k: [v.rule, v.column] for k, v in self.keys.items()},
        }


def _plain(*columns: str) -> dict[str, Value]:
    return {column: Value("column", (column,)) for column in columns}


def _kind(*allowed: str) -> Condition:
    return Condition("one_of", "kind", allowed)


OFFERS: dict[str, Offer] = {
    "customers": Offer(
        values=_plain(
            "joined_at",
            "birth_on",
            "dependants",
            "education",
            "income",
            "employed_since",
            "owns_home",
            "owns_car",
            "products",
        ),
    ),
    "transactions": Offer(
        values={
            **_plain("amount", "items", "balance"),
            "net_spend": Value("net", ("amount", "kind")),
        },
        conditions={
            "purchase": _kind("purchase"),
            "refund": _kind("refund"),
            "spend": _kind("purchase", "refund"),
            "inflow": _kind("inflow"),
            "outflow": _kind("outflow"),
            "cost": _kind("fee", "interest"),
            "penalty": Condition("one_of", "category", ("penalty",)),
            **{c: Condition("one_of", "channel", (c,)) for c in ("online", "app", "branch")},
            **{c: Condition("one_of", "category", (c,)) for c in ("groceries", "dining", "travel")},
            "has_channel": Condition("present", "channel"),
            "has_category": Condition("present", "category"),
            "weekend": Condition("weekend", "happened_at"),
            "month_end": Condition("month_end", "happened_at"),
        },
        keys={
            "channel": Key("category", "channel"),
            "category": Key("category", "category"),
            "day": Key("day", "happened_at"),
            "month": Key("month", "happened_at"),
            "weekday": Key("weekday", "happened_at"),
        },
    ),
    "statements": Offer(
        values={
            **_plain("days_past_due", "bill", "paid", "limit", "linked_days_past_due"),
            "utilisation": Value("ratio", ("bill", "limit")),
            "paid_to_limit": Value("ratio", ("paid", "limit")),
            "paid_to_bill": Value("ratio", ("paid", "bill")),
        },
        conditions={
            "paid_in_full": Condition("one_of", "status", ("paid_in_full",)),
            "unused": Condition("one_of", "status", ("unused",)),
            "revolving": Condition("one_of", "status", ("revolving",)),
            "some_paid": Condition("at_least", "paid", minimum=0.01),
            "past_due": Condition("at_least", "days_past_due", minimum=1),
            "past_due_30": Condition("at_least", "days_past_due", minimum=30),
            "past_due_60": Condition("at_least", "days_past_due", minimum=60),
        },
    ),
    "loans": Offer(values=_plain("amount", "term_months", "payment")),
    "interactions": Offer(
        values=_plain("score"),
        conditions={
            "contact": _kind("contact"),
            "complaint": _kind("complaint"),
            "satisfaction": _kind("satisfaction"),
            "app_session": _kind("app_session"),
            "campaign": _kind("campaign"),
            "response": _kind("response"),
        },
    ),
}
