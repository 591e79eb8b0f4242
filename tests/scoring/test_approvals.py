"""Who trained a bundle may not sign it; who signs is kept for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.asof import parse_instant
from domain.errors import InputError, PromotionError, RecordError
from domain.workspace import Workspace
from scoring.approvals import approval_of, approvals, approve, trained, trainings

JUNE = parse_instant("2011-06-01")
BUNDLE, OTHER, REPORT = "b" * 64, "c" * 64, "d" * 64
WHY = "Read it from first to last page."


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    own = Workspace(tmp_path, "shop")
    trained(own, BUNDLE, "Wang Fang", JUNE)
    return own


def sign(shop: Workspace, by: str = "Li", **other):
    plain = {"report": REPORT, "reason": WHY, "at": JUNE + 1}
    bundle = other.pop("bundle", BUNDLE)
    return approve(shop, bundle, by=by, **{**plain, **other})


def test_a_second_person_signs_and_the_log_keeps_it(shop):
    assert approval_of(shop, BUNDLE) is None
    done = sign(shop)
    assert (done.by, done.reason, done.report, done.bundle) == ("Li", WHY, REPORT, BUNDLE)
    assert approval_of(shop, BUNDLE) == done
    assert approval_of(shop, OTHER) is None
    again = sign(shop, by="Zhao", at=JUNE + 2)
    assert approvals(shop) == (done, again)
    assert approval_of(shop, BUNDLE) == again
    assert again.previous == done.hash


def test_the_same_signature_is_not_logged_twice(shop):
    assert sign(shop) == sign(shop, at=JUNE + 5)
    assert len(approvals(shop)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Wang Fang", "wang  fang", " WANG FANG ", "WangFang", "Wang-Fang", "Fang, Wang",
        "Wáng Fāng", "Wang\tFang", "Wang\u00a0Fang", "Wang\u200bFang", "\u202eWang Fang",
        "Ｗａｎｇ　Ｆａｎｇ", "W\u0430ng F\u0430ng", "W\u0391NG FANG", "𝐖𝐚𝐧𝐠 𝐅𝐚𝐧𝐠",
    ],
)  # fmt: skip
def test_the_author_may_not_sign(shop, name):
    with pytest.raises(PromotionError, match="may not approve it: ask a second person"):
        sign(shop, by=name)
    assert approvals(shop) == ()


@pytest.mark.parametrize("name", ["Wang Feng", "Wang", "Li", "王芳", "W. Fang", "Ванг"])
def test_another_name_is_another_person(shop, name):
    assert sign(shop, by=name).by == name


def test_an_author_of_another_script_is_known_by_every_case(shop):
    trained(shop, OTHER, "Анна Ли", JUNE + 1)
    for name in ("АННА ЛИ", "анна ли", "Ли, Анна"):
        with pytest.raises(PromotionError, match="may not approve"):
            sign(shop, bundle=OTHER, by=name, at=JUNE + 2)
    assert sign(shop, bundle=OTHER, by="Анна Мин", at=JUNE + 2)


def test_everybody_who_trained_it_is_an_author(shop):
    trained(shop, BUNDLE, "Li", JUNE + 1)
    with pytest.raises(PromotionError, match="may not approve"):
        sign(shop, at=JUNE + 2)


def test_a_bundle_of_which_nobody_knows_the_author_cannot_be_signed(shop):
    with pytest.raises(PromotionError, match="nobody is known to have trained"):
        sign(shop, bundle=OTHER)


@pytest.mark.parametrize(
    ("by", "reason"),
    [(" ", WHY), ("\u200b", WHY), ("--", WHY), ("Li", "fine"), ("Li", "         x")],
)
def test_a_name_and_a_reason_are_asked_for(shop, by, reason):
    with pytest.raises(InputError, match="give a name, and a reason"):
        sign(shop, by=by, reason=reason)


def test_the_same_training_in_a_row_is_one_line(shop):
    trained(shop, BUNDLE, "Wang Fang", JUNE + 1)
    trained(shop, OTHER, "Wang Fang", JUNE + 2)
    assert [(t.bundle, t.by) for t in trainings(shop)] == [
        (BUNDLE, "Wang Fang"), (OTHER, "Wang Fang"),
    ]  # fmt: skip


def test_an_edited_signature_is_found(shop):
    sign(shop)
    shop.approvals.write_bytes(shop.approvals.read_bytes().replace(b"Li", b"Zu"))
    with pytest.raises(RecordError, match="line 1 of the log of approvals was edited"):
        approval_of(shop, BUNDLE)


def test_a_clock_that_was_set_back_loses_no_training(shop):
    done = trained(shop, OTHER, "Li", JUNE - 5)
    assert done.at == JUNE
    assert trainings(shop)[-1] == done
