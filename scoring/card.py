"""The model card of a bundle: verdicts and figures, what it learnt from, who accepted it.

Enters: a mapping of plain JSON. Leaves: a checked `Card`. It judges nothing: training writes the
verdicts. A card is part of the bundle's hash, so it holds no time and no duration (I11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from domain.decision import Hash
from domain.errors import InputError, broken
from domain.gates import CostRule, GateRules, Word
from domain.tiers import Target


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TargetCard(_Strict):
    """What the judge said of one scorer, the gates that it could not judge, and the figures it said
    it on (finite, repeatable)."""

    verdict: Word
    not_judged: tuple[str, ...] = ()
    figures: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _says_what_was_not_judged(self) -> TargetCard:
        if (self.verdict == "partly judged") > bool(self.not_judged):
            raise ValueError("not_judged: name the gates of a verdict that is partly judged")
        if self.verdict == "passed" and self.not_judged:
            raise ValueError("verdict is passed, but some gates were not judged: partly judged")
        return self


UNNAMED = "unnamed"
"""What the command line says where nobody is named."""


def _somebody(name: str) -> str:
    if name.casefold() == UNNAMED:
        raise ValueError("a person must be named")
    return name


class Accepted(_Strict):
    """Who takes a bundle into use although something speaks against it, and why."""

    by: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        AfterValidator(_somebody),
    ]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2000)]


class JudgedBy(_Strict):
    """The policy that a bundle was judged by, with its gates and costs; an older card does not say
    from when it holds."""

    version: str
    hash: Hash
    effective_at: AwareDatetime | None = None
    gates: GateRules
    costs: dict[Target, CostRule] = {}


class LeakageCard(_Strict):
    """What looked like the future or the test: `alarms` go live only where accepted in writing."""

    alarms: tuple[dict[str, JsonValue], ...] = ()
    told: tuple[dict[str, JsonValue], ...] = ()
    figures: dict[str, JsonValue] = {}


class TableCard(_Strict):
    """Rows of a clean table, and when the first and the last of its events happened."""

    rows: Annotated[int, Field(ge=0)]
    first: AwareDatetime | None
    last: AwareDatetime | None


class Card(_Strict):
    """`data`: SHA-256 of each table it learnt from. `skipped`: targets without a scorer, and why.

    `tables`: how much of what period each table holds; an older card does not say.
    `accepted`: who accepts what failed. `unapproved`: who does without the second person whom the
    policy asks for.
    `given`: the declaration of a ready-made feature table, where it learnt from one.
    `segments`: what was fitted beside the scorers, on whom, and what was left out and why.
    `policy`: whose gates it was judged by; an older card names none. `champion`: the bundle that it
    was held against.
    `plan`: the study plan as JSON. `studies`: the study files of targets that have one.
    `lock_hash`: SHA-256 of the lock file of the environment.
    `learner`: what fitted the boosters, where it was not LightGBM on one machine.
    """

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    targets: Annotated[dict[Target, TargetCard], Field(min_length=1)]
    skipped: dict[Target, str] = {}
    accepted: Accepted | None = None
    unapproved: Accepted | None = None
    data: dict[str, Hash]
    tables: dict[str, TableCard] = {}
    plan: dict[str, JsonValue]
    seed: int
    lock_hash: Hash | None
    given: dict[str, JsonValue] | None = None
    segments: dict[str, JsonValue] = {}
    studies: dict[Target, dict[str, JsonValue]] = {}
    policy: JudgedBy | None = None
    champion: Hash | None = None
    leakage: LeakageCard = LeakageCard()
    learner: Annotated[str, Field(min_length=1, max_length=100)] | None = None

    @property
    def failed(self) -> tuple[Target, ...]:
        """The targets whose verdict is failed."""
        return tuple(t for t, found in self.targets.items() if found.verdict == "failed")

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Every gate that could not be judged, after its target."""
        return tuple(f"{t}: {g}" for t, found in self.targets.items() for g in found.not_judged)

    @property
    def objections(self) -> tuple[str, ...]:
        """What somebody must accept: the failed targets, `leakage` where it has alarms, and gates
        that were not judged where the policy says that they block."""
        blocks = self.policy is not None and self.policy.gates.block_not_judged
        leaks = ("leakage",) if self.leakage.alarms else ()
        return (*self.failed, *leaks, *(self.not_judged if blocks else ()))

    @property
    def verdict(self) -> str:
        """What a registered version is called."""
        if self.objections:
            return "failed, accepted with a reason"
        return "partly judged" if self.not_judged else "passed"

    @property
    def may_go_live(self) -> bool:
        """Whether nothing speaks against it or somebody gave a written reason."""
        return not self.objections or self.accepted is not None


def accepted(by: str, reason: str) -> Accepted:
    """What a named person wrote.

    Raises:
        InputError: nobody is named, or the reason says nothing.
    """
    try:
        return Accepted(by=by, reason=reason)
    except ValidationError:
        raise InputError(
            f"accepted by {by[:200]!r} because {reason[:200]!r}: give a person (--by) and a reason "
            "of 10 to 2,000 letters"
        ) from None


def read_card(content: Mapping[str, Any]) -> Card:
    """The checked card.

    Raises:
        BundleError: keys missing, unknown or of the wrong kind; all at once.
    """
    try:
        return Card.model_validate(dict(content))
    except ValidationError as e:
        raise broken("card.json", e) from None
