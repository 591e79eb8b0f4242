"""Decisions without the service: the same desk, the same refusals."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli import main
from domain.decision import Purpose
from domain.errors import InputError
from serving.local import decide_now
from serving.record import DecisionLog


def test_customers_are_decided_and_recorded(workspace, customers):
    answer = decide_now(workspace, customers[:3], Purpose.SERVICING, None, None)
    assert [d.customer_id for d in answer.decisions] == list(customers[:3])
    assert DecisionLog(workspace.decisions).verify() == 3


@pytest.fixture
def tierline(workspace):
    """Runs a command over the workspace; its exit code and what it says."""

    def run(*words: str):
        command = ["--home", str(workspace.home), *words, "--source", "bank"]
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        return done.exit_code, done.output

    return run


def test_the_book_scored_at_once_has_the_points_and_reasons_of_every_decision(
    workspace, customers, tierline, tmp_path
):
    code, said = tierline("score", "--out", str(tmp_path / "book.parquet"))
    assert (code, said.split()[0]) == (0, str(len(customers)))
    assert not workspace.decisions.exists(), "nothing is recorded"
    book = pq.read_table(tmp_path / "book.parquet").to_pylist()
    assert tuple(row["customer_id"] for row in book) == customers
    answer = decide_now(workspace, customers[:20], Purpose.CRM, None, None)
    for row, decision in zip(book, answer.decisions, strict=False):
        assert decision.scores
        for score in decision.scores:
            assert row[f"{score.target}_points"] == score.points
            assert row[f"{score.target}_base"] == score.base_points
            listed = {r.feature: r.points for r in score.reasons if r.feature != "other"}
            reasons = row[f"{score.target}_reasons"]
            assert listed and {n: reasons[n] for n in listed} == listed


def test_a_book_needs_a_file_that_can_be_written_and_a_bundle_that_is_there(tierline, tmp_path):
    assert "give --out" in tierline("score")[1]
    assert "cannot be written" in tierline("score", "--out", str(tmp_path / "no/book.parquet"))[1]
    code, said = tierline("score", "--out", str(tmp_path / "b.parquet"), "--bundle", "f" * 64)
    assert code == 2 and "give the whole hash" in said
    assert [f for f in tmp_path.iterdir() if f.is_file()] == []


@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_what_is_live_is_told_and_an_alias_that_does_not_follow_is_an_exit_code(
    bank, workspace, tierline
):
    code, said = tierline("live")
    assert code == 1, "this home has the log and another MLflow"
    assert "by tests" in said and "names no bundle, the deployment log" in said
    done = CliRunner().invoke(main, ["--home", str(bank.home), "live", "--source", "bank"])
    assert done.exit_code == 0
    assert done.output.endswith("MLflow's alias follows the log\n")


def test_what_the_api_would_refuse_is_refused_by_its_place(workspace):
    with pytest.raises(InputError) as caught:
        decide_now(workspace, ["ok", "x" * 129], Purpose.CRM, None, None)
    assert [f.path for f in caught.value.faults] == ["customer_ids.1"]
    assert not workspace.decisions.exists()
