"""What-if: the points of a customer for whom it were otherwise, with all that follows."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from domain.errors import InputError
from domain.policy import default_policy
from features.catalogue import CATALOGUE
from scoring.what_if import WhatIf, what_if
from tests.scoring.lever_world import FEATURES, row_of, rows, scorer_of

POLICY = default_policy()


def ask(changes, seed=1, which=0, **more) -> WhatIf:
    row = {**row_of(rows(200, seed)[which]), **more}
    return what_if({"churn": scorer_of(seed)}, POLICY, CATALOGUE, row, changes)


def test_points_and_reasons_are_those_of_the_changed_row():
    X = rows(200, 1)
    which = int(np.flatnonzero((X[:, 0] < X[:, 1]) & (X[:, 8] > 0.02))[0])
    scorer, x = scorer_of(1), X[which]
    found = ask({"spend_sum_30d": x[0] + 5, "utilisation_last": 0.01}, which=which)
    changed = x.copy()
    changed[[0, 1, 8]] = x[0] + 5, x[1] + 5, 0.01
    changed[2] = 6 * (x[0] + 5) / (x[1] + 5)
    assert found.values == {
        "spend_sum_30d": changed[0], "spend_sum_180d": changed[1],
        "spend_ratio_30d_to_180d": changed[2], "utilisation_last": 0.01,
    }  # fmt: skip
    then = found.targets["churn"]
    assert then.points_now == scorer.points(x[None])[0]
    assert then.points == scorer.points(changed[None])[0] != then.points_now
    assert then.base_points + sum(r.points for r in then.reasons) == then.points
    cuts = POLICY.steps["churn"]
    assert (then.tier_now, then.tier) == tuple(
        cuts.assign(p).name for p in (then.points_now, then.points)
    )
    assert then.points_to_cut == cuts.distance(then.points)


def test_no_change_moves_nothing():
    found = ask({})
    assert found.values == {}
    assert found.targets["churn"].points == found.targets["churn"].points_now


def test_a_feature_that_no_plan_may_move_may_still_be_asked_about():
    found = ask({"income_last": 8.0}, income_last=1.0)
    assert found.values == {"income_last": 8.0}
    assert found.targets["churn"].points >= found.targets["churn"].points_now


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"no_such": 1.0}, "unknown"),
        ({"age_years": 30.0}, "protected"),
        ({"spend_ratio_30d_to_180d": 2.0}, "derived"),
        ({"spend_sum_before_30d": 2.0}, "follows"),
        ({"purchase_decay_30d": 2.0}, "follows"),
        ({"spend_sum_30d": math.nan}, "finite"),
        ({"spend_sum_30d": math.inf}, "finite"),
        ({"spend_sum_30d": None}, "finite"),
        ({"spend_sum_30d": 1.0, "spend_sum_180d": 9.0}, "one_of_a_family"),
        ({"complaint_count_90d": -1.0}, "impossible"),
        ({"app_recency_days": 900.0}, "impossible"),
        ({"purchase_count_30d": 3.0}, "missing"),
        ({"app_recency_days": 1.0}, "missing"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_its_path(changes, rule):
    more = {"app_recency_days": None} if rule == "missing" else {"app_recency_days": 9.0}
    with pytest.raises(InputError) as refused:
        ask(changes, **more)
    (fault,) = refused.value.faults
    assert (fault.path, fault.rule) == (f"changes.{max(changes)[:64]}" if len(changes) == 1 else
                                        "changes.spend_sum_30d", rule)  # fmt: skip


def test_all_faults_come_at_once_in_order():
    with pytest.raises(InputError) as refused:
        ask({"zzz": 1.0, "age_years": 1.0, "complaint_count_90d": -4.0})
    assert [f.path for f in refused.value.faults] == [
        "changes.age_years", "changes.complaint_count_90d", "changes.zzz",
    ]  # fmt: skip


def test_a_row_that_lacks_features_is_refused_with_their_paths():
    row = row_of(rows(200, 1)[0])
    del row["income_last"]
    with pytest.raises(InputError) as refused:
        what_if({"churn": scorer_of(1)}, POLICY, CATALOGUE, row, {})
    assert [f.path for f in refused.value.faults] == ["features.income_last"]


def test_an_answer_is_plain_json():
    text = TypeAdapter(WhatIf).dump_json(ask({"spend_sum_30d": 7.0}, which=3))
    assert set(json.loads(text)) == {"targets", "values"}


def test_every_scorer_is_asked_and_the_row_is_left_as_it_was():
    row = row_of(rows(200, 1)[0])
    before = dict(row)
    scorers = {"churn": scorer_of(1), "credit": scorer_of(2)}
    found = what_if(scorers, POLICY, CATALOGUE, row, {"spend_sum_180d": 11.0})
    assert row == before and set(found.targets) == {"churn", "credit"}
    vector = np.array([found.values.get(n, row[n]) for n in FEATURES], dtype=float)
    assert found.targets["churn"].points == scorer_of(1).points(vector[None])[0]
