"""What stands beside the scorers is of the rows they learnt from, and is read back strictly."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from domain.policy import default_policy
from features.catalogue import CATALOGUE
from scoring.global_view import read_global_view
from scoring.reference import fit_references, read_references
from scoring.tree_tables import UnsupportedError
from tests.scoring.explain_world import credit_scorer, rows
from training import beside as module
from training.beside import beside
from training.fit import fit_scorer
from training.space import default_trial
from training.tune import Best

SCORER, X, POLICY = credit_scorer(), rows(900, 71), default_policy()
ACTIVE = ["active"] * len(X)


def test_it_is_of_the_fit_rows_of_each_target():
    made = json.loads(json.dumps(beside({"credit": (SCORER, X, ACTIVE)}, CATALOGUE, POLICY)))
    [everybody, *bands] = read_references(made["references"], {"credit": SCORER})["credit"]
    assert everybody.customers == read_global_view(made["global_view"])["credit"].rows == 900
    assert 1 <= len(bands) <= 9


def test_of_many_rows_some_are_taken_evenly(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 400)
    made = beside({"credit": (SCORER, X, ACTIVE)}, CATALOGUE, POLICY)
    assert made == beside({"credit": (SCORER, X[::3], ACTIVE[::3])}, CATALOGUE, POLICY)


def test_a_booster_that_our_own_tables_cannot_hold_is_explained_by_lightgbm():
    more = re.sub(
        r"(?m)^leaf_count=(\d+)",
        lambda m: f"leaf_count={int(m[1]) + 1}",
        SCORER.booster_text,
        count=1,
    )
    odd = replace(SCORER, booster_text=more)
    with pytest.raises(UnsupportedError):
        _ = odd.tree_shap
    made = beside({"credit": (odd, X, ACTIVE)}, CATALOGUE, POLICY)
    [everybody, *_] = read_references(made["references"], {"credit": odd})["credit"]
    assert everybody == fit_references(replace(odd, explainer="pred_contrib"), X)[0]


def test_a_target_with_few_rows_has_none():
    made = beside({"credit": (SCORER, X[:49], ACTIVE[:49])}, CATALOGUE, POLICY)
    assert made == {"references": {}, "global_view": {}}


def test_a_trained_bank_carries_them_and_what_drives_its_truth_leads(trained):
    bundle = trained.result.bundle
    references = read_references(bundle.beside["references"], bundle.scorers)
    views = read_global_view(bundle.beside["global_view"])
    assert {*references} == {*views} == {*bundle.scorers}
    for target, scorer in bundle.scorers.items():
        assert references[target][0].customers == trained.result.targets[target].fit_rows
        named = [r.name for r in references[target] if not r.name.startswith("points_")]
        assert named[:1] == ["everybody"]
        assert len([n for n in named if n.startswith("stage_")]) > 1
        assert ("approved" in named) == (target == "credit")
        for reference in references[target]:
            assert np.isfinite(reference.points(scorer))
    led = {t: list(v.ideas)[:3] for t, v in views.items()}
    assert len({"late_payment", "repayment", "utilisation"} & {*led["credit"]}) >= 2
    assert {"purchase_frequency", "purchase_recency", "spend"} & {*led["churn"]}
    assert {"purchase_frequency", "spend", "purchase_size"} & {*led["value"]}


@pytest.mark.parametrize("target", ["churn", "credit"])
def test_planted_noise_has_hardly_a_share_in_the_reasons_of_the_simulated_bank(
    trained, materials, target
):
    made = materials(target)
    full = made.problem
    planted = np.random.default_rng(5).normal(size=(len(full.X), 5))
    names = (*full.names, *(f"planted_{i}" for i in range(5)))
    problem = replace(
        full, X=np.hstack([full.X, planted]), names=names, monotone=(*full.monotone, *[0] * 5)
    )
    best = Best({**default_trial(1000), "bagging_freq": 1}, 40, 0.0)
    scorer = fit_scorer(replace(made, problem=problem), trained.dataset.plan, best, 1, None)
    reasons = np.abs(scorer.explain(problem.X[made.split.test]).reasons)
    share = reasons[:, -5:].sum() / reasons.sum()
    among = (np.argsort(-reasons, axis=1, kind="stable")[:, :3] >= len(full.names)).mean()
    assert share < 0.01
    assert among < 0.01
