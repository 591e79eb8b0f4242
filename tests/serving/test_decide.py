"""Decisions: reasons add up (I1), what is not known is said, company changes nothing (I4)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.asof import MICROS_PER_DAY, to_micros
from domain.decision import Purpose
from domain.errors import BundleError, PolicyError
from domain.policy import LeverRule, default_policy_text, parse_policy
from domain.tiers import TARGETS
from features import accounts, credit, people, spending
from features.catalogue import Catalogue
from features.declare import Take, Theme, Words
from scoring.booster import booster_text
from scoring.segments import tags
from serving.decide import THIN_FEATURES, Judge, Known, age_days, as_of_before, decide

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def known(desk, customers) -> Known:
    chosen = customers[:40]
    rows = desk.room.online(chosen, desk.judge.names)
    return Known(chosen, desk.judge.names, rows.values, rows.as_of)


def made(judge, known, **how):
    return [d for d, _ in decide(judge, known, Purpose.CRM, how.pop("now", NOW), **how)]


@pytest.mark.parametrize("top", [0, 1, 5, 1000])
def test_base_and_reasons_add_up_to_the_points(desk, known, top):
    judge = dataclasses.replace(desk.judge, top=top)
    scores = [s for d in made(judge, known) for s in d.scores]
    assert len(scores) == 3 * len(known.customers)
    for score in scores:
        assert score.base_points + sum(r.points for r in score.reasons) == score.points
        assert len([r for r in score.reasons if r.feature != "other"]) <= top
        for reason in score.reasons:
            assert reason.zh
            assert reason.en


def test_a_decision_is_the_same_in_any_company_and_order(desk, known):
    ids = [f"{i:032x}" for i in range(len(known.customers))]
    whole = made(desk.judge, known, ids=ids)
    order = np.random.default_rng(1).permutation(len(ids))
    turned = Known(
        [known.customers[i] for i in order], known.names, known.values[order], known.as_of[order]
    )
    assert made(desk.judge, turned, ids=[ids[i] for i in order]) == [whole[i] for i in order]
    for i in (0, 7, 33):
        alone = Known(
            [known.customers[i]], known.names, known.values[i : i + 1], known.as_of[i : i + 1]
        )
        assert made(desk.judge, alone, ids=[ids[i]]) == [whole[i]]


def test_probability_and_amount_stand_with_their_targets(desk, known):
    for decision in made(desk.judge, known):
        by = {s.target: s for s in decision.scores}
        assert by["value"].amount is not None
        assert by["value"].currency == "CNY"
        assert by["value"].p_bad is None
        for target in ("churn", "credit"):
            assert by[target].amount is None
            assert 0 < by[target].p_bad < 1


def one(known: Known, **changes) -> Known:
    tenure = known.values[:, known.names.index("transaction_tenure_days")]
    at = int(np.flatnonzero(~np.isnan(tenure))[0])
    row = Known(
        [known.customers[at]], known.names, known.values[[at]].copy(), known.as_of[[at]].copy()
    )
    return dataclasses.replace(row, **changes)


def test_a_customer_of_whom_nothing_is_known_gets_no_score(desk, known):
    nobody = one(known, values=np.full((1, len(known.names)), np.nan), as_of=np.array([0]))
    [decision] = made(desk.judge, nobody)
    assert (decision.status, decision.scores, decision.as_of) == ("missing", [], None)
    assert decision.strategy.name == "check_id"
    assert "check the id" in decision.degraded[0]


@pytest.mark.parametrize(("days", "status"), [(34.9, "fresh"), (35.1, "stale")])
def test_old_features_make_an_answer_stale(desk, known, days, status):
    judge = dataclasses.replace(desk.judge, stale_days=35)
    moment = to_micros(NOW) - round(days * MICROS_PER_DAY)
    [decision] = made(judge, one(known, as_of=np.array([moment])))
    assert decision.status == status
    assert decision.feature_age_days == pytest.approx(days)
    assert any("days old" in note for note in decision.degraded) == (status == "stale")


def test_the_age_is_counted_to_the_instant_asked_for(desk, known):
    judge = dataclasses.replace(desk.judge, stale_days=35)
    asked = NOW - timedelta(days=400)
    [decision] = made(judge, one(known, as_of=np.array([to_micros(asked)]), asked=asked))
    assert (decision.status, decision.feature_age_days) == ("fresh", 0.0)
    assert decision.asked_as_of == asked


def test_a_customer_of_few_features_is_thin(desk, known):
    values = known.values[:1].copy()
    for name in THIN_FEATURES:
        values[0, known.names.index(name)] = np.nan
    [decision] = made(desk.judge, one(known, values=values))
    assert decision.status == "thin"
    assert decision.scores


def test_every_answer_tells_of_an_accepted_verdict(desk, known):
    failed = desk.judge.card.failed
    for decision in made(desk.judge, known):
        told = [note for note in decision.degraded if "accepted by tests" in note]
        assert len(told) == bool(failed)


def test_another_catalogue_is_refused(desk):
    theme = Theme("other")
    theme.single("n", Take("count", "loans"), Words("count", "次", "Count"))
    with pytest.raises(BundleError, match="another catalogue"):
        dataclasses.replace(desk.judge, catalogue=Catalogue((theme,)))


def test_what_stands_beside_the_scorers_is_read_strictly(desk):
    assert desk.judge.conformal.model_dump(exclude_none=True).keys() <= set(TARGETS)
    bundle = dataclasses.replace(desk.judge.bundle, beside={"conformal": {"surprise": 1}})
    with pytest.raises(BundleError, match="surprise"):
        dataclasses.replace(desk.judge, bundle=bundle)


def test_a_policy_that_reads_an_unknown_feature_is_refused(desk):
    text = default_policy_text().replace("complaint_count_90d", "complaint_count_91d")
    with pytest.raises(PolicyError, match="complaint_count_91d"):
        Judge(desk.judge.bundle, parse_policy(text), 5, 35)


def test_every_answer_says_how_old_each_theme_of_features_is(desk, known):
    day = 0.5
    views = {v: to_micros(NOW) - round(i * day * MICROS_PER_DAY) for i, v in
             enumerate(desk.judge.views)}  # fmt: skip
    unknown = desk.judge.views[-1]
    views[unknown] = 0
    by_view = {v: np.array([at]) for v, at in views.items()}
    [decision] = made(desk.judge, one(known, by_view=by_view))
    assert decision.view_age_days == {
        v: None if v == unknown else i * day for i, v in enumerate(desk.judge.views)
    }


def test_a_theme_older_than_its_features_count_is_named(desk, known):
    view = desk.judge.views[0]
    limit = desk.judge.ages[view]
    for days, noted in ((limit - 0.01, False), (limit + 0.01, True)):
        at = to_micros(NOW) - round(days * MICROS_PER_DAY)
        [decision] = made(desk.judge, one(known, by_view={view: np.array([at])}))
        said = f"the features of {view} are {days:.0f} days old, they count for {limit:.0f}"
        assert (said in decision.degraded) == noted


@given(
    st.integers(0, 60 * 366 * MICROS_PER_DAY),
    st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_an_age_leads_back_to_its_very_instant(age, moment):
    as_of = to_micros(moment) - age
    assert as_of == 0 or as_of_before(moment, age_days(moment, as_of)) == as_of
    assert as_of_before(moment, None) == 0


def test_segments_and_baseline_stand_beside_the_scores_and_in_the_tags(desk, known):
    fitted = desk.judge.fitted
    assert fitted is not None
    assert {*fitted.names} <= {*desk.judge.names}
    place = [known.names.index(n) for n in fitted.names]
    alone = [fitted.rows(fitted.names, row[None, place])[0] for row in known.values]
    decisions = made(desk.judge, known)
    assert [(d.segments, d.baseline) for d in decisions] == alone
    assert any(d.segments and d.segments.rfm and d.segments.cluster for d in decisions)
    for decision in decisions:
        names = [t.name for t in decision.tags]
        fitted_tags = [n for n in names if n.startswith(("rfm_", "cluster_"))]
        assert fitted_tags == [t.name for t in tags(decision.segments)]
        if decision.baseline is not None:
            assert decision.baseline.horizon_days == 90
            assert decision.baseline.currency == "CNY"


def test_a_policy_may_ask_for_a_fitted_segment(desk, known):
    segments = {d.segments.rfm.segment.name for d in made(desk.judge, known) if d.segments}
    asked = f"rfm_{sorted(segments)[0]}"
    rule = f'[[strategies]]\nname = "asked"\nzh = "问"\nen = "asked"\nsegment = ["{asked}"]\n\n'
    text = default_policy_text().replace("[[strategies]]", rule + "[[strategies]]", 1)
    judge = dataclasses.replace(desk.judge, policy=parse_policy(text))
    for decision in made(judge, known):
        has = asked in [t.name for t in decision.tags]
        assert (decision.strategy.name == "asked") == has


def test_a_bundle_without_segments_decides_without_them(desk, known):
    judge = dataclasses.replace(
        desk.judge, bundle=dataclasses.replace(desk.judge.bundle, beside={})
    )
    with_them, without = made(desk.judge, known), made(judge, known)
    for before, after in zip(with_them, without, strict=True):
        assert (after.segments, after.baseline) == (None, None)
        assert {"segments", "baseline"}.isdisjoint(after.model_dump(mode="json"))
        assert after.scores == before.scores


def test_a_missing_customer_is_in_no_segment(desk, known):
    known_values = one(known, as_of=np.array([0]))
    [decision] = made(desk.judge, known_values)
    assert decision.status == "missing"
    assert (decision.segments, decision.baseline) == (None, None)
    assert not [t for t in decision.tags if t.name.startswith(("rfm_", "cluster_"))]


def test_segments_that_read_a_protected_feature_are_refused(desk):
    """I10: as if the catalogue said that recency is protected."""

    class Guarded(Catalogue):
        hash = desk.judge.catalogue.hash

        def for_target(self, target):
            return tuple(n for n in self.names if n != "purchase_recency_days")

    guarded = Guarded((*spending.THEMES, *accounts.THEMES, *credit.THEMES, *people.THEMES))
    with pytest.raises(BundleError, match="purchase_recency_days"):
        dataclasses.replace(desk.judge, catalogue=guarded)


def test_damaged_segments_are_refused(desk):
    content = dict(desk.judge.bundle.beside["segments"], answers=[])
    bundle = dataclasses.replace(desk.judge.bundle, beside={"segments": content})
    with pytest.raises(BundleError, match="not repeated"):
        dataclasses.replace(desk.judge, bundle=bundle)


def test_what_a_formula_reads_is_kept_beside_what_scorers_read(desk):
    ratio = "spend_ratio_30d_to_180d"
    X = np.random.default_rng(1).random((99, 1))
    data = lgb.Dataset(X, X[:, 0], feature_name=[ratio])
    churn = dataclasses.replace(
        desk.judge.bundle.scorers["churn"], features=(ratio,), monotone=(0,),
        booster_text=booster_text(lgb.train({"objective": "regression", "verbose": -1}, data, 2)),
    )  # fmt: skip
    bundle = dataclasses.replace(desk.judge.bundle, scorers={"churn": churn}, beside={})
    policy = parse_policy(default_policy_text("scores_only"))
    judge = dataclasses.replace(desk.judge, bundle=bundle, policy=policy)
    assert set(judge.names) == {ratio, "spend_sum_30d", "spend_sum_180d", *THIN_FEATURES}


def test_a_policy_that_moves_what_no_plan_may_does_not_decide(desk):
    rule = LeverRule(feature="age_years", low=18, high=80, cost=1)
    policy = desk.judge.policy.model_copy(update={"levers": (rule,)})
    with pytest.raises(PolicyError, match="levers that are none"):
        dataclasses.replace(desk.judge, policy=policy)
