"""Adverse reasons: at most four, distinct ideas, permitted, used, and truly negative."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InputError
from domain.policy import Labelled
from features.catalogue import CATALOGUE
from features.ideas import ideas, may_be_ground
from scoring.adverse import _ground, adverse_action, notice
from scoring.reference import against, fit_reference
from tests.scoring.explain_world import NAMES, case, credit_scorer, rows

SCORER = credit_scorer()
APPROVED = fit_reference(SCORER, rows(500, 41), "approved", "获批客户", "approved customers")
REFUSED = Labelled(name="refused", zh="不予批准", en="declined")
IDEA = {n: i.name for n, i in ideas(CATALOGUE).items()}
CASES = rows(150, 42)


@pytest.mark.parametrize("reference", [None, APPROVED], ids=["average", "approved"])
def test_reasons_are_the_permitted_ideas_that_took_most_by_a_slow_count(reference):
    for x in CASES:
        made = adverse_action(case(x), REFUSED, reference)
        if reference is None:
            explained = SCORER.explain(x[None, :])[0]
            parts, start = explained.reasons.tolist(), explained.base_points
        else:
            apart = against(SCORER, x[None, :], reference)
            parts, start = apart.differences[0].tolist(), apart.reference_points
        assert made.reference.points == start
        sums: dict[str, int] = {}
        permitted = set()
        for name, part in zip(NAMES, parts, strict=True):
            sums[IDEA[name]] = sums.get(IDEA[name], 0) + part
            if part < 0 and may_be_ground(CATALOGUE, name):
                permitted.add(IDEA[name])
        worst = sorted((s, list(sums).index(i), i) for i, s in sums.items() if s < 0)
        wanted = [(i, s) for s, _, i in worst if i in permitted][:4]
        assert [(r.idea, r.points) for r in made.reasons] == wanted
        until = (
            worst.index(next(w for w in worst if w[2] == wanted[-1][0]))
            if len(wanted) == 4
            else None
        )
        assert [i.name for i in made.left_out] == [
            i for _, _, i in worst[:until] if i not in permitted
        ]
        assert {u.name for u in made.used} == {i for i, s in sums.items() if s}


def test_each_reason_is_a_feature_that_was_scored_and_took_points():
    for x in CASES:
        for r in adverse_action(case(x), REFUSED).reasons:
            assert SCORER.explain(x[None, :])[0].reasons[NAMES.index(r.feature)] < 0
            assert IDEA[r.feature] == r.idea
            assert may_be_ground(CATALOGUE, r.feature)
            value = x[NAMES.index(r.feature)]
            assert r.value == (None if np.isnan(value) else value)
            assert re.fullmatch(r"(?:您|我们)[^。]+。", r.zh)
            assert re.fullmatch(r"(?:Your|We|It|Our) .+\.", r.en)


def test_a_value_without_a_side_is_set_against_what_is_typical_of_the_reference():
    x = np.nanmedian(CASES, axis=0)
    x[NAMES.index("utilisation_last")] = x[NAMES.index("utilisation_mean_90d")] = 0.97
    made = adverse_action(case(x), REFUSED, APPROVED)
    said = next(r for r in made.reasons if r.idea == "utilisation")
    usual = f"{APPROVED.typical[said.feature]:.0%}"
    assert said.zh.endswith(f"为97%，而获批客户一般为{usual}。")
    assert said.en.endswith(f" 97%, while {usual} is typical of approved customers.")
    assert "typical" not in next(
        r.en for r in adverse_action(case(x), REFUSED).reasons if r.idea == "utilisation"
    )


def test_a_complaint_is_never_stated_but_named_as_left_out():
    x = np.nanmedian(CASES, axis=0)
    x[NAMES.index("complaint_count_90d")] = 4.0
    made = adverse_action(case(x), REFUSED)
    assert "complaints" in {i.name for i in made.left_out}
    assert "complaints" not in {r.idea for r in made.reasons}


def test_a_score_of_another_target_grounds_no_credit_decision():
    with pytest.raises(InputError, match="churn score grounds no credit decision"):
        adverse_action(case(CASES[0], replace(SCORER, target="churn")), REFUSED)


def test_the_letter_says_decision_reasons_reference_and_rights_in_both_languages():
    made = next(
        m for x in CASES if len((m := adverse_action(case(x), REFUSED, APPROVED)).reasons) == 4
    )
    en = notice(made, "en", "Office of the Supervisor, 1 Main Street")
    zh = notice(made, "zh", "国家金融监督管理总局")
    assert "declined" in en
    assert "approved customers" in en
    assert "Equal Credit Opportunity Act" in en
    assert "Office of the Supervisor, 1 Main Street." in en
    assert "个人信息保护法" in zh
    assert "获批客户" in zh
    for i, r in enumerate(made.reasons, 1):
        assert f"\n{i}. {r.en}\n" in en
        assert f"\n{i}. {r.zh}\n" in zh
    assert str(made.points) in en
    assert not re.search(r"[{}]|  ", en + zh)
    assert not re.search(r"race|religion|sex", " ".join(r.en for r in made.reasons))


def test_a_letter_without_a_permitted_reason_is_refused():
    made = adverse_action(case(CASES[0]), REFUSED).model_copy(update={"reasons": []})
    with pytest.raises(InputError, match="a person has to state"):
        notice(made, "en", "the agency")


def test_a_feature_that_took_nothing_is_no_ground_though_its_idea_took_points():
    idea = ideas(CATALOGUE)["utilisation_last"]
    parts = np.zeros(len(NAMES), dtype=np.int64)
    parts[NAMES.index("utilisation_last")] = 4
    assert _ground(case(CASES[0]), parts, idea) is None
    parts[NAMES.index("utilisation_mean_90d")] = -1
    assert _ground(case(CASES[0]), parts, idea) == NAMES.index("utilisation_mean_90d")
