"""The catalogue: every feature with its unit, texts, directions, lineage and hash.

Enters: the declarations of the theme modules. Leaves: `CATALOGUE`, checked when it is built. What
is protected is not declared: it is derived from the raw columns that a feature reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from domain.decision import content_hash
from domain.errors import NotFoundError, TierlineError
from domain.tiers import Target
from events.given import CODE
from events.schema import OUTCOMES, TABLES, Personal
from features import accounts, credit, people, spending
from features.declare import LEVER_COSTS, SIDES, Declaration, Side, Theme
from features.offers import OFFERS

Language = Literal["zh", "en"]
_ORDER = (
    Personal.NONE, Personal.IDENTIFIER, Personal.BEHAVIOUR, Personal.FINANCIAL, Personal.PROTECTED,
)  # fmt: skip
_UNITS = {
    "days": ("天", "days"),
    "months": ("个月", "months"),
    "years": ("岁", "years"),
    "count": ("次", ""),
    "items": ("种", "items"),
    "kinds": ("种", ""),
    "statements": ("期", ""),
    "loans": ("笔", ""),
    "people": ("人", "people"),
    "products": ("个", ""),
    "of 5": ("分（满分5分）", "of 5"),
    "of 4": ("级（共4级）", "of 4"),
}
_ONE = {"people": "person"}


@dataclass(frozen=True)
class Feature:
    """One feature as the rest of Tierline sees it.

    `better`: +1 where a larger value earns more points of a target, -1 where fewer; else free.
    `lever_cost`: what it costs to move it, 0 where nobody can (`features/declare.py`, `Rule`).
    `low` and `high` are what a value on either side is called (zh, en), parted at `middle` where
    it has one. Values in the unit `code` are levels without an order, as branches are.
    """

    name: str
    theme: str
    table: str
    unit: str
    zh: str
    en: str
    better: Mapping[Target, int]
    lever_cost: int
    protected: bool
    personal: Personal
    max_age_days: int
    inputs: tuple[str, ...]
    owner: str
    low: Side
    high: Side
    middle: float | None

    def label(self, lang: Language) -> str:
        """What it is, in a language."""
        return self.zh if lang == "zh" else self.en

    @property
    def is_category(self) -> bool:
        """Whether its values are codes, which a scorer reads by what their levels stand for."""
        return self.unit == CODE

    @property
    def lever(self) -> bool:
        """Whether the customer, or we with them, can change it."""
        return self.lever_cost > 0

    def side(self, value: float | None, points: int, target: Target | None = None) -> Side | None:
        """What the value is called in a reason: by its middle, else by its direction and points.

        The direction is that for the target, or where none is named the one of all that have one.

        None where neither tells: of a free feature points do not say whether it is low or high; nor
        is nothing high or short, or a full share low.
        """
        if value is None or math.isnan(value) or self.unit == "flag" or self.is_category:
            return None
        if self.middle is not None:
            off = value - self.middle
        else:
            signs = {self.better.get(target, 0)} if target else set(self.better.values())
            off = points * signs.pop() if len(signs) == 1 else 0
        if not off or (self.middle is None and self._is_at_the_end(value, off)):
            return None
        return self.high if off > 0 else self.low

    def _is_at_the_end(self, value: float, off: float) -> bool:
        """Whether a value is nothing and to be high or short, or a full share and to be low."""
        if value <= 0 and (off > 0 or self.low == SIDES["days"][0]):
            return True
        return off < 0 and self.unit == "share" and value >= 1


class Catalogue:
    """Declarations, checked: names once, both texts, inputs declared before, no label read.

    Raises:
        TierlineError: says which declaration breaks which rule.
    """

    def __init__(self, themes: Sequence[Theme]) -> None:
        self.declarations: tuple[Declaration, ...] = tuple(
            d for theme in themes for d in theme.declarations
        )
        self._lineage: dict[str, frozenset[tuple[str, str]]] = {}
        for declaration in self.declarations:
            self._check(declaration)
            self._lineage[declaration.name] = self._trace(declaration)
        self.features: tuple[Feature, ...] = tuple(self._feature(d) for d in self.declarations)
        self._by_name = {f.name: f for f in self.features}

    @property
    def nominal(self) -> bool:
        """Whether the as_of of its features is made up, so that their age is unknown."""
        return False

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature, in the order of declaration."""
        return tuple(self._by_name)

    def __getitem__(self, name: str) -> Feature:
        """The feature of a name.

        Raises:
            NotFoundError: there is none.
        """
        if name not in self._by_name:
            raise NotFoundError(f"no feature {name[:64]!r}: docs/features.md lists them")
        return self._by_name[name]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that decides values, texts and directions."""
        offers = {table: offer.content() for table, offer in OFFERS.items()}
        return content_hash(
            {"features": [d.content() for d in self.declarations], "offers": offers}
        )

    def for_target(self, target: Target) -> tuple[str, ...]:  # noqa: ARG002
        """The features a scorer of the target may use: none that reads a protected column (I10).

        Today that is the same list for every target.
        """
        return tuple(f.name for f in self.features if not f.protected)

    @cached_property
    def declared(self) -> Mapping[str, Declaration]:
        """The declaration of every feature that was declared here, by name."""
        return {d.name: d for d in self.declarations}

    def monotone(self, target: Target, names: Sequence[str]) -> tuple[int, ...]:
        """The declared direction of each feature: +1, -1, or 0 for free."""
        return tuple(self[n].better.get(target, 0) for n in names)

    def categories(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those whose values are codes."""
        return tuple(n for n in names if self[n].is_category)

    def lineage(self, name: str) -> frozenset[tuple[str, str]]:
        """The raw (table, column) pairs that the feature reads, clocks left out."""
        return self._lineage[self[name].name]

    def reason_text(
        self,
        name: str,
        value: float | None,
        points: int,
        lang: Language,
        currency: str = "",
        target: Target | None = None,
    ) -> str:
        """One reason as a sentence: what, its value with its unit, which way and how much.

        `features/wording.py` words the same with the customer's own past, and for the customer.

        >>> CATALOGUE.reason_text("purchase_count_30d", 0.0, -12, "zh")
        '近30天消费次数：0次（偏少），减12分'
        >>> CATALOGUE.reason_text("spend_sum_90d", 1234.5, 7, "en", "GBP")
        'Net spend in the past 90 days: 1,234 GBP (high), adds 7 points'
        """
        feature = self[name]
        shown = shown_value(value, feature.unit, lang, currency)
        told = f"{feature.label(lang)}{'：' if lang == 'zh' else ': '}{shown}"
        told += in_brackets(feature.side(value, points, target), lang)
        return told + ("，" if lang == "zh" else ", ") + moved(points, lang)

    def _check(self, declaration: Declaration) -> None:
        name = declaration.name
        if not name or name in self._lineage:
            raise TierlineError(f"feature {name!r} is declared twice or has no name: rename one")
        if not (declaration.words.zh and declaration.words.en and declaration.words.unit):
            raise TierlineError(f"feature {name} lacks its unit, zh or en text: give all three")
        sides = declaration.words.sides
        if sides is None or not all(text for side in sides for text in side):
            raise TierlineError(
                f"feature {name} says in no words what a low and a high value are: give both sides "
                f"in both languages, or its unit {declaration.words.unit!r} a place in SIDES"
            )
        if not declaration.owner or declaration.max_age_days < 1:
            raise TierlineError(f"feature {name} needs an owner and an age of a day or more")
        if declaration.rule.lever not in LEVER_COSTS:
            raise TierlineError(
                f"feature {name} has the lever cost {declaration.rule.lever}: 0 is no lever, "
                "1 to 3 are its costs"
            )
        absent = [i for i in declaration.inputs if i not in self._lineage]
        if absent:
            raise TierlineError(f"feature {name} reads {absent}, not declared before it")
        take = declaration.take
        if (take is None) == (declaration.formula is None):
            raise TierlineError(f"feature {name} needs either events or a formula")
        if take is not None and (take.table not in OFFERS or take.table == OUTCOMES.name):
            raise TierlineError(
                f"feature {name} reads {take.table}, which offers nothing to features"
            )

    def _trace(self, declaration: Declaration) -> frozenset[tuple[str, str]]:
        take = declaration.take
        if take is None:
            return frozenset().union(*(self._lineage[i] for i in declaration.inputs))
        offer = OFFERS[take.table]
        asked = [*take.where, *take.share, *([take.value] if take.value else [])]
        columns = {(take.table, c) for n in asked for c in offer.columns_of(n)}
        return frozenset(columns | {(take.table, "happened_at")})

    def _feature(self, declaration: Declaration) -> Feature:
        classes = [TABLES[t].column(c).personal for t, c in self._lineage[declaration.name]]
        personal = max(classes, key=_ORDER.index)
        tables = sorted({t for t, _ in self._lineage[declaration.name]})
        words = declaration.words
        low, high = words.sides or (("", ""), ("", ""))
        return Feature(
            name=declaration.name, theme=declaration.theme, table=", ".join(tables),
            unit=words.unit, zh=words.zh, en=words.en, better=declaration.rule.better,
            lever_cost=int(declaration.rule.lever), protected=personal is Personal.PROTECTED,
            personal=personal, max_age_days=declaration.max_age_days, inputs=declaration.inputs,
            owner=declaration.owner, low=low, high=high, middle=words.middle,
        )  # fmt: skip


