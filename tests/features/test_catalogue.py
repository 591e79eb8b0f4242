"""The catalogue: complete in both languages, traced to raw columns, closed to protected ones."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from domain.errors import NotFoundError, TierlineError
from domain.policy import default_policy
from domain.tiers import TARGETS
from events.schema import TABLES, Personal
from features import accounts, credit, people, spending
from features.catalogue import CATALOGUE, Catalogue
from features.declare import LEVER_COSTS, Rule, Take, Theme, Words
from features.operations import OPERATIONS

FEATURES = CATALOGUE.features
WORDS = Words("count", "次数", "Count")
HALF_TOLD = Words("count", "次数", "Count", low=("少", ""), high=("多", "many"))


def one(*args, **kwargs) -> Catalogue:
    theme = Theme("trial")
    theme.single(*args, **kwargs)
    return Catalogue((theme,))


def test_there_are_at_least_150_features_from_at_most_400_lines_of_declarations():
    assert len(CATALOGUE.names) >= 150
    assert {f.theme for f in FEATURES} >= {
        "recency", "frequency", "monetary", "flows", "balances", "trend", "regularity", "mix",
        "repayment", "utilisation", "loans", "engagement", "relationship", "profile",
    }  # fmt: skip
    lines = 0
    for module in (spending, accounts, credit, people):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        told = [s for s in tree.body[1:] if not isinstance(s, ast.Import | ast.ImportFrom)]
        heads = [d for s in told for d in getattr(s, "decorator_list", [])]
        lines += sum((s.end_lineno or 0) - s.lineno + 1 for s in [*told, *heads])
    assert lines <= 400


def test_every_operation_of_the_engine_is_used():
    assert {d.take.op for d in CATALOGUE.declarations if d.take} == set(OPERATIONS)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_a_feature_is_told_in_both_languages_with_unit_and_age(feature):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", feature.name)
    assert re.search(r"[\u4e00-\u9fff]", feature.zh)
    assert feature.en.isascii()
    assert feature.unit
    assert 1 <= feature.max_age_days <= 400
    assert feature.owner in {"CRM", "retail banking", "credit risk", "customer data"}
    assert feature.lever_cost in LEVER_COSTS
    for zh, en in (feature.low, feature.high):
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert en.isascii()
        assert en
    assert feature.low != feature.high
    for points in (-3, 0, 3):
        for value in (None, 0.0, 1.0, 1234.5):
            zh = CATALOGUE.reason_text(feature.name, value, points, "zh", "CNY")
            en = CATALOGUE.reason_text(feature.name, value, points, "en", "CNY")
            assert zh.startswith(f"{feature.zh}：")
            assert en.startswith(f"{feature.en}: ")
            assert ("无记录" in zh, "no record" in en) == (value is None, value is None)
            assert ("加3分" in zh, "减3分" in zh) == (points > 0, points < 0)
            assert ("adds 3" in en, "takes 3" in en) == (points > 0, points < 0)


def test_no_two_features_have_one_text():
    assert len({f.zh for f in FEATURES}) == len({f.en for f in FEATURES}) == len(FEATURES)


def test_a_reason_names_the_side_of_a_value_where_direction_and_points_tell_it():
    told = CATALOGUE.reason_text
    assert told("purchase_recency_days", 80.0, -9, "en").endswith(
        "80 days (long ago), takes 9 points"
    )
    assert told("purchase_recency_days", 3.0, 9, "zh").endswith("3天（不久前），加9分")
    assert told("utilisation_last", 0.64, -9, "en") == "Credit utilisation now: 64%, takes 9 points"
    assert "(" not in told("purchase_count_30d", None, -9, "en")
    assert "(" not in told("purchase_count_30d", 3.0, 0, "en")


def test_a_value_with_a_middle_is_called_by_the_side_it_is_on_whatever_its_points():
    for points in (-5, 0, 5):
        rising = CATALOGUE.reason_text("balance_slope_180d", 2.0, points, "en")
        falling = CATALOGUE.reason_text("balance_slope_180d", -2.0, points, "zh")
        assert "2.00 (rising)" in rising
        assert "-2.00（下降）" in falling
        usual = CATALOGUE.reason_text("spend_ratio_30d_to_180d", 1.0, points, "en")
        assert "usual" not in usual


def test_a_feature_good_for_one_target_and_bad_for_another_is_called_neither_low_nor_high():
    made = one("n", Take("count", "loans"), WORDS, Rule(credit=-1, value=1))
    assert made.reason_text("n", 3.0, 5, "en") == "Count: 3, adds 5 points"


def test_a_value_is_called_by_the_direction_for_the_target_that_was_scored():
    told = CATALOGUE.reason_text
    assert told("purchase_count_30d", 3.0, -9, "en", "", "churn").endswith(
        ": 3 (few), takes 9 points"
    )
    assert told("purchase_count_30d", 3.0, -9, "en", "", "credit").endswith(": 3, takes 9 points")


def test_one_point_is_one_point():
    told = CATALOGUE.reason_text("purchase_count_30d", 1.0, -1, "en")
    assert told.endswith("takes 1 point")


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_lineage_reaches_raw_columns(feature):
    columns = CATALOGUE.lineage(feature.name)
    assert columns
    assert all(column in TABLES[table].schema.names for table, column in columns)
    personal = {TABLES[t].column(c).personal for t, c in columns}
    assert feature.protected == (Personal.PROTECTED in personal)


@pytest.mark.parametrize("target", TARGETS)
def test_no_protected_column_reaches_a_scorer(target):
    used = {pair for name in CATALOGUE.for_target(target) for pair in CATALOGUE.lineage(name)}
    protected = {
        (t, c.name)
        for t, table in TABLES.items()
        for c in table.columns
        if c.personal is Personal.PROTECTED
    }
    assert protected
    assert not used & protected


def test_protection_is_inherited_by_what_is_derived():
    theme = Theme("trial")
    theme.single("age", Take("age", "customers.birth_on"), WORDS)

    def half_age(age):
        """一半 | Half"""
        return age / 2

    theme.derived("years")(half_age)
    made = Catalogue((theme,))
    assert made["half_age"].protected
    assert made.for_target("credit") == ()


def test_directions_are_those_declared():
    made = one("n", Take("count", "loans"), WORDS, Rule(credit=-1, value=1))
    assert [made.monotone(t, ["n"]) for t in ("credit", "value", "churn")] == [(-1,), (1,), (0,)]


def test_what_the_default_policy_and_the_baselines_read_exists():
    needed = {
        *default_policy().features, "transaction_tenure_days", "statement_tenure_days",
        "purchase_count_180d", "spend_sum_90d", "spend_sum_180d", "balance_min_ever",
    }  # fmt: skip
    assert needed <= set(CATALOGUE.names)


def test_an_unknown_feature_is_refused_by_name():
    with pytest.raises(NotFoundError, match="spend_sum_91d"):
        CATALOGUE["spend_sum_91d"]


@pytest.mark.parametrize(
    ("theme", "said"),
    [
        (lambda t: [t.single("n", Take("count", "loans"), WORDS)] * 2, "twice"),
        (lambda t: t.single("n", Take("count", "loans"), Words("count", "", "Count")), "zh or en"),
        (lambda t: t.single("n", Take("count", "loans"), Words("", "次", "Count")), "unit"),
        (
            lambda t: t.single("n", Take("count", "loans"), Words("cows", "牛", "Cows")),
            "both sides",
        ),
        (lambda t: t.single("n", Take("count", "loans"), HALF_TOLD), "both sides"),
        (lambda t: t.single("n", Take("count", "loans"), WORDS, Rule(lever=4)), "lever cost 4"),
        (
            lambda t: setattr(t, "owner", "") or t.single("n", Take("count", "loans"), WORDS),
            "owner",
        ),
        (lambda t: t.single("n", Take("last", "outcomes.bad"), WORDS), "offers nothing"),
        (lambda t: t.single("n", Take("count", "nowhere"), WORDS), "offers nothing"),
        (lambda t: t.derived("ratio")(_late), "not declared before"),
    ],
)
def test_a_declaration_that_breaks_a_rule_is_named(theme, said):
    trial = Theme("trial")
    theme(trial)
    if said == "twice":
        trial.declarations *= 2
    with pytest.raises(TierlineError, match=said):
        Catalogue((trial,))


def _late(nothing):
    """晚 | Late"""
    return nothing
