"""Given features: their own catalogue and panel, and one of them from the table to the decision."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from domain.asof import parse_instant
from domain.decision import DecisionRequest, Purpose
from domain.workspace import Workspace
from events.dataset import Dataset
from events.given import read_given
from events.ingest import ingest
from events.readers import SOURCES
from events.schema import INSTANT
from features.catalogue import CATALOGUE
from features.given import GivenCatalogue, catalogue_of, catalogue_told, everybody, panel
from scoring import registry
from scoring.bundle import Bundle, write_bundle
from scoring.card import Accepted
from scoring.parity import go_live
from serving.desk import Desk
from serving.replay import replay
from tests.events.given_world import DECLARATION, folder, people
from training.options import RunOptions
from training.run import run

AS_OF = parse_instant("2024-01-01")
ASKED = DecisionRequest(customer_ids=["3"], purpose=Purpose.CRM)
ASKED_NOBODY = DecisionRequest(customer_ids=["nobody"], purpose=Purpose.CRM)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    root = tmp_path_factory.mktemp("given")
    return ingest(SOURCES["given"], folder(root / "raw"), root / "out")[0]


def test_the_catalogue_is_that_of_the_declaration(dataset):
    catalogue = catalogue_of(dataset)
    assert catalogue.names == ("visits", "since_last_visit", "level", "is_online", "age", "branch")
    assert catalogue.lineage("visits") == {("given", "VISITS")}
    assert catalogue.monotone("churn", catalogue.names) == (1, 0, 0, 0, 0, 0)
    assert catalogue["visits"].lever
    assert catalogue.reason_text("visits", 3.0, -4, "zh") == "到访次数：3次（偏少），减4分"
    assert catalogue.reason_text("visits", None, 4, "en") == "Visits: no record, adds 4 points"


def test_what_is_protected_reaches_no_scorer(dataset):
    catalogue = catalogue_of(dataset)
    for target in ("value", "churn", "credit"):
        allowed = catalogue.for_target(target)
        assert "age" not in allowed
        assert not [n for n in allowed if ("given", "AGE") in catalogue.lineage(n)]


@pytest.mark.parametrize(
    ("old", "new"),
    [("churn = 1", "churn = 0"), ('en = "Visits"', 'en = "Calls"'), ("low = 0", "low = 1"),
     ("missing = [99]", "missing = [98]"), ("2024-01-01", "2024-01-02")],
)  # fmt: skip
def test_the_hash_holds_everything_that_decides_values_texts_and_directions(old, new):
    before, after = read_given(DECLARATION), read_given(DECLARATION.replace(old, new))
    assert GivenCatalogue(before).hash == GivenCatalogue(read_given(DECLARATION)).hash
    assert GivenCatalogue(before).hash != GivenCatalogue(after).hash


def test_the_panel_is_what_was_known_at_each_as_of(dataset):
    moments = pa.array([AS_OF, AS_OF - 1, AS_OF + 1, AS_OF], pa.int64()).cast(INSTANT)
    asked = pa.table({"customer_id": ["5", "5", "5", "nobody"], "as_of": moments})
    found = panel(dataset, asked)
    told = {str(r["nr"]): r for r in people().to_pylist()}["5"]
    visits = None if told["VISITS"] == 99 else told["VISITS"]
    assert found["visits"].to_pylist() == [visits, None, visits, None]
    assert found["customer_id"].to_pylist() == asked["customer_id"].to_pylist()


def test_a_correction_counts_from_when_it_is_known(tmp_path, dataset):
    given = dataset.given
    assert given is not None
    known = [AS_OF, AS_OF + 10]
    rows = pa.table(
        {
            "customer_id": ["a", "a"],
            "happened_at": pa.array([AS_OF] * 2, pa.int64()).cast(INSTANT),
            "known_at": pa.array(known, pa.int64()).cast(INSTANT),
            **{c.name: [1.0, 2.0] for c in given.columns},
            "superseded_at": pa.array([AS_OF + 10, None], pa.int64()).cast(INSTANT),
        }
    )
    import pyarrow.parquet as pq

    (tmp_path / "given").mkdir()
    pq.write_table(rows, tmp_path / "given" / "part-00000.parquet")
    corrected = Dataset(tmp_path, "given", dataset.plan, AS_OF, dataset.tables, given)
    moments = pa.array([AS_OF, AS_OF + 9, AS_OF + 10], pa.int64()).cast(INSTANT)
    found = panel(corrected, pa.table({"customer_id": ["a"] * 3, "as_of": moments}))
    assert found["visits"].to_pylist() == [1.0, 1.0, 2.0]


def test_everybody_is_known_at_the_instant_of_the_table(dataset):
    assert everybody(dataset, AS_OF).num_rows == 1200


@pytest.fixture(scope="module")
def live(dataset, tmp_path_factory) -> tuple[Workspace, Bundle]:
    workspace = Workspace(tmp_path_factory.mktemp("given_home"), "given")
    workspace.root.mkdir()
    workspace.dataset.symlink_to(dataset.root)
    why = Accepted(by="test", reason="a table made up for a test")
    result = run(dataset, workspace, RunOptions(trials=2, accepted=why), lambda *_: None)
    assert result.bundle is not None
    _, compared = go_live(workspace, {}, result.bundle.hash, 50, "test", None)
    assert compared.customers == 50
    return workspace, result.bundle


def test_a_given_feature_goes_from_the_table_to_the_reason_of_a_replayed_decision(live):
    workspace, bundle = live
    scorer = bundle.scorers["churn"]
    assert "age" not in scorer.features
    assert [levels.feature for levels in scorer.categories] == ["branch"]
    assert len(scorer.categories[0].codes) == 40
    assert catalogue_told(bundle.card).hash == bundle.catalogue_hash != CATALOGUE.hash
    desk = Desk(workspace)
    request = DecisionRequest(customer_ids=["3", "4", "nobody"], purpose=Purpose.CRM)
    answer = desk.decisions(request)
    for decision in answer.decisions[:2]:
        [score] = decision.scores
        assert score.base_points + sum(r.points for r in score.reasons) == score.points
        texts = {r.feature: (r.zh, r.en) for r in score.reasons}
        assert texts["visits"][0].startswith("到访次数：")
        assert texts["visits"][1].startswith("Visits: ")
        assert re.match(r"网点：1\d\d，", texts["branch"][0])
        assert re.match(r"Branch: 1\d\d, ", texts["branch"][1])
    assert answer.decisions[2].status == "missing"
    assert all(replay(workspace, d.decision_id).equal for d in answer.decisions)


def test_a_decision_as_of_a_past_instant_reads_the_table_as_it_was_known(live):
    workspace, _ = live
    asked = {"customer_ids": ["3"], "purpose": "crm"}
    desk = Desk(workspace)
    [after] = desk.decisions(
        DecisionRequest(**asked, as_of=datetime(2024, 1, 5, tzinfo=UTC))
    ).decisions
    [before] = desk.decisions(
        DecisionRequest(**asked, as_of=datetime(2023, 12, 31, tzinfo=UTC))
    ).decisions
    assert (after.status, before.status) == ("fresh", "missing")
    assert not before.scores


def test_features_whose_clock_is_nominal_are_fresh_with_an_age_that_nobody_knows(live):
    workspace, dated = live
    [old] = Desk(workspace).decisions(ASKED).decisions
    assert (old.status, old.view_age_days) == ("stale", {"given": old.feature_age_days})

    card = {**dated.card, "given": {**dated.card["given"], "nominal": True}}
    golden = {"churn": np.zeros((1, len(dated.scorers["churn"].features)))}
    bundle = write_bundle(
        workspace.bundles, dated.scorers, catalogue_told(card), card, golden
    )  # fmt: skip
    registry.register(workspace, bundle)
    go_live(workspace, {}, bundle.hash, 5, "test", None)
    try:
        [found] = Desk(workspace).decisions(ASKED).decisions
        assert (found.status, found.feature_age_days) == ("fresh", None)
        assert (found.as_of, found.view_age_days) == (old.as_of, {"given": None})
        [note] = [n for n in found.degraded if "accepted by" not in n]
        assert "age is unknown" in note
        assert found.scores == old.scores
        assert replay(workspace, found.decision_id).equal
        [nobody] = Desk(workspace).decisions(ASKED_NOBODY).decisions
        assert nobody.status == "missing"
        assert not [n for n in nobody.degraded if "age is unknown" in n]
    finally:
        go_live(workspace, {}, dated.hash, 5, "test", "the dated one again")


def test_fewer_visits_never_earn_more_points(live):
    _, bundle = live
    scorer = bundle.scorers["churn"]
    X = np.zeros((30, len(scorer.features)))
    X[:, scorer.features.index("visits")] = np.arange(30)
    assert (np.diff(scorer.margin(X)) >= 0).all()