def moved(points: int, lang: Language) -> str:
    """How many points something adds or takes."""
    if lang == "zh":
        return f"{'加' if points > 0 else '减'}{abs(points)}分" if points else "不加不减"
    some = "1 point" if abs(points) == 1 else f"{abs(points)} points"
    return f"{'adds' if points > 0 else 'takes'} {some}" if points else "changes nothing"


def in_brackets(side: Side | None, lang: Language) -> str:
    """What a value is called, in the brackets of the language; nothing where nothing tells."""
    if side is None:
        return ""
    return f"（{side[0]}）" if lang == "zh" else f" ({side[1]})"


def shown_value(value: float | None, unit: str, lang: Language, currency: str) -> str:
    """A value with its unit, as texts show it."""
    if value is None or math.isnan(value):
        return "无记录" if lang == "zh" else "no record"
    if unit == "share":
        return f"{value:.0%}"
    if unit == "flag":
        yes, no = ("是", "否") if lang == "zh" else ("yes", "no")
        return yes if value else no
    if unit == "currency":
        return f"{value:z,.0f} {currency}".strip()
    if unit == "ratio":
        return f"{value:z.2f}"
    if unit == CODE:
        return f"{value:.0f}"
    number = (
        f"{value:z,.0f}"
        if abs(value - round(value)) < 0.05 or abs(value) >= 100
        else f"{value:z.1f}"
    )
    zh, en = _UNITS.get(unit, (unit, unit))
    if number == "1":
        en = _ONE.get(en, en.removesuffix("s"))
    return f"{number}{zh}" if lang == "zh" else f"{number} {en}".strip()


THIN_FEATURES = ("transaction_tenure_days", "statement_tenure_days")
"""Who misses all of these has a thin file: neither transactions nor statements."""
CATALOGUE = Catalogue((*spending.THEMES, *accounts.THEMES, *credit.THEMES, *people.THEMES))
