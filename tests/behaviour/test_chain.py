"""The whole chain through the command line, as a new user drives it.

What one command leaves for the next is shown by processes of their own; what a command says is
asked in this one, which has its libraries imported.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import cli
import cli_options
from tests.events.given_world import folder
from tests.served import service, wait_until_ready

ROOT = Path(__file__).parents[2]
CUSTOMERS = 500


class Terminal:
    """Runs `tierline` over one home: a call in this process, `anew` in a fresh one."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, fails: bool = False) -> str:
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(self.home.parent)
            patched.setattr(cli_options.console, "width", 200)
            done = CliRunner().invoke(cli.main, ["--home", str(self.home), *words])
        assert isinstance(done.exception, SystemExit | None), done.exc_info
        assert (done.exit_code != 0) == fails, done.output
        return done.output

    def anew(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), "--home", str(self.home), *words],
            cwd=self.home.parent, capture_output=True, text=True, check=False,
            env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert (done.returncode != 0) == fails, said
        return said


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Terminal, str]:
    tierline = Terminal(tmp_path_factory.mktemp("chain") / "home")
    return tierline, tierline.anew("demo", "--customers", str(CUSTOMERS), "--trials", "1")


def decided(tierline: Terminal, *words: str) -> list[dict]:
    return json.loads(tierline("decide", "--json", *words))["decisions"]


def test_the_demo_goes_from_nothing_to_a_replayed_decision(demo):
    _, said = demo
    assert f"{CUSTOMERS} customers" in said
    assert all(target in said for target in ("value test", "churn test", "credit test"))
    assert re.search(r"live: [0-9a-f]{12} by demo; parity passed, 200 customers compared", said)
    assert "the same, bit for bit" in said


@pytest.fixture(scope="module")
def answers(demo) -> list[dict]:
    return json.loads(demo[0].anew("decide", "--json", "C0000007", "nobody"))["decisions"]


def test_a_decision_is_explained_and_replayed_by_its_id(demo, answers):
    tierline, _ = demo
    made = answers[0]
    said = tierline.anew("explain", made["decision_id"], "--lang", "en")
    for score in made["scores"]:
        assert str(score["points"]) in said
        reasons = sum(r["points"] for r in score["reasons"])
        assert score["base_points"] + reasons == score["points"]
    assert "the same, bit for bit" in tierline.anew("replay", made["decision_id"])


def test_the_demo_leaves_a_page_that_explains_its_decision(demo):
    _, said = demo
    found = re.search(r"written: (.*explained\.html)", said)
    assert found is not None
    html = Path(found[1]).read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert re.search(r"tierline explain (\w{32})", said)[1] in html


def test_an_explanation_comes_in_the_form_that_is_asked_for(demo, answers, tmp_path):
    tierline, _ = demo
    made, file = answers[0], tmp_path / "why.html"
    file.write_text("old", encoding="utf-8")
    tierline("explain", made["customer_id"], "--lang", "zh", "--html", str(file))
    assert '<html lang="zh-CN">' in file.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["why.html"]
    told = json.loads(tierline("explain", made["decision_id"], "--json"))
    assert told["decision"] == made
    assert "我们对您的信用评估结果是" in tierline("explain", "C0000007", "--letter", "--lang", "zh")


def test_a_notice_is_written_where_the_decision_is_adverse_and_refused_elsewhere(demo):
    tierline, _ = demo
    everybody = [f"C{number:07d}" for number in range(1, 120)]
    bands = {
        made["customer_id"]: next((s["tier"]["name"] for s in made["scores"] if s["p_bad"]
                                   and s["target"] == "credit"), None)
        for made in decided(tierline, *everybody)
    }  # fmt: skip
    held = {band: customer for customer, band in bands.items()}
    assert "not adverse" in tierline("explain", held["a"], "--notice", fails=True)
    assert "Equal Credit Opportunity Act" in tierline("explain", held["e"], "--notice")
    assert "监管机构" in tierline("explain", held["e"], "--notice", "--lang", "zh")


