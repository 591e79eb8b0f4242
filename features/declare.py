"""How a feature is declared: one line a family or quotient, one function a derived feature.

Enters: the lines of the theme modules. Leaves: plain declarations, data that the catalogue checks,
hashes and compiles. It computes nothing and reads no data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import TierlineError
from domain.tiers import Target
from features.formulas import Filled, Formula, Quotient, content_of, inputs_of

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


Side = tuple[str, str]
"""What a value on one side is called: zh, en."""
SIDES: dict[str, tuple[Side, Side]] = {
    **dict.fromkeys(("currency", "share", "ratio"), (("偏低", "low"), ("偏高", "high"))),
    **dict.fromkeys(("of 5", "of 4"), (("偏低", "low"), ("偏高", "high"))),
    **dict.fromkeys(
        ("count", "items", "kinds", "people", "products", "statements", "loans"),
        (("偏少", "few"), ("偏多", "many")),
    ),
    **dict.fromkeys(("days", "months"), (("偏短", "short"), ("偏长", "long"))),
    "years": (("年轻", "young"), ("年长", "old")),
    "flag": (("没有", "without"), ("有", "with")),
}  # fmt: skip
"""What a low and a high value of each unit are called; a new unit belongs here."""


@dataclass(frozen=True)
class Words:
    """Unit and the texts of a feature; `{w}` stands for the window's days.

    `low` and `high` say what a value on either side means; by default what `SIDES` says of the
    unit. `middle` parts the sides where a number of its own does (no change, as usual).
    """

    unit: str
    zh: str
    en: str
    low: Side | None = None
    high: Side | None = None
    middle: float | None = None

    @property
    def sides(self) -> tuple[Side, Side] | None:
        """What a low and a high value are called; None where nothing says it."""
        if self.low and self.high:
            return self.low, self.high
        return SIDES.get(self.unit)


@dataclass(frozen=True)
class Subject:
    """What several families are about: the stem of their names, the values taken, their unit.

    An operation on times (`count`, `recency`, gaps) takes the plain events and has its own unit.
    """

    stem: str
    of: str
    where: tuple[str, ...] = ()
    unit: str = "currency"

    def take(self, op: str) -> Take:
        """What the engine takes."""
        return Take(op, self.of.partition(".")[0] if op in TIMED else self.of, self.where)

    def words(self, op: str, zh: str, en: str) -> Words:
        """The texts with what the operation makes of the unit.

        Raises:
            TierlineError: an operation that makes another unit of it.
        """
        kind = slope if op == "slope" else TIMED.get(op)
        if kind is None and op not in KEEPS_UNIT:
            raise TierlineError(
                f"{op} of {self.stem} is not in {self.unit}: give it words of its own, with "
                "`windowed` or `single`"
            )
        if op == "distinct":
            return count(zh, en, self.unit)
        return kind(zh, en) if kind else Words(self.unit, zh, en)


@dataclass(frozen=True)
class Rule:
    """Direction for each target (+1: more is better, -1: worse, 0: free), and the lever's cost.

    A lever is what the customer, or we with them, can change. Its cost: 0 it is none, 1 one
    message or visit away, 2 a habit of a month or an offer that costs us money, 3 half a year's
    behaviour.
    """

    value: int = 0
    churn: int = 0
    credit: int = 0
    lever: int = 0

    @property
    def better(self) -> dict[Target, int]:
        """The directions that are not free."""
        signs: dict[Target, int] = {
            "value": self.value,
            "churn": self.churn,
            "credit": self.credit,
        }
        return {target: sign for target, sign in signs.items() if sign}


LEVER_COSTS = range(4)
FREE = Rule()
LEVER = Rule(lever=2)


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
    owner: str = "analytics"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features a derived one reads, in order."""
        return () if self.formula is None else inputs_of(self.formula)

    def content(self) -> dict[str, Any]:
        """Everything that decides the feature's values and texts, as plain data to be hashed."""
        take = None if self.take is None else {**vars(self.take)}
        code = None if self.formula is None else content_of(self.formula)
        return {
            "name": self.name,
            "theme": self.theme,
            "words": vars(self.words),
            "rule": vars(self.rule),
            "max_age_days": self.max_age_days,
            "owner": self.owner,
            "take": take,
            "formula": code,
        }


