"""The decision contract: what is asked, what is answered, what is recorded.

One set of types for the API, the record, replay and CRM pushes. `decision.schema.json` beside this
file is their JSON Schema, committed and held equal by a test. Numbers are finite; a missing
feature value is null.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from domain.ids import ID_PATTERN, MAX_ID_LENGTH
from domain.policy import Labelled, Status
from domain.tiers import Target

MAX_CUSTOMERS = 1000
MAX_EVENTS = 1000
CustomerId = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID_LENGTH, pattern=ID_PATTERN, examples=["C0000042"]),
]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DecisionId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(StrEnum):
    """Why the caller asks; recorded with the answer."""

    CRM = "crm"
    MARKETING = "marketing"
    CREDIT_REVIEW = "credit_review"
    SERVICING = "servicing"


class DecisionRequest(_Model):
    """Decisions for customers by id, as of now or of a given instant."""

    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMERS)]
    purpose: Purpose
    as_of: AwareDatetime | None = None


class GivenFeatures(_Model):
    """One customer's feature values, brought by the caller; a feature not named is missing."""

    customer_id: CustomerId
    features: dict[str, FiniteFloat | None]


class ScoresRequest(_Model):
    """Decisions for feature values that the caller brings."""

    rows: Annotated[list[GivenFeatures], Field(min_length=1, max_length=MAX_CUSTOMERS)]
    purpose: Purpose


Cell = str | int | FiniteFloat | bool | None


class EventsRequest(_Model):
    """Events of the day: rows of one raw table, by the names of its columns (docs/data.md).

    Instants are ISO 8601 with a zone. `known_at` that is not given is `happened_at`. A row that was
    sent before changes nothing; one with a known key and a later `known_at` corrects it.
    """

    table: str
    rows: Annotated[list[dict[str, Cell]], Field(min_length=1, max_length=MAX_EVENTS)]


class EventsResponse(_Model):
    """What became of the rows: `new` ones, `repeated` ones, and whose features were made again."""

    new: Annotated[int, Field(ge=0)]
    repeated: Annotated[int, Field(ge=0)]
    customers: Annotated[int, Field(ge=0)]


class Reason(_Model):
    """One feature's points in a score; `other` gathers the ones not listed."""

    feature: str
    points: int
    value: FiniteFloat | None
    zh: str
    en: str


class TargetScore(_Model):
    """A score with its reasons: `base_points + sum(r.points for r in reasons) == points` (I1).

    `points`: higher is better. `p_bad`: calibrated probability of churn or default,
    null for value. `amount`: calibrated expected net spend over the horizon in `currency`, null
    for churn and credit.
    """

    target: Target
    tier: Labelled
    points: int
    base_points: int
    points_to_cut: int | None
    p_bad: Annotated[float, Field(ge=0, le=1)] | None
    amount: FiniteFloat | None
    currency: str | None
    horizon_days: int
    reasons: list[Reason]


Score5 = Annotated[int, Field(ge=1, le=5)]


class RfmScores(_Model):
    """Recency, frequency and money from 1 to 5, 5 the best, and the segment they come to."""

    recency: Score5
    frequency: Score5
    money: Score5
    segment: Labelled


class Segments(_Model):
    """Where the customer stands among all who buy; null what was not fitted or not known."""

    rfm: RfmScores | None
    cluster: Labelled | None


class BuyingBaseline(_Model):
    """What a model of buying alone expects (BG/NBD, Gamma-Gamma), beside the scores.

    `p_alive`: chance that the customer has not left for good. Over the horizon: chance of no
    purchase, expected days with a purchase, and expected net spend in `currency`, null where
    amounts were not fitted or are not known.
    """

    p_alive: Annotated[float, Field(ge=0, le=1)]
    p_no_purchase: Annotated[float, Field(ge=0, le=1)]
    purchase_days: Annotated[FiniteFloat, Field(ge=0)]
    amount: FiniteFloat | None
    currency: str
    horizon_days: int


def _is_none(value: object) -> bool:
    return value is None


class Versions(_Model):
    """What decided, and how much was told: enough to make the same answer again.

    `top_reasons`: reasons listed for a score before the rest is summed. `stale_days`: the age in
    days beyond which features made an answer stale.
    """

    bundle: Hash
    policy: Hash
    policy_version: str
    catalogue: Hash
    tierline: str
    top_reasons: Annotated[int, Field(ge=0)]
    stale_days: Annotated[int, Field(ge=0)]


class Decision(_Model):
    """The recorded answer for one customer.

    `asked_as_of`: the instant the caller asked for, null = now. `as_of`: the instant up to which
    the features know things; `feature_age_days` is how long before the instant asked for that was.
    `view_age_days` says it of each theme of features, null where nothing is kept of the customer;
    the oldest theme is the age of all. It is empty where the caller brought the values. Both are
    null where the source does not say of when its features are; `as_of` is nominal then.
    `scores` holds the targets of the bundle; it is empty where nothing is known of the customer.
    `segments` and `baseline` are left out where the bundle has none or the customer never bought.
    `degraded` says in plain words what was not as it should be.
    """

    decision_id: DecisionId
    customer_id: CustomerId
    purpose: Purpose
    decided_at: AwareDatetime
    asked_as_of: AwareDatetime | None
    as_of: AwareDatetime | None
    status: Status
    feature_age_days: FiniteFloat | None
    view_age_days: dict[str, FiniteFloat | None]
    scores: list[TargetScore]
    segments: Segments | None = Field(default=None, exclude_if=_is_none)
    baseline: BuyingBaseline | None = Field(default=None, exclude_if=_is_none)
    stage: Labelled
    tags: list[Labelled]
    strategy: Labelled
    degraded: list[str]
    versions: Versions


class DecisionRecord(_Model):
    """What is kept: the answer, the feature values it was made from, and its place in the chain."""

    sequence: Annotated[int, Field(ge=1)]
    decision: Decision
    features: dict[str, FiniteFloat | None]
    request_hash: Hash
    previous_hash: Hash
    hash: Hash


class DecisionResponse(_Model):
    """The answers in the order of the request."""

    decisions: list[Decision]


def canonical_json(content: Any) -> str:
    """JSON with sorted keys and no white space: the text that is hashed.

    >>> canonical_json({"b": 1.5, "a": "é"})
    '{"a":"é","b":1.5}'

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def content_hash(content: Any) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def contract_schema() -> dict[str, Any]:
    """The JSON Schema of the contract: requests, responses and record under `$defs`."""
    models = (
        DecisionRequest,
        ScoresRequest,
        DecisionResponse,
        DecisionRecord,
        EventsRequest,
        EventsResponse,
    )
    inputs: list[tuple[type[BaseModel], Literal["serialization"]]] = [
        (model, "serialization") for model in models
    ]
    _, schema = models_json_schema(inputs, title="Tierline decision contract")
    return schema


def contract_schema_text() -> str:
    """The JSON Schema as the text of `decision.schema.json`."""
    return json.dumps(contract_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