def test_an_unknown_customer_is_answered_as_missing(answers):
    made = answers[1]
    assert made["status"] == "missing"
    assert made["scores"] == []
    assert made["strategy"]["name"] == "check_id"


def test_a_past_decision_is_of_features_as_of_then(demo):
    tierline, _ = demo
    [then] = decided(tierline, "C0000003", "--as-of", "2025-06-01")
    assert then["as_of"] == then["asked_as_of"] == "2025-06-01T00:00:00Z"
    assert then["feature_age_days"] == 0
    assert "the same, bit for bit" in tierline("replay", then["decision_id"])


def test_a_served_decision_tells_why_what_changed_and_what_would_change_it(demo, tmp_path):
    tierline, _ = demo
    log = tmp_path / "log"
    with service(tierline.home, log) as (address, process):
        assert wait_until_ready(address, process), log.read_text()
        with httpx.Client(base_url=f"{address}/v1", timeout=60) as client:
            kept = 0
            for customer in ("C0000003", "C0000007", "C0000042"):
                then = _decide(client, customer, as_of="2025-09-01T00:00:00Z")
                now = _decide(client, customer)
                _check_explanations(client, now)
                _check_change(client, then, now)
                kept += _plans_kept(client, now)
            nobody = client.post("/what-if", json={"customer_id": "who", "changes": {"f": 1}})
    assert nobody.status_code == 404
    assert kept >= 3
    assert "C0000042" not in log.read_text()


def _decide(client: httpx.Client, customer: str, **when: str) -> dict:
    body = {"customer_ids": [customer], "purpose": "credit_review", **when}
    return client.post("/decisions", json=body).raise_for_status().json()["decisions"][0]


def _ask(client: httpx.Client, decision: dict, what: str) -> dict:
    answer = client.get(f"/decisions/{decision['decision_id']}/{what}")
    return answer.raise_for_status().json()


def _points(decision: dict) -> dict[str, int]:
    return {s["target"]: s["points"] for s in decision["scores"]}


def _total(parts: list[dict]) -> int:
    return sum(part["points"] for part in parts)


def _check_explanations(client: httpx.Client, decision: dict) -> None:
    points = _points(decision)
    assert set(points) == {"value", "churn", "credit"}
    none, some, full = (
        _ask(client, decision, f"explanation?level={level}")["explanations"]
        for level in ("none", "reasons", "full")
    )
    assert all({e["target"]: e["points"] for e in told} == points for told in (none, some, full))
    for told in (*some, *full):
        assert told["base_points"] + _total(told["ideas"]) == told["points"]
    for told in full:
        assert told["base_points"] + _total(told["reasons"]) == told["points"]
        assert told["compared"]
        for held in told["compared"]:
            assert held["reference"]["points"] + _total(held["ideas"]) == told["points"]


def _check_change(client: httpx.Client, then: dict, now: dict) -> None:
    moves = _ask(client, now, f"change?since={then['decision_id']}")["scores"]
    assert {m["target"]: m["before"] for m in moves} == _points(then)
    assert {m["target"]: m["after"] for m in moves} == _points(now)
    for moved in moves:
        assert moved["before"] + _total(moved["data"]) + moved["model"] == moved["after"]
    assert any(moved["data"] for moved in moves)


def _plans_kept(client: httpx.Client, decision: dict) -> int:
    """How many plans of a decision gave the points that they promise."""
    kept = 0
    for found in _ask(client, decision, "counterfactuals")["scores"]:
        for plan in found["plans"]:
            changes = {m["feature"]: m["then"] for m in plan["moves"]}
            body = {"decision_id": decision["decision_id"], "changes": changes}
            answer = client.post("/what-if", json=body).raise_for_status().json()
            [score] = [s for s in answer["scores"] if s["target"] == found["target"]]
            assert score["points"] == plan["points"] >= found["wanted"]
            assert score["points_now"] == found["points"]
            kept += 1
    return kept


