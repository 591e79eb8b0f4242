"""Contacts that move no money: app sessions, contacts, complaints, scores, campaigns, responses.

Enters: the path of a month. Leaves: `Contacts`. App sessions fall while a customer fades, before
drop-out; satisfaction scores show the latent satisfaction with noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from events.bank.config import BankConfig
from events.bank.latent import DAYS_PER_MONTH, Customers
from events.bank.life import FADING, LifeMonth
from events.bank.months import Months
from events.bank.purchases import NO_CODE, at_hours
from events.bank.streams import Floats, Idea, Ints, stream

KINDS = ("contact", "complaint", "satisfaction", "app_session", "campaign", "response")
CONTACT, COMPLAINT, SATISFACTION, APP_SESSION, CAMPAIGN, RESPONSE = range(6)
CHANNELS = ("phone", "app", "email", "branch")
PHONE, APP, EMAIL, BRANCH = range(4)
CONTACTS_PER_MONTH = 0.08
SCORES_PER_MONTH = 0.1
_COLUMNS = ("who", "happened", "kind", "channel", "score", "campaign")


@dataclass(frozen=True)
class Contacts:
    """`who` indexes the chunk's customers; `campaign` is the month it was sent, or -1."""

    who: Ints
    happened: Ints
    kind: Ints
    channel: Ints
    score: Floats
    campaign: Ints

    def __len__(self) -> int:
        return len(self.who)


def join_contacts(parts: list[Contacts]) -> Contacts:
    """All parts one after the other."""
    return Contacts(**{k: np.concatenate([getattr(p, k) for p in parts]) for k in _COLUMNS})


def interact(config: BankConfig, customers: Customers, months: Months, path: LifeMonth) -> Contacts:
    """Every contact of one month; responses may fall into the next."""
    rng = stream(config.seed, int(customers.number[0]) - 1, Idea.INTERACTIONS, path.month)
    n, start = len(customers), int(months.starts[path.month])
    fades = path.stage == FADING
    app = customers.app_rate * np.where(fades, config.fading_app_factor, 1.0)
    sessions = np.repeat(np.arange(n), rng.poisson(app * path.alive))
    calls = np.repeat(np.arange(n), rng.poisson(CONTACTS_PER_MONTH / DAYS_PER_MONTH * path.alive))
    asked = np.flatnonzero(rng.random(n) < SCORES_PER_MONTH / DAYS_PER_MONTH * path.alive)
    complaints = np.flatnonzero(~np.isnan(path.complaint))
    noise = 0.8 * rng.standard_normal(len(asked))
    felt = 3.6 + 0.8 * customers.satisfaction[asked] - 1.0 * fades[asked] + noise

    def when(who: Ints) -> Ints:
        return start + at_hours(path.entry[who] + rng.random(len(who)) * path.alive[who])

    calls_by = np.where(rng.random(len(calls)) < 0.7, PHONE, BRANCH)
    said_at = start + at_hours(path.complaint[complaints])
    said_by = np.where(rng.random(len(complaints)) < 0.6, PHONE, APP)
    parts = [
        _contacts(APP_SESSION, sessions, when(sessions), APP),
        _contacts(CONTACT, calls, when(calls), calls_by),
        _contacts(COMPLAINT, complaints, said_at, said_by),
        _contacts(SATISFACTION, asked, when(asked), EMAIL, np.round(felt).clip(1, 5)),
        *_campaign(customers, path, start, rng),
    ]
    return join_contacts(parts)


def _campaign(
    customers: Customers, path: LifeMonth, start: int, rng: np.random.Generator
) -> list[Contacts]:
    """Messages in the morning of the first, answers within two weeks by those still there."""
    sent = np.flatnonzero(path.sent)
    sent_at = start + (3600 * (1 + 3 * rng.random(len(sent)))).astype(np.int64) * 1_000_000
    p = 1 / (1 + np.exp(2.5 - 3 * customers.lift[sent])) * (path.alive[sent] > 0)
    answered = rng.random(len(sent)) < p
    wait = (86_400 * (0.02 + 14 * rng.random(len(sent)) ** 2)).astype(np.int64) * 1_000_000
    month = np.full(len(sent), path.month)
    back = sent[answered]
    return [
        _contacts(CAMPAIGN, sent, sent_at, EMAIL, campaign=month),
        _contacts(RESPONSE, back, (sent_at + wait)[answered], APP, campaign=month[answered]),
    ]


def _contacts(
    kind: int,
    who: Ints,
    happened: Ints,
    channel: Ints | int,
    score: Floats | None = None,
    campaign: Ints | None = None,
) -> Contacts:
    n = len(who)
    return Contacts(
        who=who,
        happened=happened,
        kind=np.full(n, kind),
        channel=np.broadcast_to(np.asarray(channel, dtype=np.int64), (n,)),
        score=np.full(n, np.nan) if score is None else score,
        campaign=np.full(n, NO_CODE) if campaign is None else campaign,
    )
