"""`tierline labels show` and `tierline leaks`, as a person calls them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cli import main
from domain.workspace import Workspace
from events.ingest import ingest
from events.readers import SOURCES
from tests.events.given_world import folder


def run(home, *arguments: str):
    return CliRunner().invoke(main, ["--home", str(home), *arguments])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    folder(root / "raw")
    workspace = Workspace(root / "home", "given")
    workspace.root.mkdir(parents=True)
    ingest(SOURCES["given"], root / "raw", workspace.dataset)
    return root / "home"


def test_a_label_is_shown_with_its_events_and_written_as_a_page(home, tmp_path):
    file = tmp_path / "label.html"
    answer = run(home, "labels", "show", "5", "--source", "given", "--html", str(file))
    assert answer.exit_code == 0, answer.output
    assert "outcome: " in answer.output
    assert "2024-01-01" in answer.output
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    chinese = run(home, "labels", "show", "5", "--source", "given", "--lang", "zh")
    assert "决定标签" in chinese.output


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("5", "--target", "value"), "declares no value target"),
        (("nobody",), "no customer 'nobody'"),
        (("5", "--as-of", "soon"), "'soon' is not an instant"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(home, asked, said):
    answer = run(home, "labels", "show", *asked, "--source", "given")
    assert answer.exit_code == 2
    assert said in answer.output


def test_a_clean_table_has_no_leaks_and_says_which_feature_ranks_best(home, tmp_path):
    file = tmp_path / "leaks.json"
    raw = str(home.parent / "raw")
    answer = run(home, "leaks", "--source", "given", "--data", raw, "--json", str(file))
    assert answer.exit_code == 0, answer.output
    assert "leaks: none found" in answer.output
    assert "visits ranks best alone" in answer.output
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["alarms"], told["told"]) == ([], [])
    assert told["figures"]["same_person"]["also_learnt_from"] == 0


def test_a_leak_ends_the_command_with_one(tmp_path):
    declared = folder(tmp_path / "raw") / "given.toml"
    text = declared.read_text(encoding="utf-8").replace("2024-01-01", "2023-10-01")
    declared.write_text(text, encoding="utf-8")
    home = tmp_path / "home"
    answer = run(home, "leaks", "--source", "given", "--data", str(tmp_path / "raw"))
    assert answer.exit_code == 1, answer.output
    assert "ALARM   given.since_last_visit" in answer.output
    assert "leaks: 1 sure, 0 to look at" in answer.output
