"""Every feature, direction, language and wording reads as one sentence, with unit and window."""

from __future__ import annotations

import re

import pytest

from features.catalogue import CATALOGUE, Catalogue
from features.declare import Rule, Take, Theme, Words
from features.ideas import ideas
from features.wording import Said, Style, idea_reason, reason

IDEAS = ideas(CATALOGUE)
FILLED = {
    f.name: {"days": 40.0, "currency": 1234.5, "share": 0.25, "ratio": 0.7, "flag": 1.0}.get(
        f.unit, 3.0
    )
    for f in CATALOGUE.features
}
FILLED |= {n: 900.0 for n in FILLED if "tenure" in n}
FILLED |= {n: v * 9 for n, v in FILLED.items() if re.search(r"(?:count|sum)_365d$", n)}
CASES = {
    "filled": FILLED,
    "none": {},
    "zero": dict.fromkeys(FILLED, 0.0),
    "one": dict.fromkeys(FILLED, 1.0),
    "odd": {n: -1e6 - 0.04 for n in FILLED},
}
ZH_UNITS = {
    "days": "天", "months": "个月", "years": "岁", "count": "次", "items": "种", "kinds": "种",
    "statements": "期", "loans": "笔", "people": "人", "products": "个", "share": "%",
    "currency": "CNY", "of 5": "分（满分5分）", "of 4": "级（共4级）",
}  # fmt: skip
EN_UNITS = {"days": "days", "months": "months", "items": "items", "share": "%", "currency": "CNY"}


def texts(name: str, values, points: int, wording: str) -> tuple[str, str]:
    said = Said(name, points, values)
    zh, en = (
        reason(CATALOGUE, said, Style(lang, wording, "CNY"))  # type: ignore[arg-type]
        for lang in ("zh", "en")
    )
    return zh, en


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("wording", ["reviewer", "customer"])
@pytest.mark.parametrize("points", [-5, -1, 0, 1, 5])
def test_every_text_is_clean(case, wording, points):
    for feature in CATALOGUE.features:
        for text in texts(feature.name, CASES[case], points, wording):
            assert text == text.strip()
            assert not re.search(r"  |[{}]|\bnan\b|None|\(\)|（）|-0\b(?!\.)| [,.;:]|,,", text), (
                text
            )
        zh, en = texts(feature.name, CASES[case], points, wording)
        assert en.isascii(), en
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert not re.search(r"[;:()!?]|,(?!\d)|\.(?!\d)", zh), f"mixed punctuation: {zh}"
        assert not re.search(r"\b1 (?:days|months|items|points)\b", en), en


@pytest.mark.parametrize("feature", CATALOGUE.features, ids=lambda f: f.name)
def test_a_customer_reads_one_whole_sentence_without_points(feature):
    for points in (-5, 5):
        for values in CASES.values():
            zh, en = texts(feature.name, values, points, "customer")
            assert re.fullmatch(r"(?:您|我们)[^。]+。", zh), zh
            assert re.fullmatch(r"(?:Your|We|It|Our) .+[^.,]\.", en), en
            assert not re.search(r"加\d|减\d|\d分(?![（）])|熵|减半", zh), zh
            assert not re.search(r"points?\b|entropy|each worth|\ba \d", en), en
            assert (" no record " in en) == ("没有您" in zh)


@pytest.mark.parametrize("feature", CATALOGUE.features, ids=lambda f: f.name)
def test_a_value_comes_with_its_unit_and_its_window(feature):
    for wording in ("reviewer", "customer"):
        zh, en = texts(feature.name, FILLED, -5, wording)
        shown = wording == "reviewer" or re.search(r"\d[^。]*(?:为|已有)|为\d|已有\d", zh)
        window = re.search(r"近(\d+)天", feature.zh)
        if window and (wording == "reviewer" or not feature.inputs):
            assert f"{window[1]}天" in zh
            assert f"{window[1]} day" in en or feature.inputs
        plain = not feature.inputs and feature.unit in ZH_UNITS and "减半" not in feature.zh
        if shown and plain:
            assert ZH_UNITS[feature.unit] in zh, zh
            assert EN_UNITS.get(feature.unit, "") in en, en


def test_both_directions_are_told_apart_to_a_reviewer():
    for feature in CATALOGUE.features:
        for index in (0, 1):
            up, down = (texts(feature.name, FILLED, p, "reviewer")[index] for p in (5, -5))
            assert up != down


def test_a_side_turns_with_the_points_where_the_direction_is_known():
    for feature in CATALOGUE.features:
        known = (
            feature.middle is None
            and feature.unit != "flag"
            and len({*feature.better.values()}) == 1
        )
        if known and "usual" not in feature.low[1] and feature.unit != "ratio":
            up, down = (texts(feature.name, FILLED, p, "customer") for p in (5, -5))
            assert up[0] != down[0], up
            assert up[1] != down[1]


