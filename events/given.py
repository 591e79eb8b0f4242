"""Ready-made feature tables: one row a customer, declared in a small TOML beside the table.

Enters: a declaration: which column is the id, which the label, what each of the others means.
Leaves: the same, checked; it travels with the data set and with the bundle. Such a table has no
clock of its own: `as_of` is the instant that the declaration says. It reads no table.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

import pandas as pd
import pyarrow as pa
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from domain.errors import InputError
from domain.plan import StudyPlan, TargetPlan
from domain.tiers import Target
from events.mapping import faults_of
from events.schema import INSTANT, PERSON_ID, Column, Personal, Table
from events.shown import listed, shown
from events.words import likeness, plain

GIVEN = "given"
FILE = "given.toml"
CODE = "code"
"""The unit of values that only tell levels apart."""
_PROTECTED = ("birth_on", "gender", "marital", "dependants")
_PROTECTED_WORDS = ("age", "race", "religion", "ethnic", "nationality", "dependent", "pregnan")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Sign = Literal[-1, 0, 1]


def _is_format(text: str) -> str:
    try:
        pd.to_datetime(pd.Series(["2000-01-01"]), format=text, errors="coerce")
    except ValueError as e:
        raise ValueError(f"no way to write a date: {str(e)[:100]}") from None
    if "%d" not in text and "%j" not in text:
        raise ValueError("a date has a day: write it like %d.%m.%Y")
    return text


Written = Annotated[str, AfterValidator(_is_format)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GivenColumn(_Strict):
    """One column of theirs as a feature: unit, two texts, directions, class of personal data.

    A number is taken as it is; `values` turns codes into numbers (a code not named is missing),
    `is_one_of` makes a flag of some codes, `days_since` counts from a date to as_of: true, or how
    the date is written where that is not ISO 8601. Values in `missing` (numbers or texts) stand for
    no value. The unit `code` says that values have no order (a branch, a city): a scorer reads them
    by what came of the customers of each level.
    """

    name: Name
    column: str
    unit: Text
    zh: Text
    en: Text
    value: Sign = 0
    churn: Sign = 0
    credit: Sign = 0
    lever: Annotated[int, Field(ge=0, le=3)] = 0
    personal: Personal = Personal.BEHAVIOUR
    values: dict[str, float] = {}
    is_one_of: tuple[str, ...] = ()
    days_since: bool | Written = False
    missing: tuple[float | str, ...] = ()

    @model_validator(mode="after")
    def _is_free(self) -> GivenColumn:
        if self.unit == CODE and (self.better or self.lever or self.is_one_of or self.days_since):
            raise ValueError(
                f"{shown(self.name)} is a code: it has no direction, is no lever, no flag and no "
                "date; leave these out, or give another unit"
            )
        return self

    @model_validator(mode="after")
    def _is_protected(self) -> GivenColumn:
        names = {self.column, self.name}
        words = [w for n in names for w in _PROTECTED_WORDS if _has_word(n, w)]
        asked = [c for n in names for c in _PROTECTED if likeness(n, c) >= 2]
        if (words or asked) and self.personal is not Personal.PROTECTED:
            raise ValueError(
                f"{shown(self.column)} looks like something that the law protects: "
                'say personal = "protected", then no scorer reads it'
            )
        return self

    @property
    def hint(self) -> str:
        """What is said of a value that cannot be read."""
        if not self.days_since:
            return ""
        if self.days_since is True:
            return (
                'it is no date like 1980-12-31: say days_since = "%d.%m.%Y", or how it is written'
            )
        return f"it is no date written as {shown(self.days_since)}"

    @property
    def better(self) -> dict[Target, int]:
        """The directions that are not free."""
        signs: dict[Target, int] = {
            "value": self.value, "churn": self.churn, "credit": self.credit,
        }  # fmt: skip
        return {target: sign for target, sign in signs.items() if sign}


def _has_word(name: str, word: str) -> bool:
    """Whether a name is the word or has it as a part: `age` is in Customer_Age, not in mileage."""
    parts = "".join(f" {c}" if c.isupper() else c for c in name).replace("_", " ").lower().split()
    return plain(name) == word or any(p == word or (len(word) > 4 and word in p) for p in parts)


class GivenTable(_Strict):
    """A declared table: where it stands, whose rows they are, the label and the columns.

    `nominal`: nobody knows when the columns were known; `as_of` stands in, and no age counts by it.
    `person_id`: their column that is the same for all ids of a person; splits go by it, or by it
    and others where `person_columns` name it beside them.
    """

    text: Text
    file: Text
    id: str
    as_of: AwareDatetime
    nominal: bool = False
    label: str
    bad: Text
    target: Literal["churn", "credit"]
    horizon_days: int = Field(gt=0, le=1830)
    currency: Text
    split_key: Text
    test_percent: int = Field(default=30, ge=5, le=50)
    person_id: str | None = None
    person_columns: tuple[Name, ...] = ()
    columns: Annotated[tuple[GivenColumn, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _are_told_apart(self) -> GivenTable:
        names = [c.name for c in self.columns]
        names += [PERSON_ID.name] if self.person_id is not None else []
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"columns {listed(twice)} are declared twice: rename one")
        strange = sorted({*self.person_columns} - {*names})
        if strange:
            raise ValueError(f"person_columns names {listed(strange)}: declare them as columns")
        if self.label in {c.column for c in self.columns}:
            raise ValueError(f"{shown(self.label)} is the label: it cannot be a feature")
        return self

    @property
    def table(self) -> Table:
        """The declared columns as a raw table, for the checks."""
        clocks = (
            Column("customer_id", pa.string(), "id", Personal.IDENTIFIER, "whose", required=True),
            Column("happened_at", INSTANT, "instant", Personal.NONE, "as_of", required=True),
            Column("known_at", INSTANT, "instant", Personal.NONE, "as_of", required=True),
        )
        person = (PERSON_ID,) if self.person_id is not None else ()
        columns = (
            Column(c.name, pa.float64(), c.unit, c.personal, c.en, hint=c.hint)
            for c in self.columns
        )
        return Table(GIVEN, self.text, ("customer_id", "happened_at"), (*clocks, *person, *columns))

    @property
    def plan(self) -> StudyPlan:
        """Unseen customers test; the label is the source's own."""
        target = TargetPlan(horizon_days=self.horizon_days, label="outcomes")
        by_id = (PERSON_ID.name,) if self.person_id is not None else ()
        return StudyPlan(
            split="customer", split_key=self.split_key, test_percent=self.test_percent,
            person_columns=self.person_columns or by_id, currency=self.currency,
            targets={self.target: target},
        )  # fmt: skip


def read_given(text: str, name: str = FILE) -> GivenTable:
    """The declaration written in a TOML text.

    Raises:
        InputError: not TOML, or it breaks rules; all places at once.
    """
    try:
        return GivenTable.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise InputError(f"{name} is not TOML: {str(e)[:200]}") from None
    except ValidationError as e:
        raise InputError(f"{name} breaks rules; mend these places:", faults_of(e, name)) from None
