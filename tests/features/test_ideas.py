"""Ideas: every feature has one, all windows of a thing share it, and grounds are facts."""

from __future__ import annotations

import re

import pytest

from events.given import read_given
from features.catalogue import CATALOGUE, Catalogue
from features.declare import Quotient, Rule, Take, Theme, Words
from features.given import GivenCatalogue
from features.ideas import ideas, may_be_ground
from tests.events.given_world import DECLARATION

IDEAS = ideas(CATALOGUE)


def test_every_feature_has_an_idea_with_a_noun_in_both_languages():
    assert set(IDEAS) == set(CATALOGUE.names)
    for idea in set(IDEAS.values()):
        assert re.search(r"[\u4e00-\u9fff]", idea.zh)
        assert idea.en.isascii()
        assert not re.search(r"\d|[()（）{}]", idea.zh + idea.en)
    assert len({i.name for i in IDEAS.values()}) == len(set(IDEAS.values()))
    assert len({i.zh for i in IDEAS.values()}) == len({i.en for i in IDEAS.values()})


def test_all_windows_of_a_family_have_one_idea():
    families: dict[str, set[str]] = {}
    for name, idea in IDEAS.items():
        family = re.sub(r"_(?:before_)?\d+d(?:_ago)?$|_ever$", "", name)
        families.setdefault(family, set()).add(idea.name)
    assert not {f: found for f, found in families.items() if len(found) > 1}
    assert len(set(IDEAS.values())) < len(families) / 2


@pytest.mark.parametrize(
    ("name", "idea"),
    [
        ("spend_ratio_30d_to_180d", "spend"),
        ("spend_to_before_90d", "spend"),
        ("spend_mean_90d", "purchase_size"),
        ("count_ratio_90d_to_180d", "purchase_frequency"),
        ("recency_to_median_gap", "purchase_recency"),
        ("purchases_missed", "purchase_recency"),
        ("refund_share_365d", "refunds"),
        ("limit_left", "limit"),
        ("limit_to_income", "limit"),
        ("app_share_90d", "channels"),
        ("app_ratio_30d_to_90d", "app_use"),
        ("payment_ratio_90d", "repayment"),
        ("past_due_30_count_180d", "late_payment"),
    ],
)
def test_a_ratio_has_the_idea_that_it_speaks_of(name, idea):
    assert IDEAS[name].name == idea


def test_a_new_feature_has_an_idea_without_a_line_of_its_own():
    theme = Theme("trial")
    words = Words("count", "牛", "Cows")
    theme.single("cow_count_ever", Take("count", "loans"), words)
    theme.quotient("cows_a_cow", Quotient("cow_count_ever", "cow_count_ever"), words)
    found = ideas(Catalogue((theme,)))
    assert found["cow_count_ever"].en == "Cows"
    assert found["cows_a_cow"] is found["cow_count_ever"]


def test_columns_of_a_ready_made_table_are_ideas_of_their_own():
    found = ideas(GivenCatalogue(read_given(DECLARATION)))
    assert {n: i.name for n, i in found.items()} == {n: n for n in found}


def test_nothing_protected_and_no_right_of_the_customer_is_a_ground():
    grounds = {n for n in CATALOGUE.names if may_be_ground(CATALOGUE, n)}
    assert not {f.name for f in CATALOGUE.features if f.protected} & grounds
    for never in (
        "complaint_count_90d",
        "education_last",
        "groceries_share_365d",
        "contact_count_90d",
    ):
        assert never not in grounds
    for fact in ("days_past_due_last", "utilisation_last", "income_last", "balance_last"):
        assert fact in grounds


def test_every_feature_with_a_direction_for_credit_may_be_a_ground():
    assert all(may_be_ground(CATALOGUE, f.name) for f in CATALOGUE.features if "credit" in f.better)
    theme = Theme("trial")
    theme.single("cows", Take("count", "loans"), Words("count", "牛", "Cows"))
    theme.single("calves", Take("count", "loans"), Words("count", "犊", "Calves"), Rule(credit=-1))
    made = Catalogue((theme,))
    assert [may_be_ground(made, n) for n in made.names] == [False, True]
