"""Named segments over recency, frequency and money: the customary grid, with both texts.

Enters: three scores from 1 to 5, 5 the best. Leaves: the name of a segment. Where one score ends
and the next begins is fitted, see `scoring/rfm.py`.
Source: the grid of ten that is customary over recency and frequency (frequency and money taken
together here), with "lost" set apart from "hibernating".
"""

from __future__ import annotations

from domain.errors import InputError

RFM_SEGMENTS: dict[str, tuple[str, str]] = {
    "champions": ("核心客户", "champions: came lately, come often, spend well"),
    "loyal": ("忠诚客户", "loyal: come often and spend well"),
    "potential_loyal": ("潜力客户", "potential loyalists: came lately, not yet often"),
    "new": ("新近客户", "recent: came just now, few purchases so far"),
    "promising": ("有望客户", "promising: came lately, few purchases so far"),
    "needs_attention": ("需关注客户", "needs attention: middling in everything"),
    "about_to_sleep": ("渐入沉睡客户", "about to sleep: few purchases, none lately"),
    "at_risk": ("流失风险客户", "at risk: used to buy, not seen for long"),
    "cannot_lose": ("不可失去客户", "cannot lose: used to be among the best, not seen for long"),
    "hibernating": ("休眠客户", "hibernating: few purchases, long ago"),
    "lost": ("流失客户", "lost: few purchases, longest ago"),
}
"""Name: zh, en; from the best downwards."""
_GRID = {
    5: ("new", "potential_loyal", "potential_loyal", "champions", "champions"),
    4: ("promising", "potential_loyal", "potential_loyal", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "needs_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    1: ("lost", "lost", "at_risk", "at_risk", "cannot_lose"),
}


def rfm_segment(recency: int, frequency: int, money: int) -> str:
    """The segment of three scores; frequency and money count as their mean, halves upwards.

    >>> rfm_segment(5, 5, 4), rfm_segment(1, 2, 2), rfm_segment(2, 4, 5)
    ('champions', 'lost', 'cannot_lose')

    Raises:
        InputError: a score is not from 1 to 5.
    """
    if not all(1 <= score <= 5 for score in (recency, frequency, money)):
        raise InputError(f"scores {recency}, {frequency}, {money}: give whole numbers from 1 to 5")
    return _GRID[recency][(frequency + money + 1) // 2 - 1]
