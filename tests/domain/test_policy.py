"""Policy files: what the packaged one says, and what is refused, all faults at once."""

from __future__ import annotations

import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PolicyError
from domain.policy import Policy, Status, default_policy, default_policy_text, parse_policy

ACTIVE = {"transaction_recency_days": 5.0, "transaction_tenure_days": 200.0}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return default_policy()


def test_the_hash_is_that_of_the_text(policy):
    assert policy.hash == hashlib.sha256(default_policy_text().encode()).hexdigest()


@pytest.mark.parametrize(
    ("features", "stage"),
    [
        ({}, "potential"),
        ({"transaction_recency_days": math.nan}, "potential"),
        ({"transaction_recency_days": 10.0, "transaction_tenure_days": 40.0}, "new"),
        (ACTIVE, "active"),
        ({**ACTIVE, "transaction_tenure_days": 700.0, "active_months_365d": 11.0}, "loyal"),
        ({**ACTIVE, "transaction_recency_days": 91.0}, "dormant"),
        ({**ACTIVE, "transaction_recency_days": 366.0}, "lost"),
        ({**ACTIVE, "purchase_recency_days": 91.0}, "dormant"),
        ({**ACTIVE, "purchase_recency_days": 901.0}, "lost"),
        ({"statement_tenure_days": 180.0}, "active"),
    ],
)
def test_every_lifecycle_stage_has_its_customers(policy, features, stage):
    assert policy.assign({}, features).stage.name == stage


@pytest.mark.parametrize(
    ("points", "strategy"),
    [
        ({"value": 600, "churn": 450, "credit": 700}, "save_top"),
        ({"value": 600, "churn": 550}, "care_top"),
        ({"value": 600, "churn": 700, "credit": 800}, "grow_limit"),
        ({"value": 600, "churn": 700}, "keep_top"),
        ({"value": 500, "churn": 450}, "save_mid"),
        ({"value": 500, "churn": 700}, "cross_sell"),
        ({"value": 100, "churn": 700}, "low_touch"),
        ({"value": 600, "churn": 450, "credit": 100}, "reduce_exposure"),
        ({}, "low_touch"),
    ],
)
def test_each_combination_that_matters_has_its_strategy(policy, points, strategy):
    assert policy.assign(points, ACTIVE).strategy.name == strategy


@pytest.mark.parametrize(
    ("status", "strategy"),
    [
        (Status.MISSING, "check_id"),
        (Status.STALE, "keep_top"),
        (Status.THIN, "keep_top"),
        (Status.FRESH, "grow_limit"),
    ],
)
def test_what_is_known_of_a_customer_bounds_what_is_done(policy, status, strategy):
    good = {"value": 600, "churn": 700, "credit": 800}
    assert policy.assign(good, ACTIVE, status).strategy.name == strategy


def test_a_target_without_points_has_no_tier(policy):
    assignment = policy.assign({"value": 549}, ACTIVE)
    assert assignment.tiers["credit"] is None
    assert assignment.points_to_cut["value"] == -1
    assert assignment.tiers["value"] is not None
    assert assignment.tiers["value"].name == "mid"


def test_tags_stick_where_all_conditions_hold(policy):
    tags = policy.assign({}, {**ACTIVE, "spend_sum_90d": 9000.0, "complaint_count_90d": 1.0}).tags
    assert [t.name for t in tags] == ["big_spender", "complained"]


@given(
    st.dictionaries(st.sampled_from(["value", "churn", "credit"]), st.integers(-5000, 5000)),
    st.dictionaries(
        st.sampled_from(default_policy().features), st.floats(allow_infinity=False) | st.none()
    ),
)
def test_everybody_gets_exactly_one_stage_and_one_strategy(points, features):
    assignment = default_policy().assign(points, features)
    assert assignment.stage.name
    assert assignment.strategy.name


