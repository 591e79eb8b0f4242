"""What a reason says to the customer: one polite, plain sentence, Chinese or English.

Enters: a catalogue, one customer's feature values, the sign of a feature's points. Leaves: a
sentence with the value, its unit and window, and how it stands to the customer's own past where
that agrees with the side of the value. It tells no points and no words of the trade: what a label
says in brackets is left out. A feature that weighs another against what is usual speaks of that
other; one "since" something, of the time since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from domain.tiers import Target
from features.catalogue import Catalogue, Feature, Language, shown_value
from features.declare import EVER, Side, Take, since
from features.past import MONTH, Values, number, past

_SIDES: dict[str, str] = {
    **dict.fromkeys(("few", "low"), "which is low"),
    **dict.fromkeys(("many", "high"), "which is high"),
    "short": "which is short", "long": "which is long",
    "not long ago": "which is recent", "long ago": "which is a long time",
    "不久前": "时间较近", "已久": "时间较长",
}  # fmt: skip
"""A side as it ends a sentence to the customer; any other stands as it is."""
_RECENT = since("", "").low
_COUNTED = ("count", "sum", "distinct", "rises", "falls", "cures")
_AFTER_HEAD = re.compile(
    r" (?:in|over|of|to|between|since|with|from|at|as|on|an?|ago|so|now|past|that|for|paid|sent"
    r"|answered|bought|used|held|left|before|ever|\d+)\b.*"
)
_IS_PAST = re.compile(
    r"\b(?:ago|in (?:two|twelve|(?:the past )?\d+)|(?:last|past) (?:month|quarter|twelve))\b"
)


@dataclass(frozen=True)
class Typical:
    """What is typical of some customers, who are called `zh` and `en`."""

    value: float
    zh: str
    en: str


@dataclass(frozen=True)
class Said:
    """A feature with its points in a score of a target, and all values of the customer.

    `typical`: what is typical of others.
    """

    name: str
    points: int
    values: Values
    target: Target | None = None
    typical: Typical | None = None


class Reader(Protocol):
    """What a sentence asks of its reader."""

    @property
    def lang(self) -> Language:
        """The language."""

    @property
    def currency(self) -> str:
        """The unit of amounts."""


def sentence(catalogue: Catalogue, said_of: Said, reader: Reader) -> str:
    """The sentence of a feature; only the sign of its points counts, where it tells the side.

    What is typical of others ends it where neither the side nor the own past does.
    """
    feature, values, typical = catalogue[said_of.name], said_of.values, said_of.typical
    side = feature.side(number(values, feature.name), said_of.points, said_of.target)
    spoken = _spoken(catalogue, feature, values)
    value = number(values, spoken.name)
    declared = catalogue.declared.get(spoken.name)
    take = declared.take if declared else None
    words = _Zh(spoken) if reader.lang == "zh" else _En(spoken, take)
    if value is None:
        return words.missing()
    if spoken.unit == "flag":
        return words.flag(value)
    if _is_slope(spoken):
        return words.slope(side)
    shown = shown_value(value, spoken.unit, reader.lang, reader.currency)
    if take is not None and take.op == "decay":
        return words.of_late(shown, side)
    said = words.stated(shown)
    if spoken is not feature and feature.middle is None and side is not None:
        side = spoken.high if side == feature.high else spoken.low
    ending = _compared(catalogue, spoken, values, side, reader) if spoken is feature else None
    if ending is None and side is not None:
        told = side[0] if reader.lang == "zh" else side[1]
        ending = _SIDES.get(told, told)
    if ending is None and typical is not None and spoken is feature:
        ending = _set_against(typical, shown, spoken, reader)
    return words.closed(said, ending)


def _spoken(catalogue: Catalogue, feature: Feature, values: Values) -> Feature:
    """The feature that the sentence speaks of; never one whose value nobody brought."""
    if not feature.inputs:
        return feature
    first = catalogue[feature.inputs[0]]
    if number(values, first.name) is None and number(values, feature.name) is not None:
        return feature
    is_silence = first.low == _RECENT and feature.unit in ("ratio", "days")
    return first if feature.middle is not None or is_silence else feature


def _is_slope(feature: Feature) -> bool:
    return feature.middle is not None and not feature.inputs


def _compared(
    catalogue: Catalogue, feature: Feature, values: Values, side: Side | None, reader: Reader
) -> str | None:
    """How the value stands to the customer's own past; None where the side says otherwise."""
    usual, value = past(catalogue, feature.name, values), number(values, feature.name)
    if usual is None or value is None:
        return None
    shown = [
        shown_value(v, feature.unit, reader.lang, reader.currency) for v in (value, usual.value)
    ]
    up = value > usual.value
    if shown[0] == shown[1] or (side is not None and (side == feature.high) != up):
        return None
    if reader.lang == "zh":
        return f"{'高' if up else '低'}于此前{usual.often_zh}的{shown[1]}"
    way = "up" if up else "down"
    if usual.days == MONTH:
        return f"{way} from a monthly average of {shown[1]}"
    return f"{way} from an average of {shown[1]} in {usual.days} days"