@pytest.mark.parametrize(
    ("name", "points", "zh", "en"),
    [
        ("purchase_recency_days", -5, "您距上次消费已有40天，时间较长。",
         "It has been 40 days since your last purchase, which is a long time."),
        ("spend_sum_90d", -5, "您近90天的净消费金额为1,234 CNY，低于此前平均每90天的3,232 CNY。",
         "Your net spend in the past 90 days came to 1,234 CNY, down from an average of 3,232 CNY "
         "in 90 days."),
        ("spend_sum_30d", -5, "您近30天的净消费金额为1,234 CNY，偏低。",
         "Your net spend in the past 30 days came to 1,234 CNY, which is low."),
        ("count_ratio_90d_to_180d", -5, "您近90天的消费次数为3次，低于往常。",
         "Your purchases in the past 90 days came to 3, less than usual."),
        ("balance_slope_180d", 5, "您近180天的余额呈上升趋势。",
         "Your balance in the past 180 days was rising."),
        ("purchase_decay_30d", -5, "您近来的消费次数偏少。", "Your purchases of late were few."),
        ("owns_home_last", 5, "我们的记录显示您有房产。", "Our records show home ownership."),
        ("days_past_due_last", -5, "您的当前逾期天数为40天，偏长。",
         "Your time past due now is 40 days, which is long."),
        ("past_due_recency_days", -5, "您距上次逾期已有40天，时间较近。",
         "It has been 40 days since a payment was last late, which is recent."),
        ("utilisation_last", -5, "您的当前额度使用率为25%。",
         "Your credit utilisation now is 25%."),
    ],
)  # fmt: skip
def test_these_are_the_sentences(name, points, zh, en):
    assert texts(name, FILLED, points, "customer") == (zh, en)


def test_what_is_missing_is_said_so():
    zh, en = texts("past_due_recency_days", {}, 5, "customer")
    assert zh == "我们没有您上次逾期的记录。"
    assert en == "We have no record of when a payment was last late."


def test_an_input_that_nobody_brought_is_not_called_unrecorded():
    zh, en = texts("recency_to_gap", {"recency_to_gap": 2.5}, -5, "customer")
    assert "没有" not in zh
    assert "no record" not in en
    assert "2.50" in zh
    assert en.endswith("later than usual.")


def test_nothing_is_called_neither_much_nor_short_nor_a_full_share_little():
    zero = {"days_past_due_max_90d": 0.0, "past_due_count_90d": 0.0, "full_payment_share_90d": 1.0}
    down, up = ([texts(n, zero, p, "reviewer")[1] for n in zero] for p in (-5, 5))
    assert [t.partition(": ")[2] for t in down] == [
        "0 days, takes 5 points", "0, takes 5 points", "100%, takes 5 points",
    ]  # fmt: skip
    assert [t.partition(": ")[2] for t in up] == [
        "0 days, adds 5 points", "0 (few), adds 5 points", "100% (high), adds 5 points",
    ]  # fmt: skip


def test_what_is_good_for_value_and_free_for_credit_is_called_nothing_in_a_credit_score():
    seen = {"purchase_count_30d": 30.0}
    for target, side in (("value", ", which is low"), ("credit", ""), (None, ", which is low")):
        said = Said("purchase_count_30d", -5, seen, target)
        told = reason(CATALOGUE, said, Style("en", "customer"))
        assert told == f"Your purchases in the past 30 days came to 30{side}."
    assert "(" not in reason(CATALOGUE, Said("purchase_count_30d", -5, seen, "credit"), Style("en"))


def test_an_idea_is_told_by_one_of_its_features():
    said = Said("spend_sum_30d", -7, FILLED)
    zh = idea_reason(CATALOGUE, IDEAS["spend_sum_30d"], -20, said, Style("zh", currency="CNY"))
    assert zh == "消费金额减20分；近30天净消费金额：1,234 CNY，此前月均884 CNY（偏低）"
    bills = idea_reason(
        CATALOGUE, IDEAS["bill_last"], 20, Said("bill_last", 9, FILLED), Style("en", currency="CNY")
    )
    assert bills == "Bills add 20 points; last bill: 1,234 CNY"
    en = idea_reason(CATALOGUE, IDEAS["spend_sum_30d"], -20, said, Style("en", "customer", "CNY"))
    assert en == texts("spend_sum_30d", FILLED, -7, "customer")[1]


def test_an_idea_of_one_feature_is_told_once():
    said = Said("employed_days", -7, FILLED)
    told = [
        idea_reason(CATALOGUE, IDEAS["employed_days"], -7, said, Style(lang))  # type: ignore[arg-type]
        for lang in ("zh", "en")
    ]
    assert told == [
        "现职工作天数：40天，减7分",
        "Time in the current work: 40 days, takes 7 points",
    ]


def test_a_new_feature_is_worded_without_a_line_of_its_own():
    theme = Theme("trial")
    words = Words("currency", "近{w}天贷款金额", "Amount borrowed in the past {w} days")
    theme.windowed("loan_sum_{w}d", Take("sum", "loans.amount"), (90,), words, Rule(credit=-1))
    made, said = Catalogue((theme,)), Said("loan_sum_90d", -5, {"loan_sum_90d": 900.0})
    told = [reason(made, said, Style(lang, "customer", "EUR")) for lang in ("zh", "en")]  # type: ignore[arg-type]
    assert told == [
        "您近90天的贷款金额为900 EUR，偏高。",
        "Your amount borrowed in the past 90 days came to 900 EUR, which is high.",
    ]
