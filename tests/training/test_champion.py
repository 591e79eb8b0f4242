"""A champion is asked about the very rows that judge the challenger."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import NotFoundError
from domain.workspace import Workspace
from features.catalogue import CATALOGUE
from scoring.bundle import with_card
from scoring.deployments import Deployment, append
from training.champion import champion, named


@pytest.fixture(scope="module")
def made(materials):
    return materials("credit")


def test_it_scores_the_test_rows_from_features_of_its_own(trained, made):
    found = champion(trained.result.bundle, trained.workspace, made, CATALOGUE)
    scorer = trained.result.bundle.scorers["credit"]
    assert found.bundle == trained.result.bundle.hash
    np.testing.assert_array_equal(found.scores, scorer.calibrated(made.problem.X[made.split.test]))
    fewer = replace(made.problem, names=made.problem.names[1:], X=made.problem.X[:, 1:])
    again = champion(
        trained.result.bundle, trained.workspace, replace(made, problem=fewer), CATALOGUE
    )
    np.testing.assert_array_equal(again.scores, found.scores)


def test_nothing_live_is_no_champion(trained, made):
    assert champion(None, trained.workspace, made, CATALOGUE) is None


def test_it_is_the_live_bundle_or_one_that_is_named(trained, tmp_path):
    workspace, first = Workspace(tmp_path, "bank"), trained.result.bundle
    here = workspace.bundles / first.hash
    shutil.copytree(trained.workspace.bundles / first.hash, here)
    assert named(workspace, "live") is None
    second = with_card(replace(first, path=here), {**first.card, "seed": 1})
    for at, bundle in enumerate((first, second)):
        said = {"by": "Li", "reason": None, "parity": "a" * 64, "bundle": bundle.hash}
        append(workspace.deployments, Deployment(at=at, **said))
    assert named(workspace, "live").hash == second.hash
    assert named(workspace, first.hash).hash == first.hash
    assert named(workspace, "none") is None
    for other in ("f" * 64, "latest", first.hash[:12]):
        with pytest.raises(NotFoundError, match="give the whole hash"):
            named(workspace, other)


def test_it_says_why_it_cannot_score(trained, made):
    bundle = trained.result.bundle
    other = replace(bundle, scorers={"churn": bundle.scorers["churn"]})
    said = champion(other, trained.workspace, made, CATALOGUE)
    assert (said.scores, said.because) == (None, "it has no scorer for credit")
    scorer = bundle.scorers["credit"]
    renamed = scorer.booster_text.replace(scorer.features[0], "gone_feature")
    odd = replace(scorer, features=("gone_feature", *scorer.features[1:]), booster_text=renamed)
    said = champion(replace(bundle, scorers={"credit": odd}), trained.workspace, made, CATALOGUE)
    assert said.scores is None
    assert "gone: gone_feature" in said.because
    folds = replace(made, split=replace(made.split, folds=((made.split.fit, made.split.test),)))
    assert "in folds" in champion(bundle, trained.workspace, folds, CATALOGUE).because
