"""Words around an explanation: both languages for each, numbers as they are."""

from __future__ import annotations

import pytest

from serving import explain_words as words
from tests.serving.told_world import decision, told


@pytest.mark.parametrize("key", words.WORDS)
def test_every_word_is_in_both_languages(key):
    zh, en = words.word(key, "zh"), words.word(key, "en")
    assert not any("a" <= letter <= "z" for letter in zh)
    assert en.isascii()


@pytest.mark.parametrize(
    ("gap", "near", "zh", "en"),
    [
        (None, None, "没有分档线", "no cut"),
        (1, True, "高于最近的分档线1分，很接近", "1 point above the nearest cut, which is near"),
        (-64, False, "低于最近的分档线64分", "64 points below the nearest cut"),
        (0, None, "高于最近的分档线0分", "0 points above the nearest cut"),
    ],
)
def test_the_nearest_cut_is_told_with_its_side(gap, near, zh, en):
    assert words.to_cut(gap, near, "zh") == zh
    assert words.to_cut(gap, near, "en") == en


@pytest.mark.parametrize(
    ("low", "high", "zh", "en"),
    [
        (None, None, "任何分数", "any points"),
        (480, None, "至少480分", "at least 480 points"),
        (None, 523, "至多523分", "at most 523 points"),
        (480, 523, "480至523分", "480 to 523 points"),
    ],
)
def test_an_interval_is_told_with_the_bounds_it_has(low, high, zh, en):
    sure = told().sure("value").model_copy(update={"low": low, "high": high})
    cuts = told().cuts["value"]
    assert zh in words.sure_text(sure, cuts, "zh")
    assert en in words.sure_text(sure, cuts, "en")


def test_one_outcome_left_is_sure():
    sure = told().sure("credit").model_copy(update={"outcomes": ("good",), "unsure": False})
    assert words.sure_text(sure, (), "en") == "sure, at 90%: pays as agreed"
    assert words.sure_text(sure, (), "zh") == "较确定（90%的把握）：按约还款"


def test_what_is_expected_is_an_amount_or_a_probability():
    value, churn, _ = decision().scores
    assert words.expected(value, "en") == "2,201 CNY expected in 90 days"
    assert words.expected(churn, "zh") == "90天内流失概率37.8%"


def test_what_was_not_fitted_is_not_told():
    bare = decision().model_copy(update={"segments": None, "baseline": None})
    assert words.beside_texts(bare, "en") == []
    assert len(words.beside_texts(decision(), "en")) == 2
    assert words.moment(None, "zh") == "未知"