def _set_against(typical: Typical, shown: str, feature: Feature, reader: Reader) -> str | None:
    """What is typical of others; None where the customer's value reads the same."""
    theirs = shown_value(typical.value, feature.unit, reader.lang, reader.currency)
    if theirs == shown:
        return None
    if reader.lang == "zh":
        return f"而{typical.zh}一般为{theirs}"
    return f"while {theirs} is typical of {typical.en}"


class _Zh:
    """The Chinese sentences about a feature."""

    def __init__(self, feature: Feature) -> None:
        self.noun = re.sub(r"[（(].*?[）)]", "", feature.zh)
        self.since = self.noun.startswith("距") or self.noun.endswith("至今天数")

    def subject(self) -> str:
        """The noun as the customer's own: `的` after its window, or before it where it has none."""
        window = re.match(r"近\d+(?:天|个月)", self.noun)
        if "的" in self.noun or re.match(r"\d|此前|去年|历来", self.noun):
            return f"您{self.noun}"
        return f"您{window[0]}的{self.noun[window.end() :]}" if window else f"您的{self.noun}"

    def missing(self) -> str:
        """That there is no record."""
        noun = self.noun
        if self.since:
            noun = re.sub(r"的?天数$|至今天数$", "", noun.removeprefix("距"))
        return f"我们没有您{noun}的记录。"

    def flag(self, value: float) -> str:
        """That it is so, or not."""
        return f"我们的记录{'' if value else '未'}显示您{self.noun}。"

    def slope(self, side: Side | None) -> str:
        """Where it moves."""
        subject = self.subject().removesuffix("趋势")
        return f"{subject}呈{side[0]}趋势。" if side else f"{subject}保持平稳。"

    def of_late(self, shown: str, side: Side | None) -> str:
        """What it was lately; a faded number says nothing to a customer where the side does."""
        return f"您近来的{self.noun}{side[0] if side else f'为{shown}'}。"

    def stated(self, shown: str) -> str:
        """What it is, without an end."""
        if self.since:
            return f"您{re.sub(r'的?天数$', '', self.noun)}已有{shown}"
        return f"{self.subject()}为{shown}"

    def closed(self, said: str, ending: str | None) -> str:
        """The sentence with its end."""
        return f"{said}，{ending}。" if ending else f"{said}。"


class _En:
    """The English sentences about a feature."""

    def __init__(self, feature: Feature, take: Take | None) -> None:
        self.take = take
        label = re.sub(r" ever\b", " so far", re.sub(r" ?\(.*?\)", "", feature.en))
        self.noun = label if label[1:2].isupper() else label[0].lower() + label[1:]
        self.since = re.match(r"(?:days|time) since ", self.noun)

    def missing(self) -> str:
        """That there is no record."""
        if self.since is None:
            return f"We have no record of your {self.noun}."
        return f"We have no record of {self.event(of='when ')}."

    def event(self, of: str = "") -> str:
        """What the time is counted from: a thing of the customer's, or a clause."""
        noun = self.noun[self.since.end() :] if self.since else self.noun
        thing = re.fullmatch(r"the ((?:last|first) \w+)", noun)
        return f"your {thing[1]}" if thing else f"{of}{noun}"

    def flag(self, value: float) -> str:
        """That it is so, or not."""
        return f"Our records {'show' if value else 'do not show'} {self.noun}."

    def slope(self, side: Side | None) -> str:
        """Where it moves."""
        noun = re.sub(r"^trend of (?:the )?", "", self.noun)
        return f"Your {noun} {_was(noun)} {side[1] if side else 'steady'}."

    def of_late(self, shown: str, side: Side | None) -> str:
        """What it was lately; a faded number says nothing to a customer where the side does."""
        told = f"{_was(self.noun)} {side[1]}" if side else f"came to {shown}"
        return f"Your {self.noun} of late {told}."

    def stated(self, shown: str) -> str:
        """What it is, without an end."""
        if self.since:
            return f"It has been {shown} since {self.event()}"
        take = self.take
        if take is not None and take.op in _COUNTED and take.days != EVER:
            return f"Your {self.noun} came to {shown}"
        is_past = take.days != EVER or take.ago if take else _IS_PAST.search(self.noun)
        return f"Your {self.noun} {_was(self.noun) if is_past else _is(self.noun)} {shown}"

    def closed(self, said: str, ending: str | None) -> str:
        """The sentence with its end."""
        return f"{said}, {ending}." if ending else f"{said}."


def is_plural(noun: str) -> bool:
    """Whether the head of an English noun phrase has the form of a plural."""
    head = _AFTER_HEAD.sub("", noun)
    return any(word.endswith("s") and not word.endswith("ss") for word in head.split())


def _was(noun: str) -> str:
    return "were" if is_plural(noun) else "was"


def _is(noun: str) -> str:
    return "are" if is_plural(noun) else "is"
