"""`tierline features`: examples in every help text, the old spelling, names that are refused."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from cli import main
from cli_features import features
from domain.workspace import Workspace
from features.catalogue import CATALOGUE
from features.store import open_room
from tests.features.bank_panel import bank_panel


def run(*arguments: str):
    return CliRunner().invoke(main, ["features", *arguments])


@pytest.mark.parametrize("name", ["compute", "list", "show", "lineage", "stats"])
def test_each_command_has_a_help_text_with_an_example_of_itself(name):
    assert f"tierline features {name}" in (features.commands[name].help or "")
    answer = run(name, "--help")
    assert answer.exit_code == 0
    assert "Example" in answer.output


def test_without_a_command_features_are_computed_as_ever():
    for arguments in (("--source", "nowhere"), ("compute", "--source", "nowhere")):
        answer = run(*arguments)
        assert answer.exit_code == 2
        assert "no source 'nowhere'" in answer.output
    assert "Commands:" in run("--help").output


def test_a_feature_is_shown_and_followed_and_an_unknown_one_refused():
    assert "low: not long ago" in run("show", "purchase_recency_days").output
    assert "transactions.kind" in run("lineage", "recency_to_gap").output
    for command in ("show", "lineage"):
        answer = run(command, "nothing")
        assert answer.exit_code == 2
        assert "no feature 'nothing'" in answer.output


def test_the_list_tells_how_many_features_there_are():
    assert f"{len(CATALOGUE.names)} features" in run("list").output


def test_stats_are_those_of_the_last_panel_kept(tmp_path):
    panel = bank_panel()
    open_room(Workspace(tmp_path, "bank"), {}).write(panel)
    answer = CliRunner().invoke(
        main, ["--home", str(tmp_path), "features", "stats", "--theme", "recency"]
    )
    assert answer.exit_code == 0, answer.output
    assert f"{panel.num_rows:,} customers" in answer.output
    missing = panel["purchase_recency_days"].null_count / panel.num_rows
    assert re.search(rf"\b{missing:.0%}", answer.output)
