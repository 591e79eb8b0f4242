"""The inputs of a run: the policy counts everywhere, the champion is named, the lock hashed."""

from __future__ import annotations

import dataclasses
import re
import shutil

import pytest

from domain.errors import InputError, PolicyError
from domain.policy import Policy, default_policy, default_policy_text, parse_policy
from domain.workspace import Workspace
from events.dataset import Dataset
from events.ingest import ingest
from events.readers import SOURCES
from scoring.bundle import Bundle
from scoring.card import Accepted, read_card
from scoring.deployments import Deployment, append
from scoring.reference import read_references
from tests.events.given_world import folder
from tests.training.conftest import OPTIONS
from training.matrix import labelled, material
from training.options import RunOptions
from training.run import compute_features, train

STAGES = """
[[stages]]
name = "loyal"
zh = "忠诚"
en = "loyal"
when = [{ feature = "visits", op = ">=", value = 6 }]
"""
WHY = Accepted(by="test", reason="a table made up for a test")


def policy() -> Policy:
    """Stages by a column of the table, two bands of churn instead of three."""
    text = default_policy_text("scores_only").replace("\n[[stages]]", STAGES + "\n[[stages]]", 1)
    cut = re.search(r'(?s)\[\[cuts.churn\]\]\nname = "medium_risk".*?(?=\[\[cuts)', text)
    text = text.replace(cut[0], "").replace("medium_risk", "low_risk")
    return parse_policy(text)


@pytest.fixture(scope="module")
def homes(tmp_path_factory) -> tuple[Dataset, Workspace, Workspace]:
    """A table and its features in two homes."""
    root = tmp_path_factory.mktemp("inputs")
    here, there = (Workspace(root / name, "given") for name in ("here", "there"))
    here.root.mkdir(parents=True)
    dataset, _ = ingest(SOURCES["given"], folder(root / "raw"), here.dataset)
    compute_features(dataset, here, lambda *_: None)
    shutil.copytree(root / "here", root / "there")
    return dataset, here, there


def learn(dataset: Dataset, workspace: Workspace, seed: int, **of) -> Bundle:
    options = RunOptions(trials=1, seed=seed, accepted=WHY, **of)
    bundle = train(dataset, workspace, options, lambda *_: None).bundle
    assert bundle is not None
    return bundle


@pytest.fixture(scope="module")
def first(homes) -> Bundle:
    dataset, here, _ = homes
    return learn(dataset, here, 1, policy=policy(), champion="none")


def test_stages_bands_and_costs_are_those_of_the_policy_that_judges(homes, first):
    dataset, here, _ = homes
    made = material(dataset, here, "churn", labelled(dataset)[0]["churn"], 1)
    visits = made.problem.X[made.split.fit, made.problem.names.index("visits")]
    told = read_references(first.beside["references"], first.scorers)["churn"]
    customers = {r.name: r.customers for r in told}
    assert customers["stage_loyal"] == (visits >= 6).sum() > 50
    assert customers["stage_active"] == (~(visits >= 6)).sum()
    card = read_card(first.card)
    assert card.policy.hash == policy().hash != default_policy().hash
    bands = [n for n in card.targets["churn"].figures["test"]["coverage"] if n.startswith("tier")]
    assert {*bands} <= {"tier high_risk", "tier low_risk"}
    assert card.champion is None


def test_the_same_inputs_and_champion_give_the_same_bundle_in_another_home(homes, first):
    """I11: named by its hash here, live there."""
    dataset, here, there = homes
    named = learn(dataset, here, 2, champion=first.hash)
    shutil.copytree(here.bundles / first.hash, there.bundles / first.hash)
    said = {"by": "Li", "reason": None, "parity": "a" * 64, "bundle": first.hash}
    append(there.deployments, Deployment(at=1, **said))
    assert read_card(named.card).champion == first.hash
    assert learn(dataset, there, 2).hash == named.hash
    gates = [g["gate"] for g in named.card["targets"]["churn"]["figures"]["gates"]]
    assert "not worse than the champion" in gates


def test_a_policy_that_reads_what_the_source_has_not_is_refused_before_anything_is_learnt(homes):
    dataset, here, _ = homes
    assert RunOptions().judged_by(dataset).version.endswith("-scores")
    with pytest.raises(PolicyError, match="which this source has not: take these rules out"):
        learn(dataset, here, 1, policy=default_policy())
    silent = re.sub(r"(?s)\[gates\].*?\n\n", "", default_policy_text("scores_only"))
    with pytest.raises(PolicyError, match="has no"):
        learn(dataset, here, 1, policy=parse_policy(silent))


def test_the_policy_that_was_asked_for_judges_a_bank_and_without_one_the_packaged(trained):
    own = policy().model_copy(update={"stages": default_policy().stages})
    assert RunOptions(policy=own).judged_by(trained.dataset) is own
    assert RunOptions().judged_by(trained.dataset) == default_policy()


def test_studies_that_do_not_fit_the_source_are_refused(trained):
    other = OPTIONS.studies[0].model_copy(update={"source": "berka"})
    for studies, said in (((other,), "about berka"), (OPTIONS.studies * 2, "two studies")):
        options = dataclasses.replace(OPTIONS, studies=studies)
        with pytest.raises(InputError, match=said):
            options.check_studies(trained.dataset, trained.workspace)
