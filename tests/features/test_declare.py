"""Declarations: what a line becomes, and what changes a feature's content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import TierlineError
from features.catalogue import Catalogue
from features.declare import (
    FREE,
    Declaration,
    Rule,
    Subject,
    Take,
    Theme,
    Words,
    count,
    days,
    money,
    share,
    since,
    slope,
)
from features.formulas import Filled, Quotient, ratio

WORDS = Words("count", "近{w}天次数", "Count in {w} days")
T = "transactions"


def declared(*, doc: str = "比 | Ratio", factor: float = 2.0) -> Theme:
    theme = Theme("trial", max_age_days=9)
    theme.windowed("n_{w}d", Take("count", T), (7, 30), WORDS, Rule(value=1, credit=-1))
    namespace: dict = {}

    if factor == 2.0:

        def twice(n_7d, n_30d):
            return 2.0 * ratio(n_7d, n_30d)

    else:

        def twice(n_7d, n_30d):
            return 3.0 * ratio(n_7d, n_30d)

    twice.__doc__ = doc
    namespace["twice"] = theme.derived("ratio")(twice)
    return theme


def test_a_windowed_line_becomes_one_feature_a_window_with_its_texts():
    [week, month, _] = declared().declarations
    assert (week.name, month.name) == ("n_7d", "n_30d")
    assert (week.take, month.take) == (Take("count", T, days=7), Take("count", T, days=30))
    assert (week.words.zh, month.words.en) == ("近7天次数", "Count in 30 days")
    assert week.max_age_days == 9
    assert week.rule.better == {"value": 1, "credit": -1}


def test_a_function_becomes_a_feature_by_its_name_parameters_and_docstring():
    made = declared().declarations[-1]
    assert (made.name, made.inputs) == ("twice", ("n_7d", "n_30d"))
    assert made.words == Words("ratio", "比", "Ratio")
    assert made.formula is not None
    assert made.formula(np.array([1.0]), np.array([4.0])).tolist() == [0.5]


def test_the_same_declaration_has_the_same_content_and_any_change_another():
    def hashes(theme: Theme) -> str:
        return Catalogue((theme,)).hash

    assert hashes(declared()) == hashes(declared())
    changed = {
        hashes(declared()),
        hashes(declared(doc="比值 | Ratio")),
        hashes(declared(doc="比 | A ratio")),
        hashes(declared(factor=3.0)),
    }
    assert len(changed) == 4


@pytest.mark.parametrize(
    "other",
    [
        Declaration("m", "t", WORDS, FREE, 5, take=Take("count", T)),
        Declaration("n", "u", WORDS, FREE, 5, take=Take("count", T)),
        Declaration("n", "t", Words("days", "a", "b"), FREE, 5, take=Take("count", T)),
        Declaration("n", "t", WORDS, Rule(lever=True), 5, take=Take("count", T)),
        Declaration("n", "t", WORDS, FREE, 6, take=Take("count", T)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, days=1)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, ago=1)),
        Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T, ("purchase",))),
    ],
)
def test_every_part_of_a_declaration_counts(other):
    first = Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T))
    assert first.content() != other.content()


def test_a_take_names_its_table_and_value():
    assert (Take("sum", "loans.amount").table, Take("sum", "loans.amount").value) == (
        "loans",
        "amount",
    )
    assert Take("count", "loans").value is None


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "decay"},
        {"op": "sum", "half_life": 3.0},
        {"op": "decay", "half_life": 3.0, "days": 7},
    ],
)
def test_a_half_life_belongs_to_a_decay_and_a_decay_takes_no_window(fields):
    with pytest.raises(TierlineError, match="half-life"):
        Take(of="transactions", **fields)


def test_a_decayed_line_becomes_one_feature_a_half_life():
    theme = Theme("trial")
    theme.decayed(Subject("buy", T, ("purchase",), "count"), (7, 30), "次数 | Purchases")
    takes = [d.take for d in theme.declarations]
    assert takes == [Take("decay", T, ("purchase",), half_life=h) for h in (7.0, 30.0)]
    assert [d.name for d in theme.declarations] == ["buy_decay_7d", "buy_decay_30d"]
    assert [d.words for d in theme.declarations] == [
        Words("count", f"次数（每{h}天减半计）", f"Purchases (each worth half after {h} days)")
        for h in (7, 30)
    ]


PAID = Subject("paid", "transactions.amount", ("purchase",))


@pytest.mark.parametrize(
    ("op", "past", "ever", "of", "words"),
    [
        ("mean", "paid_mean_9d", "paid_mean_ever", PAID.of, money),
        ("last", "paid_last_9d", "paid_last", PAID.of, money),
        ("slope", "paid_slope_9d", "paid_slope_ever", PAID.of, slope),
        ("distinct", "paid_9d", "paid_ever", PAID.of, money),
        ("count", "paid_count_9d", "paid_count_ever", T, count),
        ("recency", "paid_recency_9d", "paid_recency_days", T, since),
        ("tenure", "paid_tenure_9d", "paid_tenure_days", T, days),
        ("gap_mean", "paid_gap_mean_9d", "paid_gap_mean_ever", T, days),
        ("gap_slope", "paid_gap_slope_9d", "paid_gap_slope_ever", T, slope),
    ],
)
def test_a_subject_and_an_operation_give_name_take_unit_and_text(op, past, ever, of, words):
    theme = Theme("trial")
    theme.past(PAID, op, (9,), "付款 | Paid", Rule(value=1))
    theme.ever(PAID, op, "历来付款 | Paid ever")
    windowed, single = theme.declarations
    assert (windowed.name, single.name) == (past, ever)
    assert windowed.take == Take(op, of, PAID.where, days=9)
    assert single.take == Take(op, of, PAID.where)
    assert windowed.words == words("近9天付款", "Paid in the past 9 days")
    assert single.words == words("历来付款", "Paid ever")
    assert (windowed.rule, single.rule) == (Rule(value=1), FREE)


@pytest.mark.parametrize("op", ["entropy", "rises", "share", "age"])
def test_an_operation_that_makes_another_unit_asks_for_words_of_its_own(op):
    with pytest.raises(TierlineError, match=f"{op} of paid .* words of its own"):
        Theme("trial").past(PAID, op, (9,), "付款 | Paid")


def test_shares_are_named_by_their_condition_and_filled_by_you():
    theme = Theme("trial")
    theme.shares(PAID, "weekend", (9,), "周末占比 | Share at weekends", Rule(value=1))
    theme.filled("told_share", ("a", "b"), "已填占比 | Share told")
    weekend, told = theme.declarations
    assert (weekend.name, weekend.rule) == ("weekend_share_9d", Rule(value=1))
    assert weekend.take == Take("share", T, PAID.where, ("weekend",), days=9)
    assert weekend.words == share("近9天周末占比", "Share at weekends in the past 9 days")
    assert (told.formula, told.inputs, told.rule) == (Filled(("a", "b")), ("a", "b"), FREE)


def test_an_english_text_that_names_its_window_keeps_its_own_words():
    theme = Theme("trial")
    theme.past(PAID, "sum", (9,), "付款 | Paid over {w} days")
    assert theme.declarations[0].words == money("近9天付款", "Paid over 9 days")


def test_the_latest_value_of_a_column_is_named_by_the_column():
    theme = Theme("trial")
    theme.latest("customers.income", "currency", "年收入 | Income", Rule(credit=1))
    made = theme.declarations[0]
    assert (made.name, made.take) == ("income_last", Take("last", "customers.income"))
    assert (made.words, made.rule) == (money("年收入", "Income"), Rule(credit=1))


def test_a_line_of_windows_before_is_of_its_own_days_or_of_those_it_lies_back():
    theme = Theme("trial")
    theme.before("a_{w}d", Take("count", T), (30, 90), WORDS)
    theme.before("b_{w}d", Take("last", "loans.amount", days=30), (60,), WORDS)
    takes = [d.take for d in theme.declarations]
    assert takes[:2] == [Take("count", T, days=30, ago=30), Take("count", T, days=90, ago=90)]
    assert takes[2] == Take("last", "loans.amount", days=30, ago=60)
    assert [d.name for d in theme.declarations] == ["a_30d", "a_90d", "b_60d"]


def test_a_quotient_names_its_inputs_and_counts_by_its_data():
    theme = Theme("trial")
    theme.windowed("n_{w}d", Take("count", T), (7, 30), WORDS)
    theme.quotient("q", Quotient("n_7d", "n_30d", 2.0, most=1.5), Words("ratio", "比", "Ratio"))
    made = theme.declarations[-1]
    assert made.inputs == ("n_7d", "n_30d")
    assert made.formula is not None
    other = replace(made, formula=Quotient("n_7d", "n_30d", 3.0, most=1.5))
    assert made.content() != other.content()


@pytest.mark.parametrize("owner", ["credit risk", "CRM"])
def test_the_owner_and_the_words_of_both_sides_count(owner):
    plain = Declaration("n", "t", WORDS, FREE, 5, take=Take("count", T))
    assert plain.content() != replace(plain, owner=owner).content()
    told = replace(WORDS, low=("少", owner), high=("多", "many"))
    assert plain.content() != replace(plain, words=told).content()
    assert plain.content() != replace(plain, words=replace(WORDS, middle=1.0)).content()
