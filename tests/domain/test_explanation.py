"""The types of an explanation refuse what does not add up."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.decision import Reason
from domain.explanation import (
    AdverseAction,
    AdverseReason,
    Compared,
    Explanation,
    IdeaReason,
    ReferenceTold,
    Sure,
)
from domain.policy import Labelled

IDEA = IdeaReason(idea="spend", points=-9, features=2, feature="f", value=1.0, zh="一", en="one")
REASON = Reason(feature="f", points=-9, value=1.0, zh="一", en="one")
REFERENCE = ReferenceTold(name="approved", zh="一", en="one", customers=60, points=600)
LABEL = Labelled(name="a", zh="一", en="one")


def adverse(idea: str = "spend", points: int = -9) -> AdverseReason:
    return AdverseReason(idea=idea, feature="f", points=points, value=None, zh="一", en="one")


def action(*reasons: AdverseReason) -> AdverseAction:
    return AdverseAction(target="credit", decision=LABEL, points=591, reference=REFERENCE,
                         reasons=list(reasons), left_out=[], used=[])  # fmt: skip


def test_what_adds_up_is_taken():
    Explanation(level="none", target="credit", points=3)
    Explanation(level="reasons", target="credit", points=591, base_points=600, ideas=[IDEA])
    compared = Compared(reference=REFERENCE, points=591, ideas=[IDEA])
    Explanation(
        level="full", target="credit", points=591, base_points=600, ideas=[IDEA],
        reasons=[REASON], compared=[compared],
    )  # fmt: skip
    assert action(adverse(), adverse("late")).reasons[1].idea == "late"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Compared(reference=REFERENCE, points=590, ideas=[IDEA]), "add up to 591"),
        (lambda: Explanation(level="reasons", target="credit", points=1), "base_points"),
        (lambda: Explanation(level="none", target="credit", points=1, base_points=1), "level none"),
        (
            lambda: Explanation(level="reasons", target="credit", points=590, base_points=600,
                                ideas=[IDEA]),
            "add up to 591",
        ),
        (
            lambda: Explanation(level="full", target="credit", points=591, base_points=600,
                                ideas=[IDEA]),
            "add up to 600",
        ),
        (lambda: action(adverse(), adverse()), "repeat an idea"),
        (lambda: action(*(adverse(f"i{n}") for n in range(5))), "at most 4"),
        (lambda: adverse(points=0), "less than 0"),
        (
            lambda: Sure(target="churn", percent=90, low=None, high=None, tiers=(),
                         outcomes=("good", "bad"), points_to_cut=3, near_cut=True, unsure=False),
            "unsure says",
        ),
    ],
)  # fmt: skip
def test_what_does_not_is_refused(make, said):
    with pytest.raises(ValidationError, match=said):
        make()
