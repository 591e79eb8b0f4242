"""Arrow tables from the arrays of a chunk: names instead of codes, ids, sorted rows, trouble.

Enters: customers, events, statements, contacts, loans. Leaves: tables of exactly the columns of
`events/schema.py`, rows by customer and time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from domain.asof import MICROS_PER_DAY
from domain.errors import InputError
from events.bank import interactions, profile, purchases, statements
from events.bank.config import BankConfig
from events.bank.latent import CATEGORIES, CHANNELS, REGIONS, Customers
from events.bank.money import balances
from events.bank.months import Months, month_name
from events.bank.streams import Floats, Ints
from events.bank.trouble import Spoilt, spoil
from events.schema import INSTANT, TABLES

_TRANSACTIONS, _STATEMENTS, _INTERACTIONS = 1, 2, 3
_EVENTS_OF_ONE = 1_000_000


def customers_table(config: BankConfig, customers: Customers, months: Months) -> pa.Table:
    """The customers of a chunk, every version."""
    rows = profile.versions(config, customers, months)
    who = rows.who
    return _table(
        "customers",
        {
            "customer_id": _ids("C", customers.number[who], 7),
            "happened_at": rows.happened,
            "known_at": rows.known,
            "joined_at": customers.join[who],
            "birth_on": pa.array(customers.birth_day[who].astype(np.int32), pa.date32()),
            "gender": _names(profile.GENDERS, customers.is_female[who].astype(np.int64)),
            "marital": _names(profile.MARITAL, customers.marital[who]),
            "dependants": customers.children[who].astype(np.float64),
            "education": customers.education[who].astype(np.float64),
            "income": rows.income,
            "employed_since": profile.employed_micros(customers)[who],
            "owns_home": pa.array(rows.owns_home),
            "owns_car": pa.array(customers.owns_car[who]),
            "region": _names(REGIONS, customers.region[who]),
            "person_id": pa.nulls(who.size, pa.string()),
            "products": rows.products,
        },
    )


def transactions_table(
    config: BankConfig, customers: Customers, months: Months, events: purchases.Events
) -> pa.Table:
    """The transactions of a chunk up to the end of the data, spoilt."""
    happened = np.maximum(events.happened, customers.join[events.who])
    order, number = _numbered(events.who, happened, months)
    events = purchases.Events(**{k: v[order] for k, v in vars(events).items()})
    happened = happened[order]
    keys = customers.number[events.who] * _EVENTS_OF_ONE + number
    spoilt = spoil(config, _TRANSACTIONS, keys, happened)
    balance = balances(config, customers, events)
    row = spoilt.row
    return _table(
        "transactions",
        {
            "customer_id": _ids("C", customers.number[events.who[row]], 7),
            "happened_at": happened[row],
            "known_at": spoilt.known,
            "event_id": _ids("T", keys[row], 13),
            "kind": _names(purchases.KINDS, events.kind[row]),
            "amount": _cents(events.amount[row], spoilt),
            "channel": _names(CHANNELS, events.channel[row]),
            "category": _names(CATEGORIES, events.category[row]),
            "items": _floats(events.items[row]),
            "balance": _floats(balance[row]),
        },
    )


def statements_table(
    config: BankConfig, customers: Customers, months: Months, made: statements.Statements
) -> pa.Table:
    """The statements of a chunk, spoilt (corrections mend the amount paid)."""
    order, number = _numbered(made.who, made.happened, months)
    made = statements.Statements(**{k: v[order] for k, v in vars(made).items()})
    keys = customers.number[made.who] * _EVENTS_OF_ONE + number
    spoilt = spoil(config, _STATEMENTS, keys, made.happened)
    row = spoilt.row
    who = made.who[row]
    return _table(
        "statements",
        {
            "customer_id": _ids("C", customers.number[who], 7),
            "happened_at": made.happened[row],
            "known_at": spoilt.known,
            "account_id": _ids("A", customers.number[who], 7),
            "status": _names(statements.STATUSES, made.status[row]),
            "days_past_due": made.past_due[row].astype(np.float64),
            "bill": made.bill[row],
            "paid": _cents(made.paid[row], spoilt),
            "limit": customers.limit[who],
            "linked_days_past_due": pa.nulls(len(row)),  # nobody has a second id
        },
    )


def loans_table(customers: Customers, loans: statements.Loans) -> pa.Table:
    """The loans of a chunk."""
    number = customers.number[loans.who]
    return _table(
        "loans",
        {
            "customer_id": _ids("C", number, 7),
            "happened_at": loans.happened,
            "known_at": loans.happened,
            "loan_id": _ids("L", number, 7),
            "amount": loans.amount,
            "term_months": loans.term.astype(np.float64),
            "payment": loans.payment,
        },
    )


def interactions_table(
    config: BankConfig, customers: Customers, months: Months, made: interactions.Contacts
) -> pa.Table:
    """The interactions of a chunk up to the end of the data, late or doubled at times."""
    happened = np.maximum(made.happened, customers.join[made.who])
    order, number = _numbered(made.who, happened, months)
    made = interactions.Contacts(**{k: v[order] for k, v in vars(made).items()})
    happened = happened[order]
    keys = customers.number[made.who] * _EVENTS_OF_ONE + number
    spoilt = spoil(config, _INTERACTIONS, keys, happened, corrects=False)
    row = spoilt.row
    return _table(
        "interactions",
        {
            "customer_id": _ids("C", customers.number[made.who[row]], 7),
            "happened_at": happened[row],
            "known_at": spoilt.known,
            "event_id": _ids("I", keys[row], 13),
            "kind": _names(interactions.KINDS, made.kind[row]),
            "channel": _names(interactions.CHANNELS, made.channel[row]),
            "score": _floats(made.score[row]),
            "campaign_id": _names(campaign_names(months), made.campaign[row]),
        },
    )


def campaign_names(months: Months) -> tuple[str, ...]:
    """The campaign id of each month: `campaign-2025-04`."""
    return tuple(f"campaign-{month_name(months, m)}" for m in range(months.count))


def customer_ids(numbers: Ints) -> pa.Array:
    """`C0000001` for customer number 1."""
    return _ids("C", numbers, 7)


def instants(micros: NDArray[np.generic]) -> pa.Array:
    """Microseconds as Arrow instants."""
    return pa.array(micros).cast(INSTANT)


def _numbered(who: Ints, happened: Ints, months: Months) -> tuple[Ints, Ints]:
    """Order by customer and time of rows up to the end of the data, and number within customer."""
    inside = np.flatnonzero(happened <= months.starts[-1])
    span = int(months.starts[-1] - months.starts[0]) + 2 * MICROS_PER_DAY
    key = who[inside] * span + (happened[inside] - months.starts[0])
    order = inside[np.argsort(key, kind="stable")]
    sorted_who = who[order]
    number = np.arange(len(order)) - np.searchsorted(sorted_who, sorted_who)
    if len(number) and number.max() >= _EVENTS_OF_ONE:
        raise InputError(
            f"a customer has more than {_EVENTS_OF_ONE:,} events: lower visits_per_month"
        )
    return order, number


def _cents(amount: Floats, spoilt: Spoilt) -> Floats:
    """Amounts with the faulty first versions, which differ from the true ones by a cent or more."""
    wrong = np.round(amount * spoilt.factor, 2)
    same = (wrong == amount) & (spoilt.factor != 1)
    return np.where(same, amount + 0.01, wrong)


def _ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _names(names: tuple[str, ...], codes: Ints) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.array(names, pa.string()).take(indices)


def _floats(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _table(name: str, columns: Mapping[str, pa.Array | NDArray[np.generic]]) -> pa.Table:
    schema = TABLES[name].schema
    arrays = [
        instants(columns[f.name]) if f.type == INSTANT else pa.array(columns[f.name], f.type)
        for f in schema
    ]
    return pa.table(arrays, schema=schema)