def test_another_policy_decides_otherwise_and_the_record_keeps_it(demo, answers, tmp_path):
    tierline, _ = demo
    text = (ROOT / "domain/policies/default.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace('status = ["missing"]', "status = []"), encoding="utf-8")
    [made] = decided(tierline, "C0000007", "--policy", str(mine))
    assert made["strategy"]["name"] == "check_id" != answers[0]["strategy"]["name"]
    assert made["scores"] == answers[0]["scores"]
    assert "the same, bit for bit" in tierline("replay", made["decision_id"])


def test_the_whole_record_is_checked_and_replayed(demo, answers):
    said = demo[0]("replay", "--all")
    found = re.search(r"(\d+) of (\d+) decisions: the same, bit for bit", said)
    assert found is not None
    assert found[1] == found[2]
    assert int(found[1]) >= 3 + len(answers)


def test_features_that_differ_are_listed_and_certified_as_such_until_brought_online(demo):
    tierline, _ = demo
    said = tierline("parity", "--sample", "40")
    assert said.startswith("equal: 40 customers")
    assert re.search(r"certificate ([0-9a-f]{64})", said)
    file = tierline.home / "bank" / "features" / "online.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM tierline_bank_rows WHERE view = 'recency'")
    said = tierline("parity", "--sample", "40", fails=True)
    assert "transaction_recency_days: differs for" in said
    failed = re.search(r"not certified: .*certificate ([0-9a-f]{64})", said)
    assert failed is not None
    assert "differ" in tierline("promote", "--certificate", failed[1], "--by", "x", fails=True)
    assert "200 customers compared" in tierline("promote", "--by", "x")


def test_a_policy_with_overlapping_cuts_is_refused_by_its_place(demo, tmp_path):
    tierline, _ = demo
    text = (ROOT / "domain/policies/default.toml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace("from_points = 550", "from_points = 300"), encoding="utf-8")
    assert "cuts.value" in tierline("decide", "C0000007", "--policy", str(broken), fails=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--source", "nowhere"), "there are"),
        (("check", "--source", "folder", "--data", "empty"), "empty"),
        (("decide", "--source", "folder", "c"), "no bundle is live"),
        (("replay", "0" * 32), "no decision"),
        (("replay",), "--all"),
        (("explain", "who"), "tierline decide"),
        (("explain", "C0000007", "--json", "--letter"), "--json, --letter exclude each other"),
        (("explain", "C0000007", "--html", "empty"), "name a file"),
        (("explain", "C0000007", "--pdf", "empty"), "name a file"),
        (("decide", "c", "--as-of", "yesterday"), "yesterday"),
        (("decide", "c" * 200), "customer_ids.0"),
        (("promote", "--bundle", "f" * 64), "ffffffffffff"),
        (("train", "--source", "berka"), "tierline"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do_next(demo, words, said):
    tierline, _ = demo
    (tierline.home.parent / "empty").mkdir(exist_ok=True)
    assert said in tierline(*words, fails=True)


def test_mlflow_runs_the_same_command_as_an_entry_point(tmp_path):
    tierline = Terminal(tmp_path / "home")
    tierline("features", "--source", "given", "--data", str(folder(tmp_path / "raw")))
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "train", "--env-manager", "local",
         "-P", "source=given", "-P", "trials=1"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={
            **os.environ,
            "TIERLINE_HOME": str(tierline.home),
            "COLUMNS": "200",
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/outer.db",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "churn test" in done.stdout


def test_help_is_fast_to_read_and_imports_no_framework():
    heavy = ("bentoml", "feast", "lightgbm", "mlflow", "optuna", "pandas", "pyarrow", "sklearn")
    code = (
        "import sys, cli; "
        "from click.testing import CliRunner; "
        "print(CliRunner().invoke(cli.main, ['--help']).output); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for command in ("simulate", "check", "features", "tune", "train", "promote", "serve",
                    "decide", "replay", "explain", "run", "demo", "connect",
                    "quality"):  # fmt: skip
        assert f"\n  {command} " in done.stdout
