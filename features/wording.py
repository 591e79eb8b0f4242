"""What a reason says: to a reviewer, with the customer's own past; to the customer, as a sentence.

Enters: a catalogue, one customer's feature values, points. Leaves: text, Chinese or English, made
by rule from label, unit, side and family, so that a new feature has it with no more lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from features.catalogue import Catalogue, Language, in_brackets, moved, shown_value
from features.customer import Said, is_plural, sentence
from features.ideas import Idea
from features.past import MONTH, number, past

__all__ = ["Said", "Style", "Wording", "idea_reason", "reason"]
Wording = Literal["reviewer", "customer"]


@dataclass(frozen=True)
class Style:
    """Who reads, in which language, and the unit of amounts."""

    lang: Language
    wording: Wording = "reviewer"
    currency: str = ""


def reason(catalogue: Catalogue, said: Said, style: Style) -> str:
    """One feature's reason, for a reviewer or for the customer.

    >>> from features.catalogue import CATALOGUE
    >>> seen = {"purchase_count_30d": 0, "purchase_count_365d": 67, "purchase_tenure_days": 900}
    >>> reason(CATALOGUE, Said("purchase_count_30d", -12, seen), Style("zh"))
    '近30天消费次数：0次，此前月均6次（偏少），减12分'
    >>> reason(CATALOGUE, Said("purchase_count_30d", -12, seen), Style("en", "customer"))
    'Your purchases in the past 30 days came to 0, down from a monthly average of 6.'
    """
    if style.wording == "customer":
        return sentence(catalogue, said, style)
    comma = "，" if style.lang == "zh" else ", "
    return _told(catalogue, said, style) + comma + moved(said.points, style.lang)


def idea_reason(catalogue: Catalogue, idea: Idea, points: int, said: Said, style: Style) -> str:
    """The reason of an idea with its points, told by one of its features; to the customer as that
    feature says it.

    >>> from features.catalogue import CATALOGUE
    >>> seen = Said("purchase_count_30d", -12, {"purchase_count_30d": 0})
    >>> frequency = Idea("purchase_frequency", "消费频率", "Purchase frequency")
    >>> idea_reason(CATALOGUE, frequency, -20, seen, Style("en"))
    'Purchase frequency takes 20 points; purchases in the past 30 days: 0 (few)'
    """
    if style.wording == "customer":
        return sentence(catalogue, said, style)
    if idea.name == said.name:  # an idea of its own: once is enough
        return reason(catalogue, replace(said, points=points), style)
    told = _told(catalogue, said, style)
    if style.lang == "zh":
        return f"{idea.zh}{moved(points, 'zh')}；{told}"
    verb, _, much = moved(points, "en").partition(" ")
    verb = verb.removesuffix("s") if is_plural(idea.en) else verb
    return f"{idea.en} {verb} {much}; {told[0].lower()}{told[1:]}"


def _told(catalogue: Catalogue, said: Said, style: Style) -> str:
    """Label, value, own past and side, as a reviewer reads them."""
    feature, value = catalogue[said.name], number(said.values, said.name)
    shown = shown_value(value, feature.unit, style.lang, style.currency)
    usual = past(catalogue, said.name, said.values)
    if usual is not None:
        mean = shown_value(usual.value, feature.unit, style.lang, style.currency)
        if style.lang == "zh":
            shown += f"，此前{usual.often_zh}{mean}"
        else:
            often = "a month" if usual.days == MONTH else f"every {usual.days} days"
            shown += f", {mean} {often} before"
    shown += in_brackets(feature.side(value, said.points, said.target), style.lang)
    return feature.label(style.lang) + ("：" if style.lang == "zh" else ": ") + shown
