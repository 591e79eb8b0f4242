"""Policy: from points and features to tier, band, lifecycle stage, tags and strategy, as data.

Enters: the text of a policy file (TOML) and, for one customer, points and feature values.
Leaves: an `Assignment`. It decides nothing about models and reads no clock.
"""

from __future__ import annotations

import hashlib
import math
import operator
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import PolicyError, faults_of
from domain.gates import CostRule, GateRules
from domain.segments import RFM_SEGMENTS
from domain.tiers import TARGETS, Cuts, Step, Target

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Text = Annotated[str, Field(min_length=1, max_length=300)]
Stage = Literal["potential", "new", "active", "loyal", "dormant", "lost"]
Segment = Annotated[str, Field(pattern=rf"^(rfm_({'|'.join(RFM_SEGMENTS)})|cluster_[1-9][0-9]?)$")]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Status(StrEnum):
    """What is known of the customer: recent features, old ones, little history, or nothing."""

    FRESH = "fresh"
    STALE = "stale"
    THIN = "thin"
    MISSING = "missing"


class Condition(_Strict):
    """`feature op value`; false where the feature is missing, unless `op` is `missing`."""

    feature: Name
    op: Literal["<", "<=", ">", ">=", "missing"]
    value: float | None = None

    @model_validator(mode="after")
    def _value_fits_op(self) -> Condition:
        if (self.value is None) != (self.op == "missing"):
            raise ValueError("`missing` takes no value, every other op takes one")
        return self

    def holds(self, features: Mapping[str, float | None]) -> bool:
        """Whether it is true of these feature values (absent, None and NaN are missing)."""
        found = features.get(self.feature)
        if found is None or math.isnan(found):
            return self.op == "missing"
        return self.value is not None and _COMPARE[self.op](found, self.value)


class StepRule(_Strict):
    """One tier or band of a target: where it begins in points, and its texts."""

    name: Name
    from_points: int | None = None
    zh: Text
    en: Text


class StageRule(_Strict):
    """A lifecycle stage holds where all conditions hold; the first that holds wins.

    A stage may have several rules.
    """

    name: Stage
    zh: Text
    en: Text
    when: tuple[Condition, ...]


class TagRule(_Strict):
    """A tag sticks where all conditions hold."""

    name: Name
    zh: Text
    en: Text
    when: Annotated[tuple[Condition, ...], Field(min_length=1)]


class StrategyRule(_Strict):
    """What the CRM should do for these tiers, bands, stages, status and fitted segments.

    An empty list means any. `segment` names segments as their tags do (`rfm_at_risk`).
    """

    name: Name
    zh: Text
    en: Text
    value: tuple[Name, ...] = ()
    churn: tuple[Name, ...] = ()
    credit: tuple[Name, ...] = ()
    stage: tuple[Stage, ...] = ()
    status: tuple[Status, ...] = ()
    segment: tuple[Segment, ...] = ()

    def fits(self, held: Mapping[str, str | None], segments: Collection[str] = ()) -> bool:
        """Whether the held tier, bands, stage, status and a segment are among the ones named."""
        if self.segment and not {*self.segment} & {*segments}:
            return False
        wanted = {
            "value": self.value,
            "churn": self.churn,
            "credit": self.credit,
            "stage": self.stage,
            "status": self.status,
        }
        return all(not names or held.get(what) in names for what, names in wanted.items())


