"""One target on a page: its content, and what its names are called in the language of the page.

Enters: the content of a target, the study plan. Leaves: words. The sections themselves are in
`training/report_sections.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.plan import StudyPlan
from domain.tiers import Target
from training.report_html import Writer
from training.report_model import TargetReport
from training.report_words import part_name


@dataclass(frozen=True)
class Section:
    """One target: what is told of it, the plan, and what fitted its trees."""

    target: Target
    found: TargetReport
    plan: StudyPlan
    learner: str
    write: Writer

    @property
    def events(self) -> str:
        """The word for the rows that count."""
        return "spenders" if self.found.is_amount else "bad"

    def name(self, feature: str) -> str:
        """What a feature is called."""
        pair = self.found.labels.features.get(feature)
        return feature if pair is None else self.write.told(pair)

    def sign(self, sign: str) -> str:
        """A sign between words as the language writes it."""
        return self.write.sign(sign)

    def unit(self, feature: str) -> str:
        """In what the values of a feature are told."""
        unit = self.found.labels.units.get(feature, "")
        return self.plan.currency if unit == "currency" else self.write.say(unit)

    def idea(self, name: str) -> str:
        """What an idea is called."""
        pair = self.found.labels.ideas.get(name)
        return name if pair is None else self.write.told(pair)

    def part(self, name: str) -> str:
        """What a part of the test is called."""
        return part_name(name, self.write.lang)

    def measure(self, name: str) -> str:
        """What a figure is called, with its unit where it is money."""
        money = name in ("mae", "mean") and self.found.is_amount
        return self.write.say(name) + (f" ({self.plan.currency})" if money else "")