@dataclass
class Theme:
    """The features of one theme, gathered in the order of their declaration."""

    name: str
    max_age_days: int = 45
    owner: str = "analytics"
    declarations: list[Declaration] = field(default_factory=list)

    def windowed(
        self, name: str, take: Take, windows: tuple[int, ...], words: Words, rule: Rule = FREE
    ) -> None:
        """Declare one feature for each window; `{w}` in name and texts becomes its days."""
        for days in windows:
            self._windowed(name, Take(**{**vars(take), "days": days}), days, words, rule)

    def past(
        self, of: Subject, op: str, windows: tuple[int, ...], text: str, rule: Rule = FREE
    ) -> None:
        """Declare `<stem>_<op>_<days>d` for each window; of distinct keys `<stem>_<days>d`.

        The text, `zh | en`, tells what; the window is added to it, in en where it names no `{w}`.
        """
        name = f"{of.stem}_{{w}}d" if op == "distinct" else f"{of.stem}_{op}_{{w}}d"
        self.windowed(name, of.take(op), windows, of.words(op, *_past(text)), rule)

    def ever(self, of: Subject, op: str, text: str, rule: Rule = FREE) -> None:
        """Declare `<stem>_<op>_ever`, or as `EVER_NAMES` says."""
        name = f"{of.stem}_{EVER_NAMES.get(op, f'{op}_ever')}"
        self.single(name, of.take(op), of.words(op, *_texts(text)), rule)

    def shares(
        self, of: Subject, condition: str, windows: tuple[int, ...], text: str, rule: Rule = FREE
    ) -> None:
        """Declare `<condition>_share_<days>d`: the share of the subject's events that meet it."""
        take = replace(of.take("count"), op="share", share=(condition,))
        self.windowed(f"{condition}_share_{{w}}d", take, windows, share(*_past(text)), rule)

    def latest(self, of: str, unit: str, text: str, rule: Rule = FREE) -> None:
        """Declare `<value>_last` of `table.value`."""
        words = Words(unit, *_texts(text))
        self.single(f"{of.partition('.')[2]}_last", Take("last", of), words, rule)

    def decayed(
        self, of: Subject, half_lives: tuple[int, ...], text: str, rule: Rule = FREE
    ) -> None:
        """Declare `<stem>_decay_<days>d` for each half-life, which is added to the text."""
        zh, en = _texts(text)
        words = Words(
            of.unit, f"{zh}（每{{w}}天减半计）", f"{en} (each worth half after {{w}} days)"
        )
        for days in half_lives:
            fading = Take("decay", of.of, of.where, half_life=float(days))
            self._windowed(f"{of.stem}_decay_{{w}}d", fading, days, words, rule)

    def before(
        self, name: str, take: Take, ago: tuple[int, ...], words: Words, rule: Rule = FREE
    ) -> None:
        """Declare the same window so many days before, once for each; `{w}` becomes those days.

        A take without a window is of as many days as it lies back: the window before this one.
        """
        for days in ago:
            moved = Take(**{**vars(take), "days": take.days or days, "ago": days})
            self._windowed(name, moved, days, words, rule)

    def _windowed(self, name: str, take: Take, days: int, words: Words, rule: Rule) -> None:
        zh, en = (text.replace("{w}", str(days)) for text in (words.zh, words.en))
        self._add(name.replace("{w}", str(days)), replace(words, zh=zh, en=en), rule, take=take)

    def single(self, name: str, take: Take, words: Words, rule: Rule = FREE) -> None:
        """Declare one feature over everything visible."""
        self._add(name, words, rule, take=take)

    def quotient(self, name: str, of: Quotient, words: Words, rule: Rule = FREE) -> None:
        """Declare the quotient of two features declared before."""
        self._add(name, words, rule, formula=of)

    def filled(self, name: str, of: tuple[str, ...], text: str) -> None:
        """Declare the share of features declared before that have a value."""
        self._add(name, share(*_texts(text)), FREE, formula=Filled(of))

    def derived(self, unit: str, rule: Rule = FREE) -> Callable[[Formula], Formula]:
        """Declare a function as a feature.

        Its name is the column, its parameters the inputs, its docstring the texts: `zh | en`.
        """

        def declare(formula: Formula) -> Formula:
            name = getattr(formula, "__name__", "")
            self._add(name, Words(unit, *_texts(formula.__doc__ or "")), rule, formula=formula)
            return formula

        return declare

    def _add(self, name: str, words: Words, rule: Rule, **how: Any) -> None:
        self.declarations.append(
            Declaration(name, self.name, words, rule, self.max_age_days, owner=self.owner, **how)
        )


def money(zh: str, en: str) -> Words:
    """Words of an amount in the data set's currency."""
    return Words("currency", zh, en)


def count(zh: str, en: str, unit: str = "count") -> Words:
    """Words of a count; counted days or months are few or many, not short or long."""
    return Words(unit, zh, en, *(SIDES["count"] if unit in ("days", "months") else ()))


def days(zh: str, en: str) -> Words:
    """Words of a time in days."""
    return Words("days", zh, en)


def since(zh: str, en: str) -> Words:
    """Words of the days since something last happened."""
    return Words("days", zh, en, ("不久前", "not long ago"), ("已久", "long ago"))


def share(zh: str, en: str) -> Words:
    """Words of a share between 0 and 1."""
    return Words("share", zh, en)


def quotient(zh: str, en: str) -> Words:
    """Words of a ratio without a unit."""
    return Words("ratio", zh, en)


def slope(zh: str, en: str) -> Words:
    """Words of a slope a day: above zero it rises."""
    return Words("ratio", zh, en, ("下降", "falling"), ("上升", "rising"), middle=0.0)


def against(zh: str, en: str) -> Words:
    """Words of a ratio to what was usual, or before: above one it is more."""
    return Words(
        "ratio", zh, en, ("低于往常", "less than usual"), ("高于往常", "more than usual"), 1.0
    )


TIMED: dict[str, Callable[[str, str], Words]] = {
    **dict.fromkeys(("tenure", "gap_mean", "gap_max", "gap_median", "gap_std"), days),
    "count": count, "recency": since, "gap_slope": slope,
}  # fmt: skip
"""The operations on times, whatever the value, and what gives their words."""
KEEPS_UNIT = frozenset({"sum", "mean", "median", "std", "min", "max", "last", "distinct"})
EVER_NAMES = {
    "recency": "recency_days", "tenure": "tenure_days", "last": "last", "distinct": "ever",
}  # fmt: skip
"""How a name over everything ends, where not with the operation."""


def _texts(text: str) -> tuple[str, str]:
    zh, _, en = text.partition(" | ")
    return zh.strip(), en.strip()


def _past(text: str) -> tuple[str, str]:
    zh, en = _texts(text)
    return f"近{{w}}天{zh}", en if "{w}" in en else f"{en} in the past {{w}} days"