class LeverRule(_Strict):
    """How far a plan may move a feature, and what the whole way costs; by default what was seen and
    what the catalogue says. A cost of 0: no plan moves it."""

    feature: Name
    low: float | None = None
    high: float | None = None
    cost: Annotated[float, Field(ge=0, le=1000)] | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> LeverRule:
        if (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or neither")
        if (
            self.low is not None
            and self.high is not None
            and not -math.inf < self.low < self.high < math.inf
        ):
            raise ValueError("low must be below high, both finite")
        return self


class AdverseRule(_Strict):
    """Bands of credit whose decision goes against a customer, and how a letter names the
    supervisor, with its address."""

    credit: Annotated[tuple[Name, ...], Field(min_length=1)]
    zh: Text
    en: Text


class Labelled(_Strict):
    """A name with its Chinese and English text."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True)
class Assignment:
    """What a policy says of one customer; a target without points has no tier."""

    tiers: Mapping[Target, Labelled | None]
    points_to_cut: Mapping[Target, int | None]
    stage: Labelled
    tags: tuple[Labelled, ...]
    strategy: Labelled


class Policy(_Strict):
    """A versioned, effective-dated policy; `Source:` the file it was parsed from, by hash."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.\-]{0,31}$")]
    effective_at: AwareDatetime
    cuts: dict[Target, tuple[StepRule, ...]]
    stages: Annotated[tuple[StageRule, ...], Field(min_length=1)]
    tags: tuple[TagRule, ...] = ()
    levers: tuple[LeverRule, ...] = ()
    adverse: AdverseRule | None = None
    gates: GateRules | None = None
    costs: dict[Target, CostRule] = {}
    strategies: Annotated[tuple[StrategyRule, ...], Field(min_length=1)]
    hash: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> Policy:
        if set(self.cuts) != set(TARGETS):
            raise ValueError(
                f"cuts name {sorted(self.cuts)}; give one list for each of {list(TARGETS)}"
            )
        for target, rules in self.cuts.items():
            try:
                _cuts(rules)
            except PolicyError as e:
                raise ValueError(f"cuts.{target}: {e}") from None
        names = {t: {s.name for s in steps} for t, steps in self.cuts.items()}
        for rule in self.strategies:
            for target in TARGETS:
                unknown = set(getattr(rule, target)) - names[target]
                if unknown:
                    raise ValueError(
                        f"strategy {rule.name} names {sorted(unknown)}: no {target} tier has it"
                    )
        if self.adverse is not None and (unknown := {*self.adverse.credit} - names["credit"]):
            raise ValueError(f"adverse.credit names {sorted(unknown)}: no credit tier has it")
        if len({rule.feature for rule in self.levers}) != len(self.levers):
            raise ValueError("levers name a feature twice: state it once")
        if self.stages[-1].when or not self.strategies[-1].fits({}):
            raise ValueError(
                "the last stage and the last strategy hold for everybody else: leave them open"
            )
        return self

    @property
    def limits(self) -> GateRules:
        """The gates that a model is judged by.

        Raises:
            PolicyError: it was written before policies had gates.
        """
        if self.gates is None:
            raise PolicyError(
                f"policy {self.version} has no [gates]: copy those of the packaged policy into it"
            )
        return self.gates

    @cached_property
    def steps(self) -> dict[Target, Cuts]:
        """The cuts of each target."""
        return {target: _cuts(rules) for target, rules in self.cuts.items()}

    def held(self, target: Target, points: int) -> Labelled:
        """The tier or band of a target that holds so many points."""
        return _label(self.steps[target].assign(points))

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature that a rule reads, sorted; the caller checks them against its catalogue."""
        whens = [s.when for s in self.stages] + [t.when for t in self.tags]
        named = {c.feature for when in whens for c in when}
        return tuple(sorted(named | {rule.feature for rule in self.levers}))

    def stage(self, features: Mapping[str, float | None]) -> StageRule:
        """The lifecycle stage of a customer with these feature values."""
        return next(s for s in self.stages if all(c.holds(features) for c in s.when))

    def assign(
        self,
        points: Mapping[Target, int | None],
        features: Mapping[str, float | None],
        status: Status = Status.FRESH,
        segments: Collection[str] = (),
    ) -> Assignment:
        """Tier and bands, stage, tags and strategy of one customer.

        `segments`: the names of the fitted segments that hold the customer.
        """
        held: dict[Target, Step | None] = {}
        gaps: dict[Target, int | None] = {}
        for target, cuts in self.steps.items():
            score = points.get(target)
            held[target] = None if score is None else cuts.assign(score)
            gaps[target] = None if score is None else cuts.distance(score)
        stage = self.stage(features)
        tags = tuple(_label(t) for t in self.tags if all(c.holds(features) for c in t.when))
        situation: dict[str, str | None] = {t: s.name if s else None for t, s in held.items()}
        situation |= {"stage": stage.name, "status": status}
        strategy = next(s for s in self.strategies if s.fits(situation, segments))
        tiers = {t: None if s is None else _label(s) for t, s in held.items()}
        return Assignment(tiers, gaps, _label(stage), tags, _label(strategy))


def _cuts(rules: tuple[StepRule, ...]) -> Cuts:
    return Cuts(tuple(Step(s.name, s.from_points, s.zh, s.en) for s in rules))


def _label(rule: Step | StageRule | TagRule | StrategyRule) -> Labelled:
    return Labelled(name=rule.name, zh=rule.zh, en=rule.en)


def parse_policy(text: str) -> Policy:
    """The policy written in a TOML text, with the text's SHA-256 as its `hash`.

    Raises:
        PolicyError: not TOML, a field missing, unknown or of the wrong kind, cuts that overlap,
            a strategy for a tier that is not there; all faults at once.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise PolicyError(f"the policy is not TOML: {e}") from None
    try:
        return Policy.model_validate({**raw, "hash": hashlib.sha256(text.encode()).hexdigest()})
    except ValidationError as e:
        faults = faults_of(e, "policy")
        raise PolicyError("the policy breaks rules; mend these places:", faults) from None


def default_policy_text(name: str = "default") -> str:
    """The policy file that ships with Tierline; `scores_only` reads no feature."""
    return files("domain.policies").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def default_policy() -> Policy:
    """The packaged policy, parsed."""
    return parse_policy(default_policy_text())


def policy_for(features: Collection[str], asked: Policy | None = None) -> Policy:
    """The policy that was asked for, else the packaged one, whose rules read only these features.

    Raises:
        PolicyError: the rules of the one that was asked for read others.
    """
    if asked is None:
        return parse_policy(packaged_for(features))
    if unknown := sorted({*asked.features} - {*features}):
        raise PolicyError(
            f"policy {asked.version} reads {', '.join(unknown)}, which this source has not: take "
            "these rules out, or give no policy"
        )
    return asked


def packaged_for(features: Collection[str]) -> str:
    """The text of the packaged policy whose rules read only these features."""
    fits = {*default_policy().features} <= {*features}
    return default_policy_text("default" if fits else "scores_only")
