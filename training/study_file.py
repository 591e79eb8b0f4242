"""A study as a file: what is learnt, from which rows and features, searched where, for how long.

Enters: TOML. Leaves: a checked `StudyFile`, or every fault at once with its path. What a file does
not say is the source's plan and the default search; a file of source and target alone is the study
that `tierline tune --source` makes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from domain.asof import from_micros, parse_instant, to_micros
from domain.decision import content_hash
from domain.errors import Fault, InputError, faults_of
from domain.plan import Calibration, Season, Split, StudyPlan, check_order
from domain.settings import SEED
from domain.tiers import Target
from features.catalogue import Catalogue
from training.kept import Budget
from training.learners import PEERS
from training.space import Space
from training.splits import check_gap
from training.targets import SPECS
from training.tune import METRICS, Search

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _instant(found: Any) -> Any:
    """A TOML date, or a text as `parse_instant` takes it, as an instant."""
    if isinstance(found, datetime):
        return found
    try:
        return from_micros(parse_instant(str(found))) if isinstance(found, str | date) else found
    except InputError as e:
        raise ValueError(str(e)) from None


Grid = Annotated[
    tuple[Annotated[AwareDatetime, BeforeValidator(_instant)], ...], Field(min_length=1)
]


class AsOf(_Strict):
    """The dates learnt from, and the later dates that test."""

    train: Grid
    test: Grid

    @model_validator(mode="after")
    def _in_order(self) -> AsOf:
        check_order(self.train, self.test)
        return self


class Chosen(_Strict):
    """Some features of the catalogue: those of `themes` and those that match `keep` (all, where
    neither is given), less those that match `drop`; patterns are those of file names."""

    themes: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def of(self, catalogue: Catalogue, target: Target) -> tuple[str, ...]:
        """Their names, in the order of the catalogue; never one that a target may not use.

        Raises:
            InputError: a theme or pattern that is nobody's, or nothing is left.
        """
        allowed = catalogue.for_target(target)
        themes = {n: catalogue[n].theme for n in allowed}
        faults = [
            Fault(f"features.themes.{i}", "unknown", f"no theme {theme!r}: {_some(themes)}")
            for i, theme in enumerate(self.themes)
            if theme not in themes.values()
        ]
        for place, patterns in (("keep", self.keep), ("drop", self.drop)):
            faults += [
                Fault(f"features.{place}.{i}", "unknown", _nobody(pattern))
                for i, pattern in enumerate(patterns)
                if not _matching(allowed, (pattern,))
            ]
        kept = set(_matching(allowed, self.keep)) | {n for n in allowed if themes[n] in self.themes}
        dropped = _matching(allowed, self.drop)
        everything = not (self.themes or self.keep)
        left = tuple(n for n in allowed if (everything or n in kept) and n not in dropped)
        if not left and not faults:
            faults.append(Fault("features", "empty", "no feature is left: drop less"))
        if faults:
            raise InputError("the study asks for features that are not there:", tuple(faults))
        return left


def _matching(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    return [n for n in names if any(fnmatchcase(n, p) for p in patterns)]


def _nobody(pattern: str) -> str:
    return f"no feature that the target may use matches {pattern!r}: see `tierline features list`"


def _some(themes: dict[str, str]) -> str:
    return f"there are {', '.join(sorted(set(themes.values())))}"


class BudgetFile(_Strict):
    """Trials, minutes of work, or both: whichever is spent first ends the study."""

    trials: int | None = Field(default=None, ge=1, le=100_000)
    minutes: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_at_least(self) -> BudgetFile:
        if self.trials is None and self.minutes is None:
            raise ValueError("give trials, minutes or both")
        return self


class StudyFile(_Strict):
    """One study. `second`: the cost of an explained decision as a second objective."""

    source: Name
    target: Target
    learner: Literal["lightgbm"] = "lightgbm"
    seed: int = Field(default=int(SEED.default), ge=0, le=2_000_000_000)
    metric: str | None = None
    second: Literal["explain_us"] | None = None
    split: Split | None = None
    calibration: Calibration | None = None
    season: Season | None = None
    as_of: AsOf | None = None
    features: Chosen = Chosen()
    space: Space = Space()
    budget: BudgetFile = BudgetFile(trials=20)
    _file: str = PrivateAttr(default="")

    @property
    def file(self) -> str:
        """The name of the file that it was read from; empty for one that was made otherwise."""
        return self._file

    @field_validator("learner", mode="before")
    @classmethod
    def _is_tuned(cls, found: Any) -> Any:
        if found in PEERS and found != "lightgbm":
            raise ValueError(
                f"LightGBM alone is tuned: leave the learner out, and judge it against {found} "
                f"by `tierline train --baselines {found}`"
            )
        return found

    @field_validator("metric")
    @classmethod
    def _fits_the_target(cls, found: str | None, info: ValidationInfo) -> str | None:
        target = info.data.get("target")
        if found is not None and target is not None:
            is_amount = SPECS[target].is_amount
            allowed = [n for n, m in METRICS.items() if m.is_amount == is_amount]
            if found not in allowed:
                raise ValueError(f"{target} is compared by {' or '.join(allowed)}")
        return found

    @property
    def search(self) -> Search:
        """What Optuna looks for."""
        budget = Budget(self.budget.trials, self.budget.minutes)
        return Search(budget, self.seed, self.space, self.metric, self.second is not None)

    @property
    def figure(self) -> str:
        """The name of the figure that trials are compared by."""
        return self.search.metric_of(is_amount=SPECS[self.target].is_amount)

    @property
    def mark(self) -> str:
        """What makes its trials others than the default's, as a short hash; empty where nothing."""
        same = {"source", "target", "learner", "seed", "budget", "season"}
        own = self.model_dump(mode="json", exclude=same, exclude_defaults=True)
        return f"-{content_hash(own)[:12]}" if own else ""

    def plan(self, plan: StudyPlan) -> StudyPlan:
        """The source's plan with what this study says of dates, split, calibration and season.

        Raises:
            InputError: the source lacks the target, rows are not split so, all faults at once; or
                training reaches into the horizon before the test.
        """
        known = plan.targets.get(self.target)
        if known is None:
            told = f"{self.source} has no {self.target}: take {', '.join(plan.targets)}"
            raise InputError("the study does not fit its source:", (Fault("target", "n/a", told),))
        timed = known.label == "events"
        told = "each outcome has an instant of its own: leave it out"
        by_time = () if timed else ("as_of", "calibration", "season")
        faults = [Fault(n, "n/a", told) for n in by_time if getattr(self, n) is not None]
        if self.split is not None and (self.split == "time") != timed:
            told = "time" if timed else "customer or folds"
            faults.append(Fault("split", "n/a", f"the labels of {self.source} allow {told} only"))
        if faults:
            raise InputError("the study does not fit its source:", tuple(faults))
        said: dict[str, Any] = {n: getattr(self, n) for n in ("split", "calibration", "season")}
        if self.as_of:
            train = np.array([to_micros(t) for t in self.as_of.train])
            check_gap(train, to_micros(self.as_of.test[0]), known.horizon_days)
            said |= {"train_as_of": self.as_of.train, "test_as_of": self.as_of.test}
        return plan.model_copy(update={n: v for n, v in said.items() if v is not None})


def read_study(file: Path) -> StudyFile:
    """The study written in a TOML file.

    Raises:
        InputError: no such file, not TOML, a field missing, unknown or wrong; all faults at once.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(f"{file.name} cannot be read ({e.strerror}): name a study file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InputError(f"{file.name} is not TOML: {e}") from None
    try:
        found = StudyFile.model_validate(raw)
    except ValidationError as e:
        faults = faults_of(e, "study")
        raise InputError(f"{file.name} breaks rules; mend these places:", faults) from None
    found._file = file.name
    return found