def broken(old: str, new: str) -> str:
    text = default_policy_text()
    changed = text.replace(old, new, 1)
    assert changed != text
    return changed


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from_points = 550", "from_points = 400", "cuts.value"),
        ("from_points = 450 ", "from_points = '450x' ", "cuts.value.1.from_points"),
        ('name = "low"\n', 'name = "low"\nfrom_points = 3\n', "cuts.value: cuts begin"),
        (
            "effective_at = 2026-01-01T00:00:00Z",
            "effective_at = 2026-01-01T00:00:00",
            "effective_at",
        ),
        ('churn = ["high_risk"]', 'churn = ["red"]', "red"),
        ('zh = "低成本服务"\n', "", "strategies.10.zh"),
        ('version = "2026.11.4"', 'version = "2026.11.3"\nsurprise = 1', "surprise"),
        ('op = "missing" }', 'op = "missing", value = 3 }', "takes no value"),
        ("[[stages]]", "[[stages", "not TOML"),
        ('name = "active"', 'name = "sleepy"', "stages.7.name"),
        ("when = []", 'when = [{ feature = "x", op = ">", value = 1 }]', "leave them open"),
    ],
)
def test_a_broken_policy_names_the_place(old, new, said):
    with pytest.raises(PolicyError) as caught:
        parse_policy(broken(old, new))
    assert said in str(caught.value)


def test_all_faults_are_named_at_once():
    text = broken('version = "2026.11.4"', "version = 7").replace('op = "<"', 'op = "~"')
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert {f.path.split(".")[0] for f in caught.value.faults} >= {"version", "tags"}


def test_the_policy_of_given_tables_reads_no_feature_and_cuts_like_the_default():
    scores_only, default = parse_policy(default_policy_text("scores_only")), default_policy()
    assert scores_only.features == ()
    assert scores_only.cuts == default.cuts
    assert scores_only.hash != default.hash


def test_a_strategy_may_ask_for_a_fitted_segment_as_its_tag_is_named():
    rule = '[[strategies]]\nname = "win_back"\nzh = "挽回"\nen = "win back"\nsegment = [%s]\n\n'
    text = default_policy_text()

    def having(names: str) -> Policy:
        return parse_policy(text.replace("[[strategies]]", rule % names + "[[strategies]]", 1))

    asked = having('"rfm_at_risk", "cluster_12"')
    held = (["rfm_at_risk", "cluster_2"], ["rfm_new", "cluster_12"], ["rfm_new"], [])
    names = [asked.assign({}, ACTIVE, segments=s).strategy.name for s in held]
    assert names == ["win_back", "win_back", "low_touch", "low_touch"]
    for wrong in ('"at_risk"', '"rfm_best"', '"cluster_0"', '"cluster_x"'):
        with pytest.raises(PolicyError, match="segment"):
            having(wrong)


LEVER = """
[[levers]]
feature = "purchase_count_30d"
low = 0
high = 10
cost = 1
"""


def test_a_policy_states_how_far_a_plan_may_move_a_feature_and_at_what_cost():
    policy = parse_policy(default_policy_text() + LEVER)
    (rule,) = policy.levers
    assert (rule.feature, rule.low, rule.high, rule.cost) == ("purchase_count_30d", 0.0, 10.0, 1.0)
    assert rule.feature in policy.features, "so that the caller's catalogue is asked for it"
    assert default_policy().levers == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("low = 0\n", "", "levers.0: give low and high"),
        ("high = 10", "high = 0", "levers.0: low must be below high"),
        ("high = 10", "high = inf", "both finite"),
        ("low = 0", "low = nan", "both finite"),
        ("cost = 1", "cost = -1", "levers.0.cost"),
        ("cost = 1", "cost = 1\nstep = 2", "levers.0.step"),
        ("cost = 1", "cost = 1" + LEVER, "name a feature twice"),
    ],
)
def test_a_broken_lever_names_its_place(old, new, said):
    text = default_policy_text() + LEVER.replace(old, new, 1)
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert said in str(caught.value)


def test_adverse_bands_are_bands_of_credit():
    rule = default_policy().adverse
    assert rule is not None and rule.credit == ("e",)
    for text, said in (('credit = ["e"]', 'credit = ["z"]'), ('credit = ["e"]', "credit = []")):
        changed = default_policy_text().replace(text, said, 1)
        with pytest.raises(PolicyError, match="adverse"):
            parse_policy(changed)
