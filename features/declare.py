"""How a feature is declared: one line a windowed family, one function a derived feature.

Enters: the lines of the theme modules. Leaves: plain declarations, data that the catalogue checks,
hashes and compiles. It computes nothing and reads no data.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import TierlineError
from domain.tiers import Target

Column = NDArray[np.float64]
Formula = Callable[..., Column]
EVER = 0
"""Window length that means: everything visible, from the first event on."""


@dataclass(frozen=True)
class Take:
    """What the engine takes from the events of one table.

    `of` is `table` or `table.value`; `where` names the conditions an event must meet, `share` the
    conditions whose share is asked. `ago` shifts the window back by so many days; the result is
    multiplied by `scale`. `decay` sums everything visible, each event worth half after `half_life`
    days. `rises`, `falls` and `cures` (from above zero to zero or below) count the pairs of values
    that follow each other inside the window; with several accounts these are pairs of the customer.

    Raises:
        TierlineError: a half-life where there is no decay, or a decay without one or in a window.
    """

    op: str
    of: str
    where: tuple[str, ...] = ()
    share: tuple[str, ...] = ()
    days: int = EVER
    ago: int = 0
    scale: float = 1.0
    half_life: float = 0.0

    def __post_init__(self) -> None:
        decays = self.op == "decay"
        if decays != (self.half_life > 0) or (decays and self.days != EVER):
            raise TierlineError(
                f"{self.op} of {self.of} has half_life={self.half_life} and days={self.days}: "
                "give a half-life in days to decay, which takes no window, and to nothing else"
            )

    @property
    def table(self) -> str:
        """The raw table."""
        return self.of.partition(".")[0]

    @property
    def value(self) -> str | None:
        """The value or key inside the table, None for plain events."""
        return self.of.partition(".")[2] or None


@dataclass(frozen=True)
class Words:
    """Unit and the two texts of a feature; `{w}` stands for the window's days."""

    unit: str
    zh: str
    en: str


@dataclass(frozen=True)
class Rule:
    """Direction for each target (+1: more is better, -1: worse, 0: free), and lever or not.

    A lever is what the customer, or we with them, can change.
    """

    value: int = 0
    churn: int = 0
    credit: int = 0
    lever: bool = False

    @property
    def better(self) -> dict[Target, int]:
        """The directions that are not free."""
        signs: dict[Target, int] = {
            "value": self.value,
            "churn": self.churn,
            "credit": self.credit,
        }
        return {target: sign for target, sign in signs.items() if sign}


FREE = Rule()
LEVER = Rule(lever=True)


@dataclass(frozen=True)
class Declaration:
    """One feature as declared: either `take` from events, or `formula` on other features."""

    name: str
    theme: str
    words: Words
    rule: Rule
    max_age_days: int
    take: Take | None = None
    formula: Formula | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features a derived one reads: its parameters, in order."""
        return () if self.formula is None else tuple(inspect.signature(self.formula).parameters)

    def content(self) -> dict[str, Any]:
        """Everything that decides the feature's values and texts, as plain data to be hashed."""
        take = None if self.take is None else {**vars(self.take)}
        code = None if self.formula is None else _code(self.formula)
        return {
            "name": self.name,
            "theme": self.theme,
            "words": vars(self.words),
            "rule": vars(self.rule),
            "max_age_days": self.max_age_days,
            "take": take,
            "formula": code,
        }


@dataclass
class Theme:
    """The features of one theme, gathered in the order of their declaration."""

    name: str
    max_age_days: int = 45
    declarations: list[Declaration] = field(default_factory=list)

    def windowed(
        self, name: str, take: Take, windows: tuple[int, ...], words: Words, rule: Rule = FREE
    ) -> None:
        """Declare one feature for each window; `{w}` in name and texts becomes its days."""
        for days in windows:
            texts = Words(
                words.unit,
                words.zh.replace("{w}", str(days)),
                words.en.replace("{w}", str(days)),
            )
            filled = Take(**{**vars(take), "days": days})
            self._add(name.replace("{w}", str(days)), texts, rule, take=filled)

    def single(self, name: str, take: Take, words: Words, rule: Rule = FREE) -> None:
        """Declare one feature over everything visible."""
        self._add(name, words, rule, take=take)

    def derived(self, unit: str, rule: Rule = FREE) -> Callable[[Formula], Formula]:
        """Declare a function as a feature.

        Its name is the column, its parameters the inputs, its docstring the texts: `zh | en`.
        """

        def declare(formula: Formula) -> Formula:
            zh, _, en = (formula.__doc__ or "").partition(" | ")
            name = getattr(formula, "__name__", "")
            self._add(name, Words(unit, zh.strip(), en.strip()), rule, formula=formula)
            return formula

        return declare

    def _add(self, name: str, words: Words, rule: Rule, **how: Any) -> None:
        self.declarations.append(
            Declaration(name, self.name, words, rule, self.max_age_days, **how)
        )


def ratio(above: Column, below: Column) -> Column:
    """The quotient where the divisor is above zero, NaN elsewhere.

    >>> ratio(np.array([1.0, 1.0, 1.0]), np.array([4.0, 0.0, -2.0])).tolist()
    [0.25, nan, nan]
    """
    out = np.full(len(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def money(zh: str, en: str) -> Words:
    """Words of an amount in the data set's currency."""
    return Words("currency", zh, en)


def count(zh: str, en: str, unit: str = "count") -> Words:
    """Words of a count."""
    return Words(unit, zh, en)


def days(zh: str, en: str) -> Words:
    """Words of a time in days."""
    return Words("days", zh, en)


def share(zh: str, en: str) -> Words:
    """Words of a share between 0 and 1."""
    return Words("share", zh, en)


def quotient(zh: str, en: str) -> Words:
    """Words of a ratio without a unit."""
    return Words("ratio", zh, en)


def _code(formula: Formula) -> str:
    """The function's normalised source without decorators and docstring: layout changes nothing."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(formula)))
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return ast.unparse(tree)
    function.decorator_list = []
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    return ast.unparse(function)
