"""The raw tables: columns, units, allowed values, clocks and classes of personal data.

One `Table` a table, one `Column` a column; checks, readers, the simulator and the docs read them.
Every table has `customer_id`, `happened_at` (when it came true) and `known_at` (when we learnt of
it; a reader that knows no better sets it to `happened_at`). A row with the same key and a later
`known_at` corrects the earlier one. Instants are `timestamp[us, UTC]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")


class Personal(StrEnum):
    """Class of personal data of a column; `none` of it ever reaches a log."""

    NONE = "none"
    IDENTIFIER = "identifier"
    BEHAVIOUR = "behaviour"
    FINANCIAL = "financial"
    PROTECTED = "protected"


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, unit, class of personal data, and what is allowed in it.

    `hint` is what the check says of a value that is no number, where there is more to say.
    """

    name: str
    type: pa.DataType
    unit: str
    personal: Personal
    text: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """One raw table; `key` names an event, so that the same key known later is a correction."""

    name: str
    text: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, columns in declared order."""
        return pa.schema([pa.field(c.name, c.type, nullable=not c.required) for c in self.columns])

    def column(self, name: str) -> Column:
        """The column of that name (KeyError where there is none)."""
        return {c.name: c for c in self.columns}[name]


def _clocks(happened: str) -> tuple[Column, ...]:
    return (
        Column("customer_id", pa.string(), "id", Personal.IDENTIFIER, "whose event", required=True),
        Column("happened_at", INSTANT, "instant", Personal.NONE, happened, required=True),
        Column("known_at", INSTANT, "instant", Personal.NONE, "when we learnt", required=True),
    )


def _amount(name: str, text: str, personal: Personal = Personal.FINANCIAL) -> Column:
    return Column(name, pa.float64(), "currency", personal, text, minimum=0, maximum=1e12)


def _id(name: str, text: str) -> Column:
    return Column(name, pa.string(), "id", Personal.IDENTIFIER, text, required=True)


def _choice(name: str, text: str, *allowed: str) -> Column:
    personal = Personal.BEHAVIOUR
    return Column(name, pa.string(), "category", personal, text, required=True, allowed=allowed)


PERSON_ID = Column(
    "person_id",
    pa.string(),
    "id",
    Personal.IDENTIFIER,
    "one for all ids of a person or household, as a hash of phone, e-mail or document; no feature "
    "reads it",
)
CUSTOMERS = Table(
    "customers",
    "what a customer told us; the latest version known counts",
    ("customer_id", "happened_at"),
    (
        *_clocks("since when this version holds; the first one is when the customer joined"),
        Column("joined_at", INSTANT, "instant", Personal.BEHAVIOUR, "when the relationship began"),
        Column("birth_on", pa.date32(), "date", Personal.PROTECTED, "date of birth"),
        Column("gender", pa.string(), "category", Personal.PROTECTED, "gender as told"),
        Column("marital", pa.string(), "category", Personal.PROTECTED, "marital status as told"),
        Column("dependants", pa.float64(), "people", Personal.PROTECTED, "children", minimum=0),
        Column(
            "education",
            pa.float64(),
            "level",
            Personal.BEHAVIOUR,
            "0 none to 4",
            minimum=0,
            maximum=4,
        ),
        _amount("income", "income a year"),
        Column("employed_since", INSTANT, "instant", Personal.BEHAVIOUR, "start of current work"),
        Column("owns_home", pa.bool_(), "flag", Personal.FINANCIAL, "owns real estate"),
        Column("owns_car", pa.bool_(), "flag", Personal.FINANCIAL, "owns a car"),
        Column("region", pa.string(), "category", Personal.BEHAVIOUR, "region or country"),
        PERSON_ID,
        Column(
            "products", pa.float64(), "products", Personal.BEHAVIOUR, "products held", minimum=0
        ),
    ),
)

TRANSACTIONS = Table(
    "transactions",
    "money that moved: one row an order or booking",
    ("event_id",),
    (
        *_clocks("when the money moved"),
        _id("event_id", "the order or booking"),
        _choice(
            "kind",
            "purchase and refund make spend; inflow and outflow move a balance",
            "purchase",
            "refund",
            "inflow",
            "outflow",
            "fee",
            "interest",
        ),
        Column(
            "amount",
            pa.float64(),
            "currency",
            Personal.FINANCIAL,
            "how much, without a sign: the kind has it",
            required=True,
            minimum=0,
            maximum=1e12,
        ),
        Column(
            "channel", pa.string(), "category", Personal.BEHAVIOUR, "where: online, branch, atm"
        ),
        Column("category", pa.string(), "category", Personal.BEHAVIOUR, "what for"),
        Column("items", pa.float64(), "items", Personal.BEHAVIOUR, "distinct items", minimum=0),
        Column("balance", pa.float64(), "currency", Personal.FINANCIAL, "balance after"),
    ),
)

STATEMENTS = Table(
    "statements",
    "one row an account and month: what was billed, paid and is past due",
    ("customer_id", "account_id", "happened_at"),
    (
        *_clocks("closing of the statement"),
        _id("account_id", "the credit account"),
        _choice(
            "status",
            "how the account stood at closing",
            "unused",
            "paid_in_full",
            "revolving",
            "past_due",
        ),
        Column(
            "days_past_due",
            pa.float64(),
            "days",
            Personal.FINANCIAL,
            "days past due at closing; of a band its first day",
            required=True,
            minimum=0,
            maximum=3650,
        ),
        Column("bill", pa.float64(), "currency", Personal.FINANCIAL, "billed; negative = credit"),
        _amount("paid", "paid in the month that ended at closing"),
        _amount("limit", "credit limit"),
        Column(
            "linked_days_past_due",
            pa.float64(),
            "days",
            Personal.FINANCIAL,
            "most days past due, at this closing, of what the same person owes under other ids",
            minimum=0,
            maximum=3650,
        ),
    ),
)

LOANS = Table(
    "loans",
    "loans granted; how they ended stands in outcomes, never here",
    ("loan_id",),
    (
        *_clocks("when it was granted, or asked for"),
        _id("loan_id", "the loan"),
        _amount("amount", "principal"),
        Column("term_months", pa.float64(), "months", Personal.FINANCIAL, "term", minimum=0),
        _amount("payment", "payment due a month"),
    ),
)

INTERACTIONS = Table(
    "interactions",
    "contacts that moved no money",
    ("event_id",),
    (
        *_clocks("when it took place"),
        _id("event_id", "the contact"),
        _choice(
            "kind",
            "what it was",
            "contact",
            "complaint",
            "satisfaction",
            "app_session",
            "campaign",
            "response",
        ),
        Column("channel", pa.string(), "category", Personal.BEHAVIOUR, "phone, app, email"),
        Column(
            "score", pa.float64(), "score", Personal.BEHAVIOUR, "satisfaction", minimum=1, maximum=5
        ),
        Column("campaign_id", pa.string(), "id", Personal.NONE, "campaign sent or answered"),
    ),
)

OUTCOMES = Table(
    "outcomes",
    "labels that a source states itself; no feature may read this table",
    ("customer_id", "decided_at"),
    (
        *_clocks("when the outcome came true"),
        Column(
            "decided_at", INSTANT, "instant", Personal.NONE, "as_of of the label", required=True
        ),
        Column(
            "is_bad", pa.bool_(), "flag", Personal.FINANCIAL, "defaulted, or left", required=True
        ),
    ),
)

TABLES: dict[str, Table] = {
    t.name: t for t in (CUSTOMERS, TRANSACTIONS, STATEMENTS, LOANS, INTERACTIONS, OUTCOMES)
}
