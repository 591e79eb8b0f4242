"""The truth as tables: latent values, the outlook at every as_of of the plan, campaign effects.

Enters: customers and their states by month. Leaves: Arrow tables. No reader, feature or model may
see them; they are for tests of optimality and for measuring estimators of effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from domain.asof import is_mature
from events.bank.config import BankConfig
from events.bank.default_truth import default_probability
from events.bank.latent import Customers
from events.bank.life import DORMANT, FADING, Life, LifeMonth
from events.bank.months import PURCHASE_HORIZON, Months, grids
from events.bank.statements import Accounts
from events.bank.streams import Floats
from events.bank.tables import campaign_names, customer_ids, instants
from events.bank.truth import outlook


@dataclass(frozen=True)
class Moment:
    """The states at the start of a month, closings of that midnight included."""

    month: int
    life: Life
    accounts: Accounts


def latent_table(customers: Customers) -> pa.Table:
    """One row a customer: every latent value that does not change."""
    columns = {
        "customer_id": customer_ids(customers.number),
        "joined_at": instants(customers.join),
    }
    names = (
        "satisfaction rate hazard fade complain come_back lift hold spend_log app_rate "
        "is_salaried has_card closing_day use ability"
    )
    columns |= {name: pa.array(getattr(customers, name)) for name in names.split()}
    return pa.table(columns)


def outlook_table(
    config: BankConfig, customers: Customers, months: Months, moments: list[Moment]
) -> pa.Table:
    """One row a customer and as_of of the plan, once joined: state and true outlook.

    `p_churn`: P(no purchase in the 90 days after as_of); `p_churn_flat`: the same, were none of
    their months one of a season; `net_spend`: expected purchases less
    refunds in them; `p_default`: P(90 days past due at a closing in the 180 days after as_of),
    null without an open card account.
    """
    train, test = grids(months)
    return pa.concat_tables(
        [_outlook_at(config, customers, months, moments[m]) for m in (*train, *test)]
    )


def _outlook_at(
    config: BankConfig, customers: Customers, months: Months, moment: Moment
) -> pa.Table:
    month, life, accounts = moment.month, moment.life, moment.accounts
    start = int(months.starts[month])
    joined = customers.join <= start
    seen = outlook(config, customers, months, month, (life, None))
    flat = outlook(config, customers, months.without_season(), month, (life, None))
    p_default = default_probability(config, customers, months, month, accounts)
    has_account = ~np.isnan(p_default)
    columns = {
        "p_churn": seen.p_churn,
        "p_churn_flat": flat.p_churn,
        "net_spend": seen.net_spend,
        "p_default": p_default,
        "is_fading": life.stage == FADING,
        "is_dormant": life.stage == DORMANT,
        "ability_step": np.where(has_account, accounts.u, np.nan),
        "days_past_due": np.where(has_account, accounts.past_due, np.nan),
    }
    arrays = {k: _nullable(v[joined]) for k, v in columns.items()}
    ids = customer_ids(customers.number[joined])
    as_of = instants(np.full(len(ids), start))
    return pa.table({"customer_id": ids, "as_of": as_of, **arrays})


def campaign_table(
    config: BankConfig,
    customers: Customers,
    months: Months,
    run: tuple[list[Moment], list[LifeMonth]],
) -> pa.Table:
    """One row a campaign and eligible customer: treated or held out, and the true effect.

    The effects are differences, treated less held out, over the 90 days from the first of the
    month, given the state at it; null where those days reach past the data.
    """
    parts = [
        _campaign_at(config, customers, months, (moment, path))
        for moment, path in zip(*run, strict=True)
        if months.is_campaign(path.month)
    ]
    return pa.concat_tables(parts)


def _campaign_at(
    config: BankConfig, customers: Customers, months: Months, run: tuple[Moment, LifeMonth]
) -> pa.Table:
    moment, path = run
    month = path.month
    with_it = outlook(config, customers, months, month, (moment.life, True))
    without = outlook(config, customers, months, month, (moment.life, False))
    rows = np.flatnonzero(path.eligible)
    n = len(rows)
    is_whole = is_mature(int(months.starts[month]), PURCHASE_HORIZON, int(months.starts[-1]))
    known = 0.0 if is_whole else np.nan
    names = pa.array(campaign_names(months), pa.string())
    return pa.table(
        {
            "customer_id": customer_ids(customers.number[rows]),
            "campaign_id": names.take(pa.array(np.full(n, month, dtype=np.int32))),
            "as_of": instants(np.full(n, int(months.starts[month]))),
            "is_treated": pa.array(path.sent[rows]),
            "p_churn_effect": _nullable((with_it.p_churn - without.p_churn)[rows] + known),
            "net_spend_effect": _nullable((with_it.net_spend - without.net_spend)[rows] + known),
        }
    )


def _nullable(values: Floats) -> pa.Array:
    if values.dtype == bool:
        return pa.array(values)
    return pa.array(values, mask=np.isnan(values))
